from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.explain.lettering import fitting, font, width, wrapped, write
from lookalike.explain.palette import VERDICTS
from lookalike.explain.story import shortened


def ink(text: str, size: int = 24) -> np.ndarray:  # type: ignore[type-arg]
    image = Image.new("RGB", (200, 60), "white")
    write(image, (20, 40), text, size, "#000000")
    return 255 - np.asarray(image)[..., 0].astype(int)


BOX = "\U0010fffd"  # no font has it: what is drawn instead is the open box


@pytest.mark.parametrize("sign", "éèêëñõåžőçąÉÜØßłæ×–—−→°…·“”’")
def test_signs_the_font_lacks_are_drawn_not_boxed(sign: str) -> None:
    drawn = ink(sign)
    assert drawn.max() > 100
    assert not np.array_equal(drawn, ink(BOX))


@pytest.mark.parametrize(("accented", "plain"), [("é", "e"), ("Ü", "U"), ("ñ", "n"), ("ç", "c"), ("ž", "z")])
def test_accents_are_added_to_the_letter(accented: str, plain: str) -> None:
    more, less = ink(accented), ink(plain)
    assert width(accented, 24) == width(plain, 24)
    assert (more >= less - 1).all()
    added = np.flatnonzero((more > less + 100).any(axis=1))
    letter = np.flatnonzero((less > 100).any(axis=1))
    assert added.size
    assert added.max() <= letter.min() or (accented == "ç" and added.max() > letter.max())


def test_two_spellings_of_one_accent_look_alike() -> None:
    assert np.array_equal(ink("e\u0301"), ink("\u00e9"))


def test_letters_of_other_scripts_become_boxes_not_errors() -> None:
    assert ink("日本").max() > 100
    assert width("", 16) == 0


def test_right_aligned_text_ends_where_it_should() -> None:
    image = Image.new("RGB", (200, 40), "white")
    write(image, (150, 30), "0.94", 20, "#000000", right=True)
    columns = np.flatnonzero((np.asarray(image)[..., 0] < 128).any(axis=0))
    assert 140 <= columns.max() <= 150


def test_digits_are_of_one_width() -> None:
    assert len({font(16).getlength(digit) for digit in "0123456789"}) == 1


def test_long_text_is_shortened_in_the_middle_to_fit() -> None:
    made = fitting("a-very-long-name-" * 20 + "front.jpg", 16, 300)
    assert width(made, 16) <= 300
    assert made.startswith("a-very")
    assert made.endswith("front.jpg")
    assert fitting("short.jpg", 16, 300) == "short.jpg"
    assert shortened("abcdefgh", 5) == "ab…gh"


def test_reasons_are_wrapped_at_spaces() -> None:
    lines = wrapped("mirrored, cropped to about 60 %, 212 matching points " + "x" * 300, 19, 250)
    assert len(lines) > 2
    assert all(width(line, 19) <= 250 for line in lines)


@pytest.mark.parametrize("colour", sorted(set(VERDICTS.values())))
def test_white_words_on_every_verdict_are_readable(colour: str) -> None:
    """Contrast by WCAG 2.2: at least 4.5 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    assert 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05) >= 4.5
