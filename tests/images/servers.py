"""Real servers on loopback that answer well or badly, and a name lookup that leads to them."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Answer = bytes | Callable[[socket.socket, "Server"], None]
"""What a path answers: bytes sent as they are, or a function that writes to the connection."""

CERTIFICATE = Path(__file__).with_name("loopback.pem")
"""Self-signed for pictures.example, private key included; made for these tests and worth nothing elsewhere."""


class Server:
    """One listening port of 127.0.0.1 (or ::1). ``paths`` maps a request path to its answer.

    Attributes:
        port: where it listens.
        requests: heads of the requests received, in order.
        connections: how many connections were accepted, with or without a request.
        stopped: set when the test is over, so that a slow answer can end.
    """

    def __init__(self, paths: dict[str, Answer], *, host: str = "127.0.0.1", tls: bool = False) -> None:
        self.paths = paths
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._tls = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(CERTIFICATE)
        self._listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self.stopped.set()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._answer, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with suppress(OSError), connection:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    received = connection.recv(4096)
                    if not received:
                        return
                    head += received
                self.requests.append(head)
                answer = self.paths.get(head.split()[1].decode(), response(b"", status="404 Not Found"))
                if isinstance(answer, bytes):
                    connection.sendall(answer)
                else:
                    answer(connection, self)
                hang_up(connection)


@contextmanager
def serve(paths: dict[str, Answer] | Answer, *, host: str = "127.0.0.1", tls: bool = False) -> Iterator[Server]:
    """A running server; a single answer is given at ``/``."""
    server = Server(paths if isinstance(paths, dict) else {"/": paths}, host=host, tls=tls)
    try:
        yield server
    finally:
        server.close()


def response(body: bytes, *, status: str = "200 OK", length: int | None = -1, **headers: str) -> bytes:
    """An HTTP answer. ``length``: what Content-Length says; -1 for the truth, None for no such header."""
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length < 0 else length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return response(b"", status=status, Location=location)


def dribble(head: bytes) -> Answer:
    """Send ``head`` and then a byte every 50 ms, for ever."""

    def answer(connection: socket.socket, server: Server) -> None:
        connection.sendall(head)
        while not server.stopped.wait(0.05):
            connection.sendall(b"x")

    return answer


def endless(connection: socket.socket, server: Server) -> None:
    """Never stop sending, as fast as it goes, without saying how much it will be."""
    connection.sendall(response(b"", length=None))
    while not server.stopped.is_set():
        connection.sendall(bytes(65536))


def silent(connection: socket.socket, server: Server) -> None:
    """Take the request and say nothing."""
    server.stopped.wait(10)


def reset(connection: socket.socket, server: Server) -> None:
    """Break the connection in the middle of the body."""
    connection.sendall(response(b"half of it", length=1000))
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # zero seconds: closing sends RST
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()


def hang_up(connection: socket.socket) -> None:
    """Close in the order that loses nothing: say that all is sent, wait for the other side, close."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


class Names:
    """A stand-in for ``socket.getaddrinfo`` that knows the names it is given.

    Each name has a list of answers, one for each time it is asked (the last one stays); an answer is a list of
    addresses. ``asked`` records the names.
    """

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *more: Any) -> list[Any]:
        if ":" in host or host.replace(".", "").isdigit():
            return list(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST))
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self.answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]
