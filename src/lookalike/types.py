"""The records that travel between the rooms: what a picture is, what a comparison says."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from lookalike.errors import LookalikeError, printable
from lookalike.verdicts import COPIES, Verdict, format_score, format_share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt
    import pandas
    import pyarrow

    Pixels = npt.NDArray[np.uint8]
    """uint8, H×W×3, sRGB."""

T = TypeVar("T")

UNCALIBRATED = "uncalibrated_score"
"""What the details of a calibrated comparison call the score as it was."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a decoder hands back, all oriented alike.

    Attributes:
        pixels: uint8, H×W×3, sRGB, alpha laid on white.
        mask: uint8, H×W, the alpha channel (255 = opaque); None where the picture has none.
        grey16: uint16, H×W, full-depth grey of a 16-bit grey or DICOM picture; None otherwise.
    """

    pixels: Pixels
    mask: Pixels | None = None
    grey16: npt.NDArray[np.uint16] | None = None


class Picture:
    """One picture: its pixels, decoded on first use, and where it came from.

    A picture is immutable and safe to share between threads. Make one with :func:`lookalike.load`.

    Attributes:
        source: the path or URL as the caller named it, or ``"<bytes>"``, ``"<array>"`` …
        format: ``"JPEG"``, ``"PNG"`` …; ``"array"`` or ``"image"`` for pixels handed over undecoded.
        digest: sha256 (hex) of the encoded bytes; of shape, dtype and pixels where there are none.
        original_size: (width, height) in pixels once oriented, before any reduction.
    """

    __slots__ = ("_cache", "_decode", "_decode_luma", "_kept", "digest", "format", "original_size", "source")

    def __init__(
        self,
        *,
        source: str,
        format: str,
        digest: str,
        original_size: tuple[int, int],
        decode: Callable[[int], Decoded],
        decode_luma: Callable[[int], Pixels | None] | None = None,
    ) -> None:
        self.source = source
        self.format = format
        self.digest = digest
        self.original_size = original_size
        self._decode = decode
        self._decode_luma = decode_luma
        self._cache: dict[int, Decoded] = {}
        self._kept: dict[tuple[str, int], Any] = {}

    def decoded(self, side: int = 0) -> Decoded:
        """Decode so that the longer side keeps at least ``side`` pixels; 0 means every pixel.

        JPEG is decoded at a half, a quarter or an eighth where that is enough; every other format gives all its
        pixels. The answer depends on the picture and ``side`` alone, never on what was asked before.

        Raises:
            PictureError: the bytes are damaged (:class:`~lookalike.errors.DecodeFailed`).
        """
        # Two threads may decode the same picture twice; both get equal arrays, so no lock is worth its cost.
        found = self._cache.get(side)
        if found is None:
            found = self._cache[side] = self._decode(side)
        return found

    def stored_luma(self, side: int = 0) -> Pixels | None:
        """Brightness (uint8, H×W) as the file stores it, at the scale of ``decoded(side)`` but without its colours.

        Most JPEG files have it, at a third of the time; None for everything else. It is what ``decoded(side)`` would
        be in grey but for rounding (a level or two; up to five where colours were clipped).
        """
        return None if self._decode_luma is None else self._decode_luma(side)

    def kept(self, name: str, side: int, make: Callable[[], T]) -> T:
        """What ``make`` returned the first time, kept under ``name`` and ``side``: a step that many methods share.

        What ``make`` returns must not be changed afterwards.
        """
        if (name, side) not in self._kept:
            self._kept[name, side] = make()
        made: T = self._kept[name, side]
        return made

    @property
    def pixels(self) -> Pixels:
        """Every pixel: uint8, H×W×3, sRGB, oriented, alpha on white. Read-only."""
        return self.decoded().pixels

    @property
    def mask(self) -> Pixels | None:
        """Alpha: uint8, H×W, 255 = opaque; None where the picture has none. Read-only."""
        return self.decoded().mask

    def __repr__(self) -> str:
        width, height = self.original_size
        return f"<Picture {printable(self.source)} {self.format} {width}×{height}>"


@dataclass(frozen=True, slots=True)
class Transform:
    """How the second picture lies on the first.

    Attributes:
        flip: the second is a mirror image of the first (left and right exchanged, before it is turned).
        rotation: by how many degrees the second is turned clockwise against the first: 0, 90, 180 or 270.
        homography: 3×3, row by row, maps points (x, y) of the second picture to the first, flip and rotation included;
            both in pixels of ``original_size``, counted from the outer corner of the first pixel.
        inliers: matching points that agree with the homography.
        overlap: share of the first picture that the second covers once aligned, 0 to 1.
        overlap_other: share of the second picture that lies on the first, 0 to 1.
        correlation: mean local correlation of the aligned grey pictures over the overlap, -1 to 1.
        pasted: the smaller of the two was pasted into the other: what is around it there has nothing to do with it.
    """

    flip: bool = False
    rotation: int = 0
    homography: tuple[float, ...] | None = None
    inliers: int = 0
    overlap: float | None = None
    overlap_other: float | None = None
    correlation: float | None = None
    pasted: bool = False

    @property
    def tilt(self) -> float:
        """By how many degrees the second is turned clockwise beyond the quarter turns, -45 to 45."""
        if self.homography is None:
            return 0.0
        across, down = self.homography[0], self.homography[3]  # where the second's x axis points in the first
        turned = -math.degrees(math.atan2(down, -across if self.flip else across))
        return (turned - self.rotation + 45) % 90 - 45

    def to_dict(self) -> dict[str, Any]:
        """The transform as plain values; ``dataclasses.asdict`` copies each of them, which takes ten times as long."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def reversed(self) -> Transform:
        """The same for the pictures exchanged: how the first lies on the second."""
        homography = None if self.homography is None else _inverted(self.homography)
        return replace(
            self,
            rotation=self.rotation if self.flip else -self.rotation % 360,
            homography=homography,
            overlap=self.overlap_other,
            overlap_other=self.overlap,
        )

    def __str__(self) -> str:
        words = []
        if self.flip:
            words.append("mirrored")
        if self.rotation:
            words.append(f"turned by {self.rotation}°")
        if abs(self.tilt) >= 2:
            words.append(f"tilted by about {abs(round(self.tilt))}°")
        words += self._crop()
        if self.inliers:
            words.append(f"{self.inliers} matching points")
        return ", ".join(words)

    def _crop(self) -> list[str]:
        if self.overlap is None or self.overlap_other is None or min(self.overlap, self.overlap_other) >= 0.93:
            return []
        share = round(100 * min(self.overlap, self.overlap_other))
        if self.pasted:
            if self.overlap < self.overlap_other:
                return [f"pasted in (about {share} % of the area)"]
            return [f"the first is pasted in (about {share} % of the second)"]
        if max(self.overlap, self.overlap_other) <= 0.9 or abs(self.tilt) >= 2:
            return [f"sharing about {share} %"]
        if self.overlap < self.overlap_other:
            return [f"cropped to about {share} %"]
        return [f"the first is about {share} % of the second"]


