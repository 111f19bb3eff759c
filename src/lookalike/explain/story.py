"""The words and numbers of an explanation: what sheet and page both tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.errors import printable
from lookalike.explain.palette import VERDICTS
from lookalike.types import UNCALIBRATED, Comparison
from lookalike.verdicts import BANDS, Verdict, format_score

if TYPE_CHECKING:
    from lookalike.explain.evidence import Evidence

NAME_LIMIT = 300
"""Characters of a picture's name that are told at most; sheet and page shorten further to fit."""

BORDERS: tuple[float, ...] = tuple(sorted(lowest for lowest, _ in BANDS if 0 < lowest < 1))
"""Where one verdict gives way to the next."""

ZONES: tuple[tuple[float, float, Verdict], ...] = tuple(
    (low, high, verdict) for (low, verdict), high in zip(BANDS[:0:-1], (*BORDERS, 1.0), strict=True)
)
"""(from, to, verdict) of each band, lowest first; ``identical`` is a point and has none."""


@dataclass(frozen=True, slots=True)
class Story:
    """What is told in words and numbers; texts are plain, each medium escapes them as it must.

    Attributes:
        score, verdict, colour: the headline, and its colour as ``#rrggbb``.
        reasons: one line; empty where there are none.
        made_by: preset and model.
        caveat: what keeps the number from meaning what the bands say; empty for the default preset.
        first, second: (name, facts) of each picture.
        points: what is said of the matching points.
        bars: (name, similarity) of each part.
        details: (name, number) of everything else.
        value: the score, for the first bar.
    """

    score: str
    verdict: str
    colour: str
    reasons: str
    made_by: str
    caveat: str
    first: tuple[str, str]
    second: tuple[str, str]
    points: str
    bars: tuple[tuple[str, float], ...]
    details: tuple[tuple[str, str], ...]
    value: float


def tell(comparison: Comparison, evidence: Evidence) -> Story:
    """The story of one comparison."""
    model = f" · model {printable(comparison.model, 60)}" if comparison.model else ""
    usual, calibrated = comparison.preset == "auto", UNCALIBRATED in comparison.details
    return Story(
        score=format_score(comparison.score),
        verdict=comparison.verdict,
        colour=VERDICTS[comparison.verdict],
        reasons=printable(comparison.why, 400),
        made_by=f"preset {printable(comparison.preset, 60)}{model}{' · calibrated' if calibrated else ''}",
        caveat="" if usual or calibrated else "the verdict's bands are fitted to the default preset, not to this one",
        first=(printable(comparison.a, NAME_LIMIT), _size(evidence.size_first)),
        second=(printable(comparison.b, NAME_LIMIT), _size(evidence.size_second)),
        points=_points(comparison, evidence),
        bars=tuple((printable(name, 40), value) for name, value in comparison.parts.items()),
        details=_details(comparison),
        value=min(1.0, max(0.0, comparison.score)),
    )


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]} pixels"


def _points(comparison: Comparison, evidence: Evidence) -> str:
    if evidence.placement is None:
        return "No alignment found: neither picture could be laid on the other."
    count = len(evidence.matches)
    inliers = comparison.transform.inliers if comparison.transform else 0
    if inliers:
        said = f"{inliers} points of one picture were found again in the other."
    elif count:
        said = f"The whole pictures agree; {count} matching points show how they lie."
    else:
        said = "The whole pictures agree; there are no distinct points to match."
    if evidence.borrowed:
        said = f"{count} matching points. Preset {comparison.preset} gave no alignment; this is the default preset's."
    return printable(said, 200)


def _details(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    rows = [(printable(name.replace("_", " "), 40), number(value)) for name, value in comparison.details.items()]
    transform = comparison.transform
    if transform is not None:
        if transform.flip:
            rows.append(("mirrored", "yes"))
        if transform.rotation:
            rows.append(("turned by", f"{transform.rotation}°"))
        for name, share in (("first covered", transform.overlap), ("second covered", transform.overlap_other)):
            if share is not None:
                rows.append((name, f"{100 * share:.0f} %"))
    return tuple(rows)


def number(value: float | str) -> str:
    """A detail as it is shown: three decimals, none for whole numbers.

    >>> number(0.83333), number(212), number(-1.0)
    ('0.833', '212', '-1')
    """
    if isinstance(value, str):
        return printable(value, 60)
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3f}"


def shortened(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters, the middle left out: names differ at their ends.

    >>> shortened("a-long-file-name.jpg", 12)
    'a-lon…me.jpg'
    """
    if len(text) <= most:
        return text
    tail = most // 2
    return f"{text[: most - tail - 1]}…{text[-tail:]}"
