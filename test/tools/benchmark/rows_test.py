#!/usr/bin/env python3
"""Tests of what the rows with HTTP/2 and TLS stand on: rows_test.py H2_BACKEND HANDSHAKES BACKEND

The backend that speaks HTTP/2, the probe that looks at answers, the load of new TLS connections, and that a proxy
which does not start is told.
"""

import collections
import os
import socket
import ssl
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.getcwd())
H2_BACKEND, HANDSHAKES, BACKEND = (os.path.abspath(path) for path in sys.argv[1:4])
del sys.argv[1:4]

from tools.benchmark import backends, certificate, load, peers, probe, rows, scenarios, workload  # noqa: E402
from tools.benchmark.processes import Processes  # noqa: E402
from tools.benchmark.system import wait_for  # noqa: E402

CORE = min(os.sched_getaffinity(0))
ROWS = {row.name: row for row in scenarios.ALL}


def message_in(processes):
    path = processes.unique_path("message")
    with open(path, "wb") as file:
        file.write(workload.GRPC_MESSAGE)
    return path


class H2BackendTest(unittest.TestCase):
    def test_messages_are_framed(self):
        self.assertEqual(workload.GRPC_MESSAGE[:5], b"\0" + (len(workload.GRPC_MESSAGE) - 5).to_bytes(4, "big"))

    def test_answers_and_counts(self):
        with Processes() as processes:
            path = processes.unique_path("stats")
            _, ports = backends.start_h2(processes, CORE, H2_BACKEND, path, 1024)
            stats = backends.StatsFile(path)
            self.assertEqual(stats(), {"connections_accepted": 0, "connections_closed": 0, "requests": 0})
            done = subprocess.run(["h2load", "-n60", "-c3", "-m5", f"http://127.0.0.1:{ports[0]}/"], capture_output=True,
                                  text=True, check=True, timeout=30)
            self.assertIn(f"({60 * 1024}) data", done.stdout)
            self.assertIn("60 succeeded", done.stdout)
            wait_for(lambda: stats()["connections_closed"] == 3, 10, "the ends of three connections")
            self.assertEqual(stats(), {"connections_accepted": 3, "connections_closed": 3, "requests": 60})

    def test_a_body_larger_than_what_the_socket_takes(self):
        with Processes() as processes:
            _, ports = backends.start_h2(processes, CORE, H2_BACKEND, processes.unique_path("stats"), 8 << 20)
            done = subprocess.run(["h2load", "-n6", "-c2", "-m3", f"http://127.0.0.1:{ports[1]}/"], capture_output=True,
                                  text=True, check=True, timeout=60)
            self.assertIn(f"({6 * (8 << 20)}) data", done.stdout)

    def test_wrong_use(self):
        for arguments, words in (([], "usage"), (["/x", "many"], "usage"), (["/x", "1", "no colon"], "must be")):
            done = subprocess.run([H2_BACKEND, *arguments], capture_output=True, text=True, check=False, timeout=10)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)


class ProbeTest(unittest.TestCase):
    def test_answers_that_are_right(self):
        with Processes() as processes:
            _, ports = backends.start_h2(processes, CORE, H2_BACKEND, processes.unique_path("stats"), 64)
            self.assertIsNone(probe.complaint(ROWS["grpc"], ports[0], message_in(processes)))
            self.assertIsNone(probe.complaint(ROWS["h2"], ports[1]))
            _, ports = backends.start(processes, CORE, BACKEND, ROWS["body-64k"].body_bytes)
            self.assertIsNone(probe.complaint(ROWS["body-64k"], ports[0]))

    def test_answers_that_are_wrong(self):
        with Processes() as processes:
            _, ports = backends.start(processes, CORE, BACKEND)
            self.assertIn(":status: 200", probe.complaint(ROWS["h2"], ports[0]))
            self.assertEqual(probe.complaint(ROWS["body-64k"], ports[0]), "the body has 1024 bytes")
            self.assertIsNotNone(probe.complaint(ROWS["tls-h1"], ports[0]))
            with socket.socket() as unheard:
                unheard.bind(("127.0.0.1", 0))
                self.assertIn("refused", probe.complaint(ROWS["h2"], unheard.getsockname()[1]))


