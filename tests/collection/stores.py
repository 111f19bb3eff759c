"""Pictures for stores, made up from their number alone, so that any process can tell what it ought to find."""

from __future__ import annotations

import hashlib
import random
from functools import cache

from lookalike.collection.store import PictureRow, Stored
from lookalike.images.scan import Found

SIZES = {"small 1": 40, "middle 1": 700, "large 1": 9000}
"""Method key → bytes of a feature: within a page, several pages, and in between."""


@cache
def digest(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


@cache
def feature(number: int, key: str) -> bytes:
    return random.Random(f"{number} {key}").randbytes(SIZES[key])


def found(number: int) -> Found:
    return Found(f"/photos/{number % 3}/{number:05}.jpg", 1000 + number, 1_700_000_000_000_000_000 + number)


def row(number: int) -> PictureRow:
    if number % 17 == 3:
        return PictureRow("", 0, 0, "DecodeFailed", f"ends after {number} bytes")
    return PictureRow("JPEG", 100 + number, 50 + number)


def stored(number: int) -> Stored:
    features = {} if row(number).failure_kind else {key: feature(number, key) for key in SIZES}
    return Stored(found(number), digest(number), row(number), features)
