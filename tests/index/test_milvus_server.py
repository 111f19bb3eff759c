"""The way to a Milvus: a Milvus Lite behind a port, and behind a door that can refuse."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from milvus_items import COSINE, content, reference, some

from lookalike.errors import (
    IndexUnreachable,
    LookalikeError,
)
from lookalike.index.milvus import MilvusIndex
from lookalike.index.milvus.link import TOKEN

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no Milvus Lite for Windows")
grpc = pytest.importorskip("grpc")
pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"milvus://{tmp_path}/milvus.db/shop"


# Errors of the way there


@pytest.mark.parametrize("kind", ["closed", "silent"])
def test_a_server_that_does_not_answer_is_told_within_five_seconds(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1] if kind == "silent" else 1
        start = time.monotonic()
        with pytest.raises(IndexUnreachable, match="does not answer") as caught:
            MilvusIndex.open(f"milvus://127.0.0.1:{port}/x", token="root:s3cret")
        assert time.monotonic() - start < 5
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_an_error_is_all_that_a_terminal_shows(address: str) -> None:
    code = f"""
from lookalike.errors import LookalikeError
from lookalike.index.milvus import MilvusIndex
from lookalike.index.milvus.link import Link, parse_address
link = Link(parse_address({address!r} + "2"))
for fail in (
    lambda: MilvusIndex.open("milvus://127.0.0.1:1/x"),
    lambda: MilvusIndex.open({address!r}),
    lambda: link("query", "nowhere", filter="id =="),
):
    try:
        fail()
    except LookalikeError as error:
        print(type(error).__name__)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.stdout.split(), ended.stderr) == (["IndexUnreachable", "IndexNotFound", "IndexNotFound"], "")


class Door(grpc.ServerInterceptor):  # type: ignore[misc]
    """Stands before a Milvus Lite: wants a token, and refuses the first calls of a method."""

    def __init__(self) -> None:
        self.token, self.refused, self.calls = "", {}, []  # type: ignore[var-annotated]

    def intercept_service(self, proceed: Callable[[Any], Any], details: Any) -> Any:
        method = details.method.rsplit("/")[-1]
        self.calls.append(method)
        given = dict(details.invocation_metadata).get("authorization", "")
        if self.token and base64.b64decode(given).decode() != self.token:
            return self._refusal(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")
        code, times = self.refused.get(method, (None, 0))
        if times > 0:
            self.refused[method] = (code, times - 1)
            return self._refusal(code, "not now")
        return proceed(details)

    @staticmethod
    def _refusal(code: Any, why: str) -> Any:
        return grpc.unary_unary_rpc_method_handler(lambda _request, context: context.abort(code, why))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Door]]:
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite
    from pymilvus.grpc_gen import milvus_pb2_grpc

    door, db = Door(), MilvusLite(str(tmp_path / "served.db"))
    server = grpc.server(futures.ThreadPoolExecutor(8), interceptors=[door])
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(db), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"milvus://127.0.0.1:{port}/shop", door
    server.stop(0).wait()
    db.close()


def test_a_server_is_reached_by_host_and_port(served: tuple[str, Door]) -> None:
    address, _ = served
    with MilvusIndex.create(address, COSINE) as index:
        index.add(some(COSINE, 20))
        assert index.info().place == address
    with MilvusIndex.open(address) as index:
        assert len(index) == 20


def test_the_token_is_asked_for_and_taken_from_the_environment(
    served: tuple[str, Door], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    address, door = served
    door.token = "root:Milvus"
    for wrong in ("", "root:s3cret"):
        with pytest.raises(IndexUnreachable, match="check the token") as caught:
            MilvusIndex.create(address, COSINE, token=wrong)
        assert "s3cret" not in str(caught.value)
    with MilvusIndex.create(address, COSINE, token="root:Milvus") as index:
        index.add(some(COSINE, 3))
    monkeypatch.setenv(TOKEN, "root:Milvus")
    with MilvusIndex.open(address) as index:
        assert len(index) == 3
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_what_is_refused_for_now_is_asked_again(served: tuple[str, Door], code: str) -> None:
    address, door = served
    items = some(COSINE, 30)
    with MilvusIndex.create(address, COSINE) as index:
        for method in ("Upsert", "Query", "Search", "Delete"):
            door.refused[method] = (getattr(grpc.StatusCode, code), 2)
        index.add(items)
        assert len(index.search(items[3].vector, 5)[0]) == 5
        assert index.remove([items[0].id]) == 1
        assert len(index) == 29
    assert not any(times for _, times in door.refused.values())


def test_what_is_refused_for_good_ends(served: tuple[str, Door], monkeypatch: pytest.MonkeyPatch) -> None:
    address, door = served
    with MilvusIndex.create(address, COSINE) as index:
        door.refused["Search"] = (grpc.StatusCode.RESOURCE_EXHAUSTED, 10**9)
        door.calls.clear()
        with pytest.raises(IndexUnreachable, match="not now"):
            index.search(np.ones(8))
        assert 3 <= door.calls.count("Search") <= 20


def test_a_second_client_reads_while_the_first_adds(served: tuple[str, Door]) -> None:
    address, _ = served
    items = some(COSINE, 500)
    written, seen, wrong = 0, 0, []
    with MilvusIndex.create(address, COSINE) as index, MilvusIndex.open(address) as other:
        done = threading.Event()

        def read() -> None:
            nonlocal seen
            try:
                while not done.is_set():
                    least = written
                    if len(other) < least or len(other.search(items[0].vector, 600)[0]) < least:
                        wrong.append(least)
                    seen += 1
            except LookalikeError as error:
                wrong.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(100):
            index.add(items[5 * number : 5 * number + 5])
            written += 5
            assert len(other.get([items[5 * number].id])) == 1
        done.set()
        reader.join()
        assert wrong == []
        assert seen > 2
        assert content(other) == content(reference(COSINE, items))


def test_no_secret_stands_in_what_is_shown(served: tuple[str, Door]) -> None:
    address, _ = served
    with MilvusIndex.create(address, COSINE, token="root:s3cret") as index:
        assert "s3cret" not in json.dumps(index.info().to_dict()) + repr(index) + repr(vars(index._place.link))
    assert os.environ.get(TOKEN) is None