class TlsServer:
    """Answers one request on each connection; with tickets."""

    def __init__(self, files, answer):
        self._answer = answer
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.chain, files.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.seen = collections.Counter()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            plain, _ = self._listener.accept()
            with plain:
                try:
                    with self._context.wrap_socket(plain, server_side=True) as connection:
                        self.seen["reused" if connection.session_reused else "full"] += 1
                        self.seen[connection.cipher()[0]] += 1
                        if connection.recv(4096) == b"stop":
                            return
                        connection.sendall(self._answer)
                        connection.recv(1)
                except OSError:
                    self.seen["broken"] += 1

    def stop(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port)) as plain, context.wrap_socket(plain) as connection:
            connection.sendall(b"stop")
            self._thread.join()
        self._listener.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class HandshakesTest(unittest.TestCase):
    def run_against(self, answer, kind, clients=1):
        """(what it printed, what the server saw)"""
        with Processes() as processes:
            server = TlsServer(certificate.create(processes.folder), answer)
            try:
                request = processes.unique_path("request")
                with open(request, "wb") as file:
                    file.write(workload.request_bytes())
                printed = processes.run([HANDSHAKES, str(server.port), "1", str(clients), kind, request], CORE, 60)
                seen = server.seen.copy()
            finally:
                server.stop()
        return printed, seen

    def test_full_handshakes_offer_no_ticket(self):
        printed, seen = self.run_against(OK, "full", clients=2)
        self.assertEqual(load.parse_handshakes(printed, False, 2)["requests"], seen["full"])
        self.assertEqual(seen["reused"], 0)
        self.assertEqual(seen[certificate.CIPHER], seen["full"])

    def test_all_but_the_first_are_resumed(self):
        printed, seen = self.run_against(OK, "resumed")
        self.assertEqual(load.parse_handshakes(printed, True, 1)["requests"], seen["full"] + seen["reused"])
        self.assertEqual(seen["full"], 1)
        self.assertGreater(seen["reused"], 0)

    def test_a_failed_request_is_told(self):
        printed, _ = self.run_against(OK.replace(b"200 OK", b"503 No"), "full")
        self.assertIn("failed 1", printed)
        self.assertIn("answered HTTP/1.1 503", printed)

    def test_wrong_use(self):
        for arguments, status in (([], 2), (["1", "1", "1", "half", "/x"], 2), (["1", "1", "1", "full", "/nowhere"], 1)):
            done = subprocess.run([HANDSHAKES, *arguments], capture_output=True, text=True, check=False, timeout=10)
            self.assertEqual(done.returncode, status)
            self.assertIn("handshakes", done.stderr)


class RowsTest(unittest.TestCase):
    def test_a_proxy_that_does_not_start_is_told_and_the_rest_go_on(self):
        # The backends are found below a root, as in a tree that was built.
        with Processes() as processes:
            for path, binary in ((backends.BINARY, BACKEND), (backends.H2_BINARY, H2_BACKEND)):
                os.makedirs(os.path.dirname(processes.path(path)), exist_ok=True)
                os.symlink(binary, processes.path(path))
            cores = collections.namedtuple("Cores", "proxy load")(CORE, CORE)
            told = []
            measure = rows.Rows(processes, cores, processes.folder, workload.REQUEST_HEADERS, told.append,
                                lambda row: {"rounds": 1, "duration": 1, "clients": list(row.clients)})
            described, samples, failures = measure.measure([peers.Nginx("/bin/false")],
                                                           [ROWS["h2"], ROWS["tls-h2-h2"], ROWS["grpc"]])
        self.assertEqual(samples, [])
        self.assertEqual([(of["row"], of["proxy"]) for of in failures], [("h2", "nginx"), ("grpc", "nginx")])
        self.assertIn("nginx ended at its start", failures[0]["message"])
        self.assertEqual(len(told), 2)
        self.assertEqual(list(described["tls-h2-h2"]["left_out"]), ["nginx"])
        self.assertEqual(described["h2"]["streams"], 32)


if __name__ == "__main__":
    unittest.main()
