"""What people and programs do to a picture: seeded edits, each giving the bytes of the edited file.

An edit takes the picture as a Pillow image (upright) and a random generator of its own, so that one picture with one
seed always meets the same crop and the same border. Results are saved as JPEG at quality 90, as an editor would, but
for the edits that are about the file itself.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from PIL import Image

from lookalike.errors import UsageError, printable
from lookalike.lab.edits import frame, lettering, scene, tone

Strength = Literal["light", "medium", "strong"]


@dataclass(frozen=True, slots=True)
class Saved:
    """How the edited picture becomes a file.

    Attributes:
        format: as Pillow calls it.
        suffix: of the file's name.
        quality: lowest and highest; 0 where the format has none.
        options: others, for Pillow.
    """

    format: str = "JPEG"
    suffix: str = ".jpg"
    quality: tuple[int, int] = (90, 90)
    options: tuple[tuple[str, Any], ...] = ()

    def bytes_of(self, image: Image.Image, chance: random.Random) -> bytes:
        """The bytes of the file."""
        profile = image.info.get("icc_profile") if image.mode == "RGB" else None  # an editor keeps what colours mean
        options = dict(self.options)
        low, high = self.quality
        if high:
            options["quality"] = low if low == high else chance.randint(low, high)
        file = io.BytesIO()
        image.save(file, self.format, icc_profile=profile, **options)
        return file.getvalue()


JPEG = Saved()
PNG = Saved("PNG", ".png", (0, 0), (("compress_level", 1),))


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that is done to pictures.

    Attributes:
        name: what it is called in tables.
        about: what it does, with its numbers.
        strength: how much of the picture survives: ``"light"``, nearly all; ``"medium"``, what matters; ``"strong"``.
        change: picture (RGB), generator → edited picture; with a third argument where it needs a ``host``.
        saved: as what.
        needs: ``"host"``, another picture (RGB) that it is put into; ``"cut-out"``, a picture with alpha (RGBA).
        cuts: part of the picture is gone, and that may be all there was to see.
    """

    name: str
    about: str
    strength: Strength
    change: Callable[..., Image.Image]
    saved: Saved = JPEG
    needs: Literal["", "host", "cut-out"] = ""
    cuts: bool = False

    @property
    def slug(self) -> str:
        """The name in small letters, digits and hyphens, for file names and options.

        >>> EDITS["brightness × 1.3"].slug
        'brightness-1-3'
        """
        return _slug(self.name)

    def applies(self, image: Image.Image, host: Image.Image | None = None) -> bool:
        """Whether it can be done to this picture: there is a host, or something cut out, where it needs that."""
        if self.needs == "host":
            return host is not None
        return self.needs != "cut-out" or scene.is_cutout(image)


def edited(name: str, image: Image.Image, key: str, seed: int = 0, host: Image.Image | None = None) -> bytes:
    """The edit called ``name`` (of :data:`EDITS`) done to ``image``, as the bytes of a file.

    Args:
        name: which edit.
        image: RGB, or RGBA where something is cut out; alpha is laid on white, but where the edit needs it.
        key: name or digest of the picture; with ``seed`` and ``name`` it decides every random choice.
        seed: another one, another crop.
        host: another picture, RGB, for the edits that need one.

    Raises:
        UsageError: the edit does not apply to this picture, see :meth:`Edit.applies`.

    >>> edited("flip", Image.new("RGB", (40, 30), "white"), "white")[:2].hex()  # a JPEG file
    'ffd8'
    """
    edit = EDITS[name]
    if not edit.applies(image, host):
        raise UsageError(f"the edit {name!r} needs a {edit.needs}", remedy="leave it out for this picture")
    # hash() differs from run to run; a digest does not.
    chance = random.Random(hashlib.sha256(f"{seed}/{name}/{key}".encode()).digest())
    if edit.needs != "cut-out":
        image = on_white(image)
    return edit.saved.bytes_of(edit.change(image, chance, *([host] if edit.needs == "host" else [])), chance)


def on_white(image: Image.Image) -> Image.Image:
    """``image`` as RGB, alpha laid on white; ``info`` keeps its colour profile."""
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        cutout = image.convert("RGBA")
        page = Image.new("RGBA", cutout.size, "white")
        laid = Image.alpha_composite(page, cutout).convert("RGB")
        laid.info = {key: value for key, value in image.info.items() if key == "icc_profile"}
        return laid
    return image.convert("RGB")


