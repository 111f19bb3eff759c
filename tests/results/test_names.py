"""Names that every platform takes, whatever a file was called."""

from __future__ import annotations

import ntpath
import posixpath
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lookalike.results.names import LONGEST, Names, folded, safe_name

# Microsoft, "Naming Files, Paths, and Namespaces"
DEVICES = ["CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³")]
ANY = st.text(st.characters(), max_size=300)
NASTY = st.lists(
    st.sampled_from(["a", "É", "e\u0301", "ß", ".", "..", " ", "/", "\\", "con", ".jpg", ":", "\0", "\udce9", "😀", "‮"])
).map("".join)


def is_safe(name: str) -> bool:
    return (
        0 < len(name.encode()) <= LONGEST  # encode: no half characters
        and not set(name) & set('<>:"/\\|?*')
        and all(unicodedata.category(character) != "Cc" for character in name)
        and name[-1] not in ". "
        and name[0] != "."
        and name.split(".")[0].rstrip().upper() not in DEVICES
        and posixpath.basename(name) == name == ntpath.basename(name)
        and unicodedata.is_normalized("NFC", name)
    )


@given(ANY | NASTY)
@example("CON")
@example("con .tar.gz")
@example("COM¹.jpg")
@example("é" * 200 + ".jpg")
@example("😀" * 100 + ".jpeg")
@example("a" + "." * 400)
@example("x." + "y" * 400)
@example("." * 255)
@example("NUL" + " " * 252 + "x.jpg")
@example("C:\\Windows\\system32")
def test_a_safe_name_is_safe_everywhere_and_stays(name: str) -> None:
    safe = safe_name(name)
    assert is_safe(safe), safe
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    "name", ["IMG_1.jpg", "Ärger mit 1 % (2).jpg", "console.jpg", "a..b.jpg", "日本語.png", "lpt.jpg"]
)
def test_a_harmless_name_stays(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\boot.ini", "C__boot.ini"),
        ("..", "_"),
        ("", "_"),
        ("aux.png", "_aux.png"),
        ("Com7", "_Com7"),
        ("photo.jpg. ", "photo.jpg"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("caf\udce9.jpg", "caf_.jpg"),
        ("e\u0301.jpg", "é.jpg"),
    ],
)
def test_what_becomes_of_a_bad_name(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_suffix_and_whole_characters() -> None:
    assert safe_name("a" * 300 + ".jpg") == "a" * 251 + ".jpg"
    assert safe_name("é" * 300 + ".jpg") == "é" * 125 + ".jpg"
    assert safe_name("😀" * 300 + ".jpeg") == "😀" * 62 + ".jpeg"
    assert safe_name("a" * 300, limit=40) == "a" * 40


@given(st.lists(ANY | NASTY | st.sampled_from(["x" * 255, "X" * 256 + ".jpg", "x" * 260 + ".jpg"]), max_size=30))
def test_names_in_one_folder_differ_on_every_file_system(asked: list[str]) -> None:
    names, again = Names(), Names()
    given_ = [names.take(name) for name in asked]
    assert all(is_safe(name) for name in given_)
    assert len({folded(name) for name in given_}) == len(asked)
    # as HFS+ and APFS (canonical), NTFS (one upper case) and any casefolding file system would compare them
    for form in ("NFC", "NFD"):
        for case in (str.upper, str.lower, str.casefold):
            assert len(
                {unicodedata.normalize(form, case(unicodedata.normalize(form, name))) for name in given_}
            ) == len(asked)
    assert [again.take(name) for name in asked] == given_


@given(st.lists(NASTY, max_size=8), st.lists(NASTY, min_size=8, max_size=8))
def test_hints_are_made_safe_too(asked: list[str], hints: list[str]) -> None:
    names = Names()
    given_ = [names.take(name, hint=hint) for name, hint in zip(asked, hints, strict=False)]
    assert all(is_safe(name) for name in given_)
    assert len({folded(name) for name in given_}) == len(given_)


def test_equal_names_get_the_hint_then_numbers() -> None:
    names = Names()
    assert [names.take("IMG_1.jpg", hint=hint) for hint in ("may", "june", "june", "../a")] == [
        "IMG_1.jpg",
        "IMG_1 (june).jpg",
        "IMG_1 (june 2).jpg",
        "IMG_1 (.._a).jpg",
    ]


def test_names_that_only_look_different_to_python_are_kept_apart() -> None:
    for first, second in [
        ("Foo.jpg", "foo.JPG"),
        ("é.jpg", "e\u0301.jpg"),
        ("ﬁ.jpg", "FI.jpg"),
        ("a\u200db", "ab"),
        ("ſ", "S"),
    ]:
        names = Names()
        assert folded(names.take(first)) != folded(names.take(second)), (first, second)


def test_ten_thousand_equal_names_are_no_labour() -> None:
    names = Names()
    assert [names.take("1.jpg") for _ in range(10_000)][-1] == "1 (10000).jpg"


@given(NASTY)
def test_this_file_system_takes_them(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder: Path = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    path = folder / safe_name(name)
    path.write_bytes(b"x")
    assert path.resolve().parent == folder.resolve()
    path.unlink()
