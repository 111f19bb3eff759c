"""Retrieval sets as tables, and rankings of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from labels import pictures, table

import lookalike
from lookalike.collection.kept import KeptFeatures
from lookalike.collection.store import Store
from lookalike.errors import PictureError, UsageError
from lookalike.lab.contest import Contestant
from lookalike.lab.retrieval.found import search
from lookalike.lab.retrieval.sets import RetrievalSet, is_retrieval, read_retrieval


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (("a", "b", "label"), False),
        (("query", "gallery", "relevance"), True),
        (("Query", "Gallery"), True),
        (("picture", "label"), True),
        (("path", "fine_class", "split"), True),
        (("a", "b", "label", "path"), False),
    ],
)
def test_columns_tell_what_a_table_is(tmp_path: Path, head: tuple[str, ...], expected: bool) -> None:
    file = table(tmp_path / "t.csv", [["x"] * len(head)], head)
    assert is_retrieval(file) == expected


def test_pictures_of_one_label_belong_together(tmp_path: Path) -> None:
    rows = [("1.jpg", "shoe"), ("2.jpg", "hat"), ("3.jpg", "shoe"), ("4.jpg", "shoe")]
    found = read_retrieval(table(tmp_path / "t.csv", rows, ("picture", "label")))
    assert found.queries == found.gallery == ("1.jpg", "2.jpg", "3.jpg", "4.jpg")
    assert [set(grades) for grades in found.relevance] == [{2, 3}, set(), {0, 3}, {0, 2}]
    with pytest.raises(UsageError, match="no column called colour"):
        read_retrieval(tmp_path / "t.csv", "colour")


def test_listed_relevance(tmp_path: Path) -> None:
    rows = [("q", "x", "2"), ("q", "y", "0"), ("p", "x", "true")]
    found = read_retrieval(table(tmp_path / "t.csv", rows, ("query", "gallery", "relevance")))
    assert found.queries == ("q", "p")
    assert found.gallery == ("x", "y")
    assert found.relevance == ({0: 2.0}, {0: 1.0})


@pytest.mark.parametrize(
    ("rows", "head", "words"),
    [
        ([("q", "x", "much")], ("query", "gallery", "relevance"), "row 1 below the header has the relevance 'much'"),
        ([("q", "x", "1"), ("q", "", "1")], ("query", "gallery", "relevance"), "row 2 below the header names no"),
        ([("q", "x", "0")], ("query", "gallery", "relevance"), "nothing belongs to any query"),
        ([("x", "shoe"), ("y", "")], ("picture", "label"), "row 2 below the header has no label"),
        ([("x", "shoe"), ("y", "hat")], ("picture", "label"), "nothing belongs to any query"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_row(
    tmp_path: Path, rows: list[tuple[str, ...]], head: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        read_retrieval(table(tmp_path / "t.csv", rows, head))


def copies_set(folder: Path, count: int = 5) -> RetrievalSet:
    names = pictures(folder, count)
    relevance = tuple({number + 1 if number % 2 == 0 else number - 1: 1.0} for number in range(len(names)))
    return RetrievalSet(tuple(names), tuple(names), relevance)


@pytest.mark.parametrize("name", ["phash", "embedding", "hsv", "grey"])
def test_a_method_ranks_as_its_pairs_compare(tmp_path: Path, name: str) -> None:
    wanted = copies_set(tmp_path)
    with Store(":memory:") as store, KeptFeatures(store) as features:
        [found] = search(wanted, [Contestant(name, method=name)], features)
    for query, order in zip(wanted.queries, found.order.found, strict=True):
        names = [wanted.gallery[number] for number in order]
        assert sorted((*names, query)) == sorted(wanted.gallery)  # all but itself
        scores = [lookalike.compare(query, other, method=name).score for other in names]
        assert all(first >= second - 1e-5 for first, second in pairwise(scores))


def test_a_preset_puts_the_best_candidates_in_order(tmp_path: Path) -> None:
    wanted = copies_set(tmp_path)
    with Store(":memory:") as store, KeptFeatures(store) as features:
        base, fast = search(wanted, [Contestant("fast", "fast")], features, best=3)
    assert base.name == "candidates: embedding 224 px"
    for number, query in enumerate(wanted.queries):
        before, after = base.order.found[number], fast.order.found[number]
        assert set(before[:3]) == set(after[:3])
        assert before[3:].tolist() == after[3:].tolist()
        scores = fast.order.scores[number]
        assert scores[0] == pytest.approx(lookalike.compare(query, wanted.gallery[after[0]], preset="fast").score)
        assert (np.diff(scores) <= 0).all()


def test_what_cannot_be_read_is_left_out_and_told(tmp_path: Path) -> None:
    wanted = copies_set(tmp_path, 3)
    gallery = (*wanted.gallery, "gone.png")
    more = RetrievalSet((*wanted.queries, "gone.png"), gallery, (*wanted.relevance, {0: 1.0}))
    with Store(":memory:") as store, KeptFeatures(store) as features:
        [found] = search(more, [Contestant("phash", method="phash")], features)
        assert found.wanted.queries == wanted.queries
        assert [failure.source for failure in found.failures] == ["gone.png"]
        nothing = RetrievalSet(("gone.png",), ("lost.png",), ({0: 1.0},))
        with pytest.raises(PictureError, match="no picture of it can be used"):
            search(nothing, [Contestant("phash", method="phash")], features)
