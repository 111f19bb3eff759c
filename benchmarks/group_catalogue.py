"""A folder of catalogue-like product pictures on white with planted edits, to measure grouping on.

    python benchmarks/group_catalogue.py /tmp/catalogue
    python benchmarks/group_catalogue.py /tmp/catalogue --seed 1 --cosines       # counts the pairs that look alike

writes JPEG files of 128 px to ``pictures/``, and beside it ``truth.csv`` and ``pictures.csv`` as group_photos.py does.
Objects cut out of catalogue shots are shown in several colours, textures and poses, and some two by two; a few dozen
garments in a hundred of them, which crowds the embedding as a real catalogue does. No two pictures of an object share
both its colour and its texture: each is another product, or the same in another colour. So many colours crowd; some
are shades that may pass for each other, which group_score.py counts apart. With ``--colours 36 --bestsellers 133``
hardly any two do, and less than half as many pairs look alike to the embedding.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from data import folder_or_leave
from group_edits import CATALOGUE_EDITS, jpeg, planted
from group_looks import OWN, PLAIN, TEXTURES, coloured, palette, posed, textured
from group_shots import SIDE, Pixels, Shot, shots
from group_truth import PICTURES, Made, names, write
from PIL import Image

SETS_OF_TWO = 0.03
"""Share of the pictures that show two objects side by side."""

REPOSED = 0.2
"""Share of the pictures in a pose of their own; the others are framed as one studio does, with next to no freedom."""

TEXTURED = 2
"""Looks of an object in each texture."""

OTHERS = 3
"""Looks of every object that is not among the best-selling ones."""


STUDIO = ("main", "back", "alone")
"""Views that show a whole garment."""

Product = tuple[Image.Image, Made]


def looks(colours: Sequence[str], chance: random.Random) -> list[tuple[str, str]]:
    """Colours and textures in random order, none twice: every colour plain, and every texture in a few colours."""
    plain = [(colour, PLAIN) for colour in (OWN, *colours)]
    bold = [(colour, texture) for texture in TEXTURES for colour in chance.sample(sorted(colours), TEXTURED)]
    return chance.sample(plain + bold, len(plain) + len(bold))


def dressed(shot: Shot, look: tuple[str, str], chance: random.Random) -> Pixels:
    """The object in another colour and texture."""
    return textured(coloured(shot.pixels, shot.alpha, look[0]), shot.alpha, look[1], chance)


def frame_of(alpha: Pixels) -> tuple[int, int]:
    """Width and height of the picture: 3:4 for what is tall, square otherwise."""
    return (SIDE * 3 // 4, SIDE) if alpha.shape[0] > 1.15 * alpha.shape[1] else (SIDE, SIDE)


def products(
    pool: Sequence[Shot], bestsellers: int, colours: Sequence[str], count: int, chance: random.Random
) -> Iterator[Product]:
    """``count`` product pictures: garments that sell best in as many looks as it takes, all else in a few."""
    garments = [shot for shot in pool if shot.photo.group in {"top", "bottom"} and shot.photo.view in STUDIO]
    best = {shot.photo.name for shot in chance.sample(garments, min(bestsellers, len(garments)))}
    few, many, spare = [], [], []
    for shot in pool:
        of_it = [(shot, look) for look in looks(colours, chance)]
        if shot.photo.name in best:
            many += of_it
        else:
            few += of_it[:OTHERS]
            spare += of_it[OTHERS:]
    many = chance.sample(many, len(many))
    for shot, look in (few + many + spare[:: len(spare) // count + 1])[:count]:
        freedom = 1.0 if chance.random() < REPOSED else 0.1
        if chance.random() < SETS_OF_TWO:
            yield _two(shot, chance.choice(pool), look, freedom, chance)
        else:
            yield _one(shot, look, freedom, chance)


def _one(shot: Shot, look: tuple[str, str], freedom: float, chance: random.Random) -> Product:
    image = posed(dressed(shot, look, chance), shot.alpha, frame_of(shot.alpha), freedom, chance)
    what = Made("", "", "", shot.photo.of, shot.photo.name, "", *look, pose=pose(freedom), kin=";".join(shot.kin))
    return Image.fromarray(image), what


def pose(freedom: float) -> str:
    """How the tables call it."""
    return "studio" if freedom < 1 else "free"


def _two(a: Shot, b: Shot, look: tuple[str, str], freedom: float, chance: random.Random) -> Product:
    """Two objects side by side, each on its half, both in one look."""
    half = (SIDE // 2, SIDE * 3 // 4)
    image = np.hstack([posed(dressed(shot, look, chance), shot.alpha, half, freedom, chance) for shot in (a, b)])
    origin = f"{a.photo.name} + {b.photo.name}"
    kin = ";".join((*a.kin, *b.kin))
    return Image.fromarray(image), Made("", "", "", "set of two", origin, "", *look, pose=pose(freedom), kin=kin)


def make(
    root: Path, folder: Path, *, count: int, edits: int, side: int, bestsellers: int, colours: int, seed: int
) -> list[Made]:
    """Write the folder; see the module's text."""
    chance = random.Random(seed)
    (folder / PICTURES).mkdir(parents=True)
    pool = list(shots(root))
    files = names(count, chance)
    kinds = (list(CATALOGUE_EDITS) * (edits // len(CATALOGUE_EDITS) + 1))[:edits]
    chance.shuffle(kinds)
    to_edit = dict(zip(chance.sample(range(count - edits), edits), kinds, strict=True))
    made: list[Made] = []

    def keep(data: bytes, picture: Made) -> None:
        (folder / PICTURES / picture.file).write_bytes(data)
        made.append(picture)

    for number, (image, what) in enumerate(products(pool, bestsellers, palette(colours), count - edits, chance)):
        base = what.named(next(files))
        keep(jpeg(image, side), base)
        if kind := to_edit.get(number):
            keep(planted(kind, image, chance, side), base.edited(next(files), kind))
    if len(made) < count:
        raise SystemExit(f"no more than {len(made)} pictures can be made: ask for fewer, or for more --bestsellers")
    write(folder, made)
    return made


def cosines(folder: Path, limits: Sequence[float]) -> dict[float, int]:
    """How many pairs of pictures have an embedding cosine of at least so much."""
    from lookalike.features.embedding import Embedding
    from lookalike.images.load import load

    paths = sorted((folder / PICTURES).iterdir())
    embedding = Embedding(size=128)
    parts = [
        embedding.extract([load(path) for path in paths[start : start + 500]]) for start in range(0, len(paths), 500)
    ]
    vectors = np.array([vector for part in parts for vector in part])
    counts = dict.fromkeys(limits, 0)
    for start in range(0, len(vectors), 1000):
        found = vectors[start : start + 1000] @ vectors[start:].T
        found[np.tril_indices(len(found), m=found.shape[1])] = -1
        for limit in limits:
            counts[limit] += int((found >= limit).sum())
    return counts


def main() -> None:
    """Make the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to; must not exist")
    parser.add_argument("--count", type=int, default=10_000, help="pictures in all")
    parser.add_argument("--edits", type=int, default=1_530, help="how many of them are edited copies")
    parser.add_argument("--side", type=int, default=128, help="longer side, in pixels")
    parser.add_argument("--bestsellers", type=int, default=78, help="garments in all looks; the fewer, the more alike")
    parser.add_argument("--colours", type=int, default=80, help="the fewer, the less like each other: 36 all differ")
    parser.add_argument("--seed", type=int, default=0, help="another one makes another folder")
    parser.add_argument("--cosines", action="store_true", help="count the pairs that the embedding takes for alike")
    asked = parser.parse_args()
    if asked.edits > asked.count - asked.edits:
        parser.error("every edited copy needs a base of its own: at most half of the pictures can be edits")
    started = time.perf_counter()
    made = make(
        folder_or_leave(),
        asked.folder,
        count=asked.count,
        edits=asked.edits,
        side=asked.side,
        bestsellers=asked.bestsellers,
        colours=asked.colours,
        seed=asked.seed,
    )
    print(f"{len(made)} pictures in {asked.folder / PICTURES}, {time.perf_counter() - started:.0f} s")
    print(
        "products:",
        dict(Counter(m.of for m in made if not m.kind)),
        "of",
        len({m.origin for m in made if m.of != "set of two"}),
        "objects",
    )
    print("edits:", dict(Counter(m.kind for m in made if m.kind)))
    if asked.cosines:
        print("pairs by embedding cosine:", cosines(asked.folder, (0.8, 0.85, 0.9, 0.95)))


if __name__ == "__main__":
    main()
