"""What a picture may cost, as options of every command that reads pictures."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, TypeAlias

import typer

from lookalike.images.limits import Limits

Command: TypeAlias = Callable[..., None]

_OF_FILES: dict[str, Any] = {
    "max_bytes": Annotated[int, typer.Option(min=1, help="Largest file, in bytes.")],
    "max_pixels": Annotated[int, typer.Option(min=1, help="Most pixels of a picture.")],
    "max_side": Annotated[int, typer.Option(min=1, help="Most pixels on a side.")],
    "max_scans": Annotated[int, typer.Option(min=1, help="Most scans of a progressive JPEG.")],
}

_OF_URLS: dict[str, Any] = {
    "connect_seconds": Annotated[float, typer.Option(min=0.1, help="URLs: longest time to connect.")],
    "total_seconds": Annotated[float, typer.Option(min=0.1, help="URLs: longest time in all.")],
    "max_redirects": Annotated[int, typer.Option(min=0, help="URLs: most redirects.")],
    "allow_private_hosts": Annotated[
        bool, typer.Option("--allow-private-hosts", help="Also fetch URLs of private and loopback addresses.")
    ],
}

_DEFAULTS = {field.name: field.default for field in fields(Limits)}


def limited(*, urls: bool) -> Callable[[Command], Command]:
    """Give a command the options of :class:`~lookalike.images.limits.Limits`; it takes them as its ``limits``.

    Args:
        urls: whether it reads URLs, too.
    """
    options = {**_OF_FILES, **(_OF_URLS if urls else {})}

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            limits = Limits(**{name: given.pop(name) for name in options})
            command(**given, limits=limits)

        # The command line is made from the signature, as it is written and with the types themselves.
        spaces = getattr(command, "__globals__", {})
        own = [
            parameter.replace(annotation=eval(parameter.annotation, spaces))
            for name, parameter in inspect.signature(command).parameters.items()
            if name != "limits"
        ]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS[name], annotation=kind)
            for name, kind in options.items()
        ]
        run.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *more)}
        return run

    return decorate
