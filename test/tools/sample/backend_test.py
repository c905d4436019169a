#!/usr/bin/env python3
"""Tests the sample backend's binary over sockets: backend_test.py BINARY"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

BINARY = os.path.abspath(sys.argv.pop(1))
SECONDS = 20


class Backend:
    """A running backend; `address` is the first that it listens on."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([BINARY, *arguments], stdout=subprocess.PIPE, text=True)
        wanted = max(1, arguments.count("--listen"))
        self.addresses = [self.process.stdout.readline().strip().removeprefix("listening on ") for _ in range(wanted)]

    @property
    def port(self):
        return int(self.addresses[0].rpartition(":")[2])

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=SECONDS)
        self.process.stdout.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def get(self, path, **options):
        return request(http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS), path, **options)


def request(connection, path, method="GET", body=None, headers=None, close=True):
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    content = response.read()
    if close:
        connection.close()
    return response, content


def all_of(connection):
    data = b""
    while True:
        part = connection.recv(65536)
        if not part:
            return data
        data += part


class PathsTest(unittest.TestCase):
    def setUp(self):
        self.backend = self.enterContext(Backend("--name", "blue", "--body-bytes", "1024", "--header", "x-more: 1"))

    def test_default(self):
        response, body = self.backend.get("/anything?at=all")
        self.assertEqual((response.status, len(body)), (200, 1024))
        self.assertTrue(body.startswith(b"blue...") and body.endswith(b".\n"))
        self.assertEqual(response.headers["x-backend"], "blue")
        self.assertEqual(response.headers["x-more"], "1")
        self.assertRegex(response.headers["date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")

    def test_statuses(self):
        for code, length in ((200, "0"), (404, "0"), (503, "0"), (204, None), (304, None)):
            response, body = self.backend.get(f"/status/{code}")
            self.assertEqual((response.status, body, response.headers["content-length"]), (code, b"", length))

    def test_head_has_no_body(self):
        response, body = self.backend.get("/", method="HEAD")
        self.assertEqual((body, response.headers["content-length"]), (b"", "1024"))

    def test_echo_of_either_framing(self):
        for body in (b"hello", iter([b"hel", b"lo"])):
            response, echoed = self.backend.get("/echo", method="POST", body=body, headers={"x-mine": "yes"})
            head, _, content = echoed.partition(b"\r\n\r\n")
            self.assertEqual((response.status, content), (200, b"hello"))
            self.assertTrue(head.startswith(b"POST /echo HTTP/1.1\r\n"))
            self.assertIn(b"x-mine: yes", head)

    def test_large_bodies_both_ways(self):
        body = os.urandom(3 << 20)
        self.assertEqual(self.backend.get("/echo", method="POST", body=body)[1].partition(b"\r\n\r\n")[2], body)
        self.assertEqual(len(self.backend.get("/bytes/5000000")[1]), 5_000_000)
        self.assertEqual(self.backend.get("/", method="POST", body=body)[0].status, 200)

    def test_chunked_with_a_trailer(self):
        with self.backend.connect() as connection:
            connection.sendall(b"GET /chunked HTTP/1.1\r\nConnection: close\r\n\r\n")
            data = all_of(connection)
        self.assertIn(b"\r\ntransfer-encoding: chunked\r\n", data)
        self.assertEqual(data.count(b"\r\n100\r\n"), 4)
        self.assertTrue(data.endswith(b"\r\n0\r\nx-chunks: 4\r\n\r\n"))

    def test_delay_keeps_the_order(self):
        with self.backend.connect() as connection:
            connection.sendall(b"GET /delay/50 HTTP/1.1\r\n\r\nGET /status/404 HTTP/1.1\r\nConnection: close\r\n\r\n")
            data = all_of(connection)
        self.assertLess(data.index(b"HTTP/1.1 200"), data.index(b"HTTP/1.1 404"))

    def test_pipelining_in_single_bytes(self):
        requests = b"GET /bytes/3 HTTP/1.1\r\n\r\n" * 3 + b"GET /close HTTP/1.1\r\n\r\n"
        with self.backend.connect() as connection:
            for i in range(len(requests)):
                connection.sendall(requests[i:i + 1])
            self.assertEqual(all_of(connection).count(b"HTTP/1.1 200 OK"), 4)

    def test_more_pipelined_than_the_socket_takes(self):
        count = 200
        with self.backend.connect() as connection:
            connection.sendall(b"GET /bytes/100000 HTTP/1.1\r\n\r\n" * count + b"GET /close HTTP/1.1\r\n\r\n")
            data = all_of(connection)
        self.assertEqual(data.count(b"HTTP/1.1 200 OK"), count + 1)
        self.assertGreater(len(data), count * 100_000)

    def test_close_and_http10(self):
        for head in (b"GET /close HTTP/1.1\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"):
            with self.backend.connect() as connection:
                connection.sendall(head)
                self.assertIn(b"connection: close", all_of(connection))

    def test_abort(self):
        for path, part in (("/abort", b""), ("/abort/2", b"bl")):
            with self.backend.connect() as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
                data = b""
                with self.assertRaises(ConnectionResetError):
                    while True:
                        got = connection.recv(65536)
                        self.assertNotEqual(got, b"", "closed, not reset")
                        data += got
                # A reset may overtake what was sent before it.
                if data:
                    self.assertTrue(data.endswith(b"\r\n\r\n" + part))

    def test_expect_continue(self):
        with self.backend.connect() as connection:
            connection.sendall(b"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            self.assertEqual(connection.recv(25, socket.MSG_WAITALL), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"ok")
            self.assertIn(b"HTTP/1.1 200", connection.recv(65536))

    def test_what_is_no_request_gets_400(self):
        for garbage in (b"hello\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            with self.backend.connect() as connection:
                connection.sendall(garbage)
                self.assertTrue(all_of(connection).startswith(b"HTTP/1.1 400"))

    def test_too_large_a_head_gets_431(self):
        with self.backend.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000)
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 431"))

    def test_stats_count_connections_and_requests(self):
        watcher = http.client.HTTPConnection("127.0.0.1", self.backend.port, timeout=SECONDS)
        before = json.loads(request(watcher, "/stats", close=False)[1])
        other = http.client.HTTPConnection("127.0.0.1", self.backend.port, timeout=SECONDS)
        for _ in range(5):
            request(other, "/", close=False)
        during = json.loads(request(watcher, "/stats", close=False)[1])
        self.assertEqual(during["requests"] - before["requests"], 5)
        self.assertEqual(during["connections_accepted"] - before["connections_accepted"], 1)
        self.assertEqual(during["connections_closed"], before["connections_closed"])
        self.assertEqual(during["connections_open"], 2)
        watcher.close()
        other.close()


class ProcessTest(unittest.TestCase):
    def test_addresses(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            with Backend("--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--name", "green") as backend:
                self.assertRegex(backend.addresses[0], r"^127\.0\.0\.1:[1-9]\d*$")
                self.assertEqual(backend.addresses[1], f"unix:{path}")
                self.assertEqual(backend.get("/")[1], b"green\n")
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(SECONDS)
                    connection.connect(path)
                    connection.sendall(b"GET /close HTTP/1.1\r\n\r\n")
                    self.assertIn(b"x-backend: green", all_of(connection))

    def test_every_response_may_be_delayed(self):
        with Backend("--delay-ms", "60000") as slow:
            with slow.connect() as waiting:
                waiting.sendall(b"GET / HTTP/1.1\r\n\r\n")
                # A path that names its own is not.
                self.assertEqual(slow.get("/delay/0")[0].status, 200)
                waiting.settimeout(0.05)
                self.assertRaises(TimeoutError, waiting.recv, 1)

    def test_sigterm_finishes_what_is_under_way(self):
        with Backend() as backend:
            idle, busy = backend.connect(), backend.connect()
            idle.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertIn(b"200 OK", idle.recv(65536))
            busy.sendall(b"GET / HTTP/1.1\r\n\r\nGET /delay/300 HTTP/1.1\r\n\r\n")
            self.assertIn(b"200 OK", busy.recv(65536))
            backend.process.send_signal(signal.SIGTERM)
            self.assertEqual(idle.recv(65536), b"")
            self.assertIn(b"connection: close", all_of(busy))
            self.assertEqual(backend.process.wait(timeout=SECONDS), 0)
            idle.close()
            busy.close()

    def test_a_second_signal_ends_it_at_once(self):
        with Backend() as backend:
            with backend.connect() as busy:
                busy.sendall(b"GET / HTTP/1.1\r\n\r\nGET /delay/60000 HTTP/1.1\r\n\r\n")
                self.assertIn(b"200 OK", busy.recv(65536))
                backend.process.send_signal(signal.SIGTERM)
                # The listener is closed by the first signal: only then send the second.
                while True:
                    try:
                        backend.connect().close()
                    except ConnectionError:
                        break
                backend.process.send_signal(signal.SIGINT)
                self.assertEqual(backend.process.wait(timeout=SECONDS), 0)

    def test_wrong_use(self):
        cases = [(["--body-bytes", "x"], 2, "must be a number"), (["--delay-ms", "600001"], 2, "up to 600000"),
                 (["--name", "a b"], 2, "not allowed"),
                 (["--header", "nocolon"], 2, "must be `name: value`"), (["--what", "1"], 2, "unknown option"),
                 (["--listen"], 2, "needs a value"), (["--listen", "nowhere"], 1, "cannot listen on nowhere")]
        for arguments, status, message in cases:
            done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
            self.assertEqual((done.returncode, message in done.stderr), (status, True), (arguments, done.stderr))

    def test_help(self):
        done = subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=SECONDS, check=True)
        for word in ("--listen", "/delay/MS", "/stats"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main()
