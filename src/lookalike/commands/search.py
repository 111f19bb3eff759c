"""lookalike search: what in an index is like a picture."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.commands.limited import limited
from lookalike.commands.options import (
    AsJson,
    CalibrationFile,
    NoStore,
    PresetFile,
    PresetName,
    Quiet,
    StoreFile,
    chosen_preset,
    read_calibration,
    refuse_beside_calibration,
    store_of,
)
from lookalike.commands.places import Name, Place, Token, place_of
from lookalike.errors import UsageError, printable
from lookalike.images.limits import Limits

if TYPE_CHECKING:
    from lookalike.catalogue.answers import Answers
    from lookalike.catalogue.query import Query

Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only what has this tag; several: all of them.")]


@limited(urls=True)
def search(
    like: Annotated[
        list[str] | None,
        typer.Argument(help="Pictures (files or URLs), or words.", show_default=False, metavar="QUERY"),
    ] = None,
    name: Name = None,
    index: Place = None,
    top: Annotated[int, typer.Option("--top", "-k", help="Answers at most.")] = 10,
    tag: Tags = None,
    any_tag: Annotated[list[str] | None, typer.Option("--any-tag", help="Only what has one of these.")] = None,
    not_tag: Annotated[list[str] | None, typer.Option("--not-tag", help="Nothing that has this tag.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="NAME=VALUE", help="Only what has this in its data; also != < <= > >=."),
    ] = None,
    tags: Annotated[str | None, typer.Option("--tags", help="Rather what has these, parted by commas.")] = None,
    tag_weight: Annotated[
        float | None, typer.Option("--tag-weight", help="How much of the order tags make, 0 to 1.", show_default="0.3")
    ] = None,
    item: Annotated[list[str] | None, typer.Option("--id", help="Like this item of the index; repeatable.")] = None,
    unlike: Annotated[
        list[str] | None, typer.Option("--unlike", metavar="PICTURE", help="Less like this picture; repeatable.")
    ] = None,
    unlike_id: Annotated[list[str] | None, typer.Option("--unlike-id", help="Less like this item; repeatable.")] = None,
    combine: Annotated[
        str, typer.Option("--combine", metavar="mean|best", help="Several pictures: like all of them, or any of them.")
    ] = "mean",
    crop: Annotated[
        str | None,
        typer.Option("--crop", metavar="X,Y,W,H", help="The part that is meant, in pixels or in shares of 0 to 1."),
    ] = None,
    rerank: Annotated[
        int | None,
        typer.Option("--rerank", help="Candidates to compare as pictures; 0 for speed.", show_default="20 or more"),
    ] = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Compare every candidate as closely as the likeliest.")
    ] = False,
    preset: PresetName = None,
    preset_file: PresetFile = None,
    calibration: CalibrationFile = None,
    least: Annotated[float, typer.Option("--least", help="Least score of an answer, 0 to 1.")] = 0.0,
    fold: Annotated[bool, typer.Option("--fold", help="Put near-duplicates of an answer under it.")] = False,
    facets: Annotated[bool, typer.Option("--facets", help="Also count the tags of all that pass.")] = False,
    show: Annotated[
        str | None, typer.Option("--show", metavar="FILE", help="A contact sheet of the answers: .html.")
    ] = None,
    store: StoreFile = None,
    no_store: NoStore = False,
    token: Token = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    limits: Limits,
) -> None:
    """Find what in an index is like a picture."""
    from lookalike.catalogue.query import Query
    from lookalike.commands.answers_shown import check_sheet, show_answers
    from lookalike.index.conditions import read_condition
    from lookalike.index.items import Filter

    started = time.monotonic()
    if calibration is not None:
        refuse_beside_calibration(preset=preset is not None, preset_file=preset_file)
    pictures, text = _told(like or [])
    conditions = tuple(map(read_condition, where or ()))
    query = Query(
        like=tuple(pictures),
        unlike=tuple(unlike or ()),
        ids=tuple(item or ()),
        unlike_ids=tuple(unlike_id or ()),
        text=text,
        crop=_box(crop),
        combine=combine,  # type: ignore[arg-type]
        only=Filter(
            tuple(tag or ()),
            tuple(any_tag or ()),
            tuple(not_tag or ()),
            conditions=conditions,
        ),
        tags=tuple(each.strip() for each in (tags or "").split(",") if each.strip()),
        tag_weight=tag_weight,
        top=top,
        rerank=rerank,
        thorough=thorough,
        least=least,
        fold=fold,
    )
    if show is not None:
        check_sheet(show)
    way: dict[str, Any] = (
        {"preset": chosen_preset(preset, preset_file)}
        if calibration is None
        else {"calibration": read_calibration(calibration)}
    )
    opening = {"limits": limits, "token": token, "store": store_of(store, no_store)}
    found = _found(place_of(name, index), query, opening, facets, quiet=quiet or as_json, show=show, **way)
    names = list(dict.fromkeys(condition.name for condition in conditions))
    show_answers(found, time.monotonic() - started, as_json=as_json, quiet=quiet, facets=facets, names=names)
    if show is not None and not quiet:
        typer.echo(f"contact sheet written to {printable(show)}; open it in a browser", err=True)


def _found(
    place: str, query: Query, where: dict[str, Any], facets: bool, *, quiet: bool, show: str | None, **way: Any
) -> Answers:
    from lookalike.catalogue.catalogue import Index
    from lookalike.progress import Progress

    with Progress(quiet=quiet) as progress, Index.open(place, **where) as opened:
        found = opened.search(query=query, progress=progress.tell, facets=facets, **way)
        if show is not None:
            from lookalike.results.contact_sheet import write_sheet

            write_sheet(found, show, opened, query, progress=progress.tell)
    return found


def _told(given: list[str]) -> tuple[list[str], str]:
    """Pictures, and words: what is no file, no address, and has no name of one."""
    import os

    from lookalike.images.load import is_url
    from lookalike.images.scan import SUFFIXES

    known = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}

    def is_words(text: str) -> bool:
        named = os.path.splitext(text)[1].lower() in known or "/" in text or "\\" in text
        return not (os.path.exists(text) or is_url(text) or named)

    words = [text for text in given if is_words(text)]
    return [text for text in given if text not in words], " ".join(words)


def _box(given: str | None) -> tuple[float, float, float, float] | None:
    if given is None:
        return None
    try:
        left, top, width, height = (float(part) for part in given.replace(" ", "").split(","))
    except ValueError:
        raise UsageError(
            f"--crop {given!r} is no part of a picture", remedy="for example --crop 0.25,0,0.5,1"
        ) from None
    return left, top, width, height
