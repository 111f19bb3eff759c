"""The report as a file: what is in it, what must never be in it, and what happens when something is missing."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from groupings import grouping, many, pair, record, saved
from PIL import Image, ImageCms

from lookalike.errors import OutputError
from lookalike.images.limits import Limits
from lookalike.results import report
from lookalike.results.report import write_report
from lookalike.results.report_data import link
from lookalike.types import Failure, Group, Grouping, Member, Transform

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202egpj.\udcff{{script}}<!--.jpg"


class Parts(HTMLParser):
    """What a browser finds in a page: elements, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.metas: dict[str, str] = {}
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.style = ""
        self.title = ""
        self._inside: tuple[str, dict[str, str | None]] = ("", {})
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside = (tag, dict(attrs))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag == "meta":
            about = dict(attrs)
            self.metas[str(about.get("http-equiv") or about.get("name"))] = str(about.get("content"))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ("", {})

    def handle_data(self, data: str) -> None:
        if self._inside[0] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self._inside[0] == "style":
            self.style += data
        elif self._inside[0] == "title":
            self.title += data

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(next(text for about, text in self.scripts if about.get("id") == "data")))

    @property
    def thumbnails(self) -> list[str | None]:
        blocks = (text for about, text in self.scripts if about.get("class") == "thumbnails")
        return [jpeg for block in blocks for jpeg in json.loads(block)]


def written(found: Grouping, folder: Path, **options: Any) -> Parts:
    return Parts(write_report(found, folder / "report.html", **options).read_bytes().decode())


def two(folder: Path, **options: object) -> Grouping:
    a, b = (saved(folder / name, seed, **options) for seed, name in enumerate(("a.png", "b.jpg")))
    return grouping([a, b], [pair(a.path, b.path, 0.93)])


def opened(jpeg: str | None) -> Image.Image:
    assert jpeg is not None
    return Image.open(io.BytesIO(base64.b64decode(jpeg)))


def test_scores_words_and_turns_stand_in_the_page(tmp_path: Path) -> None:
    a, b, c = (saved(tmp_path / f"{name}.png", seed) for seed, name in enumerate("abc"))
    turned = Transform(flip=True, rotation=270, inliers=44)
    pairs = [pair(a.path, b.path, 0.99, turned, ["margins aside"]), pair(a.path, c.path, 0.9)]
    groups = [Group(b.path, (Member(a.path, 0.99, turned),), 0.99)]
    lost = Failure("d.jpg", "DecodeFailed", "d.jpg: this JPEG cannot be decoded")
    data = written(grouping([a, b, c], pairs, groups, [lost], notices=["look\x1b out"]), tmp_path).data
    assert [row[0] for row in data["pictures"]] == [b.path, a.path, c.path]  # in the order in which they are shown
    assert data["pictures"][0][1:7] == ["./b.png", 48, 36, b.bytes, "PNG", b.digest]
    words = "margins aside, mirrored, turned by 270°, 44 matching points"
    assert data["pairs"][0][:5] == [1, 0, 0.99, words, 7]
    assert dict(zip(data["parts"], data["pairs"][0][5:], strict=True)) == {"look": 0.9, "embedding": 0.99}
    assert data["groups"] == [[0, 0.99, [1], [0.99], [0.99], [words], [7]]]
    assert data["failures"] == [["d.jpg", "DecodeFailed", "this JPEG cannot be decoded"]]
    assert data["notices"] == ["look\\x1b out"]
    assert os.path.join(data["root"], "a.png") == a.path


