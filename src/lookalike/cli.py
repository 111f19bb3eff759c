"""The command line: its commands, and how it ends."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lookalike.commands.calibrate import calibrate
from lookalike.commands.compare import compare
from lookalike.commands.decide import decide
from lookalike.commands.edits import edits
from lookalike.commands.evaluate import evaluate
from lookalike.commands.group import group
from lookalike.commands.index import app as index
from lookalike.commands.lists import methods, models, presets
from lookalike.commands.plans import apply, undo
from lookalike.commands.sample import sample
from lookalike.commands.search import search
from lookalike.commands.store import app as store
from lookalike.commands.train import train
from lookalike.errors import LookalikeError, OutputError, UsageError, printable


class _Commands(TyperGroup):
    """The commands; a picture where a command belongs gets told what was probably meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and _may_be_a_picture(name):
            meant = " ".join(["lookalike group" if os.path.isdir(name) else "lookalike compare", *args[:2]])
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


for command in (
    compare,
    group,
    search,
    methods,
    presets,
    models,
    apply,
    undo,
    decide,
    evaluate,
    calibrate,
    edits,
    sample,
    train,
):
    app.command()(command)
app.add_typer(index, name="index")
app.add_typer(store, name="store")


def _wants_json(arguments: list[str]) -> bool:
    """Whether errors are to be JSON on stdout; to `group` it is a file, unless that is stdout."""
    if arguments[0] == "group":
        return "--json=-" in arguments or ("--json", "-") in pairwise(arguments)
    return "--json" in arguments


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; every error is one line."""
    from lookalike.console import accept_any_encoding, quiet_libraries, report

    arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    as_json = _wants_json(arguments)
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
