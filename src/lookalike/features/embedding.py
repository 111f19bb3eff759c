"""What a picture shows, as a vector: the last layer of an image network before it names classes.

The built-in network is EfficientNet-Lite0 (R. Liu, "Higher accuracy on vision models with EfficientNet-Lite",
TensorFlow blog, March 2020), trained on ImageNet, its 1,280 features averaged over the picture. It comes in 8 bits
(the default: about twice as fast, as accurate) and in 32 (for GPUs). Any other image encoder in ONNX can take its
place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.features import models
from lookalike.features.base import WORKING_SIDE, Method
from lookalike.features.encoder_file import describe
from lookalike.features.shrink import content as content_of
from lookalike.threads import both

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Vector = npt.NDArray[np.float32]
"""float32, (dimension,), length 1."""

DEFAULT_MODEL = "efficientnet-lite0-int8"

BATCH = 16
"""Pictures in one call of the network: enough to keep the cores busy, few enough to stay in their caches."""


class Embedding(Method[Vector]):
    """Cosine of two network embeddings, as (cos + 1) / 2; see :meth:`raw` for the cosine itself.

    The whole picture is squeezed to a square, whatever its shape, with antialiasing. A picture has the same vector
    alone and in any batch.

    Args:
        model: name of a built-in model (``"efficientnet-lite0-int8"``, or ``"efficientnet-lite0"`` for 32 bits), or the
            path of an ``.onnx`` file, see :func:`lookalike.features.encoder_file.describe`.
        size: side of the square in pixels, a multiple of 32 for the built-in models: 224 to judge (the default), 128
            for three times the speed.
        content: look at what is inside the margins, set upright where it stands askew, instead of the whole picture:
            better at finding copies, no better at judging.
        mean, std: normalisation, for a file of one's own only.
        providers: ONNX Runtime execution providers, the preferred first.

    Raises:
        UsageError: no such model, or a size it does not take.
        ModelError: the model file is missing, damaged or no image encoder (built-in files are opened on first use).

    >>> embedding = Embedding(size=128)
    >>> embedding.shape, embedding.label
    ((1280,), 'efficientnet-lite0-int8')
    """

    name = "embedding"
    metric = "cosine"
    dtype = "float32"

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        size: int | None = None,
        content: bool = False,
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        providers: Sequence[str] = models.CPU,
    ) -> None:
        if str(model).lower().endswith(".onnx"):
            self.model = describe(model, size=size, mean=mean, std=std)
        else:
            self.model = models.spec(model)
            if self.model.gives != "a vector":
                raise UsageError(f"{model} gives {self.model.gives}, not an embedding", remedy=f"try {DEFAULT_MODEL}")
            if mean is not None or std is not None:
                raise UsageError(f"{model} has its own mean and std", remedy="leave them out")
        self.size = self.model.size if size is None else size
        if self.size < 1 or self.size % self.model.multiple:
            raise UsageError(f"{model} takes sizes that are multiples of {self.model.multiple}, got {self.size}")
        self.content = content
        self.providers = tuple(providers)

    @property
    def label(self) -> str:
        """Name of the model that runs; it tells the precision as well."""
        return self.model.name

    @property
    def shape(self) -> tuple[int, ...]:
        """(dimension,)"""
        return (self.model.dimension,)

    @property
    def params(self) -> dict[str, Any]:
        """Model, its sha256 and precision, normalisation and input size."""
        model = self.model
        return {
            "model": model.name,
            "sha256": model.sha256,
            "precision": model.precision,
            "size": self.size,
            "mean": model.mean and list(model.mean),
            "std": model.std and list(model.std),
            **({"content": True} if self.content else {}),
        }

    def extract(self, pictures: Sequence[Picture]) -> list[Vector]:
        """One vector of length 1 a picture."""
        if not pictures:
            return []
        first, *others = (pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH))
        vectors: list[Vector] = []
        ready = self._batch(first)
        for following in others:  # decoded and resized while the network looks at the ones before
            found, ready = both(partial(self.embed, ready), partial(self._batch, following))
            vectors.extend(found)
        vectors.extend(self.embed(ready))
        return vectors

    def _batch(self, pictures: Sequence[Picture]) -> Pixels:
        return np.stack([self.squeezed(picture) for picture in pictures])

    def squeezed(self, picture: Picture) -> Pixels:
        """What the network sees of a picture: uint8, size×size×3."""
        if self.content:
            return squeeze(content_of(picture).pixels, self.size)
        return squeeze(picture.decoded(max(WORKING_SIDE, self.size)).pixels, self.size)

    def embed(self, batch: Pixels, threads: int | None = None) -> Vector:
        """The vectors of pictures that have the right size already: uint8 N×size×size×3 → float32 N×dimension.

        Args:
            batch: the pictures.
            threads: of the network; 0 = one a core. None takes one for a single picture, which is one of a pair whose
                other is worked on at the same time, and all of them for more.
        """
        if threads is None:
            threads = 1 if len(batch) == 1 else 0
        session = models.session(self.model, providers=self.providers, threads=threads)
        source = session.get_inputs()[0]
        fed = batch if self.model.layout == "bytes" else self._normalised(batch)
        step = 1 if source.shape[0] == 1 else len(fed)  # some exporters fix the batch to one picture
        wanted = [session.get_outputs()[0].name]
        found = [session.run(wanted, {source.name: fed[start : start + step]})[0] for start in range(0, len(fed), step)]
        return unit(np.concatenate(found).reshape(len(batch), -1))

    def _normalised(self, batch: Pixels) -> npt.NDArray[np.float32]:
        mean, std = np.array([self.model.mean, self.model.std], np.float32)
        return np.ascontiguousarray(((batch * np.float32(1 / 255) - mean) / std).transpose(0, 3, 1, 2))

    def raw(self, a: Vector, b: Vector) -> float:
        """Cosine of the angle between two vectors, in [-1, 1]; with the built-in networks in practice in [0, 1]."""
        return cosine(a, b)

    def compare(self, a: Vector, b: Vector) -> float:
        """(cos + 1) / 2, in [0, 1]."""
        return self.mapped(cosine(a, b))

    def mapped(self, raw: float) -> float:
        """(cos + 1) / 2."""
        return (raw + 1) / 2


def unit(vectors: npt.NDArray[Any]) -> Vector:
    """Rows of length 1, float32; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def cosine(a: Vector, b: Vector) -> float:
    """Cosine of two vectors of length 1, in [-1, 1]; exactly 1 for equal ones.

    >>> up, right = np.eye(2, dtype=np.float32)
    >>> cosine(up, right), cosine(up, up), cosine(up, -up)
    (0.0, 1.0, -1.0)
    """
    if np.array_equal(a, b):
        return 1.0  # the sum of 1,280 squares may miss it by a rounding
    return float(np.clip(np.dot(a.astype(np.float64), b.astype(np.float64)), -1.0, 1.0))


def squeeze(pixels: Pixels, size: int) -> Pixels:
    """Resize to size×size whatever the shape: halved while a side is twice too long, then interpolated (cubic).

    Halving averages 2×2 pixels, so nothing is skipped, and is several times faster than averaging over an uneven
    number of pixels; the cubic step keeps edges sharper than averaging, which measured better (docs/models.md).

    Args:
        pixels: uint8, H×W×3. Of an odd side that is halved the last row or column is left out.
        size: wanted height and width.

    >>> squeeze(np.full((300, 20, 3), 7, np.uint8), 64).shape
    (64, 64, 3)
    """
    height, width = pixels.shape[:2]
    while height >= 2 * size or width >= 2 * size:
        down, across = (2 if side >= 2 * size else 1 for side in (height, width))
        height, width = height // down, width // across
        pixels = _resize(pixels[: height * down, : width * across], width, height, cv2.INTER_AREA)
    return _resize(pixels, size, size, cv2.INTER_CUBIC)


def _resize(pixels: Pixels, width: int, height: int, interpolation: int) -> Pixels:
    resized: Any = cv2.resize(pixels, (width, height), interpolation=interpolation)  # its stubs know no uint8
    return np.asarray(resized, np.uint8)
