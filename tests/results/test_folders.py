"""Groups as folders: what lies where, what is never touched, what happens when something goes wrong."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import grouped, planted, tree

from lookalike.errors import OutputError
from lookalike.images.scan import scan
from lookalike.results import place
from lookalike.results.arrange import MANIFEST, Action
from lookalike.results.folders import Layout, lay_out
from lookalike.types import Grouping

posix = pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
ACTIONS: list[Action] = ["copy", "hardlink", "symlink", "move"]


def three(folder: Path) -> Grouping:
    """a is alike to b and to c; b and c to a only."""
    a, b, c = (planted(folder / name, time=10**18 + 7) for name in ("a.jpg", "b.jpg", "c.jpg"))
    return grouped((a, c, 0.97, b, 0.9149), (b, a, 0.9149), (c, a, 0.97))


def shown(layout: Layout) -> list[str]:
    return [Path(placed.target).relative_to(layout.out).as_posix() for placed in layout.placed]


EXPECTED = [
    "a.jpg/00_base__a.jpg",
    "a.jpg/01_0.97__c.jpg",
    "a.jpg/02_0.91__b.jpg",
    "b.jpg/00_base__b.jpg",
    "b.jpg/01_0.91__a.jpg",
    "c.jpg/00_base__c.jpg",
    "c.jpg/01_0.97__a.jpg",
]


def test_every_base_has_its_folder_and_the_names_say_what_is_alike(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    layout = lay_out(three(tmp_path / "in"), tmp_path / "out", progress=lambda done, of: steps.append((done, of)))
    assert shown(layout) == EXPECTED
    assert (layout.folders, layout.failures, layout.dry_run) == (3, (), False)
    files = tree(tmp_path / "out")
    assert {name: files[name] for name in EXPECTED} == {name: name.split("__")[1].encode() for name in EXPECTED}
    assert json.loads(files[MANIFEST])["files"]["a.jpg/01_0.97__c.jpg"] == str(tmp_path / "in" / "c.jpg")
    assert set(files) == {*EXPECTED, MANIFEST}
    assert (tmp_path / "out" / EXPECTED[1]).stat().st_mtime_ns == 10**18 + 7
    assert steps == [(done, 7) for done in range(1, 8)]


def test_the_order_of_groups_changes_nothing(tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    lay_out(found, tmp_path / "one")
    lay_out(replace(found, groups=found.groups[::-1]), tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_equal_base_names_get_folders_of_their_own(tmp_path: Path) -> None:
    may, june, shouted = (planted(tmp_path / name) for name in ("may/a.jpg", "june/a.jpg", "other/A.JPG"))
    layout = lay_out(grouped((may, june, 0.99), (june, may, 0.99), (shouted, may, 0.9)), tmp_path / "out")
    assert shown(layout) == [
        "A (other).JPG/00_base__A.JPG",
        "A (other).JPG/01_0.90__a.jpg",
        "a (may).jpg/00_base__a.jpg",
        "a (may).jpg/01_0.99__a.jpg",
        "a.jpg/00_base__a.jpg",
        "a.jpg/01_0.99__a.jpg",
    ]


def test_many_members_sort_by_rank_and_those_without_a_score_come_last(tmp_path: Path) -> None:
    base, *others = (planted(tmp_path / "in" / f"{number}.jpg") for number in range(103))
    members = [item for number, other in enumerate(others) for item in (other, None if number > 99 else 0.99)]
    layout = lay_out(grouped((base, *members), group_by="component"), tmp_path / "out")
    names = [name.split("/")[1] for name in shown(layout)]
    assert names == sorted(names)
    assert (names[0], names[1], names[-1]) == ("000_base__0.jpg", "001_0.99__1.jpg", "102_linked__102.jpg")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_dry_run_says_the_same_and_writes_nothing(action: Action, tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    before = tree(tmp_path)
    planned = lay_out(found, tmp_path / "out", action=action, dry_run=True)
    assert tree(tmp_path) == before
    assert not (tmp_path / "out").exists()
    assert lay_out(found, tmp_path / "out", action=action).placed == planned.placed


@posix
def test_hardlinks_and_symlinks_lead_to_the_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = three(Path("in"))
    hard, soft = lay_out(found, "hard", action="hardlink"), lay_out(found, "soft", action="symlink")
    assert shown(hard) == shown(soft) == EXPECTED
    assert all(os.path.samefile(placed.source, placed.target) for placed in (*hard.placed, *soft.placed))
    assert os.lstat("hard/a.jpg/00_base__a.jpg").st_nlink == 4  # its own name and three in the result
    os.rename("soft", "moved")  # absolute, so that they still lead there
    assert Path("moved/b.jpg/01_0.91__a.jpg").read_bytes() == b"a.jpg"


def test_what_moves_goes_where_it_is_the_base_and_is_copied_elsewhere(tmp_path: Path) -> None:
    layout = lay_out(three(tmp_path / "in"), tmp_path / "out", action="move")
    assert tree(tmp_path / "in") == {}
    assert shown(layout) == EXPECTED
    assert [placed.action for placed in layout.placed] == ["move", "copy", "copy", "move", "copy", "move", "copy"]
    assert (tmp_path / "out" / EXPECTED[0]).stat().st_mtime_ns == 10**18 + 7


@posix
def test_a_picture_that_is_a_link_is_copied_not_moved(tmp_path: Path) -> None:
    a = planted(tmp_path / "elsewhere" / "a.jpg")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.jpg").symlink_to("../elsewhere/a.jpg")
    link = replace(a, path=str(tmp_path / "in" / "link.jpg"))
    layout = lay_out(grouped((planted(tmp_path / "in" / "b.jpg"), link, 1.0)), tmp_path / "out", action="move")
    assert [placed.action for placed in layout.placed] == ["move", "copy"]
    assert (tmp_path / "in" / "link.jpg").read_bytes() == b"a.jpg"
    assert not (tmp_path / "out" / "b.jpg" / "01_1.00__link.jpg").is_symlink()


@pytest.mark.parametrize("action", ["copy", "hardlink", pytest.param("symlink", marks=posix)])
def test_the_same_run_again_changes_nothing(action: Action, tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    lay_out(found, tmp_path / "out", action=action)
    before = tree(tmp_path)
    again = lay_out(found, tmp_path / "out", action=action)
    assert {placed.action for placed in again.placed} == {"kept"}
    assert tree(tmp_path) == before
    (tmp_path / "out" / EXPECTED[3]).unlink()
    (tmp_path / "out" / "my notes.txt").write_text("mine")
    mended = lay_out(found, tmp_path / "out", action=action)
    assert [placed.action for placed in mended.placed if placed.action != "kept"] == [action]
    assert tree(tmp_path) == before | {"out/my notes.txt": b"mine"}


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    for name, content in (("thesis.doc", b"x"), (MANIFEST, b"{}"), (MANIFEST, b"[" * 100_000), (MANIFEST, b"\xff")):
        planted(tmp_path / "out" / name, content)
        before = tree(tmp_path)
        with pytest.raises(OutputError, match="not empty"):
            lay_out(found, tmp_path / "out")
        assert tree(tmp_path) == before
    planted(tmp_path / "file")
    with pytest.raises(OutputError, match="no folder"):
        lay_out(found, tmp_path / "file")


def test_litter_of_file_managers_is_no_content(tmp_path: Path) -> None:
    planted(tmp_path / "out" / ".DS_Store")
    planted(tmp_path / "out" / "Thumbs.db")
    assert shown(lay_out(three(tmp_path / "in"), tmp_path / "out")) == EXPECTED


def test_a_result_of_another_run_is_refused_where_it_would_mix(tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    lay_out(found, tmp_path / "out")
    before = tree(tmp_path)
    fewer = replace(found, groups=found.groups[1:])
    with pytest.raises(OutputError, match=r"3 files that are not part of this one, such as a\.jpg/00_base__a\.jpg"):
        lay_out(fewer, tmp_path / "out")
    with pytest.raises(OutputError, match="made by copy"):
        lay_out(found, tmp_path / "out", action="hardlink")
    assert tree(tmp_path) == before
    lay_out(fewer, tmp_path / "fresh")
    assert shown(lay_out(found, tmp_path / "fresh")) == EXPECTED  # more may be added


def test_a_file_in_the_way_stays_and_is_said(tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    lay_out(found, tmp_path / "out")
    (tmp_path / "out" / EXPECTED[1]).write_bytes(b"retouched")
    layout = lay_out(found, tmp_path / "out")
    assert [failure.kind for failure in layout.failures] == ["OutputError"]
    assert "something else is there already" in layout.failures[0].reason
    assert (tmp_path / "out" / EXPECTED[1]).read_bytes() == b"retouched"
    assert len(layout.placed) == 6


def test_pictures_inside_the_output_folder_are_refused(tmp_path: Path) -> None:
    found = three(tmp_path / "photos" / "may")
    for out in (tmp_path / "photos", tmp_path / "photos" / "may", tmp_path):
        with pytest.raises(OutputError, match="pictures that were compared lie in it"):
            lay_out(found, out)
    inside = tmp_path / "photos" / "may" / "result"
    lay_out(found, inside)
    assert [Path(file.path).name for file in scan(tmp_path, exclude=[inside]).files] == ["a.jpg", "b.jpg", "c.jpg"]
    assert {placed.action for placed in lay_out(found, inside).placed} == {"kept"}


@posix
def test_links_planted_in_the_output_lead_nothing_out_of_it(tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    planted(tmp_path / "victim" / "00_base__b.jpg", b"precious")
    lay_out(replace(found, groups=()), tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").symlink_to("../victim")
    (tmp_path / "out" / "b.jpg").mkdir()
    (tmp_path / "out" / "b.jpg" / "00_base__b.jpg").symlink_to("../../victim/00_base__b.jpg")
    (tmp_path / "out" / "b.jpg" / "01_0.91__a.jpg").symlink_to("../../victim/new.jpg")
    (tmp_path / "out" / "c.jpg").write_bytes(b"a file")
    (tmp_path / "out" / MANIFEST).symlink_to("../victim/manifest")
    (tmp_path / "victim" / "manifest").write_text(json.dumps({"version": 1, "action": "copy", "files": {}}))
    before = tree(tmp_path / "victim")
    layout = lay_out(found, tmp_path / "out")
    assert (len(layout.placed), len(layout.failures)) == (0, 7)
    assert tree(tmp_path / "victim") == before


HOSTILE = [
    "..",
    "../../evil.jpg",
    "con",
    "a\nb.jpg",
    "\x1b[31m.jpg",
    "x" * 250 + ".jpg",
    " .jpg",
    "é.jpg",
    "É.jpg",
    "-rf",
]


@settings(max_examples=25)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(HOSTILE), min_size=2, max_size=6))
def test_hostile_names_stay_inside(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    found = grouped(
        *[(planted(folder / "in" / f"{at}"), planted(folder / "in" / "m"), 0.9) for at in range(len(names))]
    )
    # the paths of a grouping come from a file system, but nothing relies on it
    paths = {picture.path: f"{folder}/in/{name}" for picture, name in zip(found.pictures, names, strict=False)}
    found = replace(
        found,
        pictures=tuple(replace(picture, path=paths.get(picture.path, picture.path)) for picture in found.pictures),
        groups=tuple(
            replace(
                group,
                base=paths.get(group.base, group.base),
                members=tuple(replace(member, path=paths.get(member.path, member.path)) for member in group.members),
            )
            for group in found.groups
        ),
    )
    before = set(tree(folder))
    layout = lay_out(found, folder / "out", dry_run=True)
    layout = lay_out(found, folder / "out")
    assert {name for name in set(tree(folder)) - before if not name.startswith("out/")} == set()
    for placed in layout.placed:
        assert len(Path(placed.target).relative_to(folder / "out").parts) == 2


@pytest.mark.parametrize("action", ["copy", "hardlink", pytest.param("symlink", marks=posix), "move"])
def test_a_picture_that_went_away_or_changed_is_a_record_and_the_rest_is_there(action: Action, tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    (tmp_path / "in" / "b.jpg").unlink()
    (tmp_path / "in" / "c.jpg").write_bytes(b"C.JPG")  # as long as before
    dry = lay_out(found, tmp_path / "out", action=action, dry_run=True)
    layout = lay_out(found, tmp_path / "out", action=action)
    kinds = sorted((Path(failure.source).name, failure.kind) for failure in layout.failures)
    assert kinds == [("b.jpg", "SourceNotFound")] * 2 + [("c.jpg", "PictureChanged")] * 2
    assert shown(layout) == ["a.jpg/00_base__a.jpg", "b.jpg/01_0.91__a.jpg", "c.jpg/01_0.97__a.jpg"]
    assert (dry.placed, dry.failures) == (layout.placed, layout.failures)
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_touched_picture_with_the_same_bytes_is_the_same(tmp_path: Path) -> None:
    found = three(tmp_path / "in")
    os.utime(tmp_path / "in" / "a.jpg")
    assert lay_out(found, tmp_path / "out", action="hardlink").failures == ()


@pytest.mark.parametrize("action", ["copy", "move"])
@pytest.mark.parametrize("at", range(7))
def test_a_full_disk_stops_it_in_one_line_and_it_goes_on_from_there(
    at: int, action: Action, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = three(tmp_path / "in")
    calls = 0
    honest = place._rename_new

    def full(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        honest(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(place, "_rename_new", full)
        with pytest.raises(OutputError, match=f"No space left on device.* after {at} files") as raised:
            lay_out(found, tmp_path / "out", action=action)
    assert "\n" not in str(raised.value)
    written = tree(tmp_path / "out")
    assert len(written) == at + 1
    assert not any(name.endswith(".part") for name in written)
    if action == "copy":
        assert shown(lay_out(found, tmp_path / "out")) == EXPECTED
    else:  # everything still exists somewhere
        assert {bytes(content) for content in tree(tmp_path).values() if isinstance(content, bytes)} >= {
            b"a.jpg",
            b"b.jpg",
            b"c.jpg",
        }


def test_a_cut_in_the_middle_of_a_copy_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = three(tmp_path / "in")

    def torn(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "utime", torn)
    with pytest.raises(KeyboardInterrupt):
        lay_out(found, tmp_path / "out")
    assert set(tree(tmp_path / "out")) == {MANIFEST}


def test_moving_across_file_systems_copies_checks_and_removes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = three(tmp_path / "in")
    (tmp_path / "in" / "a.jpg").chmod(0o640)
    honest = os.link

    def across(source: Any, target: Any, **options: Any) -> None:
        if "in" in Path(source).parent.parts:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        honest(source, target, **options)

    monkeypatch.setattr(os, "link", across)
    layout = lay_out(found, tmp_path / "out", action="move")
    assert (shown(layout), tree(tmp_path / "in")) == (EXPECTED, {})
    about = (tmp_path / "out" / EXPECTED[0]).stat()
    assert (about.st_mtime_ns, about.st_mode & 0o777) == (10**18 + 7, 0o640 if os.name != "nt" else 0o666)


@posix
def test_without_hard_links_files_still_appear_whole_and_replace_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", none)
    layout = lay_out(three(tmp_path / "in"), tmp_path / "out", action="move")
    assert (shown(layout), tree(tmp_path / "in")) == (EXPECTED, {})
    one, two = planted(tmp_path / "one"), planted(tmp_path / "two")
    with pytest.raises(FileExistsError):
        place.move_new(Path(one.path), Path(two.path), one.digest)
    assert Path(two.path).read_bytes() == b"two"


@posix
def test_hard_links_to_another_file_system_are_refused_at_once(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    found = three(tmp_path / "in")
    with pytest.raises(OutputError, match="hard links from another file system"):
        lay_out(found, other / f"lookalike-test-{os.getpid()}", action="hardlink")
    assert not (other / f"lookalike-test-{os.getpid()}").exists()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are not plain bytes here")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    odd = planted(tmp_path / "in" / os.fsdecode(b"caf\xe9.jpg"))
    layout = lay_out(grouped((odd, planted(tmp_path / "in" / "b.jpg"), 0.9)), tmp_path / "out")
    assert shown(layout) == ["caf_.jpg/00_base__caf_.jpg", "caf_.jpg/01_0.90__b.jpg"]
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_bytes())
    assert manifest["files"]["caf_.jpg/00_base__caf_.jpg"] == odd.path


def test_nothing_alike_makes_no_folder(tmp_path: Path) -> None:
    assert lay_out(grouped(), tmp_path / "out").placed == ()
    assert not (tmp_path / "out").exists()
