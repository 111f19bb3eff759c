"""The page of an evaluation: mistakes first, self-contained, harmless whatever files are called."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from labels import copies, pictures, table

import lookalike
from lookalike.lab.contest import Contestant
from lookalike.lab.evaluated import Evaluation
from lookalike.lab.report.evaluation_page import write_report
from lookalike.lab.report.mistakes import farthest, worst
from lookalike.lab.report.sentences import headline, number
from lookalike.types import Comparison
from lookalike.verdicts import verdict_of


class Turned:
    """A calibration that gets everything wrong."""

    def apply(self, comparison: Comparison) -> Comparison:
        score = 1 - comparison.score
        return replace(comparison, score=score, verdict=verdict_of(score), probability=score)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    folder = tmp_path_factory.mktemp("labels")
    file = copies(folder)
    odd = folder / "<img src=x onerror=alert(1)>.png"
    shutil.copy(folder / "0.png", odd)
    with file.open("a") as stream:
        stream.write(f'"{odd}",{folder / "1.png"},same\n"{odd}",gone.png,different\n')
    contestants = [Contestant("wrong", calibration=Turned()), Contestant("fast", "fast")]
    return lookalike.evaluate(file, contestants=contestants, store=False, timed=False, rounds=20)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attributes)))


def tags(page: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return iter(parser.seen)


def test_the_page_stands_alone(found: Evaluation, tmp_path: Path) -> None:
    page = write_report(found, tmp_path / "report.html").read_text(encoding="utf-8")
    for tag, attributes in tags(page):
        assert tag not in ("script", "link", "iframe", "object")
        assert "style" not in attributes  # the policy would shut it out
        assert not any(name.startswith("on") for name in attributes)
        if "src" in attributes:
            assert str(attributes["src"]).startswith("data:image/jpeg;base64,")
    assert "default-src 'none'" in page
    assert "<img src=x" not in page


def test_mistakes_come_first_then_charts_then_the_table(found: Evaluation, tmp_path: Path) -> None:
    page = write_report(found, tmp_path / "report.html").read_text(encoding="utf-8")
    heads = re.findall("<h2>(.*?)</h2>", page)
    assert heads == [
        "The worst mistakes", "Scores of same and of different pairs", "Every threshold",
        "Do the probabilities hold?", "The table", "What could not be used",
    ]  # fmt: skip
    assert page.count("<figcaption>") >= 5  # every chart says something in words
    assert "gone.png: there is no such file" in page


def test_worst_mistakes_are_the_most_wrong_ones(found: Evaluation) -> None:
    assert found.table is not None
    turned = found.scored[0]
    false, missed = worst(found.table.pairs, turned, 0.15)  # copies are below that now, all others over it
    scores = [mistake.comparison.score for mistake in false]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 4
    assert not any(mistake.pair.same for mistake in false)
    scores = [mistake.comparison.score for mistake in missed]
    assert scores == sorted(scores)
    assert len(scores) == 4
    assert all(mistake.pair.same for mistake in missed)


def test_verdicts_most_bands_off_come_first(tmp_path: Path) -> None:
    names = pictures(tmp_path, 3)
    rows = [
        (names[0], names[1], "same category"),
        (names[2], names[3], "different"),
        (names[0], names[4], "same product"),
    ]
    five = lookalike.evaluate(table(tmp_path / "f.csv", rows), store=False, timed=False, rounds=20)
    assert five.table is not None
    closer, farther = farthest(five.table, five.scored[0])
    assert [mistake.pair.label for mistake in closer] == ["different", "same category"]
    assert [mistake.pair.label for mistake in farther] == ["same product"]
    page = write_report(five, tmp_path / "five.html").read_text(encoding="utf-8")
    assert "Labels and verdicts" in page


def test_rankings_have_a_page_too(tmp_path: Path) -> None:
    names = pictures(tmp_path, 3)
    file = table(tmp_path / "r.csv", [(name, number % 2) for number, name in enumerate(names)], ("picture", "label"))
    found = lookalike.evaluate(file, methods=["phash"], store=False, rounds=20)
    page = write_report(found, tmp_path / "r.html").read_text(encoding="utf-8")
    assert "puts something wrong first for 6 of 6 queries" in page
    assert "belongs, at place" in page
    assert "The first places" in page


def test_words_do_not_claim_more_than_the_intervals(found: Evaluation) -> None:
    assert headline(found).startswith("fast tells best: AUC ")
    assert number(0.99996) == "0.999"
    twice = replace(found, results=(found.results[1], replace(found.results[1], name="again")))
    assert headline(twice).startswith("fast and again do equally well: AUC ")
