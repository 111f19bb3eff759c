"""The way to a Milvus: addresses, the connection, and its errors as ours."""

from __future__ import annotations

import logging
import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from lookalike.errors import (
    IndexDamaged,
    IndexLocked,
    IndexNotFound,
    IndexUnreachable,
    LookalikeError,
    UsageError,
    printable,
)
from lookalike.files import cannot_write
from lookalike.optional import later, need

pymilvus = later("pymilvus", extra="milvus")

FRESH = "__fresh"
"""What follows the name of an index that is made to take the place of another."""

TOKEN = "LOOKALIKE_MILVUS_TOKEN"
"""Environment variable with the token, as ``user:password`` or an API key."""

PORT = 19530

FIRST = 4.0
"""Seconds to wait for a server that was not heard of yet."""

WAIT = 30.0
"""Seconds for one call, its repetitions included; pymilvus itself tries again after a lost connection."""

BUILDING = 600.0
"""Seconds for calls that a server may have to work for, such as building an index."""

TRIES = 6
"""Of one call that the server refuses for now."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_SCHEMES = {"milvus": "http", "milvus+https": "https", "milvuss": "https"}
_FORM = "write milvus://host:19530/collection, or milvus:///folder/file.db/collection"
_NOW_NOT = ("rate limit", "ratelimit", "quota", "resource_exhausted", "not ready", "unavailable", "offline")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an index lies.

    Attributes:
        uri: ``http://host:port``, ``https://host:port``, or the file of a Milvus Lite.
        collection: its name there.
        db: database of the server; empty for the default one.
    """

    uri: str
    collection: str
    db: str = ""

    @property
    def fresh(self) -> Address:
        """Where an index is made that is to take the place of this one."""
        return replace(self, collection=f"{self.collection}{FRESH}")

    @property
    def replaced(self) -> str | None:
        """The collection whose place an index here is to take; None where it is to stay."""
        return self.collection.removesuffix(FRESH) if self.collection.endswith(FRESH) else None

    @property
    def file(self) -> Path | None:
        """The file of a Milvus Lite; None for a server."""
        return None if self.uri.startswith(("http://", "https://")) else Path(self.uri)

    def __str__(self) -> str:
        if self.file is not None:
            return f"milvus://{quote(self.uri)}/{self.collection}"
        scheme, host = self.uri.split("://")
        database = f"?db={self.db}" if self.db else ""
        return f"{'milvus' if scheme == 'http' else 'milvuss'}://{host}/{self.collection}{database}"


def parse_address(address: str) -> Address:
    """The parts of ``milvus://host:19530/collection?db=name`` or ``milvus:///folder/file.db/collection``.

    ``milvuss://`` and ``milvus+https://`` ask for TLS.

    Raises:
        UsageError: it is no such address, or holds a password.

    >>> parse_address("milvuss://vectors.example/shop?db=eu")
    Address(uri='https://vectors.example:19530', collection='shop', db='eu')
    >>> parse_address("milvus:///var/lib/shop.db/photos")
    Address(uri='/var/lib/shop.db', collection='photos', db='')
    """
    if "@" in address.split("?")[0].split("://")[-1].split("/")[0]:  # said before anything of it is shown
        raise UsageError("an address with a password in it is not taken", remedy=f"put user:password into {TOKEN}")
    shown = printable(address, 100)
    try:
        parts = urlsplit(address)
        port = parts.port
        asked = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise UsageError(f"{shown!r} is no address: {error}", remedy=_FORM) from error
    if parts.scheme not in _SCHEMES or parts.fragment or any(c.isspace() or not c.isprintable() for c in address):
        raise UsageError(f"{shown!r} is no address of a Milvus", remedy=_FORM)
    if set(asked) - {"db"} or any(len(values) != 1 for values in asked.values()):
        raise UsageError(f"{shown!r} asks for what is not known", remedy="only ?db=name may follow the collection")
    db = asked.get("db", [""])[0]
    if "db" in asked and not _NAME.fullmatch(db):
        raise UsageError(f"{printable(db, 60)!r} is no name of a database", remedy=_RULE)
    folder, _, collection = parts.path.rpartition("/")
    if not parts.netloc:
        return _local(parts.scheme, unquote(folder), collection, db, shown)
    if folder or not parts.hostname:
        raise UsageError(f"{shown!r} names no collection of a server", remedy=_FORM)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(f"{_SCHEMES[parts.scheme]}://{host}:{PORT if port is None else port}", _named(collection), db)


def _local(scheme: str, file: str, collection: str, db: str, shown: str) -> Address:
    if scheme != "milvus" or db:
        raise UsageError(f"{shown!r}: a file has no TLS and no databases", remedy=_FORM)
    if not file.endswith(".db") or not file.rpartition("/")[2].removesuffix(".db"):
        raise UsageError(f"{shown!r} names no file that ends in .db, then a collection", remedy=_FORM)
    return Address(file, _named(collection))


_RULE = "a name is of letters, digits and _, and begins with no digit"