def test_what_lies_on_what_is_told_from_the_base(tmp_path: Path) -> None:
    a, b = saved(tmp_path / "a.png"), saved(tmp_path / "b.png", 1)
    there = Transform(overlap=0.6, overlap_other=1.0, inliers=20)
    back = Transform(overlap=1.0, overlap_other=0.6, inliers=20)
    found = pair(a.path, b.path, 0.95, there, ["cropped to about 60 %", "20 matching points", "margins aside"])
    says = [
        written(grouping([a, b], [found], [Group(base.path, (Member(other.path, 0.95, transform),))]), tmp_path)
        for base, other, transform in ((a, b, there), (b, a, back), (b, a, None), (a, b, None))
    ]
    assert [page.data["groups"][0][5][0].split(", ") for page in says] == [
        ["margins aside", "cropped to about 60 %", "20 matching points"],
        ["margins aside", "the first is about 60 % of the second", "20 matching points"],
        ["margins aside"],
        ["margins aside", "cropped to about 60 %", "20 matching points"],
    ]


def test_scores_are_not_rounded(tmp_path: Path) -> None:
    a, b = saved(tmp_path / "a.png"), saved(tmp_path / "b.png", 1)
    score = 0.8999999999999999
    assert written(grouping([a, b], [pair(a.path, b.path, score)]), tmp_path).data["pairs"][0][2] == score


def test_each_picture_is_inside_once_and_others_not_at_all(tmp_path: Path) -> None:
    pictures = [saved(tmp_path / f"{number}.png", number) for number in range(5)]
    a, b, c = (picture.path for picture in pictures[:3])
    pairs = [pair(a, b, 0.9), pair(a, c, 0.9), pair(b, c, 0.9)]
    page = written(grouping(pictures, pairs), tmp_path)
    assert len(page.thumbnails) == len(page.data["pictures"]) == 3
    assert page.data["read"] == 5
    for jpeg, picture in zip(page.thumbnails, pictures, strict=False):
        with Image.open(picture.path) as image:
            there = np.asarray(image.convert("RGB"), int)
        assert np.abs(np.asarray(opened(jpeg).convert("RGB"), int) - there).mean() < 12


def test_thumbnails_carry_nothing_but_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    a = saved(tmp_path / "a.jpg", 1, (400, 300), exif=exif, icc_profile=profile, comment=b"SECRET comment")
    b = saved(tmp_path / "b.jpg", 2, (400, 300))
    page = written(grouping([a, b], [pair(a.path, b.path, 0.9)]), tmp_path)
    assert b"SECRET" in Path(a.path).read_bytes()
    for jpeg in page.thumbnails:
        image = opened(jpeg)
        assert image.size == (240, 180)
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not image.getexif()
        markers = {
            data[1] for data in re.findall(rb"\xff[\xc0-\xfe]", base64.b64decode(jpeg or "").split(b"\xff\xda")[0])
        }
        assert not markers & {*range(0xE1, 0xF0), 0xFE}  # no segment of an application but JFIF, no comment


def test_a_picture_that_is_gone_broken_or_another_has_an_empty_frame(tmp_path: Path) -> None:
    pictures = [saved(tmp_path / f"{number}.png", number) for number in range(5)]
    Path(pictures[1].path).unlink()
    Path(pictures[2].path).write_bytes(Path(pictures[2].path).read_bytes()[:-40])
    saved(tmp_path / "3.png", 99)
    broken = Path(pictures[2].path)
    pictures[2] = record(tmp_path / "4.png").__class__(
        str(broken), hashlib.sha256(broken.read_bytes()).hexdigest(), "PNG", 48, 36, 1, 0
    )
    pairs = [pair(pictures[0].path, other.path, 0.9) for other in pictures[1:]]
    page = written(grouping(pictures, pairs), tmp_path)
    assert [jpeg is not None for jpeg in page.thumbnails] == [True, False, False, False, True]


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    a = saved(tmp_path / "a.png")
    odd = a.__class__(HOSTILE, "0" * 64, "JPEG", 1, 1, 1, 0)
    lost = Failure(HOSTILE, "DecodeFailed", HOSTILE)
    found = grouping([a, odd], [pair(a.path, HOSTILE, 0.9, reasons=[HOSTILE])], failures=[lost], notices=[HOSTILE])
    page = written(found, tmp_path, title=HOSTILE)
    plain = written(two(tmp_path), tmp_path)
    assert page.tags == plain.tags  # not one element more
    assert page.data["pictures"][1][0] == HOSTILE
    assert page.data["failures"][0][0] == HOSTILE
    assert page.title.startswith("</script><img src=x")
    assert "{{script}}" in page.title  # and nothing was put in its place
    assert "\u202e" not in page.title


