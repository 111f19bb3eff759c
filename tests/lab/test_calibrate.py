"""From labelled pictures to a calibration that holds on others."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from labels import table
from shop import EACH, PRODUCTS, pairs_file, pictures, rows

import lookalike
from lookalike import Calibration, Preset
from lookalike.errors import SourceNotFound, UsageError
from lookalike.images.limits import Limits
from lookalike.lab.calibrate import table_of, target_of
from lookalike.lab.calibrating.chance import chance_pairs, copies
from lookalike.lab.calibrating.cleaned import clean
from lookalike.lab.calibrating.fitting import Fitted, Task, fit
from lookalike.lab.calibrating.sampled import sample
from lookalike.lab.calibrating.thresholds import Target
from lookalike.lab.labelled import LabelledPair
from lookalike.scoring.pair import FeatureCache
from lookalike.types import Comparison

COLOURS = Preset("colours", "histograms", "weighted", {"bhattacharyya": 0.5, "hsv": 0.5})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shop")
    pairs_file(made)
    return made


@pytest.fixture(scope="module")
def fitted(folder: Path) -> Fitted:
    return fit(Task(table_of(folder / "pairs.csv"), COLOURS))


def test_the_threshold_finds_what_was_asked(fitted: Fitted) -> None:
    calibration, evidence = fitted.calibration, fitted.evidence
    told = [calibration.apply(each) for each in evidence.comparisons]
    found = np.array([each.score >= 0.80 for each in told])
    assert 0.95 <= found[evidence.labels].mean() < 0.97
    low, high = fitted.expected.threshold[1]
    assert low <= calibration.bands.product <= high
    for name, (value, (below, above)) in fitted.expected.rates.items():
        assert below <= value <= above, name
    assert abs(fitted.expected.rates["tpr"][0] - 0.95) < 0.06
    likely = np.array([each.probability for each in told])
    assert likely[evidence.labels].mean() > likely[~evidence.labels].mean() + 0.2


def test_figures_and_provenance_are_in_the_file(fitted: Fitted, folder: Path, tmp_path: Path) -> None:
    calibration = Calibration.load(fitted.calibration.save(tmp_path / "c.json"))
    report = json.loads((tmp_path / "c.json").read_text())["report"]
    same = PRODUCTS * EACH * (EACH - 1) // 2
    assert (report["data"]["same"], report["data"]["different"], report["data"]["failed"]) == (same, 90, 0)
    assert report["data"]["pictures"] == PRODUCTS * EACH
    assert report["target"] == {"tpr": 0.95}
    assert set(report["expect"]) == {"tpr", "fpr", "precision", "f1"}
    assert report["probability"]["dealt by"] == "product"
    assert 0 <= report["probability"]["tried"]["platt"]["ece"] < 0.3
    assert report["made"]["date"][:2] == "20"
    assert len(report["data"]["sha256"]) == 64
    assert calibration.scored_by == fitted.calibration.scored_by


def test_the_order_of_rows_and_of_pictures_makes_no_difference(fitted: Fitted, folder: Path) -> None:
    shuffled = [(b, a, label) if len(a) % 2 else (a, b, label) for a, b, label in rows(folder)]
    random.Random(3).shuffle(shuffled)
    again = lookalike.calibrate(shuffled, preset=COLOURS, store=False)
    ours, theirs = fitted.calibration.to_dict(), again.to_dict()
    for document in (ours, theirs):
        document["report"]["made"] = None
    assert ours == theirs


def test_a_method_alone_and_another_target(folder: Path) -> None:
    calibration = lookalike.calibrate(folder / "pairs.csv", method="bhattacharyya", target_fpr=0.1, store=False)
    assert (calibration.name, calibration.preset, calibration.method) == ("bhattacharyya", None, "bhattacharyya")
    results = lookalike.compare_many([row[:2] for row in rows(folder)], calibration=calibration)
    passed = [
        isinstance(each, Comparison) and each.score >= 0.80
        for each, row in zip(results, rows(folder), strict=True)
        if row[2] == "different"
    ]
    assert 0.05 < np.mean(passed) <= 0.1


def test_a_store_and_a_progress(folder: Path, tmp_path: Path) -> None:
    told = []
    for _ in range(2):
        calibration = lookalike.calibrate(
            folder / "pairs.csv", preset=COLOURS, store=tmp_path / "s.db", progress=lambda *each: told.append(each)
        )
    assert calibration.name == "colours"
    assert told[-1][1:] == (told[-1][2], told[-1][2])
    assert (tmp_path / "s.db").exists()


def test_weights_are_fitted_where_that_helps(folder: Path) -> None:
    noisy = Preset("noisy", "mostly noise", "weighted", {"bhattacharyya": 0.05, "mse": 0.95})
    task = Task(table_of(folder / "pairs.csv"), noisy, fit_weights=True)
    found = fit(task)
    assert found.refitted is not None
    assert found.refitted.better
    assert found.calibration.name == "noisy (fitted)"
    assert found.calibration.preset is not None
    assert found.calibration.preset.weights["bhattacharyya"] > 0.3
    assert found.calibration.report["auc"] > fit(Task(task.table, noisy)).calibration.report["auc"]
    again = lookalike.compare(*rows(folder)[0][:2], calibration=found.calibration)
    assert again.preset == "noisy (fitted)"


def test_pairs_that_fail_are_counted_and_named(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n none")
    extra = [(str(broken), rows(folder)[0][0], "same"), ("nowhere.png", str(broken), "different")]
    found = fit(Task(table_of([*rows(folder), *extra]), COLOURS))
    assert [failure.failure.kind for failure in found.evidence.failures] == ["DecodeFailed", "DecodeFailed"] or {
        failure.failure.kind for failure in found.evidence.failures
    } <= {"DecodeFailed", "SourceNotFound"}
    assert len(found.evidence.failures) == 2
    assert found.calibration.report["data"]["failed"] == 2


def test_too_few_are_refused_before_anything_is_compared(folder: Path) -> None:
    few = [row for row in rows(folder) if row[2] == "same"][:23] + [row for row in rows(folder) if row[2] != "same"][:4]
    with pytest.raises(UsageError, match="23 pairs are labelled same and 4 different") as found:
        lookalike.calibrate(few, preset=COLOURS, store=False)
    assert "16 more of different" in str(found.value)
    with pytest.raises(UsageError, match="10 more of different"):
        lookalike.calibrate(rows(folder), preset=COLOURS, store=False, target_fpr=0.01)


def test_too_few_are_left_when_many_fail(folder: Path) -> None:
    gone = [(f"gone{number}.png", f"lost{number}.png", "same") for number in range(15)]
    few = [row for row in rows(folder) if row[2] == "same"][:10] + [row for row in rows(folder) if row[2] != "same"]
    with pytest.raises(UsageError, match="10 pairs are left that could be compared"):
        lookalike.calibrate([*few, *gone], preset=COLOURS, store=False)


def test_only_one_target_and_no_weights_of_a_method(folder: Path) -> None:
    with pytest.raises(UsageError, match="choose one"):
        target_of(0.9, 0.1, None)
    assert target_of(None, None, 0.9) == Target("precision", 0.9)
    with pytest.raises(UsageError, match="no weights to fit"):
        lookalike.calibrate(folder / "pairs.csv", method="phash", fit_weights=True, store=False)
    with pytest.raises(UsageError, match="one of: auto, platt"):
        lookalike.calibrate(folder / "pairs.csv", method="phash", kind="spline", store=False)


def test_pairs_of_a_file_with_itself_and_twice_are_left_out(tmp_path: Path) -> None:
    made = pictures(tmp_path)
    twin = shutil.copy(made[0][0], tmp_path / "twin.png")
    pairs = [
        LabelledPair(made[0][0], made[0][1], "same", True),
        LabelledPair(made[0][1], str(twin), "SAME", True),  # the same pair, the other way round
        LabelledPair(made[0][0], str(twin), "same", True),
        LabelledPair(made[1][0], made[2][0], "same", True),
        LabelledPair(made[2][0], made[1][0], "different", False),
        LabelledPair(made[1][0], "https://example.com/a.jpg", "different", False),
    ]
    found = clean(pairs, Limits())
    assert len(found.pairs) == 2
    assert found.same == 1
    assert found.keys == tuple(sorted(found.keys))
    assert all(key[0] <= key[1] for key in found.keys)
    notes = " ".join(found.notes)
    assert "1 of one file with itself" in notes
    assert "1 labelled more than once" in notes
    assert "1 labelled in two ways" in notes
    assert len(found.products()) == 1
    assert clean([], Limits()).products() == []


def test_random_pairs_of_a_folder(tmp_path: Path) -> None:
    made = pictures(tmp_path)
    shutil.copy(made[0][0], tmp_path / "twin.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    known = clean([LabelledPair(names[0], name, "same", True) for names in made for name in names[1:]], Limits())
    drawn = sample(tmp_path, 5000, same=known.products())
    total = PRODUCTS * EACH + 1
    assert drawn.pictures == total + 1
    products = [Path(pair.a).name.split("-")[0] + " " + Path(pair.b).name.split("-")[0] for pair in drawn.pairs]
    assert not any(one == other for one, other in map(str.split, products))
    assert not any("twin" in pair and " 0" in f" {pair}".replace("twin.png", "") for pair in products)
    assert len({frozenset((pair.a, pair.b)) for pair in drawn.pairs}) == len(drawn.pairs)
    assert not any("broken" in pair.a + pair.b for pair in drawn.pairs)
    assert len(sample(tmp_path, 30).pairs) == 30
    assert sample(tmp_path, 30).pairs == sample(tmp_path, 30).pairs != sample(tmp_path, 30, seed=1).pairs
    assert "about one in 6 " in drawn.caveat
    with pytest.raises(SourceNotFound):
        sample(tmp_path / "nowhere", 10)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no two different pictures"):
        sample(tmp_path / "empty", 10)


def test_negatives_are_drawn_where_none_are_labelled(folder: Path) -> None:
    only = [row for row in rows(folder) if row[2] == "same"]
    found = fit(Task(table_of(only), COLOURS, negatives=folder))
    assert found.evidence.sampled.sum() == (~found.evidence.labels).sum() == 200
    assert found.calibration.report["data"]["drawn at random"] == 200
    assert any("random pairs of the 56 pictures" in note for note in found.notes)
    assert "200 pairs taken at random" in found.banding.category or "in proportion" in found.banding.category


def test_random_pairs_that_are_copies_are_told_by_another_than_the_preset(tmp_path: Path) -> None:
    made = pictures(tmp_path)
    copy = shutil.copy(made[0][0], tmp_path / "copy.png")
    pairs = [
        LabelledPair(made[1][0], made[1][1], "same", True),
        LabelledPair(made[0][0], str(copy), "different", False),
        LabelledPair(made[0][0], made[7][0], "different", False),
    ]
    results = [Comparison(pair.a, pair.b, 0.95, "near-duplicate", {}) for pair in pairs]
    drawn = np.array([False, True, True])
    ours = copies(pairs, results, drawn, "weighted", FeatureCache(), Limits())
    assert ours.tolist() == [False, True, False]  # the preset was wrong about the last, and that must not be hidden
    assert copies(pairs, results, drawn, "auto", FeatureCache(), Limits()).tolist() == [False, True, True]
    assert not copies(pairs, results, np.zeros(3, bool), "weighted", FeatureCache(), Limits()).any()


def test_pairs_by_chance_are_of_two_products(fitted: Fitted) -> None:
    found = chance_pairs(fitted.evidence, seed=0)
    assert len(found) == 300
    for pair in found:
        assert Path(pair.a).name.split("-")[0] != Path(pair.b).name.split("-")[0]


@pytest.fixture(scope="module")
def few(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So few pictures that every pair is compared."""
    made = tmp_path_factory.mktemp("few")
    for product in range(5):
        for number in range(EACH):
            shutil.copy(folder / f"{product}-{number}.png", made)
    return made


