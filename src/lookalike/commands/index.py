"""lookalike index: catalogues of pictures that can be searched."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.commands.limited import limited
from lookalike.commands.options import AsJson, EmbeddingModel, EmbeddingSize, Quiet
from lookalike.commands.places import Name, Place, Token, place_of
from lookalike.errors import UsageError, printable
from lookalike.images.limits import Limits

if TYPE_CHECKING:
    from lookalike.catalogue.catalogue import Index
    from lookalike.catalogue.entries import Columns

app = typer.Typer(rich_markup_mode=None)

Table = Annotated[
    str | None, typer.Option("--from", metavar="FILE", help="A row for each picture: .csv .tsv .jsonl .parquet.")
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="WHAT=NAME", help="Which column of --from is source, id or tags; repeatable."),
]
FolderTags = Annotated[bool, typer.Option("--folder-tags", help="The folders that pictures lie in become their tags.")]
Failures = Annotated[
    str | None, typer.Option("--failures", metavar="FILE", help="Every picture that failed: .txt or .jsonl.")
]
Workers = Annotated[int, typer.Option("--workers", help="Processes; 0 for one a core, 1 for none.")]
Recursive = Annotated[
    bool, typer.Option("--recursive/--no-recursive", help="Go into folders of folders.", show_default=False)
]
Hidden = Annotated[bool, typer.Option("--hidden", help="Take hidden files too.")]
Sources = Annotated[
    list[str] | None,
    typer.Argument(help="Folders, files, patterns, or @list.txt.", show_default=False, metavar="SOURCES"),
]


@app.callback(invoke_without_command=True)
def _index(context: typer.Context) -> None:
    """Make and look after catalogues that `lookalike search` searches."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
@limited(urls=True)
def build(
    sources: Sources = None,
    name: Name = None,
    index: Place = None,
    table: Table = None,
    column: ColumnNames = None,
    folder_tags: FolderTags = False,
    method: Annotated[
        str, typer.Option("--method", "-m", help="What makes the vectors: embedding, phash, pdq …")
    ] = "embedding",
    size: EmbeddingSize = None,
    model: EmbeddingModel = None,
    kind: Annotated[
        str,
        typer.Option("--kind", help="auto: by size; flat, int8, hnsw, ivfpq; for bits flat or hashing."),
    ] = "auto",
    pca: Annotated[int, typer.Option("--pca", min=0, help="Principal components to search by; 0 for none.")] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Begin anew where there is an index already.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove items that are no longer named.")] = False,
    recursive: Recursive = True,
    hidden: Hidden = False,
    failures: Failures = None,
    workers: Workers = 0,
    on: Annotated[
        str | None, typer.Option("--on", metavar="ADDRESS", help="Describe on a Ray cluster: ray://head:10001, local.")
    ] = None,
    parts: Annotated[
        str | None, typer.Option("--parts", metavar="DIR", help="With --on: keep what the cluster made here.")
    ] = None,
    token: Token = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    limits: Limits,
) -> None:
    """Make an index of pictures, or bring one up to date; the same command again goes on where it stopped."""
    from lookalike.catalogue import places
    from lookalike.catalogue.catalogue import Index
    from lookalike.catalogue.replacing import delete

    _refuse_nothing(sources, table)
    place = place_of(name, index, new=True)
    options = {key: value for key, value in (("size", size), ("model", model)) if value is not None}
    if options and method != "embedding":
        raise UsageError(f"--size and --model are for the embedding, not for {method!r}", remedy="leave them out")
    if parts is not None and on is None:
        raise UsageError("--parts goes with --on", remedy="leave it out: one machine needs none")
    fresh = not places.is_address(place) and not places.there(place)
    _run(
        lambda tell: Index.build(
            sources or (),
            place=place,
            table=table,
            columns=_columns(column),
            folder_tags=folder_tags,
            recursive=recursive,
            hidden=hidden,
            method=method,
            options=options,
            kind=kind,
            components=pca,
            replace=replace,
            prune=prune,
            limits=limits,
            workers=workers,
            on=on,
            parts=parts,
            token=token,
            progress=tell,
        ),
        failures,
        as_json=as_json,
        quiet=quiet,
        when_empty=(lambda: delete(place, token=token)) if fresh else None,
        kept=not replace,
    )


@app.command()
@limited(urls=True)
def add(
    sources: Sources = None,
    name: Name = None,
    index: Place = None,
    table: Table = None,
    column: ColumnNames = None,
    folder_tags: FolderTags = False,
    update: Annotated[bool, typer.Option("--update", help="Read pictures that are there again, too.")] = False,
    recursive: Recursive = True,
    hidden: Hidden = False,
    failures: Failures = None,
    workers: Workers = 0,
    token: Token = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    limits: Limits,
) -> None:
    """Add pictures to an index; those that are there already are updated where they changed."""
    from lookalike.catalogue.catalogue import Index

    _refuse_nothing(sources, table)

    def work(tell: Any) -> Index:
        opened = Index.open(place_of(name, index), writing=True, limits=limits, token=token)
        try:
            opened.filled = opened.add(
                sources or (),
                table=table,
                columns=_columns(column),
                folder_tags=folder_tags,
                update=update,
                recursive=recursive,
                hidden=hidden,
                workers=workers,
                progress=tell,
            )
        except BaseException:
            opened.close()
            raise
        return opened

    _run(work, failures, as_json=as_json, quiet=quiet)


