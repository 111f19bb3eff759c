"""The report in a real browser: what a person sees, and what no file name can make it do."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium, found
from groupings import grouping, many, pair, saved
from PIL import Image

from lookalike.results import report
from lookalike.results.report import write_report
from lookalike.types import Failure, Group, Grouping, Member, Transform


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = found()
    if program is None:
        pytest.skip("needs Chromium: none is on the path, and LOOKALIKE_CHROMIUM names none")
    with Chromium(program, tmp_path_factory.mktemp("browser")) as page:
        page.show(1280, 900)
        yield page


def shop(folder: Path) -> Grouping:
    """Two groups: a shirt with three likenesses, at 0.99, 0.90 and 0.82, and a carton with one, at 0.85."""
    names = ("shirt", "shirt-mirrored", "shirt-cropped", "shirt-other", "carton", "carton-shelf")
    shirt, mirrored, cropped, other, carton, shelf = (
        saved(folder / f"{name}.png", seed, (90, 60)).path for seed, name in enumerate(names)
    )
    pictures = [saved(folder / f"{name}.png", seed, (90, 60)) for seed, name in enumerate(names)]
    turned = Transform(flip=True, rotation=90)
    members = (Member(mirrored, 0.99, turned), Member(cropped, 0.9), Member(other, 0.82))
    pairs = [pair(shirt, member.path, member.score or 0, member.transform) for member in members]
    pairs.append(pair(carton, shelf, 0.85))
    groups = [Group(shirt, members, None), Group(carton, (Member(shelf, 0.85),), 0.85)]
    failures = [Failure("broken.jpg", "DecodeFailed", "broken.jpg: this JPEG is truncated")]
    return grouping(pictures, pairs, groups, failures, notices=["a limit cut the search short"])


@pytest.fixture
def opened(browser: Chromium, tmp_path: Path) -> Chromium:
    """The browser with the report of :func:`shop`."""
    browser.open(write_report(shop(tmp_path), tmp_path / "report.html"))
    return browser


def slide(page: Chromium, to: float) -> None:
    """Move the slider the way a key does."""
    page.run(f"at('slider').value = thresholds.indexOf({to}); at('slider').dispatchEvent(new Event('input'))")
    page.settle()


def names(page: Chromium, within: str = "#list") -> list[str]:
    return list(page.run(f"[...document.querySelectorAll('{within} .name')].map(name => name.textContent)"))


def test_it_opens_without_a_complaint_and_shows_what_there_is(opened: Chromium) -> None:
    opened.settle()
    assert opened.complaints == []
    assert opened.run("at('count').textContent") == "2 groups at 0.80 or over"
    assert names(opened)[:4] == ["shirt.png", "shirt-mirrored.png", "shirt-cropped.png", "shirt-other.png"]
    assert opened.run("[...document.images].every(image => image.complete && image.naturalWidth === 90)")
    assert opened.run("document.images.length") == 6
    assert "6 pictures" in opened.run("at('summary').textContent")
    assert opened.run("at('notices').textContent") == "a limit cut the search short"
    chips = opened.run("[...document.querySelectorAll('#list .chip')].map(chip => chip.textContent)")
    assert chips == ["base", "0.99", "0.90", "0.82", "base", "0.85"]
    assert "mirrored, turned by 90°" in opened.run("document.querySelector('.words').textContent")


def test_the_slider_takes_members_and_groups_away(opened: Chromium) -> None:
    slide(opened, 0.85)
    assert len(names(opened)) == 5
    slide(opened, 0.86)
    assert opened.run("at('count').textContent") == "1 group at 0.86 or over"
    assert names(opened) == ["shirt.png", "shirt-mirrored.png", "shirt-cropped.png"]
    slide(opened, 0.9)
    assert len(names(opened)) == 3  # what lies at the threshold stays
    slide(opened, 1)
    assert opened.run("at('list').textContent") == "Nothing at 1.00 or over."
    slide(opened, 0.8)
    assert len(names(opened)) == 6


def test_views_search_and_order(opened: Chromium) -> None:
    opened.run("at('views').children[1].click()")
    assert opened.run("at('count').textContent") == "4 pairs at 0.80 or over"
    opened.run("at('sort').value = 'least alike first'; at('sort').dispatchEvent(new Event('change'))")
    assert names(opened)[:2] == ["shirt.png", "shirt-other.png"]
    opened.run("at('search').value = 'SHELF'; at('search').dispatchEvent(new Event('input'))")
    opened.settle()
    assert names(opened) == ["carton.png", "carton-shelf.png"]
    opened.run("at('views').children[0].click()")
    assert opened.run("at('count').textContent") == "1 group at 0.80 or over"
    opened.run("at('search').value = ''; at('search').dispatchEvent(new Event('input'))")
    opened.run("at('views').children[2].click()")
    assert opened.run("at('list').innerText").split("\n") == ["DecodeFailed", "broken.jpg", "this JPEG is truncated"]
    assert opened.run("at('slide').hidden")


def test_side_by_side_with_keys_alone(opened: Chromium) -> None:
    opened.run("document.querySelector('.open').focus()")
    opened.press("Enter")
    assert opened.run("at('look').open")
    assert opened.run("at('score').textContent + at('verdict').textContent") == "0.99near-duplicate"
    assert opened.run("at('how').textContent") == "mirrored, turned by 90°"
    assert opened.run("[...at('sides').querySelectorAll('a')].map(a => a.getAttribute('href'))") == [
        "./shirt.png",
        "./shirt-mirrored.png",
    ]
    opened.run("at('turn').click()")
    # mirrored first and turned clockwise then, so it is turned back first and mirrored then; CSS reads from the right
    assert opened.run("at('sides').lastChild.querySelector('img').style.transform") == "scaleX(-1) rotate(-90deg)"
    opened.press("ArrowRight")
    assert opened.run("at('score').textContent") == "0.90"
    assert opened.run("at('turning').hidden")
    opened.press("ArrowRight")
    opened.press("ArrowRight")
    assert opened.run("at('place').textContent") == "group 2 of 2"
    assert opened.run("at('next').disabled")
    opened.press("ArrowLeft")
    assert opened.run("at('place').textContent") == "group 1 of 2, 3 of 3"
    opened.press("Escape")
    assert not opened.run("at('look').open")
    assert opened.complaints == []


def test_decisions_are_marked_and_downloaded(opened: Chromium, tmp_path: Path) -> None:
    opened.run("document.querySelectorAll('.mark')[1].click()")
    assert opened.run("document.querySelectorAll('.differs').length") == 1
    opened.run("at('views').children[1].click()")  # the same pair is marked in every view
    assert opened.run("document.querySelector('.differs .open').ariaLabel.includes('shirt-cropped')")
    opened.run("document.querySelectorAll('.open')[0].click()")
    opened.press("n")
    assert opened.run("at('marks').textContent") == "2 pairs marked as not the same"
    opened.press("n")
    opened.press("Escape")
    opened.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path), eventsEnabled=True)
    opened.run("at('save').click()")
    file = tmp_path / "decisions.json"
    deadline = time.monotonic() + 20
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    pictures = {Path(picture.path).stem: picture for picture in shop(tmp_path).pictures}
    a, b = pictures["shirt"], pictures["shirt-cropped"]
    assert json.loads(file.read_text(encoding="utf-8")) == [
        {"a": a.path, "b": b.path, "a_digest": a.digest, "b_digest": b.digest, "decision": "different"}
    ]
    opened.run("at('forget').click()")
    assert opened.run("at('marked').hidden")
    assert opened.complaints == []


HOSTILE = [
    b"<b>bold",
    b"\" onerror=alert(1) x='",
    "\u202egpj.exe".encode(),
    b"line\nbreak\x1b[31m",
    b"&lt;script&gt; 100% #a?b",
    b"javascript:alert(2)",
    b"\xff\xfe",
]


def test_hostile_names_are_text_and_nothing_runs(browser: Chromium, tmp_path: Path) -> None:
    base = saved(tmp_path / "base.png")
    (tmp_path / "<").mkdir()  # and so the path holds </script>
    others = [saved(tmp_path / "<" / "script><img src=x onerror=alert(1)>.png", 1)]
    for number, name in enumerate(HOSTILE, 2):
        try:
            others.append(saved(tmp_path / f"{os.fsdecode(name)}.png", number))
        except OSError:
            continue  # some file systems refuse some of them
    pairs = [pair(base.path, other.path, 0.9, reasons=["<i>slanted</i>"]) for other in others]
    group = Group(base.path, tuple(Member(other.path, 0.9) for other in others))
    failures = [Failure(other.path, "<u>", "<u>under</u>") for other in others]
    page = write_report(grouping([base, *others], pairs, [group], failures), tmp_path / "re #1 port.html", title="<h2>")
    browser.open(page)
    for view in range(3):
        browser.run(f"at('views').children[{view}].click()")
        browser.settle()
        assert browser.run("document.querySelectorAll('b:not(#least b), i:not(#bars i), u, h2, [onerror]').length") == 0
    assert "<u>under</u>" in browser.run("at('list').textContent")
    browser.run("at('views').children[0].click(); document.querySelector('.open').click()")
    shown = []
    for _ in others:
        shown.append(browser.run("at('sides').lastChild.querySelector('a').textContent"))
        # the link leads to that very file
        assert browser.run("at('sides').lastChild.querySelector('a').href") == Path(
            others[len(shown) - 1].path
        ).as_uri().replace("%7E", "~")
        browser.press("ArrowRight")
    browser.press("Escape")
    assert "</script><img src=x onerror=alert(1)>.png" in shown
    assert "<b>bold.png" in shown
    if len(others) == 1 + len(HOSTILE):
        assert {"\\u202egpj.exe.png", "line\\u000abreak\\u001b[31m.png", "\\udcff\\udcfe.png"} <= set(shown)
    assert browser.complaints == []


def test_the_policy_stops_what_would_get_in(opened: Chromium) -> None:
    opened.run(
        "const s = document.createElement('style'); s.textContent = 'h1 { color: red }'; document.head.append(s)"
    )
    assert opened.run("getComputedStyle(document.querySelector('h1')).color") != "rgb(255, 0, 0)"
    with pytest.raises(RuntimeError, match="TrustedHTML"):
        opened.run("document.body.innerHTML = '<img src=x>'")
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thumbnails of no files at all."""
    made = io.BytesIO()
    Image.new("RGB", (64, 48), "olive").save(made, "JPEG")
    monkeypatch.setattr(report, "thumbnails", lambda pictures, *_: (made.getvalue() for _ in pictures))


