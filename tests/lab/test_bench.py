"""The bench: every copy belongs to its picture, negatives are of different ones, and it appears whole or not at all."""

from __future__ import annotations

import csv
import re
import shutil
import textwrap
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import noise, photo
from test_cli import call

from lookalike.errors import OutputError, SourceNotFound, SourceUnreadable, UsageError
from lookalike.lab.bench import make as bench
from lookalike.lab.bench.make import COLUMNS, make_bench
from lookalike.lab.bench.negatives import nearest_pairs, random_pairs
from lookalike.lab.edits.table import EDITS, edited
from lookalike.lab.seeded import generator

FEW = ["flip", "crop to 50 %", "JPEG q10", "pasted small"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Eight photos, one of them twice as a file and once more as a copy; a tiny one and a broken one."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number in range(8):
        Image.fromarray(photo(10 * number, 160, 120)).save(folder / ("more" if number % 2 else ".") / f"{number}.png")
    shutil.copy(folder / "0.png", folder / "more" / "twin.png")
    Image.open(folder / "0.png").resize((200, 150)).save(folder / "copy.jpg", quality=60)
    Image.fromarray(noise(1, 20, 20)).save(folder / "tiny.png")
    (folder / "broken.jpg").write_bytes((folder / "copy.jpg").read_bytes()[:300])
    return folder


def rows_of(path: str | Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_bench_holds_what_it_says(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "bench"
    told: list[tuple[str, int, int]] = []
    made = make_bench(photos, out, edits=FEW, negatives=20, progress=lambda *what: told.append(what))
    rows = rows_of(made.pairs)
    assert list(rows[0]) == list(COLUMNS)
    assert made.pictures == 9  # eight photos and the copy of one
    assert made.copies == dict.fromkeys([edit for edit in EDITS if edit in FEW], 9)
    positives = [row for row in rows if row["label"] == "same"]
    assert len(positives) == 36
    originals = {row["path"]: row for row in rows_of(out / "originals.csv")}
    for row in positives:
        assert row["kind"] == "copy"
        assert (out / row["b"]).is_file()
        assert row["source"] == originals[row["a"]]["source"]
    assert Counter(row["label"] for row in rows) == {"same": 36, "different": made.nearest + made.random}
    assert made.nearest + made.random == 20
    assert [Path(failure.source).name for failure in made.failures] == ["broken.jpg"]
    assert any("another file has the same bytes: 1" in notice for notice in made.notices)
    assert any("too small to edit: 1" in notice for notice in made.notices)
    assert {what for what, _, _ in told} >= {"looking at pictures", "editing pictures"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench", "photos"]  # nothing half done beside it


def test_copies_that_were_there_are_no_negatives(photos: Path, tmp_path: Path) -> None:
    made = make_bench(photos, tmp_path / "bench", edits=["flip"], negatives=1000)
    pair = {Path(path).name for path in made.alike[0][:2]}
    assert len(made.alike) == 1
    assert pair in ({"0.png", "copy.jpg"}, {"twin.png", "copy.jpg"})
    assert made.alike[0][2] >= 0.9
    assert made.nearest + made.random == 9 * 8 // 2 - 1
    of = {row["source"]: Path(row["path"]).name for row in rows_of(tmp_path / "bench" / "originals.csv")}
    negatives = [row for row in rows_of(made.pairs) if row["label"] == "different"]
    assert not any({of[source] for source in row["source"].split()} == pair for row in negatives)
    assert len(rows_of(tmp_path / "bench" / "alike.csv")) == 1
    trusting = make_bench(photos, tmp_path / "trusting", edits=["flip"], negatives=1000, all_differ=True)
    assert trusting.nearest + trusting.random == 36


def test_negatives_show_two_sources_and_some_are_edited(photos: Path, tmp_path: Path) -> None:
    made = make_bench(photos, tmp_path / "bench", edits=FEW, negatives=30)
    negatives = [row for row in rows_of(made.pairs) if row["label"] == "different"]
    assert all(len(set(row["source"].split())) == 2 for row in negatives)
    edits = [row for row in negatives if row["edit"]]
    assert 5 <= len(edits) <= 25
    assert not any(row["edit"] == "pasted small" for row in edits)  # that one shows two sources
    assert all(row["source"].split()[1] == row["b"].partition("/")[2][:12] for row in edits)


def test_the_same_pictures_make_the_same_bench(photos: Path, tmp_path: Path) -> None:
    make_bench(photos, tmp_path / "one", pictures=5, edits=FEW, negatives=6, seed=2)
    make_bench(photos, tmp_path / "two", pictures=5, edits=FEW, negatives=6, seed=2)
    make_bench(photos, tmp_path / "three", pictures=5, edits=FEW, negatives=6, seed=3)

    def content(name: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}

    assert content("one") == content("two")
    assert content("one")["pairs.csv"] != content("three")["pairs.csv"]


def test_a_picture_meets_the_edit_that_its_bytes_and_the_seed_name(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "bench"
    make_bench(photos, out, edits=["crop to 50 %"], negatives=0, seed=5)
    row = next(row for row in rows_of(out / "originals.csv") if Path(row["path"]).name == "1.png")
    copy = next(out.glob(f"copies/{row['source']}-*"))
    assert copy.read_bytes() == edited("crop to 50 %", Image.open(row["path"]), row["digest"], 5)


def test_each_gives_every_edit_its_turn(photos: Path, tmp_path: Path) -> None:
    made = make_bench(photos, tmp_path / "bench", edits=["light"], each=5, negatives=0)
    assert sum(made.copies.values()) == 9 * 5
    assert max(made.copies.values()) - min(made.copies.values()) <= 1


def test_large_pictures_are_scaled_down_first(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(photo(3, 900, 600)).save(tmp_path / "photos" / "large.png")
    make_bench(tmp_path / "photos", tmp_path / "bench", edits=["flip"], side=200)
    assert Image.open(next((tmp_path / "bench" / "copies").iterdir())).size == (200, 133)


def test_a_crop_that_shows_nothing_is_no_copy(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    page = Image.new("RGB", (900, 900), "white")
    page.paste(Image.fromarray(photo(1, 350, 350)), (0, 0))
    page.save(tmp_path / "photos" / "corner.png")
    made = [
        make_bench(tmp_path / "photos", tmp_path / f"bench{seed}", edits=["crop to 25 %", "flip"], seed=seed)
        for seed in range(6)
    ]
    assert all(each.copies["flip"] == 1 for each in made)
    assert {each.copies["crop to 25 %"] for each in made} == {0, 1}
    assert any("nothing to see" in notice for each in made for notice in each.notices)


def test_cut_outs_get_a_new_background_and_others_do_not(photos: Path, tmp_path: Path) -> None:
    disc = Image.radial_gradient("L").resize((90, 90)).point(lambda level: 255 * (level < 100))
    image = Image.fromarray(photo(5, 90, 90))
    image.putalpha(disc)
    image.save(photos / "cutout.png")
    made = make_bench(photos, tmp_path / "bench", edits=["new background"], negatives=0)
    assert made.copies == {"new background": 1}


def test_nothing_is_overwritten_and_nothing_half_done_stays(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        make_bench(photos, tmp_path / "bench")
    with pytest.raises(OutputError, match="no folder"):
        make_bench(photos, tmp_path / "bench" / "mine.txt")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "_alike", stop)
    with pytest.raises(KeyboardInterrupt):
        make_bench(photos, tmp_path / "new", edits=["flip"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench", "photos"]


def test_what_makes_no_bench(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no edit called"):
        make_bench(photos, tmp_path / "bench", edits=["polish"])
    with pytest.raises(UsageError, match="pictures must be 1 or more"):
        make_bench(photos, tmp_path / "bench", pictures=0)
    with pytest.raises(UsageError, match="each must be 1 or more"):
        make_bench(photos, tmp_path / "bench", each=0)
    with pytest.raises(SourceNotFound):
        make_bench(tmp_path / "nowhere", tmp_path / "bench")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceUnreadable, match="no picture here"):
        make_bench(tmp_path / "empty", tmp_path / "bench")
    assert not (tmp_path / "bench").exists()


def test_nearest_pairs_come_from_everything_in_turn() -> None:
    vectors = np.random.default_rng(0).standard_normal((40, 8)).astype(np.float32)
    vectors[:10] = vectors[0] + 0.01 * vectors[:10]  # a crowd
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = nearest_pairs(vectors, 30, lambda a, b: (a, b) != (0, 1))
    assert len(set(found)) == 30
    assert (0, 1) not in found
    assert len({number for pair in found for number in pair}) > 30  # the crowd has 45 pairs among itself
    similar = vectors @ vectors.T - 2 * np.eye(40)
    assert all(a < b for a, b in found)
    assert {tuple(sorted((row, int(similar[row].argmax())))) for row in range(2, 10)} <= set(found)
    assert len(nearest_pairs(vectors, 10**6, lambda a, b: True)) == 40 * 39 // 2
    assert nearest_pairs(vectors[:1], 5, lambda a, b: True) == []


def test_random_pairs_are_different_and_wanted() -> None:
    for number, count in ((6, 100), (1000, 50)):
        found = random_pairs(number, count, lambda a, b: (a + b) % 2 == 0, generator(0, "x"), taken=[(0, 2)])
        assert len(set(found)) == len(found) == (5 if number == 6 else 50)
        assert all(a < b and (a + b) % 2 == 0 and (a, b) != (0, 2) for a, b in found)


def test_the_command(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--edits", "flip,crop-to-80", "--negatives", "10", "--pictures", "4")
    code, out, err = call(capsys, "edits", "photos", "--out", "bench", *options)
    assert code == 0, err
    assert out.startswith(f"{Path('bench', 'pairs.csv')}: 8 edited copies (2 edits of 4 pictures)")
    code, out, err = call(capsys, "edits", "photos", "--out", "bench", *options)
    assert (code, out) == (17, "")
    code, out, _ = call(capsys, "edits", "--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [edit.slug for edit in EDITS.values()]
    assert call(capsys, "edits", "photos")[0] == 2
    code, out, err = call(capsys, "edits", "photos", "--out", "quiet", "--quiet", *options)
    assert (code, out, err) == (0, "", "")


def test_the_example_of_the_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(__file__).resolve().parents[2]
    guide = (root / "docs" / "guide.md").read_text(encoding="utf-8")
    command, output = re.findall(r"^    \$ lookalike (edits examples.*)\n((?:    .*\n)+)", guide, re.MULTILINE)[0]
    shutil.copytree(root / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, *command.split())
    assert code == 0
    assert (out + err).strip() == textwrap.dedent(output).strip()
