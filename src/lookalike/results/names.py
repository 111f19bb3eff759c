"""File names that every platform takes, and that differ on every platform."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 255
"""Bytes of UTF-8 that a name may have: the limit of most Linux file systems. Windows and macOS allow no fewer."""

_SUFFIX = 20
"""Bytes of a suffix that are worth keeping when a name is cut."""

# Control characters, half characters of undecodable names, what Windows forbids, and marks that turn text around, with
# which a name can be made to look like another.
_FORBIDDEN = re.compile(
    '[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff<>:"/\\\\|?*\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]'
)
# Windows gives these to devices, in any folder, in any case, whatever suffix follows.
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)


def safe_name(name: str, *, limit: int = LONGEST) -> str:
    """``name`` as a file or folder can be called on Linux, macOS and Windows alike: one component, never hidden.

    What is forbidden becomes ``_``; dots and spaces at the end go; a name that Windows reserves, or that begins with a
    dot, gets a ``_`` before it; what is longer than ``limit`` bytes of UTF-8 is cut before its suffix. A safe name
    stays as it is.

    >>> safe_name("shot: 1/2.jpg"), safe_name("nul.jpg"), safe_name(".."), safe_name("CV. "), safe_name(".trash")
    ('shot_ 1_2.jpg', '_nul.jpg', '_', 'CV', '_.trash')
    """
    safe = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    safe = _cut(_trimmed(safe) or "_", "", limit)
    return _cut(f"_{safe}", "", limit) if safe.startswith(".") or _RESERVED.match(safe) else safe


def folded(name: str) -> str:
    """The same for two names that some file system takes for one: in case, in accents composed or not, in nothing seen.

    It may also be the same for names that no file system confuses (``ß`` and ``SS``).

    >>> folded("É.JPG") == folded("e\\u0301.jpg")
    True
    """
    decomposed = unicodedata.normalize("NFD", name)
    seen = "".join(character for character in decomposed if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", seen.upper()).casefold())


class Names:
    """The names in one folder: each is safe, and no two are one on any file system.

    Which of two equal names stays as it is depends on the order in which they are asked for, and on nothing else.

    >>> names = Names()
    >>> [names.take(name) for name in ("a.jpg", "A.JPG", "a.jpg")], names.take("a.jpg", hint="summer")
    (['a.jpg', 'A (2).JPG', 'a (3).jpg'], 'a (summer).jpg')
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}  # so that 10,000 equal names are not tried 10,000 times each

    def take(self, name: str, *, hint: str = "") -> str:
        """A free name like ``name``: that itself, or with ``hint`` or a number before its suffix."""
        safe = safe_name(name)
        if self._free(safe):
            return safe
        word = _trimmed(_FORBIDDEN.sub("_", unicodedata.normalize("NFC", hint)))
        word = word.encode()[:60].decode("utf-8", "ignore").strip()
        if word and self._free(hinted := _cut(safe, f" ({word})", LONGEST)):
            return hinted
        # names that are cut to one are counted as one
        key = folded(_cut(safe, f" ({word} {10**9})", LONGEST))
        number = self._next.get(key, 1)
        while True:
            number += 1
            numbered = _cut(safe, f" ({word} {number})" if word else f" ({number})", LONGEST)
            if self._free(numbered):
                self._next[key] = number
                return numbered

    def _free(self, name: str) -> bool:
        key = folded(name)
        if key in self._taken:
            return False
        self._taken.add(key)
        return True


def _trimmed(name: str) -> str:
    return name.strip(" ").rstrip(". ")


def _cut(name: str, mark: str, limit: int) -> str:
    """``name`` with ``mark`` before its suffix, cut between characters so that all fits into ``limit`` bytes."""
    dot = name.rfind(".")
    stem, suffix = (name[:dot], name[dot:]) if dot > 0 and len(name[dot:].encode()) <= _SUFFIX else (name, "")
    room = limit - len((mark + suffix).encode())
    short = stem.encode()[:room].decode("utf-8", "ignore")
    return (short if short == stem else _trimmed(short) or "_") + mark + suffix
