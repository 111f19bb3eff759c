"""A folder of photos with planted edits, to measure grouping on.

    python benchmarks/group_photos.py /tmp/photos                    # 8,000 distinct pictures and 2,000 edited copies
    python benchmarks/group_photos.py /tmp/photos --seed 1 --count 1000 --edits 200

writes JPEG files of 128 px to ``pictures/``, whose names tell nothing, and beside it ``truth.csv`` (edit, base, kind)
and ``pictures.csv`` (what is known about every picture). The distinct pictures are photos, parts of photos that overlap
no other, and cut-out objects laid on such parts. Every base is edited once, every edit is about equally frequent.
A picture that another is pasted into is in the folder in no other form.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data import Labelled, folder_or_leave
from group_edits import PASTED, PHOTO_EDITS, is_flat, jpeg, planted
from group_sources import Scene, cutouts, photos, scenes
from group_truth import PICTURES, Made, names, write
from PIL import Image

Distinct = tuple[Image.Image, Made]


def composite(cutout: Labelled, scene: Scene, image: Image.Image, chance: random.Random) -> Distinct:
    """A cut-out object at 60 to 90 % of the largest size that fits on ``image``, anywhere on it."""
    with Image.open(cutout.path) as file:
        thing = file.convert("RGBA")
    thing = thing.crop(thing.getchannel("A").getbbox())
    scale = chance.uniform(0.6, 0.9) * min(image.width / thing.width, image.height / thing.height)
    thing = thing.resize((max(1, round(thing.width * scale)), max(1, round(thing.height * scale))))
    page = image.copy()
    place = chance.randint(0, page.width - thing.width), chance.randint(0, page.height - thing.height)
    page.paste(thing, place, thing)
    return page, Made("", "", "", "composite", cutout.name, kin=";".join((cutout.name, *scene.kin)))


def distinct(root: Path, count: int, spare: int, chance: random.Random) -> Iterator[Distinct]:
    """``count`` distinct pictures at full size, and up to ``spare`` more."""
    pool = photos(root)
    objects = iter(cutouts(root))
    # A few parts are too flat to be worth showing.
    for scene in scenes(pool, round(1.08 * (count + spare)), chance):
        image = scene.open()
        if scene.part and is_flat(image):
            continue
        cutout = next(objects, None) if scene.photo.of in {"clothing", "grocery"} and chance.random() < 0.1 else None
        if cutout is not None:
            yield composite(cutout, scene, image, chance)
        else:
            yield image, Made("", "", "", scene.photo.of, scene.photo.name, scene.part, kin=";".join(scene.kin))


def make(root: Path, folder: Path, *, count: int, edits: int, side: int, seed: int) -> list[Made]:
    """Write the folder; see the module's text."""
    chance = random.Random(seed)
    (folder / PICTURES).mkdir(parents=True)
    files = names(count, chance)
    kinds = (list(PHOTO_EDITS) * (edits // len(PHOTO_EDITS) + 1))[:edits]
    chance.shuffle(kinds)
    # Which of the distinct pictures are edited, and how.
    to_edit = dict(zip(chance.sample(range(count - edits), edits), kinds, strict=True))
    made: list[Made] = []

    def keep(data: bytes, picture: Made) -> None:
        (folder / PICTURES / picture.file).write_bytes(data)
        made.append(picture)

    stream = distinct(root, count - edits, kinds.count(PASTED), chance)
    for number in range(count - edits):
        image, what = _next(stream, number)
        base = what.named(next(files))
        keep(jpeg(image, side), base)
        if kind := to_edit.get(number):
            host, other = _next(stream, number) if kind == PASTED else (None, None)
            data = planted(kind, image, chance, side, host)
            keep(data, base.edited(next(files), kind, other.kin if other else ""))
    write(folder, made)
    return made


def _next(stream: Iterator[Distinct], so_far: int) -> Distinct:
    found = next(stream, None)
    if found is None:
        raise SystemExit(f"the pictures are used up after {so_far}: ask for fewer (--count, --edits)")
    return found


def main() -> None:
    """Make the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to; must not exist")
    parser.add_argument("--count", type=int, default=10_000, help="pictures in all")
    parser.add_argument("--edits", type=int, default=2_000, help="how many of them are edited copies")
    parser.add_argument("--side", type=int, default=128, help="longer side, in pixels")
    parser.add_argument("--seed", type=int, default=0, help="another one makes another folder")
    asked = parser.parse_args()
    if asked.edits > asked.count - asked.edits:
        parser.error("every edited copy needs a base of its own: at most half of the pictures can be edits")
    started = time.perf_counter()
    made = make(folder_or_leave(), asked.folder, count=asked.count, edits=asked.edits, side=asked.side, seed=asked.seed)
    print(f"{len(made)} pictures in {asked.folder / PICTURES}, {time.perf_counter() - started:.0f} s")
    print("distinct:", dict(Counter(f"{m.of}, part" if m.part else m.of for m in made if not m.kind)))
    print("edits:", dict(Counter(m.kind for m in made if m.kind)))


if __name__ == "__main__":
    main()