def nodes(page: Chromium) -> int:
    return int(page.run("at('list').querySelectorAll('*').length"))


def timed(page: Chromium, script: str) -> float:
    """Milliseconds until a step has been computed and laid out."""
    measured = (
        f"const began = performance.now(); {script}; document.body.offsetHeight; return performance.now() - began"
    )
    return float(page.run(f"(() => {{ {measured} }})()"))


@pytest.mark.usefixtures("tiny")
def test_five_thousand_groups_do_not_freeze_the_browser(browser: Chromium, tmp_path: Path) -> None:
    file = write_report(many(5000, 3), tmp_path / "large.html")
    seconds = browser.open(file)
    browser.settle()
    assert seconds < 10
    assert browser.run("at('count').textContent") == "5,000 groups at 0.80 or over"
    assert nodes(browser) < 6000
    browser.run("scrollTo(0, document.body.scrollHeight / 2)")
    browser.settle()
    middle = browser.run("Math.max(...[...document.querySelectorAll('.open')].map(card => +card.dataset.at))")
    assert 1000 < middle < 4900
    for _ in range(8):  # the last blocks are measured as they come into view, and the page grows or shrinks a little
        browser.run("scrollTo(0, document.body.scrollHeight)")
        browser.settle()
    assert browser.run("document.querySelector('[data-at=\"4999\"]') !== null")
    assert nodes(browser) < 6000
    for script in ("at('slider').value = 10; chooseLeast(); render()", "at('views').children[1].click()"):
        assert timed(browser, script) < 1500
    slide(browser, 0.9)
    assert browser.run("at('count').textContent") == f"{3 * 2500:,} pairs at 0.90 or over"
    assert browser.complaints == []


