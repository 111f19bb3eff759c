"""The pairs that the default preset is judged on: edited copies, unlike products, look-alikes of a catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import edits
from data import SETS, Labelled, read, sample, sample_pairs

Sources = dict[str, list[Labelled]]


@dataclass(frozen=True, slots=True)
class Case:
    """One pair to compare.

    Attributes:
        kind: what the pair is an example of, such as "flip" or "across sets".
        of: the set, or "several".
        a, b: what to compare: a path, or the bytes of an edited copy.
        names: of both, as the tables name them.
    """

    kind: str
    of: str
    a: Path | bytes
    b: Path | bytes
    names: tuple[str, str]

    def swapped(self) -> Case:
        """The same pair the other way round."""
        return Case(self.kind, self.of, self.b, self.a, self.names[::-1])


def read_all(root: Path) -> Sources:
    """Every set, by name."""
    return {of: read(root, of) for of in SETS}


def identical(sources: Sources, pictures: int, seed: int) -> Iterator[Case]:
    """The same file twice, and the same pixels in another file."""
    for picture in _main_pictures(sources, pictures, seed):
        yield Case("the same file", picture.of, picture.path, picture.path.read_bytes(), (picture.name, "same bytes"))


def edited(sources: Sources, pictures: int, seed: int) -> Iterator[Case]:
    """Every edit of every sampled picture, made as it is asked for."""
    for picture in _main_pictures(sources, pictures, seed):
        image = edits.opened(picture.path)
        for name in edits.EDITS:
            made = edits.apply(name, image, picture.name, seed)
            yield Case(name, picture.of, picture.path, made, (picture.name, name))


def _main_pictures(sources: Sources, pictures: int, seed: int) -> list[Labelled]:
    chosen = []
    for of, all_of_it in sources.items():
        main = [picture for picture in all_of_it if of != "magento" or picture.view in {"main", "alone"}]
        chosen += sample(main, pictures, seed)
    return chosen


Accept = Callable[[Labelled, Labelled], bool]


def _differ(field: str) -> Accept:
    """Both have it, and it is not the same."""

    def accept(a: Labelled, b: Labelled) -> bool:
        first, second = getattr(a, field), getattr(b, field)
        return bool(first) and bool(second) and first != second

    return accept


def _world(picture: Labelled) -> str:
    """The widest class there is: sets overlap, and a shirt of one set is no stranger to a shirt of another."""
    if picture.of == "clothing" or (picture.of == "magento" and picture.category and picture.group != "gear"):
        return "garments"
    if picture.of == "magento":
        return "gear"
    if picture.of == "grocery":
        return "food"
    if picture.of == "shop-demo":
        return "garments" if "solidus" in picture.product else "devices"
    known = {"clothes": "garments", "food": "food", "plants": "food", "household": "devices"}
    return known.get(picture.group, "things")


def strangers(a: Labelled, b: Labelled) -> bool:
    """Whether two pictures of two sets show things of different kinds, by the widest idea of a kind."""
    if a.of == b.of:
        return False
    return _world(a) != _world(b) or (_differ("group")(a, b) and {a.of, b.of} == {"clothing", "magento"})


DIFFERENT: tuple[tuple[str, str, bool, Accept], ...] = (
    # what it is called, set, whether it counts towards the figure to reach, which pairs
    ("across sets", "several", True, strangers),
    ("another coarse class", "grocery", True, _differ("category")),
    ("another garment type", "magento", True, _differ("category")),
    ("another label", "clothing", True, _differ("category")),
    ("packaged against loose", "grocery", False, _differ("group")),
    ("worn elsewhere", "magento", False, _differ("group")),
    ("worn elsewhere", "clothing", False, _differ("group")),
    ("another folder", "tuxpaint", False, _differ("group")),
)
"""Different products in different categories, by several ideas of a category."""


def different(sources: Sources, pairs: int, seed: int) -> Iterator[Case]:
    """``pairs`` pairs spread over the definitions that count, and half as many for each that does not."""
    share = pairs // sum(counts for _, _, counts, _ in DIFFERENT)
    for kind, of, counts, accept in DIFFERENT:
        pool = sources.get(of) or [p for all_of_it in sources.values() for p in sample(all_of_it, 150, seed)]
        for a, b in sample_pairs(pool, accept, share if counts else share // 2, seed):
            yield _pair(kind, of, a, b)


def same_category(sources: Sources, views: Sequence[str] = ("main", "back")) -> Iterator[Case]:
    """All pairs of catalogue pictures that show different products of one garment type from one side."""
    for view in views:
        pool = [picture for picture in sources["magento"] if picture.category and picture.view == view]
        for index, a in enumerate(pool):
            for b in pool[index + 1 :]:
                if a.category == b.category and a.product != b.product:
                    yield _pair("same category", "magento", a, b)


def recoloured(sources: Sources) -> Iterator[Case]:
    """All pairs of one product in two colours, main view."""
    pool = [picture for picture in sources["magento"] if picture.category and picture.view == "main"]
    for index, a in enumerate(pool):
        for b in pool[index + 1 :]:
            if a.product == b.product and a.colour != b.colour:
                yield _pair("recoloured", "magento", a, b)


def _pair(kind: str, of: str, a: Labelled, b: Labelled) -> Case:
    return Case(kind, of, a.path, b.path, (a.name, b.name))
