"""A folder, from its files to its groups: planted copies are found, nothing else is, and a second run knows it all."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from synthetic import garment, photo

from lookalike import compare, group
from lookalike.collection.candidates import FEW
from lookalike.collection.describe import keys
from lookalike.collection.store import Store
from lookalike.errors import SourceNotFound, UsageError
from lookalike.features.cells import Cells
from lookalike.types import Grouping

WHITE = (255, 255, 255)
SIZE = (192, 144)

EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "flip": ImageOps.mirror,
    "quarter": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "crop80": lambda image: image.crop((10, 8, 182, 137)),
    "crop50": lambda image: image.crop((30, 20, 166, 122)),
    "border": lambda image: ImageOps.expand(image, 18, WHITE),
    "jpeg": lambda image: image,
    "resize": lambda image: image.resize((96, 72)),
    "grey": lambda image: image.convert("L"),
    "tilt": lambda image: image.rotate(5, Image.Resampling.BICUBIC, expand=True, fillcolor=WHITE),
    "shift": lambda image: image.transform(SIZE, Image.Transform.AFFINE, (1, 0, -20, 0, 1, -12), fillcolor=WHITE),
}
WHOLE_FRAMES = {"flip", "quarter", "jpeg", "resize", "grey"}


def shot(number: int) -> Image.Image:
    return Image.fromarray(photo(1000 * number + 7, *SIZE))


def save(image: Image.Image, path: Path, quality: int = 92) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=quality)
    return path


def planted(folder: Path, count: int) -> set[tuple[str, str]]:
    """``count`` photos, an edit of every one of the first ten, and the pairs that are copies."""
    for number in range(count):
        save(shot(number), folder / f"p{number:03}.jpg")
    for number, (name, edit) in enumerate(EDITS.items()):
        image = edit(Image.open(folder / f"p{number:03}.jpg"))
        save(image, folder / f"p{number:03}-{name}.jpg", 30 if name == "jpeg" else 92)
    return {(f"p{number:03}", f"p{number:03}-{name}") for number, name in enumerate(EDITS)}


@dataclass
class Grouped:
    folder: Path
    copies: set[tuple[str, str]]
    found: Grouping

    @property
    def pictures(self) -> Path:
        return self.folder / "in"

    @property
    def store(self) -> Path:
        return self.folder / "store.db"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Grouped:
    """Too many photos to compare all with all, and what was found of them; nobody changes them."""
    folder = tmp_path_factory.mktemp("many")
    copies = planted(folder / "in", max(FEW + 2, 50))
    return Grouped(folder, copies, group(folder / "in", store=folder / "store.db"))


@pytest.fixture
def own(many: Grouped, tmp_path: Path) -> Path:
    """The same folder and its store, to be changed."""
    shutil.copytree(many.pictures, tmp_path / "in")
    shutil.copy(many.store, tmp_path / "store.db")
    group(tmp_path / "in", store=tmp_path / "store.db")  # the files are where they were not
    return tmp_path


@pytest.fixture
def nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads a file fails."""

    def fail(*arguments: object) -> None:
        pytest.fail("a file was read")

    monkeypatch.setattr("lookalike.collection.extract.read_found", fail)
    monkeypatch.setattr("lookalike.collection.sources.read_file", fail)
    monkeypatch.setattr("lookalike.collection.describe.read_encoded", fail)


def forget_runs(path: Path) -> None:
    with Store(path) as store:
        store.database.write(lambda connection: connection.execute("DELETE FROM runs"))


def stems(found: Grouping) -> set[tuple[str, str]]:
    """Names of pairs, the shorter name first."""
    names = [sorted((Path(pair.a).stem, Path(pair.b).stem), key=lambda name: (len(name), name)) for pair in found.pairs]
    return {(one, other) for one, other in names}


