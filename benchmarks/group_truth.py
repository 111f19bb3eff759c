"""What is known about every picture of a made folder, and from that about every pair of them.

``pictures.csv`` has a row for every picture, ``truth.csv`` one for every planted pair; both lie beside the folder of
pictures, not in it.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from group_looks import distance

PICTURES = "pictures"
"""Name of the folder of pictures inside a made folder."""

LIKE = 35.0
"""Distance in CIELAB below which a cloth dyed in one colour may pass for one dyed in the other, in other light."""

ASPECTS = ("part", "colour", "texture", "pose")


@dataclass(frozen=True, slots=True)
class Made:
    """One picture of a made folder.

    Attributes:
        file: its name.
        kind: the edit that was done to ``base``; empty for a picture in its own right.
        base: name of the picture that was edited.
        of: the set that it comes from.
        origin: the photo that it was made of.
        part: which part of that photo, in per cent: left, top, right, bottom; empty for all of it.
        colour, texture, pose: what the photo's object was given; empty for its own.
        kin: what it may share with others, joined by ";": a sender, a class, a product, photos used as background.
    """

    file: str
    kind: str
    base: str
    of: str
    origin: str
    part: str = ""
    colour: str = ""
    texture: str = ""
    pose: str = ""
    kin: str = ""

    def named(self, file: str) -> Made:
        """The same under this name."""
        return replace(self, file=file)

    def edited(self, file: str, kind: str, kin: str = "") -> Made:
        """An edited copy of this picture; ``kin`` is what the edit brought in."""
        return replace(self, file=file, kind=kind, base=self.file, kin=f"{self.kin};{kin}" if kin else self.kin)


class Truth:
    """Everything known about a made folder.

    Args:
        folder: as group_photos.py or group_catalogue.py made it.
    """

    def __init__(self, folder: Path) -> None:
        with (folder / "pictures.csv").open(encoding="utf-8", newline="") as file:
            self.pictures = {row["file"]: Made(**row) for row in csv.DictReader(file)}
        self.planted = {pair(made.file, made.base): made.kind for made in self.pictures.values() if made.kind}
        self._kin = {name: frozenset(made.kin.split(";")) - {""} for name, made in self.pictures.items()}

    def relation(self, a: str, b: str) -> str:
        """What two pictures have to do with each other, by their file names.

        Returns:
            ``"planted"``; ``"same photo, other colour + pose"`` and the like, for two made of one, ``"shade"``
            where it is hardly another and ``"greyed colour"`` where an edit took it away; ``"kin"`` where they may show
            one thing (one sender, one class, one product); ``"strangers"`` where they certainly do not.
        """
        if pair(a, b) in self.planted:
            return "planted"
        first, second = self.pictures[a], self.pictures[b]
        if first.origin == second.origin:
            unlike = [name for name in ASPECTS if getattr(first, name) != getattr(second, name)]
            if unlike[:1] == ["colour"]:
                unlike[0] = _step(first, second)
            return "same photo, other " + " + ".join(unlike)
        return "kin" if self._kin[a] & self._kin[b] else "strangers"


def _step(first: Made, second: Made) -> str:
    """How far apart the colours of two pictures of one object are."""
    if "grey" in {first.kind, second.kind}:
        return "greyed colour"
    return "shade" if distance(first.colour, second.colour) < LIKE else "colour"


def pair(a: str, b: str) -> tuple[str, str]:
    """Both names in order: the same for a, b and b, a."""
    return (a, b) if a < b else (b, a)


def names(count: int, chance: random.Random) -> Iterator[str]:
    """``count`` file names in random order, so that neither a name nor its place in a list tells anything."""
    numbers = chance.sample(range(1, count + 1), count)
    return (f"{number:0{len(str(count))}d}.jpg" for number in numbers)


def write(folder: Path, pictures: Sequence[Made]) -> None:
    """Write ``pictures.csv`` and ``truth.csv``."""
    ordered = sorted(pictures, key=lambda made: made.file)
    head = [field.name for field in fields(Made)]
    _csv(folder / "pictures.csv", head, ([getattr(made, name) for name in head] for made in ordered))
    planted = ([made.file, made.base, made.kind] for made in ordered if made.kind)
    _csv(folder / "truth.csv", ["edit", "base", "kind"], planted)


def _csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
