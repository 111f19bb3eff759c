"""What `lookalike index` shows, and lists of ids it is given."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lookalike.commands.failure_file import write_failures
from lookalike.console import plural, remark, show_failures, size
from lookalike.errors import LookalikeError, SourceNotFound, SourceUnreadable, UsageError, printable
from lookalike.files import check_place
from lookalike.images.load import is_url

if TYPE_CHECKING:
    from lookalike.catalogue.catalogue import Index
    from lookalike.catalogue.filling import Filled
    from lookalike.index.base import IndexInfo

TAGS_SHOWN = 12


def ids_in(listed: str | None, file: str | None) -> list[str]:
    """Ids of a list parted by commas, or of a file with one on every line; each once.

    Raises:
        SourceNotFound, SourceUnreadable: the file cannot be read.
    """
    if listed is not None:
        found = [each.strip() for each in listed.split(",")]
    elif file == "-":
        found = [line.strip() for line in sys.stdin]
    else:
        assert file is not None
        try:
            found = [line.strip() for line in Path(file).read_text(encoding="utf-8-sig").splitlines()]
        except FileNotFoundError as error:
            raise SourceNotFound("there is no such file", source=file, remedy="check the path") from error
        except (OSError, ValueError) as error:
            raise SourceUnreadable(f"no list of ids: {error}", source=file) from error
    return list(dict.fromkeys(each for each in found if each))


def missing_in(index: Index) -> list[str]:
    """Ids of the items whose file is gone; of addresses nothing is asked."""
    return [
        item.id for item in index.items() if item.source and not is_url(item.source) and not os.path.exists(item.source)
    ]


def check_failures_file(file: str) -> None:
    """Refuse, before any work, a file that failures cannot be written to.

    Raises:
        UsageError, OutputError: another suffix; no such folder.
    """
    if Path(file).suffix.lower() not in (".txt", ".jsonl"):
        raise UsageError(f"failures cannot be written to {printable(file)!r}", remedy="use .txt or .jsonl")
    check_place(Path(file))


def show_filled(
    done: Filled, about: IndexInfo, failures: str | None, seconds: float, *, as_json: bool, quiet: bool
) -> None:
    """What became of the entries."""
    if failures is not None:
        write_failures(done.failures, failures)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "added": done.added,
                    "updated": done.updated,
                    "unchanged": done.unchanged,
                    "pruned": done.pruned,
                    "gone": done.gone,
                    "notices": list(done.notices),
                    "failures": [asdict(failure) for failure in done.failures],
                    "index": about.to_dict(),
                    "seconds": seconds,
                }
            )
        )
        return
    if quiet:
        return
    for notice in (*done.notices, *about.notices):
        remark(f"note: {printable(notice, 500)}")
    show_failures(done.failures, "could not be used", more="" if failures else "; all with --failures failures.txt")
    if done.gone:
        remark(f"{plural(done.gone, 'item')} of a file that is gone; `lookalike index remove --missing` takes them out")
    if not about.count:
        return
    parts = [f"{done.added:,} added"]
    parts += [f"{done.updated:,} updated"] if done.updated else []
    parts += [f"{done.unchanged:,} unchanged"] if done.unchanged else []
    parts += [f"{done.pruned:,} removed"] if done.pruned else []
    typer.echo(
        f"{', '.join(parts)}; {plural(about.count, 'item')} in {printable(about.place)} "
        f"({about.kind}: {about.why}; {size(about.bytes)}), {seconds:.1f} s"
    )


def show_info(about: IndexInfo, recipe: Mapping[str, Any], tags: Mapping[str, int], *, as_json: bool) -> None:
    """What an index says of itself."""
    if as_json:
        typer.echo(json.dumps({**about.to_dict(), "recipe": dict(recipe), "tags": dict(tags)}))
        return
    for notice in about.notices:
        remark(f"note: {printable(notice, 500)}")
    options = ", ".join(f"{name} {value}" for name, value in recipe["options"].items())
    bits = "bits" if about.space.metric == "hamming" else "numbers"
    shown = [f"{printable(tag, 40)} {count:,}" for tag, count in list(tags.items())[:TAGS_SHOWN]]
    rows = {
        "items": f"{about.count:,}",
        "place": f"{printable(about.place)}{f' ({size(about.bytes)})' if about.bytes else ''}",
        "vectors": f"{recipe['method']}{f' ({options})' if options else ''}, {about.space.dimension:,} {bits}",
        "search": f"{about.engine}, {about.kind}: {about.why}",
        "tags": (", ".join(shown) + " …" * (len(tags) > TAGS_SHOWN)) if shown else "none",
    }
    if about.details.get("components"):
        rows["search"] += f"; by {about.details['components']} principal components"
    if about.details.get("slots_of_removed"):
        rows["removed"] = f"{about.details['slots_of_removed']:,} still take room until there are more"
    for name, words in rows.items():
        typer.echo(f"{name:<8} {words}")


def show_names(*, as_json: bool) -> None:
    """Every index that has a name."""
    from lookalike.catalogue import places

    rows: list[dict[str, Any]] = []
    for name in places.names():
        try:
            with places.opened(name, writing=False) as index:
                about = index.info()
            rows.append({"name": name, "count": about.count, "kind": about.kind, "bytes": about.bytes})
        except LookalikeError as error:
            rows.append({"name": name, "error": str(error)})
    if as_json:
        typer.echo(json.dumps(rows))
        return
    if not rows:
        remark("there is no index yet; make one with `lookalike index build FOLDER --name NAME`")
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        what = (
            f"error: {printable(row['error'])}"
            if "error" in row
            else f"{plural(row['count'], 'item')}, {row['kind']}, {size(row['bytes'])}"
        )
        typer.echo(f"{row['name']:<{width}}  {what}")
