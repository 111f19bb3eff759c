"""Distinct pictures for a made folder: whole photos, and parts of photos that overlap no other.

There are about 3,500 photos that certainly differ; a folder of 8,000 takes two to four parts of most of them. A photo
and a part of it are never both there.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import edits
from data import Labelled, read
from PIL import Image

_OTHERS = {
    "opencv-samples": "Blender_Suzanne1.jpg HappyFish.jpg LinuxLogo.jpg WindowsLogo.jpg aero1.jpg aloeL.jpg apple.jpg "
    "baboon.jpg basketball1.png blox.jpg board.jpg box_in_scene.png building.jpg butterfly.jpg cards.png "
    "chicky_512.png ela_original.jpg fruits.jpg graf1.png home.jpg left.jpg leuvenA.jpg licenseplate_motion.jpg "
    "messi5.jpg ml.png orange.jpg pic1.png pic2.png pic3.png pic5.png rubberwhale1.png smarties.png squirrel_cls.jpg "
    "starry_night.jpg sudoku.png",
    "exif-orientation": "Landscape_1.jpg Portrait_1.jpg",
    "pdq/bridge-mods": "aaa-orig.jpg",
    "pdq/misc-images": "c.png",
    "pdq/reg-test-input/labelme-subset": "q0122.jpg q0291.jpg q0746.jpg",
}
"""One picture of each scene in the folders that are there for other tests."""

_TWINS = ("construction/dumper_mirror.png", "gift-card-virtual-custom.jpg")
"""Pictures that are copies of others."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo, or a part of it.

    Attributes:
        photo: where from.
        box: left, top, right, bottom as shares of width and height.
    """

    photo: Labelled
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)

    @property
    def part(self) -> str:
        """The box in per cent, for the tables; empty for all of it."""
        return "" if self.box == (0, 0, 1, 1) else " ".join(f"{100 * side:.0f}" for side in self.box)

    @property
    def kin(self) -> tuple[str, ...]:
        """What it may share with other pictures."""
        return (self.photo.name, *kin(self.photo))

    def open(self) -> Image.Image:
        """Its pixels at full size, RGB."""
        whole = edits.opened(self.photo.path)
        left, top, right, bottom = self.box
        sides = (left * whole.width, top * whole.height, right * whole.width, bottom * whole.height)
        x0, y0, x1, y1 = (round(side) for side in sides)
        return whole if self.box == (0, 0, 1, 1) else whole.crop((x0, y0, x1, y1))


def kin(photo: Labelled) -> tuple[str, ...]:
    """What a photo may share with others of its set: one sender often took one garment twice, frames of one shelf
    follow each other, a product is seen from several sides."""
    if photo.of == "clothing":
        return (f"sender {photo.sender}",)
    if photo.of == "grocery":
        return (f"shelf {photo.category}",)
    return (f"product {photo.product}",) if photo.product else ()


def photos(root: Path) -> list[Labelled]:
    """All photos but cut-outs that certainly are not one another: of a product in several colours only the first."""
    found = read(root, "clothing") + read(root, "grocery")
    shots: dict[tuple[str, str], Labelled] = {}
    for photo in read(root, "magento") + read(root, "shop-demo"):
        shots.setdefault((photo.product, photo.view if photo.colour else photo.name), photo)
    others = [
        Labelled(root / part / name, f"{part}/{name}", "other")
        for part, names in _OTHERS.items()
        for name in names.split()
    ]
    found += [*shots.values(), *(photo for photo in others if photo.path.is_file())]
    return [photo for photo in found if not photo.name.endswith(_TWINS)]


def cutouts(root: Path) -> list[Labelled]:
    """Objects with true alpha, each once."""
    return [photo for photo in read(root, "tuxpaint") if not photo.name.endswith(_TWINS)]


def scenes(pool: Sequence[Labelled], count: int, chance: random.Random) -> Iterator[Scene]:
    """About ``count`` scenes in random order, rather more than fewer: as few photos cut into parts as will do."""
    pool = chance.sample(list(pool), len(pool))
    parts = dict.fromkeys((photo.name for photo in pool), 1)
    missing = count - len(pool)
    for photo in pool:
        if missing > 0 and _divisible(photo):
            more = chance.choice((1, 2, 3, 3, 3, 3))  # mostly quarters, so that many photos stay whole
            parts[photo.name] += more
            missing -= more
    made = [scene for photo in pool for scene in _divided(photo, parts[photo.name], chance)]
    chance.shuffle(made)
    return iter(made)


def _divisible(photo: Labelled) -> bool:
    """Whether its parts show something: those of a product shot on white are strips of nothing."""
    return photo.of in {"clothing", "grocery", "other"} and "/iconic" not in photo.name


def _divided(photo: Labelled, count: int, chance: random.Random) -> Iterable[Scene]:
    """One to four parts side by side: halves first, then one half or both once more the other way."""
    if count == 1:
        return [Scene(photo)]
    with Image.open(photo.path) as file:
        tall = file.height > file.width  # a turned file is cut the other way round, which is as good
    cut = chance.uniform(0.4, 0.6)
    boxes: list[tuple[float, float, float, float]] = []
    for number, (start, end) in enumerate(((0.0, cut), (cut, 1.0))):
        across = chance.uniform(0.4, 0.6)
        halved = number < count - 2
        for left, right in ((0.0, across), (across, 1.0)) if halved else ((0.0, 1.0),):
            boxes.append((left, start, right, end) if tall else (start, left, end, right))
    return [Scene(photo, box) for box in boxes]