def check_whole(found: Grouping, files: set[str] | None = None) -> None:
    """What every answer keeps, whatever was asked."""
    pictures = [picture.path for picture in found.pictures]
    assert pictures == sorted(set(pictures))
    assert not {*pictures} & {failure.source for failure in found.failures}
    if files is not None:
        assert {*pictures, *(failure.source for failure in found.failures)} == files
    pairs = [(pair.a, pair.b) for pair in found.pairs]
    assert len(set(pairs)) == len(pairs), "each once"
    assert all(a < b for a, b in pairs)
    assert {path for pair in pairs for path in pair} <= {*pictures}
    assert [pair.score for pair in found.pairs] == sorted((pair.score for pair in found.pairs), reverse=True)
    assert all(pair.score >= found.threshold for pair in found.pairs)
    assert {path for each in found.groups for path in (each.base, *(member.path for member in each.members))} == {
        path for pair in pairs for path in pair
    }


# What is found


def check_planted(found: Grouping, copies: set[tuple[str, str]], folder: Path) -> None:
    assert stems(found) == copies
    check_whole(found, {str(path) for path in folder.iterdir()})
    assert found.failures == ()
    by_name = {
        name: pair.transform for pair in found.pairs for name in EDITS if name in Path(pair.a).stem + Path(pair.b).stem
    }
    assert by_name["flip"] is not None
    assert by_name["flip"].flip
    assert by_name["quarter"] is not None
    assert by_name["quarter"].rotation in {90, 270}
    assert by_name["crop50"] is not None
    assert sorted((by_name["crop50"].overlap or 0, by_name["crop50"].overlap_other or 0)) == pytest.approx(
        [0.5, 1], abs=0.03
    )


def test_planted_copies_are_found_among_a_few_and_nothing_else(tmp_path: Path) -> None:
    copies = planted(tmp_path, 11)
    check_planted(group(tmp_path, store=False), copies, tmp_path)


def test_planted_copies_are_found_among_many_and_nothing_else(many: Grouped) -> None:
    assert len(many.found.pictures) > FEW
    check_planted(many.found, many.copies, many.pictures)


def test_scores_are_those_of_compare(many: Grouped) -> None:
    for pair in many.found.pairs:
        alone = compare(pair.a, pair.b)
        assert pair.score == pytest.approx(alone.score, abs=0.02), (pair.a, pair.b)
        assert pair.verdict == alone.verdict


def test_processes_find_what_threads_find(many: Grouped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = group(many.pictures, store=tmp_path / "here.db", workers=1)
    for module in ("extract", "confirm"):
        monkeypatch.setattr(f"lookalike.collection.{module}.MUCH", 1)
    there = group(many.pictures, store=tmp_path / "there.db", workers=2)
    assert there.pairs == here.pairs
    assert there.failures == here.failures
    with pytest.raises(UsageError, match="workers must be 0"):
        group(many.pictures, store=False, workers=-1)


def test_below_copies_the_same_product_is_found(tmp_path: Path) -> None:
    """Where copies are not all that matters, what is no copy at sight is compared in full."""
    for number in range(30):
        save(shot(number), tmp_path / f"in/p{number}.jpg")
    for name, colour in (("red", (200, 40, 40)), ("blue", (40, 60, 180))):
        save(Image.fromarray(garment("sweater", colour)), tmp_path / f"in/{name}.png")
    assert ("red", "blue") not in stems(group(tmp_path / "in", store=tmp_path / "s.db"))
    found = group(tmp_path / "in", store=tmp_path / "s.db", threshold=0.7)
    assert {("red", "blue"), ("blue", "red")} & stems(found)


def test_quick_runs_no_network(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cells, "grids", lambda *_: pytest.fail("the network ran"))
    found = group(own / "in", store=own / "quick.db", mode="quick")
    assert stems(found)
    monkeypatch.undo()
    assert stems(group(own / "in", store=own / "quick.db")) == stems(group(own / "in", store=own / "other.db"))


def test_quick_finds_whole_frames(many: Grouped) -> None:
    found = stems(group(many.pictures, store=many.store, mode="quick"))
    assert {other[5:] for _, other in found} >= WHOLE_FRAMES
    assert found <= many.copies


def test_a_threshold_leaves_out_what_is_below_it(many: Grouped) -> None:
    middle = sorted(pair.score for pair in many.found.pairs)[5]
    above = group(many.pictures, store=many.store, threshold=middle)
    assert above.pairs == tuple(pair for pair in many.found.pairs if pair.score >= middle)
    check_whole(above)


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01, float("nan")])
def test_a_threshold_that_makes_no_sense(tmp_path: Path, threshold: float) -> None:
    with pytest.raises(UsageError, match="threshold must be"):
        group(tmp_path, threshold=threshold, store=False)


