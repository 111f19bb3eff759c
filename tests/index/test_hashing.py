"""Multi-index hashing finds what comparing every code finds: all of it, and nothing else, in the same order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.index import hashing
from lookalike.index.base import Space
from lookalike.index.hashing import Hashing
from lookalike.index.structures import Choice

CHOICE = Choice("hashing", "as asked for")
DIMENSIONS = (64, 72, 128, 256)


def random_codes(bits: int, count: int = 300) -> np.ndarray:
    return np.random.default_rng(bits).integers(0, 256, (count, bits // 8), np.uint8)


def clustered_codes(bits: int, count: int = 300) -> np.ndarray:
    """Few centres, many equal codes, and distances of all sizes."""
    rng = np.random.default_rng(bits + 1)
    centres = rng.integers(0, 2, (12, bits)).astype(bool)
    share = rng.choice([0, 0, 0.01, 0.05, 0.2], (count, 1))
    return np.packbits(centres[rng.integers(0, 12, count)] ^ (rng.random((count, bits)) < share), axis=1)


@pytest.fixture(params=[random_codes, clustered_codes], ids=["random", "clustered"])
def codes(request: pytest.FixtureRequest, bits: int) -> np.ndarray:
    return request.param(bits)


@pytest.fixture(params=DIMENSIONS)
def bits(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def built(codes: np.ndarray) -> Hashing:
    halves = [codes[: len(codes) // 2], codes[len(codes) // 2 :]]
    return Hashing.build(CHOICE, Space(codes.shape[1] * 8, "hamming"), len(codes), lambda: halves)


def distances(query: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.unpackbits(codes ^ query, axis=1).sum(axis=1)


def asked(codes: np.ndarray) -> np.ndarray:
    """Codes that are there, and some that lie near and far."""
    rng = np.random.default_rng(7)
    near = codes[5:8].copy()
    near[:, 0] ^= 0b1010
    return np.concatenate([codes[:2], near[:2], rng.integers(0, 256, (1, codes.shape[1]), np.uint8), ~codes[:1]])


def ranked(query: np.ndarray, codes: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    slots = np.flatnonzero(allowed)
    return slots[np.argsort(distances(query, codes[slots]), kind="stable")]


@pytest.mark.parametrize("most_probes", [hashing.MOST_PROBES, 10**9, 0], ids=["usual", "only tables", "only scans"])
def test_within_every_radius(codes: np.ndarray, bits: int, most_probes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "MOST_PROBES", most_probes)
    monkeypatch.setattr(hashing, "SCANNED", 128)
    made = built(codes)
    for query in asked(codes):
        true = distances(query, codes)
        for radius in (*range(65), bits - 1, bits):
            assert made.within(query, radius).tolist() == np.flatnonzero(true <= radius).tolist(), radius


@pytest.mark.parametrize(
    "most_probes", [hashing.MOST_FOR_NEAREST, 10**9, 0], ids=["usual", "only tables", "only scans"]
)
def test_proposals_are_the_ranking(codes: np.ndarray, most_probes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "MOST_FOR_NEAREST", most_probes)
    made, queries = built(codes), asked(codes)
    everywhere = np.ones(len(codes), bool)
    some = np.random.default_rng(3).random(len(codes)) < 0.3
    for k in (1, 10, 100, len(codes) + 50):
        for allowed in (None, everywhere, some, ~everywhere):
            proposed = made.propose(queries, k, allowed)
            assert proposed.shape == (len(queries), min(k, len(codes)))
            for query, slots in zip(queries, proposed, strict=True):
                true = ranked(query, codes, everywhere if allowed is None else allowed)[:k]
                assert slots[slots >= 0].tolist() == true.tolist(), (k, allowed is None)
                assert (slots[len(true) :] == -1).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_codes(count: int) -> None:
    codes = random_codes(64, count)
    made = built(codes)
    query = random_codes(64, 5)[4]
    assert made.within(query, 64).tolist() == list(range(count))
    assert made.propose(query[None], 5)[0].tolist() == ranked(query, codes, np.ones(count, bool)).tolist()


def test_long_pieces_over_many_codes() -> None:
    codes = random_codes(72, 40_000)
    codes[20_000:] = codes[:20_000]
    codes[20_000:, 3] ^= 1
    made = built(codes)
    assert {bits for _, bits in made.pieces} != {8}
    for query in codes[:5]:
        true = distances(query, codes)
        for radius in (0, 1, 2, 3, 7, 14, 20, 30):
            assert made.within(query, radius).tolist() == np.flatnonzero(true <= radius).tolist()
        assert made.propose(query[None], 30)[0].tolist() == np.argsort(true, kind="stable")[:30].tolist()


def test_what_was_written_is_read(tmp_path: Path, bits: int) -> None:
    codes = clustered_codes(bits)
    made = built(codes)
    made.write(tmp_path / "codes")
    back = Hashing.load(CHOICE, made.space, tmp_path / "codes")
    assert len(back) == len(codes)
    for query in asked(codes):
        assert back.within(query, 9).tolist() == made.within(query, 9).tolist()
    assert back.propose(asked(codes), 20).tolist() == made.propose(asked(codes), 20).tolist()
    (tmp_path / "codes").write_bytes(b"something else\n")
    with pytest.raises(ValueError, match="no codes of ours"):
        Hashing.load(CHOICE, made.space, tmp_path / "codes")
