"""Everything that can go wrong, as one tree.

::

    LookalikeError                 exit 1   HTTP 500   anything below
    ├── UsageError                 exit 2   HTTP 400   the request itself makes no sense
    │   ├── DuplicateId            exit 2   HTTP 409   an id that an index holds already
    │   ├── UnknownMethod          exit 2   HTTP 400
    │   └── UnknownPreset          exit 2   HTTP 400
    ├── PictureError               exit 3   HTTP 422   one picture cannot be used; carries .source
    │   ├── SourceNotFound         exit 4   HTTP 404   no such file
    │   ├── SourceUnreadable       exit 5   HTTP 422   a directory, a pipe, no permission
    │   ├── UnsupportedFormat      exit 6   HTTP 415   not a picture, or a format left out on purpose
    │   ├── DecodeFailed           exit 7   HTTP 422   looked like a picture, then broke
    │   ├── LimitExceeded          exit 8   HTTP 413   too many bytes, pixels or scans
    │   ├── InvalidArray           exit 9   HTTP 422   an array whose shape, type or range is no picture
    │   ├── PictureChanged         exit 19  HTTP 409   no longer the file that was compared
    │   └── FetchError             exit 10  HTTP 502   a URL gave nothing usable
    │       ├── BlockedURL         exit 11  HTTP 403   refused before anything was sent
    │       ├── HostNotFound       exit 12  HTTP 502   the name does not resolve
    │       ├── FetchTimeout       exit 13  HTTP 504   too slow
    │       └── HTTPStatus         exit 14  HTTP 502   the server answered 404, 500 …
    ├── MissingExtra               exit 15  HTTP 501   an optional dependency is not installed
    ├── ModelError                 exit 16  HTTP 500   a model file is missing, damaged or of another kind
    ├── OutputError                exit 17  HTTP 500   the result cannot be written
    ├── StoreError                 exit 18  HTTP 500   the store of computed features cannot be used
    ├── WorkerLost                 exit 20  HTTP 500   a process that worked on pictures ended without a word
    ├── NotBetter                  exit 21  HTTP 422   training gained nothing, so that nothing was written
    ├── IndexNotFound              exit 22  HTTP 404   there is no index of that name
    ├── IndexDamaged               exit 23  HTTP 500   an index is broken beyond mending, or of a later version
    ├── IndexLocked                exit 24  HTTP 423   another process is writing to the index
    ├── IndexMismatch              exit 25  HTTP 409   vectors of another model than those of the index
    └── IndexUnreachable           exit 26  HTTP 503   the server that holds the index does not answer

Each class carries the exit code of the command line and the status of the HTTP service. A message is one line: what
was wrong, with which picture, and what to do about it.
"""

from __future__ import annotations

from typing import Any, ClassVar


class LookalikeError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        reason: what went wrong, in words, without the name of the picture.
        remedy: what to do about it; empty where nothing can be done.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, reason: str, *, remedy: str = "") -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(reason)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (
            type(self),
            self.args,
            self.__dict__,
        )  # keyword arguments do not survive pickling by themselves

    @property
    def kind(self) -> str:
        """The class name, stable enough to switch on: ``"SourceNotFound"``."""
        return type(self).__name__

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}" if self.remedy else self.reason

    def to_dict(self) -> dict[str, str | int]:
        """The error as plain values, ready for ``json.dumps``."""
        return {"kind": self.kind, "reason": self.reason, "remedy": self.remedy, "exit_code": self.exit_code}


class UsageError(LookalikeError):
    """The request makes no sense, whatever the pictures are."""

    exit_code = 2
    http_status = 400


class UnknownMethod(UsageError):
    """No method of that name."""


class UnknownPreset(UsageError):
    """No preset of that name."""


class PictureError(LookalikeError):
    """One picture cannot be used. ``source`` says which, the way the caller named it."""

    exit_code = 3
    http_status = 422

    def __init__(self, reason: str, *, source: str, remedy: str = "") -> None:
        self.source = source
        super().__init__(reason, remedy=remedy)

    def __str__(self) -> str:
        return f"{printable(self.source)}: {super().__str__()}"

    def to_dict(self) -> dict[str, str | int]:
        return {"source": self.source, **super().to_dict()}


