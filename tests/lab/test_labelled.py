"""Labels as people write them, and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from labels import table

from lookalike.errors import SourceNotFound, UsageError
from lookalike.lab.labelled import Labelled, LabelledPair, read_labelled


@pytest.mark.parametrize(
    ("word", "same"),
    [
        ("same", True), ("SAME", True), ("1", True), ("1.0", True), ("True", True), ("yes", True), ("Match", True),
        ("positive", True), ("different", False), ("0", False), ("FALSE", False), ("no", False), ("no match", False),
        ("no_match", False), ("non-match", False), ("Negative", False), ("-1", False), (" Different ", False),
    ],
)  # fmt: skip
def test_two_words_in_many_forms(tmp_path: Path, word: str, same: bool) -> None:
    found = read_labelled(table(tmp_path / "p.csv", [("x.jpg", "y.jpg", word)]))
    assert not found.five
    assert found.pairs == (LabelledPair("x.jpg", "y.jpg", word, same, True if same else None),)


@pytest.mark.parametrize(
    ("word", "same", "category", "verdict"),
    [
        ("identical", True, True, "identical"),
        ("Near_Duplicate", True, True, "near-duplicate"),
        ("near duplicate", True, True, "near-duplicate"),
        ("same-product", True, True, "same product"),
        ("same category", False, True, "same category"),
        ("different", False, False, "different"),
    ],
)
def test_five_verdicts(tmp_path: Path, word: str, same: bool, category: bool, verdict: str) -> None:
    file = table(tmp_path / "p.csv", [("x.jpg", "y.jpg", word), ("x.jpg", "z.jpg", "identical")])
    found = read_labelled(file)
    assert found.five
    assert found.pairs[0] == LabelledPair("x.jpg", "y.jpg", word, same, category, verdict)


@pytest.mark.parametrize("column", ["label", "Same", "is_match", "class", "VERDICT", "ground_truth"])
def test_columns_of_labels_by_their_usual_names(tmp_path: Path, column: str) -> None:
    file = table(tmp_path / "p.csv", [("x", "y", "7", "same")], ("a", "b", "note", column))
    assert read_labelled(file).pairs[0].same


def test_a_verdict_beside_a_score_is_no_label(tmp_path: Path) -> None:
    scores = table(tmp_path / "s.csv", [("x", "y", "0.97", "near-duplicate")], ("a", "b", "score", "verdict"))
    with pytest.raises(UsageError, match="no column of labels"):
        read_labelled(scores)


def test_label_column_wins(tmp_path: Path) -> None:
    file = table(tmp_path / "p.csv", [("x", "y", "same", "no")], ("a", "b", "label", "said by Ada"))
    assert not read_labelled(file, "said by Ada").pairs[0].same
    with pytest.raises(UsageError, match=r"no column 'said by Bob'.*label, said by Ada"):
        read_labelled(file, "said by Bob")


def test_without_a_header_the_third_column_is_the_label(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("x.jpg,y.jpg,1\nx.jpg,z.jpg,0\n")
    assert [pair.same for pair in read_labelled(file).pairs] == [True, False]


def test_numbers_and_truths_of_json(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    lines = [f'{{"a": "x", "b": "y", "same": {value}}}' for value in ("true", "false", "1", "0")]
    file.write_text("\n".join(lines))
    assert [pair.same for pair in read_labelled(file).pairs] == [True, False, True, False]


@pytest.mark.parametrize(
    ("label", "words"), [("", r"p\.csv, line 3 \(x, z\) has no label; write same or different"),
                         ("perhaps", r"line 3 \(x, z\) has the label 'perhaps'; write same or different")]
)  # fmt: skip
def test_a_label_that_says_nothing_is_told_with_its_row(tmp_path: Path, label: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        read_labelled(table(tmp_path / "p.csv", [("x", "y", "same"), ("x", "z", label)]))
    assert "\n" not in str(caught.value)


def test_one_kind_of_pairs_is_refused_in_words() -> None:
    same = LabelledPair("x", "y", "same", True)
    other = LabelledPair("x", "z", "different", False)
    with pytest.raises(UsageError, match=r"every pair of p\.csv is labelled the same product; add pairs labelled diff"):
        Labelled((same, same), name="p.csv").require_both()
    with pytest.raises(UsageError, match="labelled different; add pairs labelled same"):
        Labelled((other,)).require_both()
    Labelled((same, other)).require_both()


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        read_labelled(tmp_path / "gone.csv")


def test_all_unclear_labels_are_told_at_once(tmp_path: Path) -> None:
    rows = [("x", "y", "same"), *(("x", f"z{number}", "perhaps") for number in range(9))]
    with pytest.raises(UsageError, match=r"line 3 .*; line 4 .*; line 7 [^;]*; and 4 more; write same"):
        read_labelled(table(tmp_path / "p.csv", rows))
