"""Features through the store: the same as made anew, made once, and no reason to fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import photo

import lookalike
from lookalike.collection.bundles import kept_key
from lookalike.collection.kept import PICTURES, KeptFeatures
from lookalike.collection.store import Store
from lookalike.errors import StoreError
from lookalike.features.base import REGISTRY, Method, method
from lookalike.images.limits import Limits
from lookalike.images.load import load
from lookalike.scoring.pair import shared_method
from lookalike.types import Failure, Picture

A, B = photo(1, 150, 110), photo(2, 90, 140)


def parts(feature: Any) -> list[Any]:
    """The arrays of a feature, whatever record they lie in."""
    if isinstance(feature, np.ndarray):
        return [feature]
    return [value for name in feature.__slots__ if isinstance(value := getattr(feature, name), np.ndarray)]


def counting(monkeypatch: pytest.MonkeyPatch, made: Method[Any]) -> list[int]:
    """How many pictures ``made`` was asked to describe, call by call."""
    asked: list[int] = []
    original = made.extract

    def extract(pictures: Sequence[Picture]) -> list[Any]:
        asked.append(len(pictures))
        return original(pictures)

    monkeypatch.setattr(made, "extract", extract)
    return asked


@pytest.mark.parametrize("name", REGISTRY)
def test_every_method_comes_back_as_it_was(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = method(name)
    fresh = made.extract([load(A)])[0]
    with Store(":memory:") as store:
        with KeptFeatures(store) as first:
            first.extract(made, load(A))
        asked = counting(monkeypatch, made)
        again = KeptFeatures(store).extract(made, load(A))
    assert (asked == []) == (name not in PICTURES)
    for ours, theirs in zip(parts(again), parts(fresh), strict=True):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)
    assert getattr(again, "digest", "") == getattr(fresh, "digest", "")


@pytest.mark.parametrize("name", ["embedding", "disc"])
def test_what_groups_keep_in_half_precision_is_not_mistaken(name: str) -> None:
    made = method(name, **({"size": 128, "content": True} if name == "embedding" else {}))
    picture = load(A)
    full = made.extract([picture])[0]
    with Store(":memory:") as store:
        store.add_features(made.key, [(picture.digest, full.astype("float16").tobytes())])
        assert np.array_equal(KeptFeatures(store).extract(made, picture), full)


def test_many_at_once_make_only_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    made = method("phash")
    asked = counting(monkeypatch, made)
    pictures = [load(A), load(B), load(A)]
    with Store(":memory:") as store:
        with KeptFeatures(store) as features:
            features.extract(made, load(B))
            found = features.described(made, pictures)
        assert asked == [1, 1]  # B alone, then A once for both
        assert [bits.tolist() for bits in found] == [made.extract([each])[0].tolist() for each in pictures]
        asked.clear()
        KeptFeatures(store).described(made, pictures)
    assert asked == []


def test_sources_keep_their_order_and_their_failures(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    whole = Path(__file__).parents[2] / "examples" / "shirt.jpg"
    broken.write_bytes(whole.read_bytes()[:3000])
    told: list[int] = []
    with Store(":memory:") as store, KeptFeatures(store) as features:
        sources = [str(whole), "gone.jpg", str(broken), str(whole)]
        found = list(features.of_sources(method("phash"), sources, Limits(), told.append))
    assert [each.kind for each in found if isinstance(each, Failure)] == ["SourceNotFound", "DecodeFailed"]
    assert np.array_equal(found[0], found[3])
    assert told == [4]


def test_a_damaged_feature_is_made_anew() -> None:
    made, picture = method("hsv"), load(A)
    with Store(":memory:") as store:
        store.add_features(kept_key(made), [(picture.digest, b"damaged")])
        assert np.array_equal(KeptFeatures(store).extract(made, picture), made.extract([picture])[0])


def test_a_store_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    with Store(":memory:") as store:
        monkeypatch.setattr(store, "add_features", full)
        with KeptFeatures(store) as features:
            features.extract(method("phash"), load(A))
        assert "the disk is full" in features.notices[0]
        features.extract(method("dhash"), load(A))
    assert len(features.notices) == 1


def test_compare_many_finds_what_an_earlier_run_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, file = [(A, B), (A, photo(3, 100, 100))], tmp_path / "store.sqlite3"
    without = [result.to_dict() for result in lookalike.compare_many(pairs)]
    assert [result.to_dict() for result in lookalike.compare_many(pairs, store=file)] == without
    asked = [counting(monkeypatch, shared_method(name, {})) for name in ("look", "tint", "embedding", "xfeat")]
    assert [result.to_dict() for result in lookalike.compare_many(pairs, store=file)] == without
    with Store(file) as store:
        assert [result.to_dict() for result in lookalike.compare_many(pairs, store=store)] == without
    assert asked == [[], [], [], []]


def test_compare_many_says_at_once_that_a_store_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        lookalike.compare_many([], store=tmp_path)
