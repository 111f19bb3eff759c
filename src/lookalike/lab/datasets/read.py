"""Labelled sets of pictures, in the layouts that people keep them in → what each picture shows."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lookalike.errors import SourceNotFound, UsageError
from lookalike.lab.datasets import own, public
from lookalike.lab.datasets.pictures import Collection, LabelledPicture
from lookalike.lab.datasets.splits import split

__all__ = ["LAYOUTS", "Collection", "LabelledPicture", "Layout", "layout_of", "part_of", "read_dataset"]

SHARES = {"train": 0.8, "test": 0.2}
"""How a set that names no splits is divided, by product."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which labelled pictures are kept.

    Attributes:
        about: in a line.
        read: the folder or file → its pictures.
        fits: whether a folder or file looks like it.
    """

    about: str
    read: Callable[[Path], Collection]
    fits: Callable[[Path], bool]


LAYOUTS: Mapping[str, Layout] = {
    "csv": Layout(
        "a table with columns such as path, product, category, split",
        own.read_csv,
        lambda root: root.suffix.lower() in (".csv", ".tsv"),
    ),
    "sop": Layout(
        "Stanford Online Products: Ebay_train.txt, Ebay_test.txt",
        public.read_sop,
        lambda root: any((root / name).is_file() for name in public.SOP_LISTS.values()),
    ),
    "inshop": Layout(
        "DeepFashion In-shop: Eval/list_eval_partition.txt",
        public.read_inshop,
        lambda root: any((root / place / public.INSHOP_LIST).is_file() for place in ("Eval", ".")),
    ),
    "copydays": Layout(
        "INRIA Copydays: original/, strong/, jpegqual/, crops/",
        public.read_copydays,
        lambda root: all((root / name).is_dir() for name in (public.COPYDAYS_ORIGINALS, "strong")),
    ),
    "disc21": Layout(
        "DISC21: a ground truth of queries and references",
        public.read_disc21,
        lambda root: any(public.DISC_LIST.fullmatch(path.name) for path in root.glob("*.csv")),
    ),
    "folders": Layout(
        "a folder for each product, perhaps in one for each category", own.read_folders, lambda root: True
    ),
}
"""Every layout by name; the last one fits all folders."""


def layout_of(root: str | os.PathLike[str]) -> str:
    """The layout that a folder or file looks like."""
    return next(name for name, layout in LAYOUTS.items() if layout.fits(Path(root)))


def read_dataset(
    root: str | os.PathLike[str], layout: str | None = None, *, columns: Mapping[str, str] | None = None
) -> Collection:
    """The pictures of a labelled set.

    Args:
        root: its folder, or its table.
        layout: a name of :data:`LAYOUTS`; None to see for itself.
        columns: of a table, see :func:`lookalike.lab.datasets.own.read_csv`.

    Raises:
        SourceNotFound: the set, its lists or all of its pictures are not there.
        SourceUnreadable: a list is broken; the message has the line.
        UsageError: no such layout, or a table without the columns.

    >>> read_dataset("mugs/", "folders").splits  # doctest: +SKIP
    ('test', 'train')
    """
    if not os.path.exists(root):
        raise SourceNotFound("there is no such file or folder", source=os.fspath(root), remedy="check the path")
    name = layout_of(root) if layout is None else layout
    if name not in LAYOUTS:
        raise UsageError(f"there is no layout {name!r}", remedy=f"choose one of {', '.join(LAYOUTS)}")
    if name == "csv":
        return own.read_csv(Path(root), columns)
    if columns:
        raise UsageError(f"columns are those of a table, and this is read as {name}", remedy="leave them out")
    return LAYOUTS[name].read(Path(root))


def part_of(collection: Collection, wanted: str, seed: int = 0) -> Collection:
    """The pictures of one split; ``"test"`` of a set with queries and a gallery is both.

    A set that names no splits is divided by product, four fifths to train and one to test, and says so.

    Raises:
        UsageError: no split of that name.
    """
    if collection.splits or wanted not in SHARES:
        both = ("query", "gallery")
        return collection.part(*both if wanted == "test" and collection.splits == tuple(sorted(both)) else (wanted,))
    pictures = collection.pictures
    parts = split([p.product or p.path for p in pictures], SHARES, strata=[p.category for p in pictures], seed=seed)
    kept = tuple(picture for picture, part in zip(pictures, parts, strict=True) if part == wanted)
    said = f"the set names no splits: {wanted} is {len(kept)} of its {len(pictures)} pictures, divided by product"
    return replace(collection, pictures=kept, notices=(*collection.notices, said))
