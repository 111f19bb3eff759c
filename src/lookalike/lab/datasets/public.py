"""Public sets as they come: Stanford Online Products, In-shop Clothes Retrieval, Copydays, DISC21."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from lookalike.errors import SourceNotFound
from lookalike.images.scan import scan
from lookalike.lab.datasets.pictures import Collection, LabelledPicture, broken, collected, lines_of, words
from lookalike.lab.datasets.splits import components

SOP_LISTS = {"train": "Ebay_train.txt", "test": "Ebay_test.txt"}
INSHOP_LIST = "list_eval_partition.txt"
COPYDAYS_ORIGINALS = "original"
DISC_LIST = re.compile(r"(?P<split>.*?)_?(queries_)?ground_?truth.*\.csv", re.IGNORECASE)
"""What a ground truth is called: ``dev_queries_groundtruth.csv``, ``public_ground_truth.csv``, ``val_groundtruth…``."""


def read_sop(root: Path) -> Collection:
    """Stanford Online Products (H. O. Song et al., "Deep Metric Learning via Lifted Structured Feature Embedding").

    ``Ebay_train.txt`` and ``Ebay_test.txt`` have a header, ``image_id class_id super_class_id path``, and a line for
    each picture, parted by spaces; the first folder of the path, ``bicycle_final``, names the super-class. So
    TensorFlow Datasets reads it (``stanford_online_products.py``).

    Raises:
        SourceNotFound: neither list is there, or no picture.
        SourceUnreadable: a line is broken; the message has its number.
    """
    lists = {split: root / name for split, name in SOP_LISTS.items() if (root / name).is_file()}
    if not lists:
        raise _no_list(root, " or ".join(SOP_LISTS.values()))
    return collected("sop", root, (picture for split, path in lists.items() for picture in _sop(root, path, split)))


def _sop(root: Path, path: Path, split: str) -> Iterator[LabelledPicture]:
    columns = ("image_id", "class_id", "super_class_id", "path")
    for number, line in lines_of(path):
        _, product, super_class, place = words(path, number, line, columns)
        if number == 1 and product == "class_id":
            continue
        if not (product.isdecimal() and super_class.isdecimal()):
            raise broken(path, number, f"class_id and super_class_id are numbers, not {product!r} and {super_class!r}")
        first, slash, _ = place.partition("/")
        category = first.removesuffix("_final") if slash else super_class
        yield LabelledPicture(os.path.join(root, place), product, category, split)


def read_inshop(root: Path) -> Collection:
    """In-shop Clothes Retrieval of DeepFashion (Z. Liu et al., CVPR 2016), with ``list_eval_partition.txt``.

    The list lies in ``Eval/`` or at the top: first the number of pictures, then ``image_name item_id
    evaluation_status``, then a line for each picture, whose status is train, query or gallery (the README of the set).
    Pictures, ``img/WOMEN/Dresses/id_00000002/02_1_front.jpg``, lie in ``Img/`` or at the top; their folders name the
    category, the file's name ends with the view.

    Raises:
        SourceNotFound: the list is not there, or no picture.
        SourceUnreadable: a line is broken, or there are not as many as the first line says.
    """
    path = next((place for place in (root / "Eval" / INSHOP_LIST, root / INSHOP_LIST) if place.is_file()), None)
    if path is None:
        raise _no_list(root, f"Eval/{INSHOP_LIST}")
    above = root / "Img" if (root / "Img").is_dir() else root
    return collected("inshop", root, list(_inshop(above, path)))


def _inshop(root: Path, path: Path) -> Iterator[LabelledPicture]:
    columns = ("image_name", "item_id", "evaluation_status")
    lines = lines_of(path)
    number, first = next(lines, (1, [""]))
    if len(first) != 1 or not first[0].isdecimal():
        raise broken(path, number, "it should hold the number of pictures, and nothing else")
    seen = 0
    for number, line in lines:
        place, product, status = words(path, number, line, columns)
        if (place, product, status) == columns:
            continue
        if status not in ("train", "query", "gallery"):
            raise broken(path, number, f"the status is train, query or gallery, not {status!r}")
        folders = place.split("/")[1:-2]  # between img/ and the product
        view = Path(place).stem.split("_")[-1]
        yield LabelledPicture(os.path.join(root, place), product, "/".join(folders), status, view)
        seen += 1
    if seen != int(first[0]):
        raise broken(path, 1, f"it promises {first[0]} pictures, and there are {seen}")


def read_copydays(root: Path) -> Collection:
    """INRIA Copydays (M. Douze et al., "Evaluation of GIST descriptors for web-scale image search", 2009).

    ``original/``, ``strong/``, ``jpegqual/3`` to ``75`` and ``crops/10`` to ``80`` hold files called ``200000.jpg``:
    the first four digits tell which original it is a copy of, the folder what was done (so reads it
    ``eval_copy_detection.py`` of facebookresearch/dino). Copies of one original are one "product".

    Raises:
        SourceNotFound: there is no ``original/``, or no picture in it.
    """
    if not (root / COPYDAYS_ORIGINALS).is_dir():
        raise _no_list(root, f"{COPYDAYS_ORIGINALS}/")
    pictures = []
    for found in scan(root).files:
        view, name = os.path.split(os.path.relpath(found.path, root))
        if re.match(r"\d{4}", name) and view.split(os.sep)[0] in (COPYDAYS_ORIGINALS, "strong", "jpegqual", "crops"):
            pictures.append(LabelledPicture(found.path, name[:4], view=view.replace(os.sep, "/")))
    return collected("copydays", root, pictures, copies=True)


def read_disc21(root: Path) -> Collection:
    """DISC21 (M. Douze et al., "The 2021 Image Similarity Dataset and Challenge", 2021).

    A ground truth (``dev_queries_groundtruth.csv``, ``public_ground_truth.csv`` …) has a line ``Q00003,R326040`` for
    each query, with or without the header ``query_id,reference_id``; a query that is a copy of nothing has no
    reference (so reads it ``isc/io.py`` of facebookresearch/isc2021). Pictures, ``Q00003.jpg``, lie in folders of any
    name, one or two levels below; references that no query is a copy of are left out. A reference and its copies are
    one "product".

    Raises:
        SourceNotFound: there is no ground truth, or no picture.
        SourceUnreadable: a line is broken; the message has its number.
    """
    lists = sorted(path for path in root.glob("*.csv") if DISC_LIST.fullmatch(path.name))
    if not lists:
        raise _no_list(root, "…ground_truth.csv")
    rows = [row for path in lists for row in _disc_rows(path)]
    together = components([(query, reference) for query, reference, _ in rows if reference])
    folders = [root, *sorted(path for depth in ("*", "*/*") for path in root.glob(depth) if path.is_dir())]
    last: dict[str, Path] = {}  # most of one letter lie in one folder of millions, which nobody wants to list

    def picture(name: str, split: str, view: str) -> LabelledPicture:
        places = [last.get(name[0], root), *folders]
        folder = next((place for place in places if (place / f"{name}.jpg").is_file()), None)
        if folder is not None:
            last[name[0]] = folder
        path = (folder or root) / f"{name}.jpg"
        return LabelledPicture(str(path), together.get(name, name), split=split, view=view)

    queries = [picture(query, split, "query") for query, _, split in rows]
    references = {reference: split for _, reference, split in rows if reference}
    found = [*queries, *(picture(name, split, "reference") for name, split in references.items())]
    return collected("disc21", root, found, copies=True)


def _disc_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Query, reference (empty where there is none) and split of every line."""
    match = DISC_LIST.fullmatch(path.name)
    split = match["split"] if match else ""
    for number, line in lines_of(path):
        row = [cell.strip() for cell in " ".join(line).split(",")]
        query, reference = words(path, number, row, ("query_id", "reference_id"))
        if number == 1 and query == "query_id":
            continue
        if not re.fullmatch(r"\w+", query) or not re.fullmatch(r"\w*", reference):
            raise broken(path, number, f"{query!r} and {reference!r} name no query and reference")
        yield query, reference, split


def _no_list(root: Path, name: str) -> SourceNotFound:
    return SourceNotFound(f"there is no {name} in it", source=str(root), remedy="name the folder that holds it")