class SourceNotFound(PictureError):
    """There is no such file."""

    exit_code = 4
    http_status = 404


class SourceUnreadable(PictureError):
    """The path exists but is a directory, a pipe, a device, or may not be read."""

    exit_code = 5


class UnsupportedFormat(PictureError):
    """The bytes are no picture in a format that is read: text, SVG, PDF, nothing at all."""

    exit_code = 6
    http_status = 415


class DecodeFailed(PictureError):
    """The bytes begin like a picture but cannot be decoded: truncated or corrupt."""

    exit_code = 7


class LimitExceeded(PictureError):
    """The picture is larger than a limit allows; the remedy names the option that raises it."""

    exit_code = 8
    http_status = 413


class InvalidArray(PictureError):
    """An array that cannot be read as a picture: shape, dtype or value range."""

    exit_code = 9


class PictureChanged(PictureError):
    """The file is no longer the one that was compared, so what was found out about it no longer holds."""

    exit_code = 19
    http_status = 409


class FetchError(PictureError):
    """A URL gave nothing usable: connection refused or reset, too many redirects, a lying length."""

    exit_code = 10
    http_status = 502


class BlockedURL(FetchError):
    """Refused by the network rules before anything was sent there."""

    exit_code = 11
    http_status = 403


class HostNotFound(FetchError):
    """The host name does not resolve."""

    exit_code = 12


class FetchTimeout(FetchError):
    """The server took longer than the limits allow."""

    exit_code = 13
    http_status = 504


class HTTPStatus(FetchError):
    """The server answered, but not with a picture: 404, 500 and so on. ``status`` is its number."""

    exit_code = 14

    def __init__(self, reason: str, *, source: str, status: int, remedy: str = "") -> None:
        self.status = status
        super().__init__(reason, source=source, remedy=remedy)


class MissingExtra(LookalikeError):
    """Something optional is needed and not installed; the remedy is the ``pip install`` line."""

    exit_code = 15
    http_status = 501


class ModelError(LookalikeError):
    """A model file is missing, damaged, or not what its name says."""

    exit_code = 16


class OutputError(LookalikeError):
    """A result cannot be written where it was asked for."""

    exit_code = 17


class StoreError(LookalikeError):
    """The store of computed features cannot be opened, read or written: no permission, a full disk, a newer version."""

    exit_code = 18


class WorkerLost(LookalikeError):
    """A process that worked on pictures ended without a word, as where memory runs out."""

    exit_code = 20


class DuplicateId(UsageError):
    """An id that an index holds already."""

    http_status = 409

    @classmethod
    def of(cls, name: str) -> DuplicateId:
        """The error for this id."""
        return cls(
            f"the id {printable(name, 60)!r} is in the index already",
            remedy="give it another id, or replace what is there",
        )


class IndexNotFound(LookalikeError):
    """There is no index of that name; the message names near ones."""

    exit_code = 22
    http_status = 404


class IndexDamaged(LookalikeError):
    """An index is broken in a way that cannot be mended from what is left of it, or is of a later version."""

    exit_code = 23


class IndexLocked(LookalikeError):
    """Another process is writing to the index: one may write at a time, any number may read."""

    exit_code = 24
    http_status = 423


class IndexMismatch(LookalikeError):
    """Vectors of another model, metric or dimension than those of the index."""

    exit_code = 25
    http_status = 409


class IndexUnreachable(LookalikeError):
    """The server that holds the index does not answer, or refuses."""

    exit_code = 26
    http_status = 503


class NotBetter(LookalikeError):
    """What was trained is not better than what was there, on pictures it never saw, so that nothing was written."""

    exit_code = 21
    http_status = 422


def _rebuilt(kind: type[LookalikeError], arguments: tuple[Any, ...], state: dict[str, Any]) -> LookalikeError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


def printable(text: str, limit: int = 200) -> str:
    """``text`` on one line without control characters, so that a file name cannot forge output on a terminal.

    >>> printable("a\\nb\\x1b[31m.jpg")
    'a\\\\nb\\\\x1b[31m.jpg'
    """
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    safe = safe.encode("utf-8", "backslashreplace").decode()  # lone surrogates of undecodable file names
    return safe if len(safe) <= limit else f"{safe[: limit - 21]}…{safe[-20:]}"
