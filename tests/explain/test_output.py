from __future__ import annotations

import os
from pathlib import Path

import pytest

from lookalike.errors import OutputError, UsageError
from lookalike.explain.output import output_kind
from lookalike.files import write_whole


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.png", "PNG"),
        ("a.JPG", "JPEG"),
        ("a.jpeg", "JPEG"),
        ("a.webp", "WEBP"),
        ("a.b.html", "HTML"),
        ("a.HTM", "HTML"),
    ],
)
def test_suffix_says_what_is_written(name: str, kind: str) -> None:
    assert output_kind(name) == kind


@pytest.mark.parametrize("name", ["why.pdf", "why", "why.svg", ".png", "a.png/"[:-1] + ".gz"])
def test_other_suffixes_are_refused_with_the_possible_ones(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        output_kind(name)
    said = str(caught.value)
    assert ".png" in said
    assert ".html" in said
    assert "\n" not in said


def test_writes_and_replaces(tmp_path: Path) -> None:
    out = tmp_path / "why.png"
    out.write_bytes(b"old")
    assert write_whole(out, b"new") == out
    assert out.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["why.png"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        out = write_whole(tmp_path / "why.html", b"x")
    finally:
        os.umask(old)
    assert out.stat().st_mode & 0o777 == 0o640


def test_failed_replace_keeps_the_old_file_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "why.png"
    out.write_bytes(b"old")

    def refuse(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OutputError, match="No space left"):
        write_whole(out, b"new")
    assert out.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["why.png"]


@pytest.mark.parametrize("where", ["missing/why.png", "file.txt/why.png", "folder.png", "nul\0.png"])
def test_unwritable_places_are_told_in_one_line(tmp_path: Path, where: str) -> None:
    (tmp_path / "file.txt").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError) as caught:
        write_whole(tmp_path / where, b"new")
    assert "why.png" in str(caught.value) or "folder.png" in str(caught.value) or "nul" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["file.txt", "folder.png"]


def test_long_names_are_fine(tmp_path: Path) -> None:
    assert write_whole(tmp_path / ("é" * 60 + "x" * 100 + ".png"), b"new").exists()
