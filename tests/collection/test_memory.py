"""What an earlier run found is recalled where it holds, and only there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from stores import digest

from lookalike.collection.candidates import FEW, Spaces
from lookalike.collection.memory import Memory, _packed, _unpacked
from lookalike.collection.neighbours import whitening
from lookalike.collection.pairing import Paired
from lookalike.collection.store import Store
from lookalike.scoring.fusion import shipped
from lookalike.scoring.pair import shared_method
from lookalike.scoring.presets import preset
from lookalike.types import Comparison, PictureFile, Transform

AUTO = preset("auto")
MANY = 2 * FEW
OTHER_FUSION = replace(shipped(), scores=dict.fromkeys(shipped().scores, ((-1.0, 0.0), (1.0, 0.8))))


def files(numbers: Sequence[int], folder: str = "photos") -> list[PictureFile]:
    return [PictureFile(f"{folder}/{n:03}.jpg", digest(n), "JPEG", 90, 60, 1000, 5) for n in numbers]


def spaces(seed: int = 0) -> Spaces:
    vectors = np.random.default_rng(seed).normal(size=(200, 12)).astype(np.float16)
    return {"whole": whitening(vectors, 6), "rings": whitening(vectors, 4)}


def found(a: int, b: int, score: float = 0.95) -> Comparison:
    transform = Transform(True, 90, (0.0, 1, 5, 1, 0, 7, 0, 0, 1), 12, 0.5, 1.0, 0.9)
    paths = f"photos/{a:03}.jpg", f"photos/{b:03}.jpg"
    return Comparison(*paths, score, "near-duplicate", {"look": 0.9}, transform, ("mirrored",), details={"x": 1.5})


def memory(store: Store, least: float = 0.9, name: str = "auto", mode: str = "default") -> Memory:
    return Memory(store, preset(name), mode, least)  # type: ignore[arg-type]


@pytest.fixture
def store() -> Store:
    return Store(":memory:")


def test_the_same_pictures_are_recalled_whole(store: Store) -> None:
    pairs = [found(1, 2), found(3, 9, 0.3)]
    memory(store).keep(files(range(MANY)), Paired(pairs, [], spaces()))
    earlier = memory(store).recall(files(range(MANY)))
    assert earlier is not None
    assert earlier.fresh == []
    assert earlier.paired.comparisons == pairs


def test_by_other_names_and_in_another_order(store: Store) -> None:
    memory(store).keep(files(range(MANY)), Paired([found(1, 2)], [], spaces()))
    renamed = files(range(MANY))
    first, second = renamed[1], renamed[2]
    renamed[1] = PictureFile("z.jpg", first.digest, "JPEG", 90, 60, 1000, 5)
    renamed[2] = PictureFile("a.jpg", second.digest, "JPEG", 90, 60, 1000, 5)
    earlier = memory(store).recall(renamed[::-1])
    assert earlier is not None
    (pair,) = earlier.paired.comparisons
    assert (pair.a, pair.b) == ("a.jpg", "z.jpg")
    assert pair.transform == found(1, 2).reversed().transform, "turned round with its pictures"


def test_new_pictures_are_told(store: Store) -> None:
    kept = spaces()
    memory(store).keep(files(range(MANY)), Paired([found(1, 2)], [], kept))
    now = files([500, *range(1, MANY), 501])
    earlier = memory(store).recall(now)
    assert earlier is not None
    assert earlier.fresh == [0, len(now) - 1]
    vectors = np.random.default_rng(1).normal(size=(20, 12))
    assert earlier.paired.spaces is not None
    assert earlier.paired.spaces.keys() == kept.keys()
    for name, space in kept.items():
        np.testing.assert_allclose(earlier.paired.spaces[name](vectors), space(vectors), atol=2e-3)


def test_pairs_of_pictures_that_went_go_too(store: Store) -> None:
    memory(store).keep(files(range(MANY)), Paired([found(1, 2), found(3, 4)], [], spaces()))
    earlier = memory(store).recall(files(range(2, MANY)))
    assert earlier is not None
    assert earlier.fresh == []
    assert earlier.paired.comparisons == [found(3, 4)]


def test_too_many_new_ones_are_a_new_run(store: Store) -> None:
    memory(store).keep(files(range(100)), Paired([], [], spaces()))
    assert memory(store).recall(files(range(105))) is not None
    assert memory(store).recall(files(range(110))) is None
    assert memory(store).recall(files(range(200, 300))) is None


def test_only_under_the_same_settings(store: Store) -> None:
    memory(store).keep(files(range(MANY)), Paired([], [], spaces()))
    assert memory(store).recall(files(range(MANY))) is not None
    for other in (
        memory(store, least=0.8),
        memory(store, mode="quick"),
        memory(store, name="fast"),
        Memory(store, AUTO.changed(thresholds={"frame": 0.5}), "default", 0.9),
        Memory(store, replace(AUTO, fusion=OTHER_FUSION), "default", 0.9),
        Memory(store, preset("fast").changed({"ssim": 0.1}), "default", 0.9),
    ):
        assert other.recall(files(range(MANY))) is None


def test_another_version_of_a_feature_is_another_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    memory(store).keep(files(range(MANY)), Paired([], [], spaces()))
    with monkeypatch.context() as here:
        here.setattr("lookalike.collection.memory.keys", lambda *_: {"look": "look/99/0123456789ab"})
        assert memory(store).recall(files(range(MANY))) is None
    monkeypatch.setattr("lookalike.features.palette.Palette.version", 99)  # nothing that is kept of every picture
    shared_method("palette", {}).__dict__.pop("key", None)
    assert memory(store).recall(files(range(MANY))) is None
    shared_method("palette", {}).__dict__.pop("key", None)


def test_a_few_pictures_are_compared_all_with_all_whatever_was_found_among_many(store: Store) -> None:
    memory(store).keep(files(range(MANY)), Paired([], [], spaces()))
    assert memory(store).recall(files(range(5))) is None
    memory(store).keep(files(range(6)), Paired([found(1, 2)], [], None))
    earlier = memory(store).recall(files(range(5)))
    assert earlier is not None
    assert earlier.paired.comparisons == [found(1, 2)]
    assert memory(store).recall(files(range(7))) is None, "nothing tells how to lay a new one beside the few"


def test_what_was_lost_is_not_kept(store: Store) -> None:
    """A picture that could not be compared is new the next time."""
    memory(store).keep(files(range(1, MANY)), Paired([found(0, 2), found(1, 2)], [], spaces()))
    earlier = memory(store).recall(files(range(MANY)))
    assert earlier is not None
    assert earlier.fresh == [0]
    assert earlier.paired.comparisons == [found(1, 2)]


def test_vectors_without_any_spread_are_kept_finite(store: Store) -> None:
    """Of equal vectors the whitening is huge; it must not become infinite in half precision."""
    equal = whitening(np.ones((60, 8), np.float16), 4)
    memory(store).keep(files(range(MANY)), Paired([], [], {"rings": equal}))
    earlier = memory(store).recall(files(range(MANY + 1)))
    assert earlier is not None
    assert earlier.paired.spaces is not None
    assert np.isfinite(earlier.paired.spaces["rings"](np.ones((3, 8), np.float16))).all()


def test_a_payload_of_another_make_is_no_run(store: Store) -> None:
    whole = _packed([found(1, 2).to_dict()], Paired([], [], spaces()))
    assert _unpacked(whole) is not None
    chance = random.Random(0)
    damaged = [b"", b"nothing", whole[:50], whole[:-30], whole[::-1], _packed([{"a": 1}], Paired())]
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(3):
            content[chance.randrange(len(content))] = chance.randrange(256)
        damaged.append(bytes(content))
    for content in damaged:
        _unpacked(content)  # whatever comes, nothing is raised
    for content in damaged[:6]:
        memory(store).store.save_run(memory(store).key, [digest(n) for n in range(MANY)], content)
        assert memory(store).recall(files(range(MANY))) is None