def test_one_product_in_two_colours_is_found_below_a_copy_s_score(tmp_path: Path) -> None:
    for number in range(8):
        save(shot(number), tmp_path / f"p{number}.jpg")
    save(Image.fromarray(garment("sweater", (200, 40, 40))), tmp_path / "red.png")
    save(Image.fromarray(garment("sweater", (40, 60, 180))), tmp_path / "blue.png")
    assert stems(group(tmp_path, threshold=0.8, store=False)) == {("red", "blue")}
    assert stems(group(tmp_path, store=False)) == set()


def test_groups_by_each_way(tmp_path: Path) -> None:
    for number, quality in enumerate((95, 80, 60)):
        save(shot(1), tmp_path / f"a{number}.jpg", quality)
    save(shot(2), tmp_path / "b0.jpg", 95)
    save(shot(2), tmp_path / "b1.jpg", 70)
    save(shot(3), tmp_path / "c.jpg")
    sizes = {
        by: sorted(map(len, group(tmp_path, group_by=by, store=False).groups))
        for by in ("base", "cluster", "component")
    }
    assert sizes == {"base": [2, 2, 3, 3, 3], "cluster": [2, 3], "component": [2, 3]}


def test_a_large_family_is_found_whole(tmp_path: Path) -> None:
    for number in range(38):
        save(shot(0), tmp_path / f"f{number:02}.jpg", 40 + number)
    for number in range(1, FEW - 36):
        save(shot(number), tmp_path / f"p{number}.jpg")
    assert len(group(tmp_path, store=False).pairs) == 38 * 37 // 2


# What does not matter


def test_names_of_files_and_the_run_do_not_matter(many: Grouped, tmp_path: Path) -> None:
    """A hundred pictures in another order, from scratch."""
    names = {path.stem: f"{zlib.crc32(path.stem.encode())}" for path in many.pictures.iterdir()}
    for stem, name in names.items():
        (tmp_path / f"{name}.jpg").write_bytes((many.pictures / f"{stem}.jpg").read_bytes())
    scores = {frozenset((names[Path(pair.a).stem], names[Path(pair.b).stem])): pair.score for pair in many.found.pairs}
    found = {
        frozenset((Path(pair.a).stem, Path(pair.b).stem)): pair.score for pair in group(tmp_path, store=False).pairs
    }
    assert found == pytest.approx(scores, abs=0.005)


def test_names_do_not_matter_in_a_small_folder(tmp_path: Path) -> None:
    """A crop to a sixth, which only keypoints find."""
    shots = [Image.fromarray(photo(1000 * number + 7, 384, 288)) for number in range(13)]
    found = []
    for place, (one, other) in {"first": ("aa", "ab"), "last": ("zy", "zz")}.items():
        for number, image in enumerate(shots[1:]):
            save(image, tmp_path / f"{place}/m{number:02}.jpg")
        save(shots[0], tmp_path / f"{place}/{one}.jpg")
        save(shots[0].crop((100, 60, 254, 175)), tmp_path / f"{place}/{other}.jpg")
        found.append(len(group(tmp_path / place, store=False).pairs))
    assert found == [1, 1]


def test_a_folder_named_twice_is_there_once(many: Grouped) -> None:
    twice = group([many.pictures, f"{many.folder}/in/../in", many.pictures / "p000.jpg"], store=many.store)
    assert len(twice.pictures) == len(many.found.pictures)
    assert stems(twice) == many.copies


# Later runs


def test_the_second_run_reads_no_file_and_gives_the_same(many: Grouped, nothing_is_read: None) -> None:
    found = group(many.pictures, store=many.store)
    assert found.pairs == many.found.pairs
    assert found.groups == many.found.groups
    assert found.pictures == many.found.pictures
    assert found.stats["computed"] == 0


