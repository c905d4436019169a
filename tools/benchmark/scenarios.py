"""The rows of the table "CPU per request": which protocols, which load, which bodies.

A row's name says its place: `--rows tls` means every row whose name is `tls` or begins with `tls-`. Rows with the same
first word share a table.
"""

import dataclasses

from tools.benchmark.system import BenchError

KIB = 1024
MIB = 1024 * KIB


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    tool: str  # what makes the load: "wrk", "h2load" or "handshakes"
    http2: bool = False  # the clients speak HTTP/2
    tls: bool = False  # ... over TLS
    upstream_http2: bool = False  # the backends speak cleartext HTTP/2
    grpc: bool = False  # unary calls
    resumed: bool = False  # new TLS connections offer a ticket
    clients: tuple = (64,)  # numbers of client connections to measure at
    streams: int = 1  # requests at a time on each connection
    body_bytes: int = KIB  # of the response
    least_requests: int = 100  # fewer in a window are no measurement

    @property
    def group(self):
        return self.name.partition("-")[0]

    @property
    def unit(self):
        """What is counted: a request of the handshake rows has a connection of its own."""
        return "handshake" if self.tool == "handshakes" else "request"

    def describe(self):
        """As it goes into the JSON."""
        return {"group": self.group, **dataclasses.asdict(self)}


# The first row that there was, and the one that the counts are about.
H1 = Scenario("h1", "HTTP/1.1 to HTTP/1.1", "wrk", clients=(64, 256))

# 8 connections of 32 streams are 256 requests at a time, as in the row above with 256 connections.
_H2 = {"tool": "h2load", "http2": True, "clients": (8,), "streams": 32}
# A new connection costs the client's side more than the server's; a few at a time keep the load's core busy.
_NEW = {"tool": "handshakes", "tls": True, "clients": (16,)}

ALL = [
    H1,
    Scenario("h2", "HTTP/2 (h2c) to HTTP/1.1", **_H2),
    Scenario("grpc", "gRPC unary, HTTP/2 (h2c) to HTTP/2 (h2c)", **_H2, upstream_http2=True, grpc=True, body_bytes=64),
    Scenario("tls-h1", "HTTP/1.1 over TLS to HTTP/1.1", "wrk", tls=True),
    Scenario("tls-h2", "HTTP/2 over TLS to HTTP/1.1", **_H2, tls=True),
    Scenario("tls-h2-h2", "HTTP/2 over TLS to HTTP/2 (h2c)", **_H2, tls=True, upstream_http2=True),
    Scenario("handshake-full", "full handshake and one request", **_NEW),
    Scenario("handshake-resumed", "resumed handshake and one request", **_NEW, resumed=True),
    Scenario("body-64k", "64 KiB, HTTP/1.1 to HTTP/1.1", "wrk", body_bytes=64 * KIB),
    Scenario("body-64k-tls-h2", "64 KiB, HTTP/2 over TLS to HTTP/1.1", **{**_H2, "streams": 8}, tls=True,
             body_bytes=64 * KIB),
    Scenario("body-10m", "10 MiB, HTTP/1.1 to HTTP/1.1", "wrk", clients=(8,), body_bytes=10 * MIB, least_requests=20),
]
GROUPS = {
    "h1": "HTTP/1.1 to HTTP/1.1",
    "h2": "HTTP/2 to HTTP/1.1",
    "grpc": "gRPC",
    "tls": "TLS",
    "handshake": "TLS handshakes",
    "body": "Bodies",
}


def choose(words):
    """The rows that the words name, in the order of the table; a word that names none is an error."""
    def meant(word):
        return [row for row in ALL if row.name == word or row.name.startswith(word + "-")]

    for word in words:
        if not meant(word):
            raise BenchError(f"no row is called {word}; there are {', '.join(row.name for row in ALL)}")
    chosen = [row.name for word in words for row in meant(word)]
    return [row for row in ALL if row.name in chosen]
