"""Pairs of a collection are scored as two pictures alone are, from stored features, and failures are told."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from synthetic import garment, photo

from lookalike import compare
from lookalike.collection.candidates import every_pair
from lookalike.collection.confirm import Confirmation, one_thread_a_picture
from lookalike.collection.extract import extract
from lookalike.collection.store import Store
from lookalike.images.limits import Limits
from lookalike.images.scan import scan
from lookalike.scoring.presets import preset
from lookalike.types import PictureFile

LIMITS = Limits()


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


@pytest.mark.parametrize("name", ["auto", "fast", "hybrid"])
def test_scores_are_those_of_compare(folder: Path, name: str) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        pairs = every_pair(len(files))
        confirmation = Confirmation(files, store, preset(name), LIMITS)
        for again in (False, True):  # the second time everything is in the store
            for (a, b), found in zip(pairs, confirmation.compare(pairs, at_once=False), strict=True):
                alone = compare(files[a].path, files[b].path, preset=name)
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
            confirmation = Confirmation(files, store, preset(name), LIMITS)
        assert confirmation.failures == {}


def test_at_sight_only_what_is_sure_is_told(folder: Path) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        names = [Path(file.path).stem for file in files]
        pairs = every_pair(len(files))
        told = Confirmation(files, store, preset("auto"), LIMITS).compare(pairs, at_once=True)
        found = {names[a] + names[b]: each.score for (a, b), each in zip(pairs, told, strict=True) if each is not None}
    assert {"ab", "ac", "ch"} <= found.keys()
    assert found["ch"] == 1.0
    assert not {"ae", "ef", "be"} & found.keys()
    assert all(score >= 0.8 for score in found.values())


def test_points_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        names = [Path(file.path).stem for file in files]
        pair = np.array([[names.index("a"), names.index("d")]], np.int32)
        (first,) = Confirmation(files, store, preset("auto"), LIMITS).compare(pair, at_once=False)
        assert first is not None
        assert first.transform is not None
        assert first.transform.inliers > 20
        monkeypatch.setattr("lookalike.features.xfeat.XFeat.extract", lambda self, pictures: pytest.fail("once more"))
        (second,) = Confirmation(files, store, preset("auto"), LIMITS).compare(pair, at_once=False)
    assert second == first


def test_a_picture_that_went_or_changed_is_a_failure_and_ends_only_its_own_pairs(folder: Path) -> None:
    with Store(":memory:") as store:
        files = read(folder, store)
        names = [Path(file.path).stem for file in files]
        (folder / "c.png").unlink()
        Image.fromarray(photo(7, 50, 50)).save(folder / "d.jpg")
        pairs = every_pair(len(files))
        confirmation = Confirmation(files, store, preset("auto"), LIMITS)
        told = confirmation.compare(pairs, at_once=False)
    assert {Path(source).name for source in confirmation.failures} == {"c.png", "d.jpg"}
    for (a, b), found in zip(pairs, told, strict=True):
        if not {names[a], names[b]} & {"c", "d"}:
            assert found is not None


def test_threads_of_opencv_are_as_before() -> None:
    before = cv2.getNumThreads()
    with suppress(ZeroDivisionError), one_thread_a_picture():
        assert cv2.getNumThreads() == 1
        raise ZeroDivisionError
    assert cv2.getNumThreads() == before
