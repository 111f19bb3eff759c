"""The structure that an index searches by: opened where it is sound, built where it is not, sealed once it is built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.index.hashing import Hashing
from lookalike.index.named import STRUCTURE
from lookalike.index.sealed import Sealed, seal, sound
from lookalike.index.structures import Choice, Structure

if TYPE_CHECKING:
    from lookalike.index.base import Space
    from lookalike.index.held import Held


def opened(
    folder: Path, space: Space, head: Mapping[str, Any], *, growing: bool
) -> tuple[Structure | Hashing | None, str]:
    """The structure in ``folder`` that belongs to an index with this head; else None, and why not.

    Nothing is said where there is none, as in a small index. ``growing`` is for whoever will add to it.
    """
    while True:
        sealed, why = sound(folder)
        if sealed is None:
            return None, why
        if _overtaken(sealed, head, growing=growing):
            return None, ""
        if not _belongs(sealed, space, head):
            return None, "it belongs to another index, or to another state of this one"
        about = sealed.about
        choice = Choice(about["kind"], about["why"], about["components"])
        try:
            made = _class(choice).load(choice, space, folder / sealed.file, growing=growing)
            break
        except (RuntimeError, ValueError, OSError) as error:
            if (folder / sealed.file).exists():  # else a writer sealed another one and swept this one away
                return None, f"it cannot be loaded ({' '.join(str(error)[-100:].split())})"
    return (made, "") if len(made) == about["count"] else (None, "it holds another number of vectors")


def _overtaken(sealed: Sealed, head: Mapping[str, Any], *, growing: bool) -> bool:
    """No damage: older than the last moving together or, for a reader, newer than what that reader sees."""
    about = sealed.about
    try:
        if about["uid"] != head["uid"]:
            return False
        return bool(about["epoch"] < head["epoch"] or (not growing and about["count"] > head["next"]))
    except (KeyError, TypeError):
        return False


def _belongs(sealed: Sealed, space: Space, head: Mapping[str, Any]) -> bool:
    about = sealed.about
    try:
        told = (about["uid"], about["epoch"], about["space"])
        return told == (head["uid"], head["epoch"], space.to_dict()) and 0 <= about["count"] <= head["next"]
    except (KeyError, TypeError):
        return False


def built(
    choice: Choice, folder: Path, space: Space, head: Mapping[str, Any], held: Held, old: Structure | Hashing | None
) -> Structure | Hashing:
    """A structure over all rows, sealed; ``old`` is extended where it is of the same kind and can be."""
    if isinstance(old, Structure) and old.choice == choice:
        made: Structure | Hashing = old
        for _, rows in held.blocks(len(old)):
            old.add(rows)
    else:
        made = _class(choice).build(choice, space, held.end, lambda: (rows for _, rows in held.blocks()))
    about = {
        "uid": head["uid"],
        "epoch": head["epoch"],
        "space": space.to_dict(),
        "count": len(made),
        "kind": choice.kind,
        "why": choice.why,
        "components": choice.components,
    }
    seal(folder, STRUCTURE, about, made.write)
    return made


def _class(choice: Choice) -> type[Structure] | type[Hashing]:
    return Hashing if choice.kind == "hashing" else Structure
