"""A plan as a file, carried out and undone: nothing is lost whatever happens in between."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import planted, tree

from lookalike.errors import LookalikeError, OutputError, SourceNotFound, SourceUnreadable, UsageError
from lookalike.images.scan import scan
from lookalike.results import apply, place
from lookalike.results.apply import apply_plan
from lookalike.results.journal import TRASH, Journal
from lookalike.results.keep import Other, Proposal, Proposals
from lookalike.results.plan import Remedy, journal_of, parse_plan, plan_of, read_plan, write_plan
from lookalike.results.undo import undo_plan
from lookalike.types import PictureFile

posix = pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
REVERSIBLE: list[Any] = ["trash", "hardlink", pytest.param("symlink", marks=posix)]


def proposed(*groups: tuple[PictureFile, ...]) -> Proposals:
    return Proposals(
        tuple(
            Proposal(
                keep, "more pixels", tuple(Other(other, 0.97, "more pixels (8×6 instead of 4×3)") for other in others)
            )
            for keep, *others in groups
        ),
        (),
    )


def planned(folder: Path, action: Remedy = "trash", **options: Any) -> Path:
    """Two groups in two folders: a keeps its place for b and sub/c, d for e."""
    photos = folder / "photos"
    a, b, c, d, e = (
        planted(photos / name, time=10**18) for name in ("a.jpg", "b.jpg", "sub/c.jpg", "d.jpg", "sub/e.jpg")
    )
    return write_plan(plan_of(proposed((a, b, c), (d, e)), action=action, **options), folder / "plan.json")


def photos(folder: Path) -> dict[str, bytes | str]:
    return {name: content for name, content in tree(folder / "photos").items() if TRASH not in name}


def every_byte(folder: Path) -> set[bytes]:
    return {content for content in tree(folder).values() if isinstance(content, bytes)}


def edited(plan: Path, change: Callable[[Any], None]) -> Path:
    document = json.loads(plan.read_text())
    change(document)
    plan.write_text(json.dumps(document))
    return plan


ALL = {"a.jpg": b"a.jpg", "b.jpg": b"b.jpg", "d.jpg": b"d.jpg", "sub/c.jpg": b"c.jpg", "sub/e.jpg": b"e.jpg"}
KEPT = {"a.jpg": b"a.jpg", "d.jpg": b"d.jpg"}


# the file


def test_a_plan_reads_as_it_was_written(tmp_path: Path) -> None:
    plan = read_plan(planned(tmp_path))
    assert (plan.action, plan.trash, plan.goes) == ("trash", None, 3)
    assert plan.groups[0].keep.path == str(tmp_path / "photos" / "a.jpg")
    assert [(Path(other.path).name, other.score, other.action) for other in plan.groups[0].others] == [
        ("b.jpg", 0.97, None),
        ("c.jpg", 0.97, None),
    ]
    assert read_plan(write_plan(plan, tmp_path / "again.json")) == plan


def test_paths_are_absolute_and_lead_to_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    a, b = planted(Path("in/a.jpg")), planted(Path("in/b.jpg"))
    group = plan_of(proposed((a, b)), trash="bin").groups[0]
    assert (group.keep.path, group.others[0].path) == (str(tmp_path / "in" / "a.jpg"), str(tmp_path / "in" / "b.jpg"))
    assert plan_of(proposed((a, b)), trash="bin").trash == str(tmp_path / "bin")


def _taken_twice(document: Any) -> None:
    document["groups"][1]["others"].append(dict(document["groups"][0]["others"][0]))


def _kept_and_gone(document: Any) -> None:
    document["groups"][1]["others"].append(dict(document["groups"][0]["keep"]))


@pytest.mark.parametrize(
    "change",
    [
        _taken_twice,
        _kept_and_gone,
        lambda document: document.pop("groups"),
        lambda document: document.update({"lookalike plan": 2}),
        lambda document: document.update(action="shred"),
        lambda document: document.update(id="../../etc"),
        lambda document: document.update(trash="relative"),
        lambda document: document["groups"][0]["keep"].update(path="a.jpg"),
        lambda document: document["groups"][0]["keep"].update(path=7),
        lambda document: document["groups"][0]["keep"].update(sha256=""),
        lambda document: document["groups"][0].update(keep=[]),
        lambda document: document["groups"][0].update(others={}),
        lambda document: document["groups"][0]["others"][0].update(action="x"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_as_a_whole(change: Callable[[Any], None], tmp_path: Path) -> None:
    plan = edited(planned(tmp_path), change)
    with pytest.raises(UsageError) as raised:
        apply_plan(plan)
    assert "\n" not in str(raised.value)
    assert photos(tmp_path) == ALL
    assert not journal_of(plan).exists()


@given(
    st.binary(max_size=60)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_no_plan(content: bytes) -> None:
    with pytest.raises(UsageError):
        parse_plan(content, "plan.json")


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        apply_plan(tmp_path / "gone.json")
    with pytest.raises(SourceUnreadable):
        apply_plan(tmp_path)
    with pytest.raises(UsageError, match="not carried out"):
        undo_plan(planned(tmp_path))


# there and back


@pytest.mark.parametrize("action", REVERSIBLE)
def test_there_and_back(action: Remedy, tmp_path: Path) -> None:
    plan = planned(tmp_path, action)
    before = {path: path.stat() for path in (tmp_path / "photos").rglob("*.jpg")}
    steps: list[tuple[int, int]] = []
    applied = apply_plan(plan, progress=lambda done, of: steps.append((done, of)))
    assert (len(applied.done), applied.already, applied.refused, steps) == (3, 0, (), [(1, 3), (2, 3), (3, 3)])
    if action == "trash":
        assert photos(tmp_path) == KEPT
    elif action == "hardlink":
        assert photos(tmp_path) == {**ALL, "b.jpg": b"a.jpg", "sub/c.jpg": b"a.jpg", "sub/e.jpg": b"d.jpg"}
        assert os.path.samefile(tmp_path / "photos/a.jpg", tmp_path / "photos/sub/c.jpg")
    else:
        link = f"→ {tmp_path / 'photos' / 'a.jpg'}"
        assert photos(tmp_path) == {
            **ALL,
            "b.jpg": link,
            "sub/c.jpg": link,
            "sub/e.jpg": link.replace("a.jpg", "d.jpg"),
        }
    trash = tmp_path / "photos" / TRASH / read_plan(plan).id
    assert tree(trash) == {"b.jpg": b"b.jpg", "sub/c.jpg": b"c.jpg", "sub/e.jpg": b"e.jpg"}
    again = apply_plan(plan)
    assert (again.done, again.already, again.refused) == ((), 3, ())
    undone = undo_plan(plan)
    assert (len(undone.restored), undone.failures) == (3, ())
    assert {path: path.stat() for path in (tmp_path / "photos").rglob("*.jpg")}.keys() == before.keys()
    for path, about in before.items():
        now = path.stat()
        assert (now.st_ino, now.st_mtime_ns, now.st_nlink) == (about.st_ino, about.st_mtime_ns, 1)
    assert photos(tmp_path) == ALL
    assert not (tmp_path / "photos" / TRASH).exists()
    assert not journal_of(plan).exists()
    assert len(apply_plan(plan).done) == 3  # and once more


@pytest.mark.parametrize("action", [*REVERSIBLE, "delete"])
def test_a_dry_run_touches_nothing(action: Remedy, tmp_path: Path) -> None:
    plan = planned(tmp_path, action)
    before = tree(tmp_path)
    dry = apply_plan(plan, dry_run=True)
    assert tree(tmp_path) == before
    assert apply_plan(plan).done == dry.done
    after = tree(tmp_path)
    undo_plan(plan, dry_run=True)
    assert tree(tmp_path) == after


def test_what_is_deleted_is_gone_and_undo_says_so(tmp_path: Path) -> None:
    plan = edited(planned(tmp_path), lambda document: document["groups"][0]["others"][0].update(action="delete"))
    assert len(apply_plan(plan).done) == 3
    assert b"b.jpg" not in every_byte(tmp_path)
    undone = undo_plan(plan)
    assert len(undone.restored) == 2
    assert ["deleted for good" in failure.reason for failure in undone.failures] == [True]
    assert photos(tmp_path) == {name: content for name, content in ALL.items() if name != "b.jpg"}


def test_the_trash_may_be_elsewhere_and_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    plan = planned(tmp_path, trash=tmp_path / "bin")
    apply_plan(plan)
    assert photos(tmp_path) == KEPT
    assert not (tmp_path / "photos" / TRASH).exists()
    assert {Path(name).name for name in tree(tmp_path / "bin")} == {"b.jpg", "c.jpg", "e.jpg"}
    undo_plan(plan)
    assert photos(tmp_path) == ALL
    assert list((tmp_path / "bin").iterdir()) == []


def test_a_scan_does_not_see_the_trash(tmp_path: Path) -> None:
    apply_plan(planned(tmp_path))
    assert len(scan(tmp_path / "photos").files) == 2


def test_a_plan_may_be_changed_by_hand_before(tmp_path: Path) -> None:
    def change(document: Any) -> None:
        group = document["groups"][0]
        other = group["others"].pop(0)
        group["keep"], group["others"][0:0] = {key: other[key] for key in ("path", "sha256")}, [group["keep"]]
        del document["groups"][1]

    apply_plan(edited(planned(tmp_path), change))
    assert photos(tmp_path) == {"b.jpg": b"b.jpg", "d.jpg": b"d.jpg", "sub/e.jpg": b"e.jpg"}


def test_a_plan_that_was_begun_is_neither_changed_nor_replaced(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    made = read_plan(plan)
    apply_plan(plan)
    with pytest.raises(OutputError, match="was carried out"):
        write_plan(made, plan)
    edited(plan, lambda document: document["groups"].pop())
    with pytest.raises(UsageError, match="changed after it was begun"):
        apply_plan(plan)
    plan.unlink()
    undo_plan(plan)  # which needs the journal only
    assert photos(tmp_path) == ALL


# what is refused


def refused(plan: Path) -> dict[str, str]:
    return {Path(failure.source).name: f"{failure.kind}: {failure.reason}" for failure in apply_plan(plan).refused}


def test_what_changed_since_stays_and_the_rest_goes(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    (tmp_path / "photos" / "b.jpg").write_bytes(b"B.JPG")
    (tmp_path / "photos" / "sub" / "e.jpg").unlink()
    told = refused(plan)
    assert set(told) == {"b.jpg", "e.jpg"}
    assert told["b.jpg"].startswith("PictureChanged")
    assert told["e.jpg"].startswith("SourceNotFound")
    assert photos(tmp_path) == {**KEPT, "b.jpg": b"B.JPG"}


@pytest.mark.parametrize("action", [*REVERSIBLE, "delete"])
@pytest.mark.parametrize("what", ["gone", "changed", "a folder", "a broken link"])
def test_nothing_goes_for_one_that_is_not_there_any_more(what: str, action: Remedy, tmp_path: Path) -> None:
    plan = planned(tmp_path, action)
    keep = tmp_path / "photos" / "a.jpg"
    keep.unlink()
    if what == "changed":
        keep.write_bytes(b"A.JPG")
    elif what == "a folder":
        keep.mkdir()
    elif what == "a broken link":
        keep.symlink_to("gone.jpg")
    assert set(refused(plan)) == {"b.jpg", "c.jpg"}
    left = photos(tmp_path)
    assert (left["b.jpg"], left["sub/c.jpg"]) == (b"b.jpg", b"c.jpg")


def test_one_that_changes_between_two_steps_is_seen(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    keep = tmp_path / "photos" / "a.jpg"

    def spoil(done: int, of: int) -> None:
        if done == 1:
            keep.write_bytes(b"x")

    applied = apply_plan(plan, progress=spoil)
    assert [Path(failure.source).name for failure in applied.refused] == ["c.jpg"]
    assert photos(tmp_path)["sub/c.jpg"] == b"c.jpg"


@posix
def test_links_and_the_kept_file_by_another_name_stay(tmp_path: Path) -> None:
    a = planted(tmp_path / "photos" / "a.jpg", b"same")
    (tmp_path / "photos" / "link.jpg").symlink_to("a.jpg")
    link = PictureFile(str(tmp_path / "photos" / "link.jpg"), a.digest, "JPEG", 1, 1, 4, 0)
    plan = write_plan(plan_of(proposed((a, link)), action="delete"), tmp_path / "plan.json")
    assert "this is a link" in refused(plan)["link.jpg"]
    backwards = write_plan(plan_of(proposed((link, a)), action="delete"), tmp_path / "back.json")
    assert "is a link to one that goes" in refused(backwards)["a.jpg"]
    (tmp_path / "album").symlink_to("photos")  # one file by two ways is one that stays and goes
    twice = PictureFile(str(tmp_path / "album" / "a.jpg"), a.digest, "JPEG", 1, 1, 4, 0)
    with pytest.raises(UsageError, match="stays in one group and goes in another"):
        apply_plan(write_plan(plan_of(proposed((a, twice)), action="delete"), tmp_path / "third.json"))
    assert photos(tmp_path) == {"a.jpg": b"same", "link.jpg": "→ a.jpg"}


def test_a_file_system_that_confuses_cases_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A.jpg and a.jpg are one file there: played by two hard links, which the check must not take for twins."""
    a = planted(tmp_path / "photos" / "a.jpg", b"same")
    if not (tmp_path / "photos" / "A.jpg").exists():
        os.link(tmp_path / "photos" / "a.jpg", tmp_path / "photos" / "A.jpg")
    alias = PictureFile(str(tmp_path / "photos" / "A.jpg"), a.digest, "JPEG", 1, 1, 4, 0)
    plan = write_plan(plan_of(proposed((a, alias)), action="delete"), tmp_path / "plan.json")
    assert "the very file that stays" in refused(plan)["A.jpg"]


