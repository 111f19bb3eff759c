"""The answers of a search as one HTML page that stands alone: no script, no server, no network."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.catalogue.answers import Answer, Answers
from lookalike.catalogue.query import Query, opened
from lookalike.errors import LookalikeError, printable
from lookalike.explain.palette import VERDICTS
from lookalike.files import appearing_whole, cannot_write
from lookalike.images.load import is_url, load, source_name
from lookalike.index.items import Filter, Hit
from lookalike.results.thumbnails import small_jpeg
from lookalike.threads import in_order
from lookalike.verdicts import format_score

if TYPE_CHECKING:
    from lookalike.catalogue.catalogue import Index
    from lookalike.types import Picture

SIDE, QUERY_SIDE, UNDER_SIDE = 320, 360, 96
"""Longest side of the pictures of answers, of queries, and of what is folded under an answer, in pixels."""

FACETS = 24
"""Tags that are counted in the page."""


def write_sheet(
    found: Answers,
    file: str | os.PathLike[str],
    index: Index,
    query: Query,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Write what a search found to a page; it appears whole, an older one stays until then.

    A policy in the page shuts out every script and every request.

    Args:
        found: the answers.
        file: where to, .html.
        index: where they came from; it knows the pictures.
        query: what was asked for.
        progress: told how many pictures were drawn.

    Raises:
        OutputError: the file cannot be written.
    """
    path = Path(file)
    style = files("lookalike.results").joinpath("sheet", "sheet.css").read_text(encoding="utf-8")
    for number, colour in enumerate(dict.fromkeys(VERDICTS.values())):
        style += f".v{number} {{ background: {colour}; }}\n"
    with appearing_whole(path) as raw, cannot_write(path):
        for piece in _pieces(found, index, query, style, progress):
            raw.write(piece.encode("utf-8", "replace"))
    return path


def _pieces(
    found: Answers, index: Index, query: Query, style: str, progress: Callable[[str, int, int], None] | None
) -> Iterator[str]:
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    title = escape(f"Like {_title(found)}")
    yield (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style>'
        f"<header><h1>{title}</h1><p>{escape(_summary(found, query.only))}</p>"
    )
    yield from (f'<p class="notice">{escape(printable(notice, 500))}</p>' for notice in found.notices)
    yield f'</header><section class="asked">{"".join(_asked(index, query))}</section>'
    if found.facets:
        counted = list(found.facets.items())[:FACETS]
        inside = "".join(f"<span>{escape(printable(tag, 60))} {count:,}</span>" for tag, count in counted)
        yield f'<div class="facets">{inside}</div>'
    if not found.answers:
        yield '<p class="none">Nothing was found.</p>'
    yield '<ol class="found">'
    with ThreadPoolExecutor(2, thread_name_prefix="lookalike-sheet") as pool:
        cards = in_order(pool, lambda each: _card(each, index, query), list(enumerate(found.answers, 1)), 8)
        for number, card in enumerate(cards, 1):
            yield card
            if progress is not None:
                progress("drawing pictures", number, len(found.answers))
    yield f"</ol><footer>{escape(_footer(found))}</footer></html>\n"


def _title(found: Answers) -> str:
    query = found.query
    named = [os.path.basename(str(each).rstrip("/")) for each in query["like"]] or [*query["ids"]]
    named = named or [f"“{query['text']}”"]
    return printable(named[0], 80) + (f" and {len(named) - 1} more" if len(named) > 1 else "")


def _summary(found: Answers, only: Filter) -> str:
    where = printable(found.index if len(found.index) < 60 else os.path.basename(found.index.rstrip("/")), 80)
    how = "by their vectors alone" if found.preset is None else f"compared by the preset {found.preset}"
    answers = "1 answer" if len(found) == 1 else f"{len(found)} answers"
    return f"{answers} of {found.count:,} in {where}{_filter(only)}, {how}{found.aside}"


def _filter(only: Filter) -> str:
    """What was asked of the answers, in words."""
    parts = [
        " and ".join(only.every),
        " or ".join(only.some),
        f"not {' or '.join(only.none)}" if only.none else "",
        ", ".join(map(str, only.of_data)),
    ]
    said = "; ".join(part for part in parts if part)
    return f" ({printable(said, 200)})" if said else ""


def _footer(found: Answers) -> str:
    seconds = f"Found in {sum(found.seconds.values()):.2f} s"
    failed = f" {len(found.failures)} candidates could not be compared." if found.failures else ""
    glance = " ~ was told at a glance; --thorough compares all closely." if _glances(found) else ""
    return f"{seconds}.{glance}{failed}"


def _glances(found: Answers) -> bool:
    return any(answer.score is not None and not answer.closely for answer in found.answers)


