"""An index finds what comparing all finds, nearly, and says how nearly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from lookalike.collection import search as search_module
from lookalike.collection.neighbours import nearest
from lookalike.collection.search import Search


def vectors(count: int, seed: int) -> npt.NDArray[np.float32]:
    """Rows of length 1 in crowds, as those of pictures are."""
    chance = np.random.default_rng(seed)
    crowds = chance.normal(size=(20, 24))
    rows = crowds[chance.integers(0, 20, count)] + 2 * chance.normal(size=(count, 24))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("same", [True, False])
def test_the_index_finds_most_and_tells_how_many(same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "PROBED", 3)  # so few that it misses some
    rows = vectors(3000, 1)
    columns = rows if same else vectors(4000, 2)
    search, exact = Search(2, exact=0), nearest(rows, columns, 8, same=same)
    found = search(rows, columns, 8, same=same)
    assert found.indices.shape == exact.indices.shape
    met = [len(set(a) & set(b)) / 8 for a, b in zip(found.indices.tolist(), exact.indices.tolist(), strict=True)]
    assert 0.4 < search.recall < 1
    assert search.recall == pytest.approx(np.mean(met), abs=0.05)
    for row, (indices, similarities) in enumerate(zip(found.indices, found.similarities, strict=True)):
        there = indices >= 0
        indices, similarities = indices[there], similarities[there]
        assert len(set(indices.tolist())) == len(indices), "none twice"
        assert not same or row not in indices, "none its own neighbour"
        assert (np.diff(similarities) <= 0).all()
        np.testing.assert_allclose(columns[indices] @ rows[row], similarities, atol=2e-3)


def test_it_is_exact_as_long_as_it_may_be() -> None:
    rows = vectors(300, 3)
    search = Search(exact=300 * 300)
    np.testing.assert_array_equal(search(rows, rows, 5, same=True).indices, nearest(rows, rows, 5, same=True).indices)
    assert search.recall == 1


def test_more_neighbours_than_there_are() -> None:
    rows = vectors(30, 4)
    found = Search(exact=0)(rows, rows, 99, same=True)
    assert found.indices.shape == (30, 29)


def test_the_same_question_has_the_same_answer() -> None:
    rows, columns = vectors(2000, 5), vectors(5000, 6)
    once, again = (Search(2, exact=0)(rows, columns, 6) for _ in range(2))
    np.testing.assert_array_equal(once.indices, again.indices)