def test_the_policy_allows_the_page_its_own_script_and_nothing_else(tmp_path: Path) -> None:
    page = written(two(tmp_path), tmp_path)
    rules = dict(rule.strip().split(" ", 1) for rule in page.metas["Content-Security-Policy"].split(";"))
    (script,) = (text for about, text in page.scripts if "type" not in about)
    for name, text in (("script-src", script), ("style-src", page.style)):
        assert rules[name] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|\bstyle=|innerHTML|\beval\b", text.replace("// ", ""))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("page/a b.jpg", "./a%20b.jpg"),
        ("page/javascript:alert(1).jpg", "./javascript%3Aalert%281%29.jpg"),
        ("other/100%25 #1?.jpg", "../other/100%2525%20%231%3F.jpg"),
        ("page/sub/ü.jpg", "./sub/%C3%BC.jpg"),
    ],
)
def test_links_are_relative_and_encoded(path: str, expected: str) -> None:
    assert link(path, Path("page")).replace("./../", "../") == expected


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on Unix only")
def test_links_keep_the_bytes_of_names_that_are_no_unicode() -> None:
    assert link(os.fsdecode(b"\xff.jpg"), Path()) == "./%FF.jpg"


def test_a_member_of_a_component_stays_while_it_hangs_together_with_the_base(tmp_path: Path) -> None:
    """a–b 0.95, b–c 0.85, c–d 0.99, and e–f apart: c and d leave together, at 0.85."""
    paths = {name: saved(tmp_path / f"{name}.png", ord(name)) for name in "abcdef"}
    scores = {"ab": 0.95, "bc": 0.85, "cd": 0.99, "ef": 0.9, "ac": 0.82}
    pairs = [pair(paths[a].path, paths[b].path, score) for (a, b), score in scores.items()]
    base_last = [("b", "acd"), ("f", "e")]
    groups = [
        Group(paths[base].path, tuple(Member(paths[name].path, None) for name in others)) for base, others in base_last
    ]
    data = written(grouping([*paths.values()], pairs, groups, group_by="component"), tmp_path).data
    assert [group[4] for group in data["groups"]] == [[0.95, 0.85, 0.85], [0.9]]


def test_progress_is_told_for_every_picture(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    written(two(tmp_path), tmp_path, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(1, 2), (2, 2)]


def test_limits_hold_for_thumbnails_too(tmp_path: Path) -> None:
    page = written(two(tmp_path), tmp_path, limits=Limits(max_side=40))
    assert page.thumbnails == [None, None]


def test_nothing_found_is_a_page_too(tmp_path: Path) -> None:
    page = written(grouping([], []), tmp_path)
    assert page.data["groups"] == page.data["pictures"] == page.thumbnails == []


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(two(tmp_path), tmp_path / "nowhere" / "report.html")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(OutputError):
        write_report(two(tmp_path), tmp_path / "folder.html")


def test_an_older_report_stays_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = two(tmp_path)
    written(found, tmp_path)
    before = (tmp_path / "report.html").read_bytes()

    def breaks(*_: object) -> Iterator[bytes]:
        yield b"\xff\xd8"
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "thumbnails", breaks)
    with pytest.raises(KeyboardInterrupt):
        write_report(found, tmp_path / "report.html", title="new")
    assert (tmp_path / "report.html").read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.png", "b.jpg", "report.html"]


def test_thumbnails_are_never_all_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracemalloc = pytest.importorskip("tracemalloc")
    found = many(2000, 1)

    def large(pictures: list[object], *_: object) -> Iterator[bytes]:
        return (os.urandom(20_000) for _ in pictures)

    monkeypatch.setattr(report, "thumbnails", large)
    tracemalloc.start()
    try:
        size = write_report(found, tmp_path / "report.html").stat().st_size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 100e6
    assert peak < 40e6