def _asked(index: Index, query: Query) -> Iterator[str]:
    """The pictures that were searched for, and those that were not to be like it."""
    for picture, source in zip(opened(query, index.limits), query.like, strict=True):
        part = "part of " if query.crop is not None else ""
        yield _figure(lambda each=picture: each, source_name(source), "", part)  # type: ignore[misc]
    for item in index.get(query.ids):
        if item is not None:
            yield _figure(lambda each=item: index.pictures.of(each), item.id, "")  # type: ignore[misc]
    for source in query.unlike:
        yield _figure(lambda each=source: load(each, limits=index.limits), str(source), "minus")  # type: ignore[misc]
    for item in index.get(query.unlike_ids):
        if item is not None:
            yield _figure(lambda each=item: index.pictures.of(each), item.id, "minus")  # type: ignore[misc]
    if query.text:
        yield f'<p class="words">“{escape(printable(query.text, 300))}”</p>'


def _figure(picture: Callable[[], Picture], name: str, kind: str, part: str = "") -> str:
    said = escape(f"{'not like ' * bool(kind)}{part}{_short(name)}")
    return (
        f'<figure class="{kind}"><div class="frame">{_image(picture, QUERY_SIDE)}</div>'
        f'<figcaption title="{escape(printable(name, 500))}">{said}</figcaption></figure>'
    )


def _card(numbered: tuple[int, Answer], index: Index, query: Query) -> str:
    rank, answer = numbered
    value = answer.similarity if answer.score is None else answer.score
    colours = list(dict.fromkeys(VERDICTS.values()))
    plain = answer.verdict is None or answer.verdict == "different" or not answer.closely
    band = "" if plain else f" v{colours.index(VERDICTS[answer.verdict])}"  # type: ignore[index]
    number = f"{value:.3f}" if answer.score is None else f"{'' if answer.closely else '~'}{format_score(value)}"
    asked = {*query.tags, *query.only.every, *query.only.some}
    tags = "".join(
        f"<span{' class=shared' if tag in asked else ''}>{escape(printable(tag, 40))}</span>" for tag in answer.tags[:8]
    )
    where = answer.source if is_url(answer.source) else os.path.basename(answer.source)
    why = ", ".join((*answer.reasons, *answer.asides))
    picture = _image(lambda: _picture(answer, index), SIDE)
    return (
        f'<li><div class="frame">{_linked(picture, answer.source)}<b class="chip{band}">{number}</b>'
        f'</div><div class="name" title="{escape(printable(answer.source, 500))}"><i>{rank}</i> '
        f"{escape(_short(answer.id))}</div>"
        f'<div class="verdict">{escape(answer.verdict or "")}</div>'
        f'<div class="why">{escape(why or (where if where not in answer.id else ""))}</div>'
        + (f'<div class="data" title="{data}">{data}</div>' if (data := _data(answer, query)) else "")
        + (f'<div class="tags">{tags}</div>' if tags else "")
        + _under(answer, index)
        + "</li>"
    )


def _linked(picture: str, source: str) -> str:
    """The picture, leading to where it lies."""
    if is_url(source):
        target = source if source.lower().startswith(("http://", "https://")) else ""
    else:
        target = Path(source).as_uri() if os.path.isabs(source) else ""
    return f'<a href="{escape(target)}" target="_blank" rel="noreferrer">{picture}</a>' if target else picture


def _data(answer: Answer, query: Query) -> str:
    """What else is known of it: plain values only, those that were asked for first."""
    plain = {name: value for name, value in answer.data.items() if isinstance(value, (str, int, float))}
    names = dict.fromkeys((*(condition.name for condition in query.only.of_data), *plain))
    told = ", ".join(f"{name} {printable(str(plain[name]), 40)}" for name in names if name in plain)
    return escape(printable(told, 300))


def _short(name: str) -> str:
    """The end of a path tells more than its beginning."""
    return printable(os.path.basename(name.rstrip("/")) or name, 120)


def _under(answer: Answer, index: Index) -> str:
    if not answer.folded:
        return ""
    small = "".join(
        f'<div class="frame" title="{escape(printable(each.id, 200))}">'
        f"{_image(lambda each=each: _picture(each, index), UNDER_SIDE)}</div>"  # type: ignore[misc]
        for each in answer.folded[:6]
    )
    more = f"and {len(answer.folded) - 6} more" if len(answer.folded) > 6 else ""
    return f'<div class="under">{small}{more}</div>'


def _picture(answer: Answer, index: Index) -> Picture:
    return index.pictures.of(Hit(answer.id, answer.similarity, answer.source, answer.tags, answer.data))


def _image(picture: Callable[[], Picture], side: int) -> str:
    try:
        jpeg = small_jpeg(picture(), side)
    except LookalikeError:
        return '<span class="gone">cannot be read</span>'
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