def test_twins_by_hard_link_are_two_names_and_one_may_go(tmp_path: Path) -> None:
    a = planted(tmp_path / "photos" / "a.jpg", b"same")
    os.link(a.path, tmp_path / "photos" / "twin.jpg")
    twin = PictureFile(str(tmp_path / "photos" / "twin.jpg"), a.digest, "JPEG", 1, 1, 4, 0)
    plan = write_plan(plan_of(proposed((a, twin))), tmp_path / "plan.json")
    assert len(apply_plan(plan).done) == 1
    assert photos(tmp_path) == {"a.jpg": b"same"}
    undo_plan(plan)
    assert photos(tmp_path) == {"a.jpg": b"same", "twin.jpg": b"same"}


def test_undo_replaces_nothing(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    apply_plan(plan)
    planted(tmp_path / "photos" / "b.jpg", b"a new picture")
    shutil.rmtree(tmp_path / "photos" / "sub")
    undone = undo_plan(plan)
    assert [Path(step.path).name for step in undone.restored] == ["e.jpg", "c.jpg"]
    assert ["something else lies there" in failure.reason for failure in undone.failures] == [True]
    assert photos(tmp_path) == {**ALL, "b.jpg": b"a new picture"}
    assert b"b.jpg" in every_byte(tmp_path)
    (tmp_path / "photos" / "b.jpg").unlink()
    assert [Path(step.path).name for step in undo_plan(plan).restored] == ["b.jpg"]
    assert photos(tmp_path) == ALL


def test_undo_says_what_was_taken_out_of_the_trash(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    apply_plan(plan)
    shutil.rmtree(tmp_path / "photos" / TRASH)
    assert ["no longer in the trash" in failure.reason for failure in undo_plan(plan).failures] == [True] * 3


def test_a_damaged_journal_is_said(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    apply_plan(plan)
    for content in (b"", b"{}\n", b'{"lookalike journal": 1, "id": "x", "plan": "y"}\n{"path"', b"\xff\n"):
        journal_of(plan).write_bytes(content)
        for verb in (apply_plan, undo_plan):
            with pytest.raises(SourceUnreadable):
                verb(plan)


def test_a_torn_last_line_of_a_journal_is_nothing(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    apply_plan(plan)
    whole = journal_of(plan).read_bytes()
    journal_of(plan).write_bytes(whole[:-4])
    assert Journal.read(journal_of(plan)).done == {0, 1}
    undo_plan(plan)
    assert photos(tmp_path) == ALL


# what goes wrong in between


class Cut(BaseException):
    """The end of the process, at a call of the operating system."""


CALLS = ["link", "unlink", "rename", "replace", "mkdir", "symlink", "utime"]


class Calls:
    """Makes the call with that number fail, before it does its work or after; counts them all."""

    def __init__(self, number: int, error: Callable[[], BaseException], *, after: bool) -> None:
        self.number, self.error, self.after, self.count = number, error, after, 0

    @property
    def reached(self) -> bool:
        return self.count >= self.number

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        for name in CALLS:
            patch.setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, honest: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            due = self.count == self.number
            if due and not self.after:
                raise self.error()
            try:
                return honest(*arguments, **options)
            finally:
                if due:
                    raise self.error()

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("action", "across"),
    [("trash", False), ("trash", True), ("hardlink", False), pytest.param("symlink", False, marks=posix)],
)
def test_cut_off_anywhere_it_goes_on_or_back(
    action: Remedy, after: bool, across: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if across:
        honest = place._rename_new

        def elsewhere(source: Path, target: Path) -> None:
            if source.suffix == ".jpg":
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            honest(source, target)

        monkeypatch.setattr(place, "_rename_new", elsewhere)
    plan = planned(tmp_path / "whole", action)
    apply_plan(plan)
    expected = {name: str(content).replace("whole", "#") for name, content in photos(tmp_path / "whole").items()}
    for number in range(1, 60):
        for then in ("on", "back"):
            folder = tmp_path / f"{number}{then}"
            plan = planned(folder, action)
            with monkeypatch.context() as patch:
                calls = Calls(number, Cut, after=after)
                calls.watch(patch)
                with suppress(Cut):
                    apply_plan(plan)
            assert every_byte(folder / "photos") >= set(ALL.values()), (number, "something was lost")
            if then == "on":
                applied = apply_plan(plan)
                assert applied.refused == (), number
                left = {name: str(content).replace(folder.name, "#") for name, content in photos(folder).items()}
                assert left == expected, number
                undo_plan(plan)
            elif journal_of(plan).exists():
                undone = undo_plan(plan)
                assert undone.failures == (), number
            assert photos(folder) == ALL, (number, then)
            assert not (folder / "photos" / TRASH).exists(), number
        if not calls.reached:
            break
    assert 5 < number < 59


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("action", REVERSIBLE)
def test_undo_that_is_cut_off_anywhere_can_be_repeated(
    action: Remedy, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 60):
        folder = tmp_path / f"{number}"
        plan = planned(folder, action)
        apply_plan(plan)
        with monkeypatch.context() as patch:
            calls = Calls(number, Cut, after=after)
            calls.watch(patch)
            with suppress(Cut):
                undo_plan(plan)
        assert every_byte(folder / "photos") >= set(ALL.values()), number
        if journal_of(plan).exists():
            assert undo_plan(plan).failures == (), number
        assert photos(folder) == ALL, number
        if not calls.reached:
            break
    assert 5 < number < 59


@pytest.mark.parametrize("action", REVERSIBLE)
@pytest.mark.parametrize("code", ["ENOSPC", "EACCES"])
def test_a_full_disk_or_a_forbidden_folder_loses_nothing(
    code: str, action: Remedy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 60):
        folder = tmp_path / f"{number}"
        plan = planned(folder, action)
        with monkeypatch.context() as patch:
            calls = Calls(
                number, partial(OSError, getattr(errno, code), os.strerror(getattr(errno, code))), after=False
            )
            calls.watch(patch)
            try:
                applied = apply_plan(plan)
                assert code == "EACCES" or not applied.refused
            except LookalikeError as told:
                assert "\n" not in str(told)  # noqa: PT017
        assert every_byte(folder / "photos") >= set(ALL.values()), number
        apply_plan(plan)
        undo_plan(plan)
        assert photos(folder) == ALL, number
        if not calls.reached:
            break
    assert 5 < number < 59


def test_a_link_that_cannot_be_made_puts_the_picture_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(tmp_path, "hardlink")

    def none(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(apply, "hardlink_new", none)
    told = refused(plan)
    assert set(told) == {"b.jpg", "c.jpg", "e.jpg"}
    assert photos(tmp_path) == ALL


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are not plain bytes here")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    a, odd = planted(tmp_path / "photos" / "a.jpg"), planted(tmp_path / "photos" / os.fsdecode(b"caf\xe9\n.jpg"))
    plan = write_plan(plan_of(proposed((a, odd))), tmp_path / "plan.json")
    assert len(apply_plan(plan).done) == 1
    assert not os.path.exists(odd.path)
    undo_plan(plan)
    assert Path(odd.path).read_bytes() == os.fsencode(Path(odd.path).name)