def adjugate(matrix: Sequence[float]) -> tuple[float, ...]:
    """The inverse of a 3×3 matrix but for its determinant, both row by row; without NumPy, which is slow for so few.

    >>> adjugate((2, 0, 0, 0, 1, 0, 0, 0, 1))
    (1, 0, 0, 0, 2, 0, 0, 0, 2)
    """
    a, b, c, d, e, f, g, h, i = matrix
    return (
        e * i - f * h, c * h - b * i, b * f - c * e,
        f * g - d * i, a * i - c * g, c * d - a * f,
        d * h - e * g, b * g - a * h, a * e - b * d,
    )  # fmt: skip


def _inverted(homography: tuple[float, ...]) -> tuple[float, ...]:
    """The inverse of a homography, its last number 1."""
    found = adjugate(homography)
    return tuple(value / found[8] for value in found)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two pictures have to do with each other.

    Attributes:
        a, b: the sources, as the caller named them.
        score: in [0, 1]; 1.0 only for identical pixels under the default preset.
        verdict: the band of the score, see :data:`BANDS`.
        parts: similarity of every method that was computed, each in [0, 1]. A method that was not needed is absent.
        transform: flip, turn and homography, where one was found.
        reasons: short phrases, the most telling first.
        preset: name of the preset (or of the single method) that made the score.
        model: name of the embedding model that ran, or None.
        details: numbers behind the parts that are no similarities (raw cosine, inliers, colour distance …).
        probability: that both show the same product, in [0, 1], by a calibration, or by a preset whose rule knows it;
            None where nothing does.
    """

    a: str
    b: str
    score: float
    verdict: Verdict
    parts: Mapping[str, float]
    transform: Transform | None = None
    reasons: tuple[str, ...] = ()
    preset: str = "auto"
    model: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    probability: float | None = None

    def reversed(self) -> Comparison:
        """The same comparison with the pictures exchanged."""
        return replace(self, a=self.b, b=self.a, transform=self.transform and self.transform.reversed())

    @property
    def why(self) -> str:
        """How likely it is the same product, where that says anything, and the reasons; a line, perhaps empty."""
        why = ", ".join(self.reasons)
        # of copies everybody sees what they show, and where there is next to no chance nobody asks
        if self.probability is None or self.probability < 0.01 or self.verdict in COPIES:
            return why
        likely = f"{format_share(self.probability)} likely the same product"
        return f"{likely}; {why}" if why else likely

    def __str__(self) -> str:
        why = self.why
        return f"{format_score(self.score)}  {self.verdict}{f'   ({why})' if why else ''}"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Comparison:
        """What :meth:`to_dict` gave, once more a comparison."""
        transform = values["transform"]
        if transform is not None:
            homography = transform["homography"]
            transform = Transform(**{**transform, "homography": None if homography is None else tuple(homography)})
        return cls(**{**values, "reasons": tuple(values["reasons"]), "transform": transform})

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values, ready for ``json.dumps``."""
        return {
            "a": self.a,
            "b": self.b,
            "score": self.score,
            "verdict": self.verdict,
            "probability": self.probability,
            "reasons": list(self.reasons),
            "parts": dict(self.parts),
            "transform": None if self.transform is None else self.transform.to_dict(),
            "preset": self.preset,
            "model": self.model,
            "details": dict(self.details),
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture, or a pair, that could not be used: what goes in = what comes out + failures.

    Attributes:
        source: which picture.
        kind: name of the error class, such as ``"DecodeFailed"``.
        reason: one line, in words.
    """

    source: str
    kind: str
    reason: str

    @classmethod
    def of(cls, error: LookalikeError) -> Failure:
        """The record of an error; ``source`` is empty where it is not about one picture."""
        return cls(source=getattr(error, "source", ""), kind=error.kind, reason=str(error))


@dataclass(frozen=True, slots=True)
class PairFailure:
    """A pair that could not be compared, and why.

    Attributes:
        a, b: the sources, as the caller named them.
        failure: which of them failed, and how.
    """

    a: str
    b: str
    failure: Failure

    def __str__(self) -> str:
        return self.failure.reason

    def to_dict(self) -> dict[str, Any]:
        """The failure as plain values, ready for ``json.dumps``."""
        return {"a": self.a, "b": self.b, "error": asdict(self.failure)}


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file of a collection that was read as a picture.

    Attributes:
        path: as it was found.
        digest: sha256 (hex) of its bytes; twins have the same.
        format: ``"JPEG"``, ``"PNG"`` …
        width, height: pixels once oriented.
        bytes: size of the file.
        mtime_ns: time of its last change, nanoseconds since 1970.
        reference: it came with ``against``: others are compared with it, it is not compared with its like.
    """

    path: str
    digest: str
    format: str
    width: int
    height: int
    bytes: int
    mtime_ns: int
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One picture of a group.

    Attributes:
        path: which picture.
        score: how alike it is to the group's base, in [0, 1]; None where that pair is below the threshold, as happens
            in a component, whose members hang together by others.
        transform: how it lies on the base, where that is known.
    """

    path: str
    score: float | None
    transform: Transform | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that belong together.

    Attributes:
        base: path of the picture that the others are measured against: the base, or the centre of a cluster.
        members: the others, the most alike first.
        lowest: least score of any two of them, the base included; None where some pair is below the threshold.
    """

    base: str
    members: tuple[Member, ...]
    lowest: float | None = None

    def __len__(self) -> int:
        return 1 + len(self.members)


GroupBy = Literal["base", "cluster", "component"]
Mode = Literal["quick", "default", "thorough"]


@dataclass(frozen=True, slots=True)
class Grouping:
    """What was found among many pictures.

    Attributes:
        pictures: every picture that was read, in the order of its path.
        pairs: every pair at the threshold or over it, the most alike first; a comes before b in the order of paths.
        groups: the pairs put together, the largest first; pictures without their like are in none.
        failures: every file that could not be used, and why: files in = pictures + failures.
        threshold: least score of a pair.
        group_by: how the groups were made.
        mode: how hard it was looked.
        stats: counts and seconds of the run, by name.
        notices: what a person should know: a damaged store that was set aside, a limit that cut the search short.
    """

    pictures: tuple[PictureFile, ...]
    pairs: tuple[Comparison, ...]
    groups: tuple[Group, ...]
    failures: tuple[Failure, ...]
    threshold: float
    group_by: GroupBy
    mode: Mode
    stats: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for ``json.dumps``."""
        return {
            "threshold": self.threshold,
            "group_by": self.group_by,
            "mode": self.mode,
            "pictures": [asdict(picture) for picture in self.pictures],
            "pairs": [pair.to_dict() for pair in self.pairs],
            "groups": [asdict(group) for group in self.groups],
            "failures": [asdict(failure) for failure in self.failures],
            "stats": dict(self.stats),
            "notices": list(self.notices),
        }

    def to_arrow(self) -> pyarrow.Table:
        """The pairs as an Arrow table, see :func:`lookalike.results.pairs_file.to_arrow`.

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        from lookalike.results import pairs_file

        return pairs_file.to_arrow(self)

    def to_pandas(self) -> pandas.DataFrame:
        """The pairs as a data frame, its columns those of :meth:`to_arrow`.

        Raises:
            MissingExtra: pandas or pyarrow is not installed.
        """
        from lookalike.results import pairs_file

        return pairs_file.to_pandas(self)