@app.command()
def remove(
    ids: Annotated[str | None, typer.Option("--ids", help="Ids, parted by commas.")] = None,
    ids_file: Annotated[
        str | None, typer.Option("--ids-from", metavar="FILE", help="A file with an id on every line; - for stdin.")
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Items whose file is no longer there.")] = False,
    name: Name = None,
    index: Place = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and touch nothing.")] = False,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Remove items from an index; the pictures stay where they are."""
    from lookalike.catalogue.catalogue import Index
    from lookalike.commands.index_lists import ids_in, missing_in
    from lookalike.console import plural

    if sum((ids is not None, ids_file is not None, missing)) != 1:
        raise UsageError("nothing, or too much, says what to remove", remedy="give --ids, --ids-from or --missing")
    with Index.open(place_of(name, index), writing=not dry_run, token=token) as opened:
        chosen = missing_in(opened) if missing else ids_in(ids, ids_file)
        known = [each for each, item in zip(chosen, opened.get(chosen), strict=True) if item is not None]
        unknown = [each for each in chosen if each not in set(known)]
        count = len(known) if dry_run else opened.remove(known)
        left = len(opened) - (count if dry_run else 0)
    if as_json:
        typer.echo(json.dumps({"removed": count, "unknown": unknown, "left": left, "dry_run": dry_run}))
        return
    if dry_run:
        for each in known:
            typer.echo(printable(each))
    would = "would be removed" if dry_run else "removed"
    typer.echo(f"{plural(count, 'item')} {would}, {left:,} left", err=dry_run)
    if unknown:
        named = ", ".join(printable(each, 40) for each in unknown[:5])
        typer.echo(f"not in the index: {named}{' …' * (len(unknown) > 5)}", err=True)


@app.command()
def info(name: Name = None, index: Place = None, token: Token = None, as_json: AsJson = False) -> None:
    """Say what an index holds and how it searches."""
    from lookalike.catalogue.catalogue import Index
    from lookalike.commands.index_lists import show_info

    with Index.open(place_of(name, index), token=token) as opened:
        about, tags = opened.info(), opened.tags()
        recipe = opened.recipe.to_dict()
    show_info(about, recipe, tags, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the indexes that have a name."""
    from lookalike.commands.index_lists import show_names

    show_names(as_json=as_json)


@app.command()
def optimize(
    name: Name = None,
    index: Place = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Search by this from now on; auto: by size.")] = None,
    pca: Annotated[int | None, typer.Option("--pca", min=0, help="Principal components to search by.")] = None,
    token: Token = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make the structure that an index searches by anew: after damage, or of another kind."""
    from lookalike.catalogue.catalogue import Index
    from lookalike.commands.index_lists import show_info
    from lookalike.progress import Progress

    with Index.open(place_of(name, index), writing=True, token=token) as opened:
        with Progress(quiet=quiet) as progress:
            progress.tell("building", 0)
            opened.vectors.rebuild(kind, pca)
        show_info(opened.info(), opened.recipe.to_dict(), opened.tags(), as_json=as_json)


@app.command()
def delete(
    name: Name = None,
    index: Place = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    token: Token = None,
) -> None:
    """Delete an index; the pictures stay where they are."""
    from lookalike.catalogue.replacing import delete as remove_all

    if name is None and index is None:
        raise UsageError("which index is to be deleted is not said", remedy="give --name or --index")
    place = place_of(name, index)
    if not yes:
        typer.confirm(f"Delete the index {printable(place)}?", abort=True, err=True)
    remove_all(place, token=token)
    typer.echo(f"deleted {printable(place)}; the pictures are where they were", err=True)


def _refuse_nothing(sources: Sequence[str] | None, table: str | None) -> None:
    if not sources and table is None:
        raise UsageError("no pictures are named", remedy="name a folder, or a table with --from")


def _columns(given: Sequence[str] | None) -> Columns:
    from lookalike.catalogue.entries import Columns

    chosen: dict[str, list[str]] = {}
    for entry in given or ():
        what, equals, column = entry.partition("=")
        if not equals or what not in ("source", "id", "tags") or not column:
            raise UsageError(f"--column {entry!r} says nothing", remedy="for example --column source=image_link")
        chosen.setdefault(what, []).append(column)
    for what in ("source", "id"):
        if len(chosen.get(what, ())) > 1:
            raise UsageError(f"--column {what}= was given twice", remedy="leave one out")
    return Columns(
        source=next(iter(chosen.get("source", ())), None),
        id=next(iter(chosen.get("id", ())), None),
        tags=tuple(chosen.get("tags", ())),
    )


def _run(
    work: Callable[[Any], Index],
    failures: str | None,
    *,
    as_json: bool,
    quiet: bool,
    when_empty: Callable[[], None] | None = None,
    kept: bool = True,
) -> None:
    """Fill an index, and say what came of it.

    ``when_empty`` takes away one that was made for nothing; ``kept`` says whether Ctrl-C leaves what was done.
    """
    from lookalike.commands.index_lists import check_failures_file, show_filled
    from lookalike.console import resumable
    from lookalike.progress import Progress

    started = time.monotonic()
    if failures is not None:
        check_failures_file(failures)
    with (
        resumable(kept=kept, lost="the index is as it was"),
        Progress(quiet=quiet or as_json) as progress,
        work(progress.tell) as opened,
    ):
        done, about = opened.filled, opened.info()
    assert done is not None
    show_filled(done, about, failures, time.monotonic() - started, as_json=as_json, quiet=quiet)
    if not about.count:
        if when_empty is not None:
            when_empty()
        raise done.nothing()
