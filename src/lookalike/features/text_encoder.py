"""Words as vectors beside those of pictures: the text half of a two-sided encoder, such as CLIP or SigLIP.

It lies beside the half for pictures: ``clip.onnx`` encodes pictures, ``clip.text.onnx`` words, and
``clip.tokenizer.json`` says how words become numbers (a file of Hugging Face's ``tokenizers``). Both give vectors of
one space, so that words are compared with pictures by their cosine, as pictures with each other.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import ModelError, UsageError, printable
from lookalike.features.embedding import Vector, unit
from lookalike.features.models import open_session, read
from lookalike.optional import need


def text_files(model: Path) -> tuple[Path, Path]:
    """Where the text half of a picture encoder lies, and its tokenizer.

    >>> [path.name for path in text_files(Path("models/clip.onnx"))]
    ['clip.text.onnx', 'clip.tokenizer.json']
    """
    return model.with_suffix(".text.onnx"), model.with_suffix(".tokenizer.json")


def has_text(model: Path) -> bool:
    """Whether a picture encoder has a text half."""
    return all(path.is_file() for path in text_files(model))


class TextEncoder:
    """Words → vectors in the space of a picture encoder.

    The network takes ``input_ids``, int64 N×L, and where it wants one an ``attention_mask`` likewise; its first output
    is one vector a text, N×D. Length and padding are those of the tokenizer, or the network's where that fixes L.

    Args:
        model: the file of the picture encoder; see :func:`text_files` for the others.
        dimension: of its vectors.

    Raises:
        MissingExtra: the package ``tokenizers`` is not installed.
        ModelError: a file is missing, cannot be opened, or is no text encoder of that dimension.
    """

    def __init__(self, model: Path, dimension: int) -> None:
        self.path, tokens = text_files(model)
        tokenizers = need("tokenizers", extra="text")
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(tokens))
        except Exception as error:
            raise ModelError(f"{printable(str(tokens))} cannot be read as a tokenizer: {error}") from error
        self._session = open_session(self.path, read(self.path))
        inputs = {source.name: source for source in self._session.get_inputs()}
        if not inputs or not set(inputs) <= {"input_ids", "attention_mask"} or "input_ids" not in inputs:
            raise ModelError(
                f"{printable(str(self.path))} is no text encoder: it takes {', '.join(inputs)}, not input_ids"
            )
        self._inputs = inputs
        length = inputs["input_ids"].shape[1]
        if isinstance(length, int):
            padding = self._tokenizer.padding or {}
            self._tokenizer.enable_padding(
                length=length, pad_id=padding.get("pad_id", 0), pad_token=padding.get("pad_token", "[PAD]")
            )
            self._tokenizer.enable_truncation(length)
        found = self._session.get_outputs()[0].shape
        if len(found) != 2 or (isinstance(found[1], int) and found[1] != dimension):
            raise ModelError(
                f"{printable(str(self.path))} gives {found}, and the half for pictures vectors of {dimension}",
                remedy="put both halves of one model side by side",
            )
        self.dimension = dimension

    def encode(self, text: str) -> Vector:
        """The vector of a text: float32, (dimension,), length 1.

        Raises:
            UsageError: nothing but spaces.
        """
        if not text.strip():
            raise UsageError("there are no words to search for")
        told = self._tokenizer.encode(text)
        arrays = {"input_ids": told.ids, "attention_mask": told.attention_mask}
        fed = {name: np.array([arrays[name]], self._dtype(name)) for name in self._inputs}
        output = self._session.get_outputs()[0].name
        found = np.asarray(self._session.run([output], fed)[0], np.float32)
        if found.shape != (1, self.dimension) or not np.isfinite(found).all():
            raise ModelError(f"{printable(str(self.path))} gave no vector of {self.dimension} numbers")
        return np.asarray(unit(found)[0], np.float32)

    def _dtype(self, name: str) -> type[np.generic]:
        return np.int32 if self._inputs[name].type == "tensor(int32)" else np.int64


@lru_cache(maxsize=4)
def text_encoder(model: Path, dimension: int) -> TextEncoder:
    """The text half of a picture encoder, opened once."""
    return TextEncoder(model, dimension)