@pytest.mark.usefixtures("tiny")
def test_a_group_of_thousands_is_drawn_bit_by_bit(browser: Chromium, tmp_path: Path) -> None:
    browser.open(write_report(many(1, 3000), tmp_path / "large.html"))
    browser.settle()
    assert nodes(browser) < 600
    assert browser.run("document.querySelector('.more').textContent") == "2,982 more"
    browser.run("document.querySelector('.more').click()")
    assert browser.run("document.querySelector('.more').textContent") == "2,802 more"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_window_and_text_can_be_read(opened: Chromium, width: int, dark: bool) -> None:
    opened.show(width, 800, dark=dark)
    try:
        for view in range(3):
            opened.run(f"at('views').children[{view}].click()")
            assert opened.run("document.documentElement.scrollWidth") <= width
        opened.run("at('views').children[0].click()")
        assert contrasts(opened, ["h1", "#summary", "#count", ".facts", ".words", ".chip", ".name"]) > 4.5
    finally:
        opened.show(1280, 900)


def contrasts(page: Chromium, selectors: list[str]) -> float:
    """The least contrast of text against what lies behind it, by the formula of WCAG 2."""
    script = """selectors => Math.min(...selectors.map(selector => {
        const light = (colour) => {
            const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
            const [r, g, b] = colour.match(/[\\d.]+/g).map(v => linear(v / 255));
            return .2126 * r + .7152 * g + .0722 * b;
        };
        let node = document.querySelector(selector);
        const text = light(getComputedStyle(node).color);
        while (/rgba\\(0, 0, 0, 0\\)/.test(getComputedStyle(node).backgroundColor)) node = node.parentElement;
        const behind = light(getComputedStyle(node).backgroundColor);
        return (Math.max(text, behind) + .05) / (Math.min(text, behind) + .05);
    }))"""
    return float(page.run(f"({script})({json.dumps(selectors)})"))


def test_everything_that_can_be_pressed_has_a_name(opened: Chromium) -> None:
    tree: list[dict[str, Any]] = opened.send("Accessibility.getFullAXTree")["nodes"]
    kinds = {"button", "slider", "searchbox", "combobox", "link", "checkbox"}
    controls = [node for node in tree if node.get("role", {}).get("value") in kinds]
    assert len(controls) >= 14
    assert all(node["name"]["value"] for node in controls)


def test_printing_draws_the_list_and_leaves_the_controls_out(opened: Chromium) -> None:
    opened.show(800, 900, media="print")
    try:
        assert opened.run("getComputedStyle(document.querySelector('.tools')).display") == "none"
        assert opened.run("document.querySelectorAll('#list img').length") == 6
    finally:
        opened.show(1280, 900)
