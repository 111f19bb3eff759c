"""Pairs of a collection are scored as two pictures alone are, from stored features, and failures are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps
from synthetic import garment, photo

from lookalike import compare
from lookalike.collection import confirm
from lookalike.collection.candidates import every_pair
from lookalike.collection.confirm import Confirmation
from lookalike.collection.crew import Crew
from lookalike.collection.extract import extract
from lookalike.collection.group import Request, group
from lookalike.collection.guesses import FrameGuess, Guess, PlaceGuess
from lookalike.collection.judge import Judgement
from lookalike.collection.store import Store
from lookalike.features.dihedral import TRANSFORMS
from lookalike.images.limits import Limits
from lookalike.images.scan import scan
from lookalike.scoring.pair import Pair
from lookalike.scoring.presets import preset
from lookalike.types import Comparison, Failure, PictureFile

LIMITS = Limits()
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shot = Image.fromarray(photo(7, 384, 288))
    shot.save(tmp_path / "a.jpg", quality=92)
    ImageOps.mirror(shot).save(tmp_path / "b.jpg", quality=60)
    shot.crop((70, 50, 310, 230)).save(tmp_path / "c.png")
    shot.crop((100, 60, 254, 175)).save(tmp_path / "d.jpg", quality=90)  # found by its points only
    Image.fromarray(photo(99, 200, 300)).save(tmp_path / "e.jpg", quality=90)
    Image.fromarray(garment("sweater", (200, 40, 40))).save(tmp_path / "f.png")
    Image.fromarray(garment("sweater", (40, 60, 180))).save(tmp_path / "g.jpg", quality=90)
    (tmp_path / "h.png").write_bytes((tmp_path / "c.png").read_bytes() + b" ")  # the same pixels in another file
    return tmp_path


def read(folder: Path, store: Store) -> list[PictureFile]:
    found = scan(folder).files
    digests = extract(found, store, LIMITS).digests
    rows = store.pictures(list(digests.values()))
    return [
        PictureFile(file.path, digests[file.path], row.format, row.width, row.height, file.size, file.mtime_ns)
        for file in found
        for row in [rows[digests[file.path]]]
    ]


def every_pair_of(files: list[PictureFile]) -> npt.NDArray[np.int32]:
    pairs = every_pair(len(files))
    assert pairs is not None
    return pairs


def judged(
    files: list[PictureFile],
    store: Store,
    pairs: npt.NDArray[np.int32],
    name: str = "auto",
    at_once: bool = False,
    guesses: Sequence[Guess | None] | None = None,
) -> tuple[dict[tuple[int, int], Judgement], dict[str, Failure]]:
    with Crew() as crew:
        confirmation = Confirmation(files, store, preset(name), LIMITS, crew)
        told = dict(confirmation.judged(pairs, guesses, at_once=at_once))
    assert set(told) == set(map(tuple, pairs.tolist()))
    return told, confirmation.failures


@pytest.mark.parametrize("name", ["auto", "fast", "hybrid"])
def test_scores_are_those_of_compare(folder: Path, name: str) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        for again in (False, True):  # the second time everything is in the store
            told, failures = judged(files, store, every_pair_of(files), name)
            assert failures == {}
            for (a, b), (found, _, compared, _) in told.items():
                alone = compare(files[a].path, files[b].path, preset=name)
                assert compared
                assert found is not None
                assert (found.a, found.b) == (files[a].path, files[b].path)
                assert found.score == pytest.approx(alone.score, abs=1e-4), (found.a, found.b, again)
                assert found.verdict == alone.verdict
                assert (found.transform is None) == (alone.transform is None)
                if found.transform is not None and alone.transform is not None:
                    assert (found.transform.flip, found.transform.rotation) == (
                        alone.transform.flip,
                        alone.transform.rotation,
                    )


def test_processes_say_what_threads_say(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        here, _ = judged(files, store, every_pair_of(files))
        monkeypatch.setattr(confirm, "MUCH", 1)
        (folder / "e.jpg").unlink()
        there, failures = judged(files, store, every_pair_of(files))
    assert {Path(source).name for source in failures} <= {"e.jpg"}
    gone = [number for number, file in enumerate(files) if file.path.endswith("e.jpg")]
    assert {pair: each for pair, each in here.items() if not {*pair} & {*gone}} == {
        pair: each for pair, each in there.items() if not {*pair} & {*gone}
    }


def test_at_sight_only_what_is_sure_is_told(folder: Path) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        names = [Path(file.path).stem for file in files]
        told, _ = judged(files, store, every_pair_of(files), at_once=True)
    found = {names[a] + names[b]: each.comparison.score for (a, b), each in told.items() if each.comparison is not None}
    assert {"ab", "ac", "ch"} <= found.keys()
    assert found["ch"] == 1.0
    assert not {"ae", "ef", "be"} & found.keys()
    assert all(score >= 0.8 for score in found.values())


def test_a_wrong_guess_is_seen_and_a_rough_one_made_exact(folder: Path) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        names = [Path(file.path).stem for file in files]
        pairs = np.array([sorted((names.index(x), names.index(y))) for x, y in ("ab", "ac", "ae")], np.int32)
        rough = np.array([[0.66, 0, 0.16], [0, 0.6, 0.2], [0, 0, 1]])  # c is 0.625 of a, from (0.18, 0.17) on
        far = np.array([[0.6, 0, 0.5], [0, 0.6, -0.4], [0, 0, 1]])
        mirrored = TRANSFORMS.index((True, 0))
        right, _ = judged(
            files, store, pairs, at_once=True,
            guesses=[FrameGuess(mirrored, False), PlaceGuess(rough, 40.0), FrameGuess(0, False)],
        )  # fmt: skip
        wrong, _ = judged(
            files, store, pairs, at_once=True,
            guesses=[FrameGuess(0, False), PlaceGuess(far, 40.0), PlaceGuess(np.eye(3), 40.0)],
        )  # fmt: skip
    first, second, third = (right[a, b] for a, b in pairs.tolist())
    for each in (first, second):
        assert each.comparison is not None
        assert each.comparison.score >= 0.9
    assert third == Judgement()
    for a, b in pairs.tolist():
        assert wrong[a, b].comparison is None


def test_points_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        names = [Path(file.path).stem for file in files]
        pair = np.array([[names.index("a"), names.index("d")]], np.int32)
        first, _ = judged(files, store, pair)
        ((comparison, *_),) = first.values()
        assert comparison is not None
        assert comparison.transform is not None
        assert comparison.transform.inliers > 20
        monkeypatch.setattr("lookalike.features.xfeat.XFeat.extract", lambda self, pictures: pytest.fail("once more"))
        second, _ = judged(files, store, pair)
    assert second == first


def test_the_object_is_looked_for_closely_only_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only copies matter nobody asks for it, and what was found of a picture once is not looked for again."""
    for name in ("carton.jpg", "carton-shelf.jpg"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    with Store(":memory:") as store:
        files = read(tmp_path, store)

        def scored(*, closely: bool) -> Comparison:
            with Crew() as crew:
                confirmation = Confirmation(files, store, preset("auto"), LIMITS, crew, closely=closely)
                ((_, judgement),) = confirmation.judged(every_pair_of(files), at_once=False)
            assert judgement.comparison is not None
            return judgement.comparison

        with monkeypatch.context() as here:
            here.setattr("lookalike.features.objects.Objects.describe", lambda *_: pytest.fail("nobody asked"))
            assert "object" not in scored(closely=False).parts
        first = scored(closely=True)
        assert first.score == compare(*(file.path for file in files)).score
        assert first.details["agreeing_points"] > 20
        monkeypatch.setattr("lookalike.features.objects.Objects.describe", lambda *_: pytest.fail("once more"))
        assert scored(closely=True) == first


@pytest.mark.parametrize(("threshold", "asked"), [(0.9, False), (0.95, False), (0.8, True)])
def test_a_run_for_copies_does_not_look_closely(
    folder: Path, monkeypatch: pytest.MonkeyPatch, threshold: float, asked: bool
) -> None:
    told: list[bool] = []
    original = Pair.__init__

    def made(self: Pair, *arguments: Any, closely: bool = True, **named: Any) -> None:
        told.append(closely)
        original(self, *arguments, closely=closely, **named)

    monkeypatch.setattr(Pair, "__init__", made)
    group(Request([str(folder)], preset("auto"), threshold=threshold, workers=1), Store(":memory:"))
    assert set(told) == {asked}


def test_a_picture_that_went_or_changed_is_a_failure_and_ends_only_its_own_pairs(folder: Path) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        names = [Path(file.path).stem for file in files]
        (folder / "c.png").unlink()
        Image.fromarray(photo(7, 50, 50)).save(folder / "d.jpg")
        told, failures = judged(files, store, every_pair_of(files))
    assert {Path(source).name for source in failures} == {"c.png", "d.jpg"}
    for (a, b), each in told.items():
        if not {names[a], names[b]} & {"c", "d"}:
            assert each.comparison is not None


def test_small_pictures_are_told_from_their_thumbnails(tmp_path: Path) -> None:
    """Neither whole frames nor parts of them need the files again."""
    shot = Image.fromarray(photo(31, 128, 96))
    shot.save(tmp_path / "a.jpg", quality=95)
    ImageOps.mirror(shot).save(tmp_path / "b.jpg", quality=60)
    shot.crop((20, 12, 116, 84)).resize((128, 96)).save(tmp_path / "c.png")
    with Store(":memory:") as store:
        files = read(tmp_path, store)
        alone = {pair: compare(files[pair[0]].path, files[pair[1]].path) for pair in ((0, 1), (0, 2))}
        for file in files:
            Path(file.path).unlink()
        place = np.array([[0.75, 0, 0.15], [0, 0.75, 0.13], [0, 0, 1]])
        guesses = [FrameGuess(TRANSFORMS.index((True, 0)), inside=False), PlaceGuess(place, 60.0)]
        told, failures = judged(files, store, np.array(list(alone), np.int32), at_once=True, guesses=guesses)
    assert failures == {}
    for pair, wanted in alone.items():
        found = told[pair].comparison
        assert found is not None
        assert found.score == pytest.approx(wanted.score, abs=0.01)
        assert wanted.score >= 0.9