def test_renamed_files_cost_nothing_new(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = group(own / "in", store=own / "store.db")
    (own / "in").rename(own / "moved")
    (own / "moved/p000.jpg").rename(own / "moved/zzz.jpg")
    monkeypatch.setattr(Cells, "grids", lambda *_: pytest.fail("it was computed again"))
    after = group(own / "moved", store=own / "store.db")
    assert len(after.pairs) == len(before.pairs)
    (turned,) = (pair for pair in after.pairs if "zzz" in pair.b)
    (straight,) = (pair for pair in before.pairs if "p000" in pair.a)
    (own / "moved/zzz.jpg").rename(own / "moved/000.jpg")
    (exchanged,) = (pair for pair in group(own / "moved", store=own / "store.db").pairs if "000.jpg" in pair.a)
    assert Path(turned.a).stem == Path(exchanged.b).stem == "p000-flip"
    assert exchanged.transform == turned.reversed().transform
    assert turned.transform == straight.transform


@pytest.mark.parametrize("name", ["crop50", "quarter", "border", "shift"])
def test_a_new_picture_is_compared_with_all(own: Path, name: str) -> None:
    before = stems(group(own / "in", store=own / "store.db"))
    save(EDITS[name](shot(30)), own / "in/new.jpg")
    found = group(own / "in", store=own / "store.db")
    assert found.stats["computed"] == 1
    assert stems(found) == before | {("new", "p030")}
    check_whole(found)
    assert stems(group(own / "in", store=own / "store.db")) == before | {("new", "p030")}


def test_new_pictures_are_compared_with_each_other_once(own: Path) -> None:
    save(shot(200), own / "in/new1.jpg", 92)
    save(shot(200), own / "in/new2.jpg", 50)
    for _ in range(2):
        found = group(own / "in", store=own / "store.db")
        assert [pair.a for pair in found.pairs].count(str(own / "in/new1.jpg")) == 1
        check_whole(found)


def test_a_picture_that_went_is_in_no_pair(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "in/p000.jpg").unlink()
    monkeypatch.setattr("lookalike.collection.pairing.Pairing.run", lambda *arguments: pytest.fail("compared anew"))
    found = group(own / "in", store=own / "store.db")
    assert len(found.pairs) == len(EDITS) - 1
    check_whole(found)


def test_a_changed_picture_is_another(own: Path) -> None:
    save(shot(300), own / "in/p000.jpg")
    found = group(own / "in", store=own / "store.db")
    assert len(found.pairs) == len(EDITS) - 1
    assert found.stats["computed"] == 1


def test_a_picture_that_could_not_be_compared_is_compared_the_next_time(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away while pairs were compared and back again: the run must not be remembered as if it had been there."""
    from lookalike.collection import pairing

    path, aside = own / "in/p000.jpg", own / "aside.jpg"
    original = pairing.Pairing.run

    def away(*arguments: object) -> object:
        path.rename(aside)
        try:
            return original(*arguments)  # type: ignore[arg-type]
        finally:
            aside.rename(path)

    monkeypatch.setattr(pairing.Pairing, "run", away)
    forget_runs(own / "store.db")
    found = group(own / "in", store=own / "store.db")
    assert [failure.source for failure in found.failures] == [str(path)]
    check_whole(found, {str(each) for each in (own / "in").iterdir()})
    monkeypatch.undo()
    found = group(own / "in", store=own / "store.db")
    assert ("p000", "p000-flip") in stems(found)
    assert found.failures == ()


@pytest.mark.parametrize("name", ["cells", "patches", "hues", "disc"])
def test_a_damaged_feature_is_made_anew(own: Path, name: str) -> None:
    with Store(own / "store.db") as store:
        store.database.write(
            lambda connection: connection.execute(
                "UPDATE features SET value = zeroblob(length(value)) WHERE id IN (SELECT id FROM features"
                " WHERE id >> 40 IN (SELECT id FROM methods WHERE key = ?) LIMIT 1)",
                (keys()[name],),
            )
        )
    forget_runs(own / "store.db")
    found = group(own / "in", store=own / "store.db")
    assert len(found.pairs) == len(EDITS)
    assert "damaged" in " ".join(found.notices)


# Twins, failures, decisions


def test_twins_are_a_pair_and_share_what_is_found(tmp_path: Path) -> None:
    for number in range(4):
        save(shot(number), tmp_path / f"p{number}.jpg")
    shutil.copy(tmp_path / "p1.jpg", tmp_path / "zz.jpg")
    shutil.copy(tmp_path / "p1.jpg", tmp_path / "aa.jpg")
    save(ImageOps.mirror(shot(1)), tmp_path / "mirrored.jpg")
    found = group(tmp_path, store=False)
    assert stems(found) == set(combinations(("aa", "p1", "zz", "mirrored"), 2))
    check_whole(found)
    for pair in found.pairs:
        if "mirrored" not in pair.a + pair.b:
            assert (pair.score, pair.verdict) == (1.0, "identical")
        else:
            assert pair.transform is not None
            assert pair.transform.flip
    assert len(group(tmp_path, threshold=1, store=False).pairs) == 3


def test_only_twins(tmp_path: Path) -> None:
    for name in "ab":
        save(shot(1), tmp_path / f"{name}.jpg")
    found = group(tmp_path, store=False, preset="semantic")
    ((pair,), (first, second)) = found.pairs, found.groups
    assert pair.preset == "semantic"
    assert (len(first), len(second)) == (2, 2)


def test_bad_files_are_failures_every_time(tmp_path: Path) -> None:
    for number in range(3):
        save(shot(number), tmp_path / f"in/p{number}.jpg")
    half = (tmp_path / "in/p0.jpg").read_bytes()[:1500]
    for name in ("half.jpg", "half-too.jpg"):
        (tmp_path / "in" / name).write_bytes(half)
    (tmp_path / "in/text.png").write_bytes(b"no picture")
    (tmp_path / "in/lost.jpg").symlink_to(tmp_path / "nowhere.jpg")
    told = []
    for _ in range(3):
        found = group(tmp_path / "in", store=tmp_path / "store.db")
        assert {Path(failure.source).name for failure in found.failures} == {
            "half.jpg",
            "half-too.jpg",
            "text.png",
            "lost.jpg",
        }
        check_whole(found, {str(path) for path in (tmp_path / "in").iterdir()})
        told.append(found.failures)
    assert told[0] == told[1] == told[2], "in the same words"
    for failure in told[0]:
        assert failure.reason.count(failure.source) == 1


def test_nothing_and_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for count in (0, 1):
        found = group(tmp_path / "in", store=False)
        assert (len(found.pictures), found.pairs, found.groups) == (count, (), ())
        save(shot(1), tmp_path / "in/a.jpg")
    with pytest.raises(SourceNotFound):
        group(tmp_path / "nowhere", store=False)


def test_what_a_person_decided_holds(own: Path) -> None:
    found = group(own / "in", store=own / "store.db")
    pair = found.pairs[0]
    digest = {picture.path: picture.digest for picture in found.pictures}
    with Store(own / "store.db") as store:
        store.decide(digest[pair.b], digest[pair.a], "different")
    after = group(own / "in", store=own / "store.db")
    assert {(each.a, each.b) for each in found.pairs} - {(each.a, each.b) for each in after.pairs} == {(pair.a, pair.b)}
    check_whole(after)
    with Store(own / "store.db") as store:
        store.decide(digest[pair.a], digest[pair.b], None)
    assert stems(group(own / "in", store=own / "store.db")) == stems(found)


def test_without_a_store_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_STORE", str(tmp_path / "store.db"))
    save(shot(1), tmp_path / "in/a.jpg")
    group(tmp_path / "in", store=False)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    group(tmp_path / "in")
    assert (tmp_path / "store.db").exists()


def test_a_folder_for_results_is_no_source(tmp_path: Path) -> None:
    save(shot(1), tmp_path / "a.jpg")
    save(shot(1), tmp_path / "result/a/b.jpg", 50)
    assert len(group(tmp_path, store=False).pairs) == 1
    assert group(tmp_path, store=False, leave_out=tmp_path / "result").pairs == ()
    assert len(group([tmp_path / "result/a/b.jpg", tmp_path], store=False, leave_out=tmp_path / "result").pictures) == 1


# Against a reference set


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    for number in range(12):
        save(shot(number), tmp_path / f"old/p{number:02}.jpg")
    save(shot(0), tmp_path / "old/p00-again.jpg", 50)
    save(ImageOps.mirror(shot(0)), tmp_path / "new/flip.jpg")
    save(shot(0), tmp_path / "new/jpeg.jpg", 60)
    shutil.copy(tmp_path / "old/p03.jpg", tmp_path / "new/twin.jpg")
    shutil.copy(tmp_path / "old/p03.jpg", tmp_path / "old/twin.jpg")
    save(shot(77), tmp_path / "new/stranger.jpg")
    return tmp_path


AGAINST = {
    ("new/flip", "old/p00"),
    ("new/flip", "old/p00-again"),
    ("new/jpeg", "old/p00"),
    ("new/jpeg", "old/p00-again"),
    ("new/twin", "old/p03"),
    ("new/twin", "old/twin"),
}


def named(found: Grouping, root: Path) -> set[tuple[str, str]]:
    root = root.resolve()
    paths = [
        sorted(str(Path(path).resolve().relative_to(root))[:-4] for path in (pair.a, pair.b)) for pair in found.pairs
    ]
    return {(one, other) for one, other in paths}


def test_new_pictures_are_compared_with_old_ones_only(catalogue: Path) -> None:
    found = group(catalogue / "new", against=catalogue / "old", store=False)
    assert named(found, catalogue) == AGAINST
    check_whole(found)
    assert {Path(picture.path).parent.name: picture.reference for picture in found.pictures} == {
        "new": False,
        "old": True,
    }


def test_what_is_a_source_and_in_the_reference_set_is_a_source(
    catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is named: no file is compared with itself, and new pictures may lie among the old ones."""
    monkeypatch.chdir(catalogue)
    for against in ([catalogue], [catalogue / "old", "./new/../new"]):
        found = group(catalogue / "new", against=against, store=False)
        assert named(found, catalogue) == AGAINST
        check_whole(found)
        assert len(found.pictures) == 18


def test_a_reference_set_without_pictures(catalogue: Path) -> None:
    (catalogue / "empty").mkdir()
    found = group(catalogue / "new", against=catalogue / "empty", store=False)
    assert found.pairs == ()
    assert len(found.pictures) == 4
    found = group(catalogue / "empty", against=catalogue / "old", store=False)
    assert found.pairs == ()


def test_against_finds_what_all_with_all_finds(own: Path) -> None:
    for name in EDITS:
        (path,) = (own / "in").glob(f"*-{name}.jpg")
        os.renames(path, own / "new" / path.name)
    found = group(own / "new", against=own / "in", store=own / "store.db")
    assert {frozenset(pair) for pair in stems(found)} == {
        frozenset((f"p{number:03}", f"p{number:03}-{name}")) for number, name in enumerate(EDITS)
    }


def test_against_a_few_finds_what_compare_finds(tmp_path: Path) -> None:
    for number in range(6):
        save(shot(number), tmp_path / f"old/p{number}.jpg")
    for name in ("crop50", "shift", "flip"):
        save(EDITS[name](shot(0)), tmp_path / f"new/{name}.jpg")
    found = group(tmp_path / "new", against=tmp_path / "old", store=False)
    assert stems(found) == {("p0", "crop50"), ("p0", "shift"), ("p0", "flip")}
    for pair in found.pairs:
        assert pair.score == pytest.approx(compare(pair.a, pair.b).score, abs=0.02)


# Interrupted


def test_progress_is_told_and_may_interrupt(own: Path) -> None:
    told: list[str] = []

    def interrupt(what: str, done: int, total: int) -> None:
        told.append(what)
        if what == "comparing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        group(own / "in", store=own / "other.db", progress=interrupt)
    assert told[0] == "reading"
    found = group(own / "in", store=own / "other.db")
    assert found.stats["computed"] == 0
    assert len(found.pairs) == len(EDITS)