def test_a_group_with_a_calibration_is_exact(fitted: Fitted, few: Path) -> None:
    """A calibrated threshold lets through just what lies over it once all pairs are calibrated."""
    raw = lookalike.group(few, preset=COLOURS, threshold=0.01, store=False, workers=1)
    wanted = {(pair.a, pair.b): fitted.calibration.apply(pair) for pair in raw.pairs}
    assert len(wanted) > 60  # the others have a score of next to nothing
    for threshold in (0.65, 0.80, fitted.calibration.bands.apply(0.7)):
        found = lookalike.group(few, calibration=fitted.calibration, threshold=threshold, store=False, workers=1)
        assert {(pair.a, pair.b): pair for pair in found.pairs} == {
            names: pair for names, pair in wanted.items() if pair.score >= threshold
        }
        assert found.threshold == threshold
        members = [member for group in found.groups for member in group.members]
        assert all(member.score is None or member.score >= threshold for member in members)
    assert found.pairs == tuple(sorted(found.pairs, key=lambda pair: (-pair.score, pair.a, pair.b)))


def test_a_group_by_a_calibrated_method(folder: Path, few: Path) -> None:
    calibration = lookalike.calibrate(folder / "pairs.csv", method="bhattacharyya", store=False)
    found = lookalike.group(few, calibration=calibration, threshold=0.8, store=False, workers=1)
    assert found.pairs
    pair = found.pairs[len(found.pairs) // 2]
    assert pair == lookalike.compare(pair.a, pair.b, calibration=calibration)


def test_labels_in_a_column_of_another_name(folder: Path, tmp_path: Path) -> None:
    file = table(tmp_path / "odd.csv", rows(folder), ("a", "b", "opinion"))
    calibration = lookalike.calibrate(file, preset=COLOURS, label_column="opinion", store=False)
    assert calibration.report["data"]["same"] == 84
