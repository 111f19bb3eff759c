"""The command line: options in, a verb of the library, words out. Nothing is decided here."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lookalike.errors import LookalikeError, OutputError, UsageError, printable

if TYPE_CHECKING:
    from lookalike.scoring.presets import Preset


class _Commands(TyperGroup):
    """The commands; a picture where a command belongs gets told what was probably meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and _may_be_a_picture(name):
            meant = " ".join(["lookalike compare", *args[:2]])
            raise UsageError(f"there is no command {printable(name)!r}", remedy=f"did you mean `{printable(meant)}`?")
        return super().resolve_command(ctx, args)


def _may_be_a_picture(name: str) -> bool:
    return any(mark in name for mark in "./\\") or os.path.exists(name)


app = typer.Typer(
    cls=_Commands,
    name="lookalike",
    help="How alike two pictures are, as a number from 0 to 1 that means something.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lookalike {version('lookalike')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """How alike two pictures are, as a number from 0 to 1 that means something."""


@app.command()
def compare(
    a: Annotated[str | None, typer.Argument(help="A picture: a file or an http(s) URL.", show_default=False)] = None,
    b: Annotated[str | None, typer.Argument(help="The other picture.", show_default=False)] = None,
    preset: Annotated[str, typer.Option("--preset", "-p", help="How to score; see `lookalike presets`.")] = "auto",
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="Score by one method alone; see `lookalike methods`.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option("--weight", help="Replace a weight of the preset: NAME=NUMBER.", metavar="N=X")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option("--threshold", help="Replace a threshold of the preset: NAME=NUMBER.", metavar="N=X"),
    ] = None,
    preset_file: Annotated[
        str | None, typer.Option("--preset-file", help="A TOML file with presets of your own.")
    ] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=32, max=1024, help="Input side of the embedding: 224, or 128 for speed.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Embedding model: a name of `lookalike models` or an ONNX file.")
    ] = None,
    trim: Annotated[
        bool, typer.Option("--trim", help="Take uniform margins off first; the default preset does not need it.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option("--explain", help="Also draw the reasons: a .png or an .html file.")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option("--pairs", help="Compare every pair in this CSV, TSV, JSONL or Parquet file.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="With --pairs: where the scores go (.csv .tsv .jsonl .parquet).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, errors too.")] = False,
    parts: Annotated[bool, typer.Option("--parts", help="Also list every similarity behind the score.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the score alone; no progress.")] = False,
    max_bytes: Annotated[int, typer.Option(min=1, help="Largest file, in bytes.")] = 20 * 2**20,
    max_pixels: Annotated[int, typer.Option(min=1, help="Most pixels of a picture.")] = 50_000_000,
    max_side: Annotated[int, typer.Option(min=1, help="Most pixels on a side.")] = 30_000,
    max_scans: Annotated[int, typer.Option(min=1, help="Most scans of a progressive JPEG.")] = 100,
    connect_seconds: Annotated[float, typer.Option(min=0.1, help="URLs: longest time to connect.")] = 3.0,
    total_seconds: Annotated[float, typer.Option(min=0.1, help="URLs: longest time in all.")] = 10.0,
    max_redirects: Annotated[int, typer.Option(min=0, help="URLs: most redirects.")] = 3,
    allow_private_hosts: Annotated[
        bool, typer.Option("--allow-private-hosts", help="Also fetch URLs of private and loopback addresses.")
    ] = False,
) -> None:
    """Tell how alike two pictures are, or every pair in a file."""
    from lookalike.images.limits import Limits

    limits = Limits(
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        max_side=max_side,
        max_scans=max_scans,
        connect_seconds=connect_seconds,
        total_seconds=total_seconds,
        max_redirects=max_redirects,
        allow_private_hosts=allow_private_hosts,
    )
    _refuse_idle(a, b, pairs=pairs, out=out, explain=explain, as_json=as_json, parts=parts, quiet=quiet)
    if method is not None and preset_file is not None:
        raise UsageError("a single method has no preset", remedy="leave out --method or --preset-file")
    chosen = _preset(preset, preset_file)
    request: dict[str, Any] = {
        "preset": chosen if method is None else preset,
        "method": method,
        "weights": _numbers("--weight", weight),
        "thresholds": _numbers("--threshold", threshold),
        "options": _embedding_options(size, model),
        "limits": limits,
        "trim": trim,
    }
    _refuse_idle_embedding(request)
    if pairs is not None:
        from lookalike.console import compare_table

        compare_table(pairs, out, request, as_json=as_json, quiet=quiet)
        return
    assert a is not None
    assert b is not None
    from lookalike.api import compare as compare_pictures
    from lookalike.console import show

    result = compare_pictures(a, b, explain=explain, **request)
    show(result, as_json=as_json, parts=parts, quiet=quiet)
    if explain is not None and not quiet:
        typer.echo(f"reasons drawn to {printable(explain)}", err=True)


@app.command()
def methods(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the methods that --method takes."""
    from lookalike.listing import list_methods

    list_methods(as_json=as_json)


@app.command()
def presets(
    preset_file: Annotated[
        str | None, typer.Option("--preset-file", help="A TOML file with presets of your own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the presets that --preset takes, with their weights and thresholds."""
    from lookalike.listing import list_presets

    list_presets(preset_file, as_json=as_json)


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the networks that ship with the package."""
    from lookalike.listing import list_models

    list_models(as_json=as_json)


def _refuse_idle(
    a: str | None,
    b: str | None,
    *,
    pairs: str | None,
    out: str | None,
    explain: str | None,
    as_json: bool,
    parts: bool,
    quiet: bool,
) -> None:
    """Refuse what would silently do nothing."""
    if pairs is not None:
        if a is not None or explain is not None:
            raise UsageError("--pairs takes its pictures from the file", remedy="leave out A, B and --explain")
        if parts and out is None:
            raise UsageError("--parts shows one pair", remedy="--out scores.csv gets a column for every part")
        if parts:
            raise UsageError("--parts shows one pair", remedy="leave it out: --out gets every part anyway")
        return
    if a is None or b is None:
        raise UsageError("two pictures are needed", remedy="lookalike compare A B")
    if out is not None:
        raise UsageError("--out goes with --pairs", remedy="use --explain for a picture of the reasons")
    if parts and quiet and not as_json:
        raise UsageError("--quiet prints the score alone", remedy="leave out --parts or --quiet")


def _refuse_idle_embedding(request: dict[str, Any]) -> None:
    from lookalike.console import parts_of
    from lookalike.features.base import REGISTRY

    method = request["method"]
    if not request["options"] or "embedding" in parts_of(request) or (method is not None and method not in REGISTRY):
        return  # an unknown method has an error of its own
    chosen = f"method {method!r}" if method is not None else f"preset {request['preset'].name!r}"
    raise UsageError(f"--size and --model are for the embedding, which {chosen} does not use", remedy="leave them out")


def _preset(name: str, file: str | None) -> Preset:
    from lookalike.scoring.presets import preset as find
    from lookalike.scoring.presets import read_presets

    own = read_presets(file) if file is not None else {}
    found = find(name, own)
    if file is not None and name not in own:
        raise UsageError(
            f"{printable(file)} has no preset {name!r}", remedy=f"choose one of it with --preset: {', '.join(own)}"
        )
    return found


def _numbers(option: str, entries: list[str] | None) -> dict[str, float]:
    numbers = {}
    for entry in entries or []:
        name, equals, value = entry.partition("=")
        try:
            numbers[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(f"{option} {entry!r} is no NAME=NUMBER", remedy=f"for example {option} phash=0.7")
    return numbers


def _embedding_options(size: int | None, model: str | None) -> dict[str, dict[str, Any]]:
    chosen = {name: value for name, value in (("size", size), ("model", model)) if value is not None}
    return {"embedding": chosen} if chosen else {}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; every error is one line."""
    from lookalike.console import accept_any_encoding, quiet_libraries, report

    arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    as_json = "--json" in arguments
    accept_any_encoding()
    quiet_libraries()
    try:
        code = app(arguments, standalone_mode=False)
    except LookalikeError as error:
        report(error, as_json=as_json)
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("stopped", err=True)
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as error:  # our own files have errors of ours by now: this is the terminal or what stands for it
        report(OutputError(f"cannot write the output: {error.strerror}"), as_json=False)
        code = OutputError.exit_code
    except Exception as error:
        if not hasattr(error, "format_message"):  # Typer's own complaints about options; anything else is a bug of ours
            raise
        report(UsageError(error.format_message().rstrip(".")), as_json=as_json)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