def _named(collection: str) -> str:
    if not _NAME.fullmatch(collection):
        raise UsageError(f"{printable(collection, 60)!r} is no name of a collection", remedy=_RULE)
    return collection


_FILES: Counter[str] = Counter()
"""How many have the file of a Milvus Lite open in this process; the last one lets go of it."""

_FILES_LOCK = threading.Lock()


class Link:
    """An open connection; every call of it ends in a result or in one of our errors.

    Args:
        address: of the server or file.
        token: ``user:password`` or a key; None takes it from the environment.

    Attributes:
        version: of the server.
        lite: whether a Milvus Lite answers, which knows fewer types than a server.

    Raises:
        IndexUnreachable: nothing answers within :data:`FIRST` seconds, or the token is refused.
        IndexLocked: another process has the file open.
    """

    def __init__(self, address: Address, token: str | None = None) -> None:
        self.address = address
        need("pymilvus", extra="milvus")
        for name in ("pymilvus", "milvus_lite"):  # what they log as an error is told as one, once
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        if address.file is not None:
            need("milvus_lite", extra="milvus")
            with cannot_write(address.file):
                address.file.parent.mkdir(parents=True, exist_ok=True)
        secret = os.environ.get(TOKEN, "") if token is None else token
        self._client = self._connected(secret)
        try:
            self.version = str(self("get_server_version", timeout=FIRST))
        except BaseException:
            self.close()
            raise
        self.lite = "lite" in self.version

    def _connected(self, token: str) -> Any:
        where = self.address
        file = None if where.file is None else os.path.abspath(where.file)
        with _FILES_LOCK if file is not None else nullcontext():
            try:
                client = pymilvus.MilvusClient(where.uri, token=token, db_name=where.db, timeout=FIRST)
            except self._errors() as error:
                if file is not None:
                    raise IndexLocked(
                        f"{printable(str(where))}: cannot be opened; another process may have it open",
                        remedy="end that one, or run a Milvus server, which any number may use",
                    ) from error
                raise self._told(error, IndexUnreachable) from error
            if file is not None:
                _FILES[file] += 1
        return client

    def __call__(self, method: str, *arguments: Any, timeout: float = WAIT, **options: Any) -> Any:
        """What ``MilvusClient.method`` gives; what the server refuses for now is asked again, later and later."""
        end = time.monotonic() + timeout
        for attempt in range(TRIES):
            try:
                left = max(0.1, end - time.monotonic())
                return getattr(self._live, method)(*arguments, timeout=left, **options)
            except self._errors() as error:
                pause = 0.1 * 2**attempt * random.uniform(0.5, 1.5)  # apart, so that many clients do not come as one
                if attempt + 1 == TRIES or time.monotonic() + pause > end or not _passing(error):
                    raise self._told(error) from error
                time.sleep(pause)
        raise AssertionError("a try returns or raises")

    @property
    def _live(self) -> Any:
        if self._client is None:
            raise UsageError(f"{printable(str(self.address))}: this index is closed", remedy="open it again")
        return self._client

    def close(self) -> None:
        """Let go of it; a second time does nothing."""
        client, self._client = self._client, None
        if client is None:
            return
        client.close()
        if self.address.file is not None:
            file = os.path.abspath(self.address.file)
            with _FILES_LOCK:
                _FILES[file] -= 1
                if not _FILES[file]:
                    need("milvus_lite.server_manager", extra="milvus").server_manager_instance.release_server(file)

    @staticmethod
    def _errors() -> tuple[type[BaseException], ...]:
        return pymilvus.MilvusException, need("grpc", extra="milvus").RpcError

    def _told(self, error: BaseException, other: type[LookalikeError] = IndexDamaged) -> LookalikeError:
        where, reason = printable(str(self.address)), _reason(error)
        if getattr(error, "code", None) == 100:  # ErrorCode.COLLECTION_NOT_FOUND
            return IndexNotFound(f"{where}: its collection is gone", remedy="check the address")
        words = reason.lower()
        if any(word in words for word in ("unauthenticated", "auth check", "permission", "privilege", "denied")):
            return IndexUnreachable(f"{where}: the server refuses: {reason}", remedy=f"check the token in {TOKEN}")
        if _passing(error) or any(word in words for word in ("fail connecting", "retry timeout", "deadline")):
            return IndexUnreachable(f"{where}: does not answer: {reason}", remedy="check the address and the server")
        return other(f"{where}: the server cannot do what was asked: {reason}")


def _reason(error: BaseException) -> str:
    """Why, on one line: the status of a call and what it says, without pymilvus' own wrapping."""
    cause = error.__cause__ if isinstance(error.__cause__, BaseException) else error
    details: Callable[[], str | None] | None = getattr(cause, "details", None)
    code: Callable[[], Any] | None = getattr(cause, "code", None)
    if callable(details) and callable(code):
        return printable(f"{getattr(code(), 'name', code())}: {details()}", 200)
    return printable(str(getattr(error, "message", error)), 200)


def _passing(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    if getattr(error, "code", None) == 8:  # ErrorCode.RATE_LIMIT
        return True
    return any(word in _reason(error).lower() for word in _NOW_NOT)
