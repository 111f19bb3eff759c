"""Every method gives the numbers that other people's code gave; ``make_methods.py`` made the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import picture

from lookalike import load
from lookalike.features.base import method

ROWS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("methods.json").read_text(encoding="utf-8"))


def rows_with(field: str) -> list[Any]:
    return [
        pytest.param(row, id="-".join(str(row[key]) for key in ("method", "picture", "a", "b") if key in row))
        for row in ROWS
        if field in row
    ]


@pytest.mark.parametrize("row", rows_with("bits"))
def test_bits_are_those_of_the_reference(row: dict[str, Any]) -> None:
    (feature,) = method(row["method"]).extract([load(picture(row["picture"]))])
    assert np.packbits(feature.ravel()).tobytes().hex() == row["bits"]


@pytest.mark.parametrize("row", rows_with("similarity"))
def test_similarity_is_that_of_the_reference(row: dict[str, Any]) -> None:
    made = method(row["method"])
    a, b = made.extract([load(picture(row["a"])), load(picture(row["b"]))])
    assert made.compare(a, b) == pytest.approx(row["similarity"], abs=row.get("tolerance", 1e-6))


@pytest.mark.parametrize("row", rows_with("pixels"))
def test_pixel_digest_is_that_of_the_reference(row: dict[str, Any]) -> None:
    (feature,) = method("exact").extract([load(picture(row["picture"]))])
    assert feature[32:].tobytes().hex() == row["pixels"]
