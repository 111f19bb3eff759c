"""Files go in; features, digests and failures come out, and nothing is lost or left running."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import noise, photo

from lookalike import load
from lookalike.collection import describe
from lookalike.collection import extract as extraction
from lookalike.collection.crew import AHEAD, Crew
from lookalike.collection.describe import KEPT_AS, keys
from lookalike.collection.extract import BATCH, Extraction, extract
from lookalike.collection.packing import unpack, unpack_place
from lookalike.collection.sources import picture_of, read_found
from lookalike.collection.store import Store
from lookalike.errors import PictureError, SourceUnreadable
from lookalike.features.base import method
from lookalike.features.cells import Cells
from lookalike.features.shrink import content
from lookalike.images.limits import Limits
from lookalike.images.scan import Found, scan
from lookalike.types import PictureFile

LIMITS = Limits()


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=90)
    return path


def folder(at: Path, count: int) -> Path:
    for number in range(count):
        save(at / f"{number:03}.jpg", photo(1000 * number, 60, 50))
    return at


def run(at: Path, store: Store, **arguments: object) -> Extraction:
    return extract(scan(at).files, store, LIMITS, **arguments)  # type: ignore[arg-type]


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("lookalike-crew")]


def broken_behind_its_head(path: Path) -> Path:
    """A JPEG whose size is told and whose pixels end half way."""
    content = save(path, photo(5, 200, 200)).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def test_features_are_those_of_the_methods(tmp_path: Path) -> None:
    folder(tmp_path / "in", 3)
    save(tmp_path / "in/on-white.png", np.pad(photo(1, 80, 60), ((30, 30), (30, 30), (0, 0)), constant_values=255))
    wanted = keys(least=0.5)
    with Store(":memory:") as store:
        found = extract(scan(tmp_path / "in").files, store, LIMITS, wanted=wanted)
        assert len(found.digests) == 4
        for path, digest in found.digests.items():
            picture = load(path)
            assert digest == picture.digest
            assert (row := store.pictures([digest])[digest]).failure_kind is None
            assert (row.format, row.width, row.height) == (picture.format, *picture.original_size)
            place = unpack_place(store.features(keys()["place"], [digest])[digest])
            np.testing.assert_array_equal(place, content(picture).place)
            for name in ("look", "tint", "cells"):
                made = method(name)
                back = unpack(made, store.features(keys()[name], [digest])[digest])
                np.testing.assert_array_equal(back, made.extract([picture])[0], err_msg=name)
            for name, made in (("disc", method("disc")), ("embedding", describe.ALIKE)):
                back = unpack(made, store.features(wanted[name], [digest])[digest], KEPT_AS)
                np.testing.assert_allclose(back, made.extract([picture])[0], atol=2e-3, err_msg=name)
            grids = store.features(wanted["halved"], [digest])[digest]
            np.testing.assert_array_equal(unpack(describe.HALVED, grids), describe.HALVED.extract([picture])[0])


@pytest.mark.parametrize("workers", [1, 3])
def test_files_in_are_digests_and_failures_out(tmp_path: Path, workers: int) -> None:
    at = folder(tmp_path / "in", BATCH + 5)
    (at / "003-twin.jpg").write_bytes((at / "003.jpg").read_bytes())
    (at / "text.jpg").write_bytes(b"this is no picture")
    (at / "empty.png").write_bytes(b"")
    broken_behind_its_head(at / "half.jpg")
    files = scan(at).files
    (at / "007.jpg").unlink()
    save(at / "008.jpg", photo(88, 70, 40))  # another picture by now
    told = []
    with Store(":memory:") as store:
        with Crew(workers) as crew:
            found = extract(files, store, LIMITS, lambda *what: told.append(what), crew)
        failed = {Path(failure.source).name: failure for failure in found.failures}
        assert sorted(failed) == ["007.jpg", "empty.png", "half.jpg", "text.jpg"]
        assert len(found.failures) == 4
        assert {*found.digests, *(failure.source for failure in found.failures)} == {file.path for file in files}
        assert not {*found.digests} & {failure.source for failure in found.failures}
        assert found.digests[str(at / "003.jpg")] == found.digests[str(at / "003-twin.jpg")]
        assert found.digests[str(at / "008.jpg")] == load(at / "008.jpg").digest, "what was read counts, not the scan"
        assert found.found[str(at / "008.jpg")].size == (at / "008.jpg").stat().st_size
        known = store.known(scan(at).files)
        assert found.digests.items() <= known.items()
    assert {what for what, _, _ in told} == {"reading"}
    assert told[-1][1:] == (len(files), len(files))
    assert failed["half.jpg"].kind == "DecodeFailed"
    assert failed["half.jpg"].reason.startswith(f"{at / 'half.jpg'}: ")
    assert ours() == []


@pytest.mark.parametrize("workers", [1, 3])
def test_twins_of_a_broken_picture_are_broken(tmp_path: Path, workers: int) -> None:
    """They were taken for known, and the last one written made a good picture without features of all of them."""
    first = broken_behind_its_head(tmp_path / "in/a.jpg")
    for name in "bcd":
        (tmp_path / f"in/{name}.jpg").write_bytes(first.read_bytes())
    with Store(":memory:") as store:
        with Crew(workers) as crew:
            found = run(tmp_path / "in", store, crew=crew)
        assert sorted(Path(failure.source).name for failure in found.failures) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
        for failure in found.failures:
            assert failure.kind == "DecodeFailed"
            assert failure.reason.startswith(f"{failure.source}: ")
        (row,) = store.pictures(list({*store.known(scan(tmp_path).files).values()})).values()
        assert row.failure_kind == "DecodeFailed"
        assert len(store.known(scan(tmp_path).files)) == 4, "and nobody reads them again"


def test_what_another_limit_would_mend_is_not_remembered(tmp_path: Path) -> None:
    for name in ("in/a.png", "in/b.png"):
        save(tmp_path / name, photo(1, 90, 90))
    with Store(":memory:") as store:
        tight = extract(scan(tmp_path).files, store, Limits(max_pixels=100))
        assert [failure.kind for failure in tight.failures] == ["LimitExceeded"] * 2
        assert len(run(tmp_path, store).digests) == 2


def test_what_the_store_knows_is_not_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "in", 3)
    with Store(":memory:") as store:
        first = run(tmp_path / "in", store)
        (tmp_path / "in").rename(tmp_path / "moved")
        monkeypatch.setattr(Cells, "grids", lambda *_: pytest.fail("computed again"))
        again = run(tmp_path / "moved", store)
    assert sorted(again.digests.values()) == sorted(first.digests.values())


@pytest.mark.parametrize("name", ["disc", "cells", "patches", "halved", "look", "tint", "hues", "place"])
def test_whatever_is_missing_is_computed(tmp_path: Path, name: str) -> None:
    """A damaged row is dropped, a new version has no row: either must heal, whichever of the features it is."""
    folder(tmp_path / "in", 2)
    with Store(":memory:") as store:
        digests = list(run(tmp_path / "in", store).digests.values())
        store.database.write(
            lambda connection: connection.execute(
                "DELETE FROM features WHERE id >> 40 IN (SELECT id FROM methods WHERE key = ?)", (keys()[name],)
            )
        )
        assert store.lacking([keys()[name]], digests) == {*digests}
        run(tmp_path / "in", store)
        assert store.lacking(keys().values(), digests) == set()


def test_a_bug_in_a_worker_reaches_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "in", 3 * BATCH)

    def buggy(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Cells, "grids", buggy)
    with Store(":memory:") as store, pytest.raises(ZeroDivisionError, match="a bug"):
        run(tmp_path / "in", store)
    assert ours() == []


def test_a_bug_in_the_reader_reaches_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "in", 3)

    def buggy(found: Found, limits: Limits) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(extraction, "read_found", buggy)
    with Store(":memory:") as store, pytest.raises(ZeroDivisionError, match="a bug"):
        run(tmp_path / "in", store)
    assert ours() == []


def test_interrupted_it_keeps_what_is_done(tmp_path: Path) -> None:
    at = folder(tmp_path / "in", 6 * BATCH)
    done = []

    def interrupt(what: str, count: int, total: int) -> None:
        done.append(count)
        if len(done) == 2:
            raise KeyboardInterrupt

    with Store(tmp_path / "store.db") as store, pytest.raises(KeyboardInterrupt):
        run(at, store, progress=interrupt)
    assert ours() == []
    with Store(tmp_path / "store.db") as store:
        known = store.known(scan(at).files)
        assert len(known) == done[-1] == 2 * BATCH
        assert store.lacking(keys().values(), list(known.values())) == set()
        assert len(run(at, store).digests) == 6 * BATCH


def test_a_failing_store_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "in", 6 * BATCH)
    with Store(":memory:") as store:
        monkeypatch.setattr(store, "add", lambda rows: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            run(tmp_path / "in", store)
    assert ours() == []


def test_the_reader_goes_only_so_far_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = scan(folder(tmp_path / "in", (AHEAD + 3) * BATCH)).files
    read: list[Found] = []
    ahead: list[int] = []
    original, compute = read_found, describe.describe

    def counted(found: Found, limits: Limits) -> tuple[Found, bytes]:
        read.append(found)
        return original(found, limits)

    def held(batch: describe.Batch) -> list[describe.Described | PictureError]:
        if not ahead:
            time.sleep(0.5)
        ahead.append(len(read))
        return compute(batch)

    monkeypatch.setattr(extraction, "read_found", counted)
    monkeypatch.setattr(extraction, "describe", held)
    with Store(":memory:") as store, Crew(1) as crew:
        assert len(extract(files, store, LIMITS, crew=crew).digests) == len(files)
    assert ahead[0] <= AHEAD * BATCH


def test_processes_find_what_threads_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = folder(tmp_path / "in", 2 * BATCH + 3)
    (at / "text.jpg").write_bytes(b"this is no picture")
    broken_behind_its_head(at / "half.jpg")
    with Store(":memory:") as here, Store(":memory:") as there:
        one = run(at, here)
        monkeypatch.setattr(extraction, "MUCH", 1)
        two = run(at, there)
        assert (two.digests, two.failures) == (one.digests, one.failures)
        for key in keys().values():
            assert here.features(key, list(one.digests.values())) == there.features(key, list(one.digests.values()))


class Deadly(Limits):
    """Limits whose check ends the process, as a decoder that crashes would."""

    def check_bytes(self, count: int, source: str) -> None:
        if source.endswith("deadly.jpg") and multiprocessing.parent_process() is not None:
            os._exit(9)


def test_a_picture_that_takes_down_its_process_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = folder(tmp_path / "in", 2 * BATCH)
    save(at / "deadly.jpg", photo(123, 60, 50))
    monkeypatch.setattr(extraction, "MUCH", 1)
    with Store(":memory:") as store:
        found = extract(scan(at).files, store, Deadly())
        assert len(found.digests) == 2 * BATCH
        (failure,) = found.failures
        assert failure.source == str(at / "deadly.jpg")
        assert failure.reason.startswith(f"{at / 'deadly.jpg'}: decoding it ended the process")


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs the peak of a process's memory")
def test_large_pictures_do_not_pile_up(tmp_path: Path) -> None:
    """Twelve pictures of 8 megapixels, 24 MB each once decoded: two workers hold two of them, not a batch."""
    for number in range(12):
        flat = np.full((2000, 4000, 3), number * 20, np.uint8)
        flat[:500, :500] = noise(number, 500, 500)
        save(tmp_path / f"in/{number}.png", flat)
    code = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from peak_memory import peak_bytes
        from lookalike.collection.crew import Crew
        from lookalike.collection.extract import extract
        from lookalike.collection.store import Store
        from lookalike.images.limits import Limits
        from lookalike.images.scan import scan
        files = scan({str(tmp_path)!r}).files
        store = Store(":memory:")
        extract(files[:1], store, Limits(), crew=Crew(2))
        before = peak_bytes()
        extract(files[1:], store, Limits(), crew=Crew(2))
        print((peak_bytes() - before) / 2**20)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 130


def changing(path: Path, change: Callable[[], None]) -> Callable[[Path, Limits], bytes]:
    def read(name: Path, limits: Limits) -> bytes:
        content = path.read_bytes()
        change()
        return content

    return read


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.jpg", photo(1, 60, 60))
    (found,) = scan(tmp_path).files

    def longer() -> None:
        path.write_bytes(path.read_bytes() + b"more")

    monkeypatch.setattr("lookalike.collection.sources.read_file", changing(path, longer))
    with pytest.raises(SourceUnreadable, match="changed while it was being read"):
        read_found(found, LIMITS)
    monkeypatch.setattr("lookalike.collection.sources.read_file", changing(path, path.unlink))
    with pytest.raises(SourceUnreadable, match="cannot be read"):
        read_found(found, LIMITS)


def test_a_picture_of_a_file_is_read_when_asked_for_and_is_the_same(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", photo(1, 90, 60))
    there = load(path)
    about = path.stat()
    file = PictureFile(str(path), there.digest, "JPEG", 90, 60, about.st_size, about.st_mtime_ns)
    later = picture_of(file, LIMITS)
    assert (later.source, later.format, later.digest) == (str(path), "JPEG", there.digest)
    assert later.original_size == there.original_size
    np.testing.assert_array_equal(later.pixels, there.pixels)
    np.testing.assert_array_equal(later.decoded(20).pixels, there.decoded(20).pixels)
    np.testing.assert_array_equal(later.stored_luma(), there.stored_luma())

    other = picture_of(file, LIMITS)
    save(path, photo(2, 90, 60))
    with pytest.raises(SourceUnreadable, match="changed since it was read"):
        other.decoded(20)
    unread = picture_of(file, LIMITS)
    path.unlink()
    assert unread.original_size == (90, 60)
    with pytest.raises(Exception, match="no such file"):
        unread.decoded(20)
