"""Pictures of which somebody has said what they show."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lookalike.errors import SourceNotFound, SourceUnreadable, UsageError, printable


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture and what is known of it; a text is empty where nothing is known.

    Attributes:
        path: where it is; or an address.
        product: what exactly it shows. Two pictures of one product are a positive pair.
        category: what kind of thing that is.
        split: the part that the makers of the set put it in: ``"train"``, ``"test"``, ``"query"`` …
        view: from where, or what was done to it: ``"front"``, ``"jpegqual/10"`` …
        colour: of the product.
    """

    path: str
    product: str = ""
    category: str = ""
    split: str = ""
    view: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Collection:
    """Labelled pictures.

    Attributes:
        layout: how they were laid out, a name of :data:`lookalike.lab.datasets.read.LAYOUTS`.
        root: the folder or file they were read from.
        pictures: in the order of their paths.
        copies: pictures of one "product" are copies of one picture, not several pictures of one thing.
        notices: what a person should know, a line each.
    """

    layout: str
    root: str
    pictures: tuple[LabelledPicture, ...]
    copies: bool = False
    notices: tuple[str, ...] = ()

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that it names, in the order of the alphabet."""
        return tuple(sorted({picture.split for picture in self.pictures if picture.split}))

    def part(self, *splits: str) -> Collection:
        """The pictures of these splits.

        Raises:
            UsageError: no split of that name.
        """
        for split in splits:
            if split not in self.splits:
                has = f"it has {', '.join(self.splits)}" if self.splits else "it names none"
                raise UsageError(f"{printable(self.root)} has no split {printable(split)!r}", remedy=has)
        return replace(self, pictures=tuple(picture for picture in self.pictures if picture.split in splits))


def collected(
    layout: str, root: str | os.PathLike[str], pictures: Iterable[LabelledPicture], *, copies: bool = False
) -> Collection:
    """The pictures that are there, each once; those that are not are counted.

    Raises:
        SourceNotFound: none is there.
    """
    listed = {picture.path: picture for picture in pictures}
    there = [picture for path, picture in sorted(listed.items()) if "://" in path or os.path.exists(path)]
    missing = len(listed) - len(there)
    if not there:
        first = f", such as {printable(next(iter(listed)))}" if listed else ""
        raise SourceNotFound(
            f"none of the {missing} pictures of this set is there{first}"
            if listed
            else "no picture here belongs to a product",
            source=os.fspath(root),
            remedy="unpack the pictures beside their lists"
            if listed
            else "a folder for each product, or a table, is read",
        )
    notices = (f"{missing} of {len(listed)} pictures of the lists are not there",) if missing else ()
    return Collection(layout, os.fspath(root), tuple(there), copies, notices)


def lines_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and words of every line of a text file that is not blank.

    Raises:
        SourceNotFound, SourceUnreadable: it is not there, or no text.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.split()
    except FileNotFoundError as error:
        raise SourceNotFound("there is no such file", source=str(path), remedy="check the path") from error
    except (OSError, ValueError) as error:
        raise SourceUnreadable(f"not a list of pictures: {error}", source=str(path)) from error


def broken(path: Path, number: int, why: str) -> SourceUnreadable:
    """The error of a line."""
    return SourceUnreadable(f"line {number}: {why}", source=str(path), remedy="mend or remove that line")


def words(path: Path, number: int, line: Sequence[str], columns: Sequence[str]) -> list[str]:
    """``line`` where it has just these columns.

    Raises:
        SourceUnreadable: it has more or fewer.
    """
    if len(line) != len(columns):
        raise broken(path, number, f"{len(line)} columns, not {len(columns)} ({', '.join(columns)})")
    return list(line)
