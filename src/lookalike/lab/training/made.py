"""What any kind of training gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.features.models import ModelSpec
from lookalike.lab.training.judge import Judgement
from lookalike.lab.training.projection import Projection


@dataclass(frozen=True, slots=True)
class Made:
    """A network that was trained, not yet written anywhere.

    Attributes:
        content: of the ONNX file.
        base: the network that it stands on, or was before.
        about: what should be known of the training, as plain values.
        judgement: how it does on what nothing was learned from.
        head: where a head was put behind the network, that.
    """

    content: bytes
    base: ModelSpec
    about: Mapping[str, Any]
    judgement: Judgement
    head: Projection | None = None
