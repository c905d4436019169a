"""The workload that every figure is about, the same for every proxy, and a client that sends it.

Ten routes of which the last but one matches, the access log on (to a file), a request id, X-Forwarded-For, counters,
six headers each way, a body of 1 KiB in the response. The rows (scenarios.py) vary protocol and body, and nothing else.
"""

import json
import socket

from tools.benchmark.system import BenchError

# (kind, path) in order of precedence; both pools hold the same two backends.
ROUTES = [
    ("exact", "/healthz"),
    ("prefix", "/static/"),
    ("prefix", "/images/"),
    ("exact", "/login"),
    ("prefix", "/api/v1/"),
    ("prefix", "/api/v2/users/"),
    ("exact", "/metrics"),
    ("prefix", "/admin/"),
    ("prefix", "/api/v2/orders/"),
    ("prefix", "/"),
]
POOLS = ["front", "orders"]
PATH = "/api/v2/orders/1042"
BODY_BYTES = 1024

REQUEST_HEADERS = [
    ("Host", "shop.example.com"),
    ("User-Agent", "bench/1.0"),
    ("Accept", "*/*"),
    ("Accept-Encoding", "gzip, br"),
    ("Accept-Language", "en-GB,en;q=0.8"),
    ("Cookie", "session=6f1d8c02a9"),
]
# What a browser adds to that: about 600 bytes in all.
BROWSER_HEADERS = [
    ("Host", "shop.example.com"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Accept-Language", "en-GB,en;q=0.8,de;q=0.5"),
    ("Referer", "https://shop.example.com/account/orders?page=3"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Cookie", "session=6f1d8c02a94b7e35d1c08f62; theme=dark; consent=1; ab=checkout-b; cart=3f9a21c7d0"),
]
# What a gRPC client adds, and the body of a call: one uncompressed message.
GRPC_HEADERS = [("content-type", "application/grpc"), ("te", "trailers")]
GRPC_PATH = "/api/v2/orders/Get"
GRPC_MESSAGE = b"\x00\x00\x00\x00\x20" + b"order 1042".ljust(32, b".")
# With date, content-type, content-length and x-backend, which the backend sends by itself, that makes six.
RESPONSE_HEADERS = ["cache-control: private, max-age=0", 'etag: "5d8c72a5edda8d6a"']


def pool_of(path):
    return POOLS[1] if path.startswith("/api/v2/") else POOLS[0]


def path_of(scenario):
    return GRPC_PATH if scenario.grpc else PATH


def request_bytes(headers=None, path=PATH):
    lines = [f"GET {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers or REQUEST_HEADERS]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Client:
    """Blocking keep-alive connections to one port of 127.0.0.1, each with at most one request under way."""

    def __init__(self, port, request=None, seconds=20.0):
        self.port = port
        self.request = request or request_bytes()
        self.seconds = seconds
        self.sockets = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for connection in self.sockets:
            connection.close()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=self.seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets.append(connection)
        return connection

    def receive(self, connection):
        """Reads one response; returns its body. Anything but a 200 with a Content-Length is an error."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._some(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise BenchError(f"port {self.port} answered {head[:200]!r}")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                       if line.lower().startswith(b"content-length:")), None)
        if length is None:
            raise BenchError(f"port {self.port} answered without Content-Length: {head[:500]!r}")
        while len(body) < length:
            body += self._some(connection)
        return body

    def _some(self, connection):
        try:
            data = connection.recv(65536)
        except OSError as error:
            raise BenchError(f"port {self.port}: no whole response: {error}") from error
        if not data:
            raise BenchError(f"port {self.port} closed the connection inside a response")
        return data

    def exchange(self, connection):
        connection.sendall(self.request)
        return self.receive(connection)

    def batches(self, connections, count):
        """`count` times: one request on each connection, then all responses."""
        while len(self.sockets) < connections:
            self.connect()
        for _ in range(count):
            for connection in self.sockets:
                connection.sendall(self.request)
            for connection in self.sockets:
                self.receive(connection)


class BackendStats:
    """The sample backend's own counts, over one connection that stays open and so changes none of them."""

    def __init__(self, port):
        self._client = Client(port, request_bytes(path="/stats"))
        self._connection = self._client.connect()

    def __call__(self):
        return json.loads(self._client.exchange(self._connection))

    def close(self):
        self._connection.close()


def answers(port, path=PATH, seconds=1.0):
    """True if a request to the port is answered with 200; False if nobody listens or the answer is another one."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            connection.sendall(request_bytes(path=path))
            return connection.recv(65536).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
