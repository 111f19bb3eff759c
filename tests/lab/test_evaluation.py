"""From a table of labels to numbers: pairs, verdicts, rankings, failures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labels import copies, pictures, table
from shop import pairs_file
from sklearn.metrics import roc_auc_score

import lookalike
from lookalike.errors import UsageError
from lookalike.lab.contest import Contestant
from lookalike.lab.evaluated import Measured
from lookalike.lab.rows import check_rows, write_rows
from lookalike.types import Comparison


def test_copies_are_told_from_other_pictures(tmp_path: Path) -> None:
    found = lookalike.evaluate(
        copies(tmp_path), presets=["auto", "fast"], methods=["colorhash"], store=False, rounds=50
    )
    assert [result.name for result in found.results] == ["auto", "fast", "colorhash"]
    assert found.counts == {"pairs": 8, "same": 4, "different": 4, "pictures": 8}
    auto = found.results[0]
    assert auto.measures["auc"].value == 1.0
    assert auto.measures["recall_at_90"].value == 1.0
    assert auto.milliseconds is not None
    assert auto.lacks["tpr_at_fpr_1"] == "needs 100 different pairs, there are 4"
    assert "in_band" not in auto.lacks
    labels = [pair.same for pair in found.table.pairs] if found.table else []
    for result, scored in zip(found.results, found.scored, strict=True):
        assert result.measures["auc"].value == pytest.approx(roc_auc_score(labels, scored.scores))
    assert json.loads(json.dumps(found.to_dict()))["contestants"][1]["measures"]["auc"]["value"] is not None


def test_pairs_may_be_given_as_they_are(tmp_path: Path) -> None:
    names = pictures(tmp_path, 2)
    pairs = [(names[0], names[1], True), (names[0], names[2], False)]
    found = lookalike.evaluate(pairs, methods=["phash"], store=False, timed=False)
    assert found.results[0].measures["auc"].value == 1.0
    with pytest.raises(UsageError, match="no pairs"):
        lookalike.evaluate([])


def test_five_verdicts_make_a_table_of_confusions(tmp_path: Path) -> None:
    names = pictures(tmp_path, 3)
    rows = [
        (names[0], names[0], "identical"),
        (names[0], names[1], "near-duplicate"),
        (names[2], names[3], "same product"),
    ]
    rows += [(names[0], names[2], "different"), (names[2], names[4], "different")]
    found = lookalike.evaluate(table(tmp_path / "five.csv", rows), store=False, timed=False, rounds=20)
    [auto] = found.results
    assert auto.confusion is not None
    assert auto.confusion["identical"]["identical"] == 1
    assert auto.confusion["same product"]["near-duplicate"] == 1
    assert sum(sum(row.values()) for row in auto.confusion.values()) == 5
    right = [lookalike.compare(a, b).verdict == label for a, b, label in rows]
    assert right[:3] == [True, True, False]
    assert auto.measures["in_band"].value == pytest.approx(np.mean(right))


def test_bad_pictures_are_left_out_and_told(tmp_path: Path) -> None:
    file = copies(tmp_path, 3)
    with file.open("a") as stream:
        stream.write("gone.png,lost.png,same\n")
    found = lookalike.evaluate(file, methods=["phash"], store=False, timed=False, rounds=20)
    [result] = found.results
    assert (result.used, result.failed) == (6, 1)
    assert list(found.failures.values()) == ["gone.png: there is no such file; check the path"]


def test_only_bad_pictures_leave_nothing_to_measure(tmp_path: Path) -> None:
    rows = [("gone.png", "lost.png", "same"), ("gone.png", "never.png", "different")]
    found = lookalike.evaluate(table(tmp_path / "p.csv", rows), methods=["phash"], store=False)
    [result] = found.results
    assert (result.used, result.failed, dict(result.measures)) == (0, 2, {})
    assert set(result.lacks.values()) == {"pairs of only one kind could be scored"}


class Sure:
    """A calibration that is sure of everything."""

    def apply(self, comparison: Comparison) -> Comparison:
        return replace(comparison, probability=float(comparison.score >= 0.9))


def test_probabilities_are_measured_where_there_are_any(tmp_path: Path) -> None:
    contestants = [Contestant("sure", calibration=Sure()), Contestant("plain", "fast")]
    found = lookalike.evaluate(copies(tmp_path), contestants=contestants, store=False, timed=False, rounds=20)
    sure, plain = found.results
    assert (sure.measures["brier"].value, sure.measures["ece"].value) == (0.0, 0.0)
    assert "no probability" in plain.lacks["brier"]


def test_a_retrieval_set_is_noticed_by_its_columns(tmp_path: Path) -> None:
    names = pictures(tmp_path, 4)
    rows = [(name, number // 2) for number, name in enumerate(names)]
    file = table(tmp_path / "r.csv", rows, ("picture", "label"))
    found = lookalike.evaluate(file, presets=["auto"], methods=["phash"], store=False, rerank=7, rounds=20)
    assert found.kind == "retrieval"
    assert [result.name for result in found.results] == ["candidates: embedding 224 px", "auto", "phash"]
    for result in found.results[1:]:
        assert result.measures["map"].value == result.measures["recall_at_1"].value == 1.0
    rows_file = write_rows(found, tmp_path / "rows.jsonl")
    first = json.loads(rows_file.read_text().splitlines()[0])
    assert first["contestants"]["auto"]["first_right"] == 1
    assert np.isclose(first["contestants"]["auto"]["found"][0]["relevance"], 1.0)


def test_labels_of_one_kind_are_refused_before_any_work(tmp_path: Path) -> None:
    file = table(tmp_path / "p.csv", [("gone.png", "lost.png", "same")])
    with pytest.raises(UsageError, match="every pair of"):
        lookalike.evaluate(file)


def test_rows_keep_every_score(tmp_path: Path) -> None:
    found = lookalike.evaluate(copies(tmp_path), presets=["fast", "style"], store=False, timed=False, rounds=20)
    lines = write_rows(found, tmp_path / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line)["contestants"]["fast"]["score"] for line in lines] == found.scored[0].scores.tolist()
    head = write_rows(found, tmp_path / "rows.csv").read_text().splitlines()[0]
    assert head == "a,b,label,same,fast score,fast verdict,fast probability,style score,style verdict,style probability"
    with pytest.raises(UsageError, match=r"use \.jsonl, \.csv, \.tsv"):
        check_rows(tmp_path / "rows.txt")


def test_the_lead_is_of_one_draw_for_both(tmp_path: Path) -> None:
    """Contestants that always agree differ by nothing in any round, however wide their own intervals are."""
    chance = np.random.default_rng(5)
    found = lookalike.evaluate(copies(tmp_path), methods=["phash"], store=False, timed=False, rounds=60)
    [result] = found.results
    lower = Measured(result.measures["auc"].value - 0.01, 0.0, 1.0)
    drawn = chance.uniform(0.5, 1.0, 60)
    first = replace(result, drawn=drawn)
    second = replace(result, name="second", drawn=drawn - 0.01, measures={**result.measures, "auc": lower})
    lead = replace(found, results=(second, first)).lead
    assert lead is not None
    assert (lead.value, lead.low, lead.high) == pytest.approx((0.01, 0.01, 0.01))
    assert replace(found, results=(first, replace(second, used=second.used - 1))).lead is None, "of other pairs"


def test_doubtful_labels_are_told_by_name(tmp_path: Path) -> None:
    names = pictures(tmp_path, 3)
    pairs = [(names[0], names[1], 1), (names[1], names[0], 0), (names[2], names[3], 1), (names[2], names[3], "same")]
    pairs += [(names[4], names[4], 1), (names[0], names[5], 0)]
    found = lookalike.evaluate(pairs, methods=["phash"], store=False, timed=False, rounds=20)
    first, second = (Path(name).name for name in names[:2])
    assert any(f"1 labelled in two ways, so that one of the labels counts as a mistake ({first}, {second})" in notice
               for notice in found.notices)  # fmt: skip
    assert any("1 labelled more than once" in notice for notice in found.notices)
    assert any("1 of one file with itself" in notice for notice in found.notices)
    assert found.counts["pairs"] == len(pairs), "nothing is left out"


def test_a_calibration_on_its_own_pairs_is_told(tmp_path: Path) -> None:
    pairs_file(tmp_path)
    table_file = tmp_path / "pairs.csv"
    own = lookalike.calibrate(table_file, method="bhattacharyya", store=False).save(tmp_path / "own.json")
    some = table_file.read_text(encoding="utf-8").splitlines()
    (tmp_path / "some.csv").write_text("\n".join([some[0], *some[2:]]), encoding="utf-8")
    for file, flattering in ((table_file, True), (tmp_path / "some.csv", False)):
        found = lookalike.evaluate(file, calibrations=[own], store=False, timed=False, rounds=20)
        assert any("fitted to these very pairs" in notice for notice in found.notices) == flattering


def test_a_calibration_error_has_no_interval(tmp_path: Path) -> None:
    """Drawing pictures anew only makes it larger: an interval would not even hold the number itself."""
    [auto] = lookalike.evaluate(copies(tmp_path), store=False, timed=False, rounds=20).results
    assert np.isfinite(auto.measures["ece"].value)
    assert np.isnan(auto.measures["ece"].low)
    assert np.isfinite(auto.measures["brier"].low)