def chosen(names: Iterable[str] = ("all",)) -> list[Edit]:
    """The edits of these names, in the order of the table, each once.

    Args:
        names: names, or what is left of them in small letters, digits and hyphens (``"crop-to-80"``); a strength for
            all edits of it; ``"all"``.

    Raises:
        UsageError: no edit of that name.

    >>> [edit.name for edit in chosen(["light"])][:2], [edit.name for edit in chosen(["Crop to 80"])]
    (['PNG', 'WebP'], ['crop to 80 %'])
    """
    by_slug = {edit.slug: edit for edit in EDITS.values()}
    wanted: set[str] = set()
    for name in names:
        slug = _slug(name)
        if slug in by_slug:
            wanted.add(by_slug[slug].name)
        elif slug == "all" or slug in get_args(Strength):
            wanted.update(edit.name for edit in EDITS.values() if slug in ("all", edit.strength))
        else:
            near = difflib.get_close_matches(slug, by_slug, n=3, cutoff=0.5)
            meant = f"did you mean {', '.join(near)}?" if near else "`lookalike edits --list` shows them"
            raise UsageError(f"there is no edit called {printable(name)!r}", remedy=meant)
    return [edit for edit in EDITS.values() if edit.name in wanted]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _table(*edits: Edit) -> Mapping[str, Edit]:
    return {edit.name: edit for edit in edits}


EDITS: Mapping[str, Edit] = _table(
    # the file
    Edit("JPEG q10", "JPEG at quality 10", "medium", frame.untouched, Saved(quality=(10, 10))),
    Edit("JPEG q10-30", "JPEG at quality 10 to 30", "medium", frame.untouched, Saved(quality=(10, 30))),
    Edit("PNG", "PNG, the same pixels", "light", frame.untouched, PNG),
    Edit("WebP", "WebP at quality 30 to 60", "light", frame.untouched, Saved("WEBP", ".webp", (30, 60))),
    Edit("GIF", "GIF, 64 colours, dithered", "medium", tone.few_colours, Saved("GIF", ".gif", (0, 0))),
    # the size
    Edit("resize to 64", "longer side 64 pixels", "medium", frame.resize(64)),
    Edit("resize to a half", "both sides halved", "light", frame.rescale(0.5)),
    Edit("aspect", "10 to 25 % off the width or the height, squeezed", "medium", frame.squeeze),
    # the frame
    Edit("crop to 80 %", "80 % of the area, anywhere", "light", frame.crop(0.8), cuts=True),
    Edit("crop to 50 %", "half the area, anywhere", "medium", frame.crop(0.5), cuts=True),
    Edit("crop to 25 %", "a quarter of the area, anywhere", "strong", frame.crop(0.25), cuts=True),
    Edit("shift", "10 to 20 % moved out of the frame", "medium", frame.shift, cuts=True),
    Edit("flip", "left and right exchanged", "light", frame.flip),
    Edit("vertical flip", "top and bottom exchanged", "medium", frame.vertical_flip),
    Edit("90° turn", "a quarter turn either way", "medium", frame.sideways),
    Edit("quarter turn", "turned by 90, 180 or 270°", "medium", frame.quarter_turn),
    Edit("turn by 3-8°", "3 to 8° either way, corners white", "light", frame.small_turn),
    Edit("turn by 5°", "5° either way, corners white", "light", frame.turn(5)),
    Edit("turn by 30°", "30° either way, corners white", "strong", frame.turn(30)),
    Edit("white border", "10 to 20 % of the shorter side all round", "light", frame.white_border),
    # the levels
    Edit("grey", "brightness alone", "light", tone.grey),
    Edit("sepia", "the brown of an old print", "medium", tone.sepia),
    Edit("brightness × 1.3", "every level times 1.3", "light", tone.brightness(1.3)),
    Edit("brightness × 0.7", "every level times 0.7", "light", tone.brightness(0.7)),
    Edit("gamma", "middle levels lifted or lowered, exponent 0.55 to 0.75 or its inverse", "medium", tone.gamma),
    Edit("colour cast", "each channel times 0.8 to 1.2", "medium", tone.cast),
    Edit("blur 1 %", "Gaussian, sigma 1 % of the longer side", "medium", tone.blur(0.01)),
    Edit("blur 2 %", "Gaussian, sigma 2 % of the longer side", "strong", tone.blur(0.02)),
    Edit("blur", "Gaussian, sigma 1 to 2 % of the longer side", "medium", tone.some_blur),
    Edit("sharpen", "unsharp mask, 150 to 250 %", "light", tone.sharpen),
    Edit("noise", "Gaussian, 10 to 20 levels", "medium", tone.noise),
    # what is added
    Edit("text", "2 to 4 lines, each 8 to 12 % of the shorter side high", "medium", lettering.lines_of_text),
    Edit("watermark", "a line of text all over it, 25 to 40 % opaque", "medium", lettering.watermark),
    Edit("corner logo", "a disc with a letter, 14 to 22 % of the shorter side", "light", lettering.corner_logo),
    Edit("meme text", "bars above or below, 18 to 26 % high, with large letters", "medium", lettering.meme),
    Edit("screenshot", "shown on a phone or in a browser", "strong", scene.screenshot),
    Edit("pasted small", "in another picture, 30 to 50 % of its width", "strong", frame.paste, needs="host"),
    Edit("new background", "cut out, before something else", "strong", scene.new_background, needs="cut-out"),
)  # fmt: skip
"""Every edit by name."""
