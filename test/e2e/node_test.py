#!/usr/bin/env python3
"""One real convoy-proxy with a static bootstrap: descriptors that run out, limits, unix and passed sockets, signals."""

import fcntl
import http.client
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from bootstrap import ANY_PORT, socket_address, write_bootstrap  # noqa: E402
from fleet import SECONDS, Process, get, stat, wait_until  # noqa: E402

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"

# Becomes the command behind "--", with the descriptors before it passed as systemd does.
PASS_SOCKETS = """
import os, sys
end = sys.argv.index("--")
for place, number in enumerate(map(int, sys.argv[1:end]), start=3):
    os.dup2(number, place)
    os.close(number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(end - 1), LISTEN_FDNAMES="web:spare")
os.execvp(sys.argv[end + 1], sys.argv[end + 1:])
"""


class KeptAlive:
    """Requests on one connection."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS)

    def get(self, path="/"):
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        return response.status, response.read().decode()


class NodeTest(unittest.TestCase):
    def setUp(self):
        # A socket's path must be short.
        folder = tempfile.TemporaryDirectory(prefix="convoy-node", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.backend = self.start("backend", "tools/sample/backend", "--name", "blue").found(r"^listening on (\S+)$")[0]

    def start(self, name, *command, pass_fds=()):
        process = Process(self.folder, name, *command, pass_fds=pass_fds)

        def end():
            if process.process.poll() is None:
                process.process.kill()
            process.process.wait(timeout=SECONDS)
        self.addCleanup(end)
        return process

    def start_node(self, name="node", address=ANY_PORT, top="", wrapper=(), live=True, pass_fds=()):
        path = write_bootstrap(self.folder, name, self.backend, address=address, top=top, listener="stat_prefix: public")
        node = self.start(name, *wrapper, "proxy/convoy-proxy", "-c", path, "--concurrency", "2", pass_fds=pass_fds)
        if live:
            node.admin, node.public = node.found(r"convoy-proxy is live admin=(\S+) public=(\S+)")
        return node

    def counters(self, admin):
        """All of the listener, of one moment."""
        return {name: int(value) for name, value in
                re.findall(r"^listener\.public\.(\w+): (\d+)$", admin.get("/stats?filter=listener.public")[1], re.MULTILINE)}

    def counter(self, admin, name):
        return self.counters(admin)[name]

    def test_clients_that_use_up_their_descriptors_stop_nobody_elses_requests(self):
        node = self.start_node(wrapper=("prlimit", "--nofile=100:100"))
        served = KeptAlive(node.public)
        self.assertEqual(served.get(), (200, "blue\n"))
        others = [KeptAlive(node.public) for _ in range(8)]
        for client in others:
            client.connection.connect()
        wait_until(lambda: stat(node, "listener.public.downstream_cx_active") == 9, "all are in")
        host, port = node.public.rsplit(":", 1)
        crowd = [socket.create_connection((host, int(port)), timeout=SECONDS) for _ in range(150)]
        self.addCleanup(lambda: [client.close() for client in crowd])

        # Accepting pauses. There are descriptors for probes, and what is open is served on.
        admin = KeptAlive(node.admin)
        wait_until(lambda: self.counter(admin, "downstream_accept_paused") >= 1, "accepting pauses")
        self.assertEqual(get(f"http://{node.admin}/ready")[:2], (200, "LIVE\n"))
        for _ in range(100):
            self.assertEqual(served.get(), (200, "blue\n"))
        # And so is who needs a new connection to a backend.
        for client in others:
            self.assertEqual(client.get(), (200, "blue\n"))
        counters = self.counters(admin)
        self.assertLess(counters["downstream_cx_active"], 50)
        self.assertEqual(counters["downstream_accept_error"], 0)
        self.assertEqual(node.text().count("pauses while there is no room"), 1, node.text())

        # They leave, and everybody gets in again.
        for client in crowd:
            client.close()
        for client in others:
            client.connection.close()
        wait_until(lambda: self.counter(admin, "downstream_cx_active") == 1, "the crowd is gone")
        for _ in range(10):
            self.assertEqual(get(f"http://{node.public}/")[:2], (200, "blue\n"))
        self.assertEqual(served.get(), (200, "blue\n"))
        served.connection.close()
        admin.connection.close()
        self.assertEqual(node.end(), 0)

    def test_too_few_descriptors_to_start_are_named(self):
        for limit in (14, 30):
            with self.subTest(limit):
                node = self.start_node(f"node-{limit}", wrapper=("prlimit", f"--nofile={limit}:{limit}"), live=False)
                self.assertEqual(node.process.wait(timeout=SECONDS), 1)
                self.assertRegex(node.text(), rf"this process may open {limit} descriptors, and needs at least \d+ with 3 "
                                              r"threads: raise the limit \(ulimit -Hn\)")

    def test_it_helps_itself_to_the_descriptors_that_it_may_have(self):
        node = self.start_node(wrapper=("prlimit", "--nofile=64:4000"))
        with open(f"/proc/{node.process.pid}/limits", encoding="ascii") as limits:
            self.assertRegex(limits.read(), r"(?m)^Max open files +4000 +4000 ")

    def test_limits_close_what_is_too_much_and_count_it(self):
        key = "envoy.resource_limits.listener.public.connection_limit"
        cases = (("overload.global_downstream_max_connections", "downstream_global_cx_overflow"),
                 (key, "downstream_cx_overflow"))
        for number, (limit, name) in enumerate(cases):
            with self.subTest(limit):
                node = self.start_node(f"node-{number}", top=f"layered_runtime: {{layers: [{{name: l, static_layer: {{{limit}: 2}}}}]}}")
                admin = KeptAlive(node.admin)
                inside = [KeptAlive(node.public), KeptAlive(node.public)]
                for client in inside:
                    self.assertEqual(client.get()[0], 200)
                host, port = node.public.rsplit(":", 1)
                for _ in range(3):
                    with socket.create_connection((host, int(port)), timeout=SECONDS) as client:
                        self.assertEqual(client.recv(1), b"")
                self.assertEqual(self.counter(admin, name), 3)
                for client in inside:
                    self.assertEqual(client.get()[0], 200)
                    client.connection.close()
                wait_until(lambda: self.counter(admin, "downstream_cx_active") == 0, "both left")  # noqa: B023
                self.assertEqual(get(f"http://{node.public}/")[0], 200)

    def test_a_unix_socket_goes_with_the_node_and_a_dead_ones_is_replaced(self):
        path = os.path.join(self.folder, "public.sock")
        pipe = f"{{pipe: {{path: {path}, mode: 0660}}}}"

        def answer():
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(SECONDS)
                client.connect(path)
                client.sendall(REQUEST)
                return client.recv(4096).split(b"\r\n")[0]
        node = self.start_node("first", pipe)
        self.assertEqual(answer(), b"HTTP/1.1 200 OK")
        # While somebody listens there, nobody else does.
        second = self.start_node("second", pipe, live=False)
        self.assertEqual(second.process.wait(timeout=SECONDS), 1)
        self.assertIn(f"cannot listen on unix:{path}: address already in use; another process listens there", second.text())
        self.assertEqual(answer(), b"HTTP/1.1 200 OK")
        self.assertEqual(node.end(), 0)
        self.assertFalse(os.path.exists(path))

        self.start_node("third", pipe).end(signal.SIGKILL)
        self.assertTrue(os.path.exists(path))
        node = self.start_node("fourth", pipe)
        self.assertEqual(answer(), b"HTTP/1.1 200 OK")
        self.assertEqual(node.end(), 0)
        self.assertFalse(os.path.exists(path))

    def test_sockets_that_it_is_started_with_are_its_listeners(self):
        """As systemd passes them: from descriptor 3 on, to the process that LISTEN_PID names."""
        passed = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        (host, port), (spare_host, spare_port) = (held.getsockname() for held in passed)
        # Connects before there is a node, and is served.
        early = socket.create_connection((host, port), timeout=SECONDS)
        self.addCleanup(early.close)
        early.sendall(REQUEST)
        out_of_the_way = [fcntl.fcntl(held.fileno(), fcntl.F_DUPFD, 10) for held in passed]
        node = self.start_node(address=socket_address(f"{host}:{port}"), pass_fds=out_of_the_way,
                               wrapper=(sys.executable, "-c", PASS_SOCKETS, *map(str, out_of_the_way), "--"))
        for held, number in zip(passed, out_of_the_way):
            held.close()
            os.close(number)
        self.assertEqual(node.public, f"{host}:{port}")
        early.settimeout(SECONDS)
        self.assertEqual(early.recv(4096).split(b"\r\n")[0], b"HTTP/1.1 200 OK")
        self.assertEqual(get(f"http://{node.public}/")[:2], (200, "blue\n"))
        self.assertIn(f"adopted socket spare ({spare_host}:{spare_port}) is used by no listener", node.text())
        self.assertEqual(node.end(), 0)

    def test_sigterm_finishes_what_runs(self):
        node = self.start_node()
        answers = []
        served = KeptAlive(node.public)
        self.assertEqual(served.get()[0], 200)
        slow = threading.Thread(target=lambda: answers.append(served.get("/delay/4000")))
        slow.start()
        wait_until(lambda: stat(node, "http.public.downstream_rq_active") == 1, "the request runs")
        node.process.send_signal(signal.SIGTERM)
        host, port = node.public.rsplit(":", 1)

        def refused():
            with socket.socket() as client:
                return client.connect_ex((host, int(port))) != 0
        wait_until(refused, "new clients are refused while the request runs")
        # The address is free for a successor before the old node has ended.
        successor = self.start_node("successor", socket_address(node.public))
        self.assertIsNone(node.process.poll())
        self.assertEqual(get(f"http://{successor.public}/")[:2], (200, "blue\n"))
        self.assertEqual(node.process.wait(timeout=SECONDS), 0)
        slow.join(timeout=SECONDS)
        self.assertEqual(answers, [(200, "blue\n")])

    @unittest.skipUnless(os.geteuid() == 0, "Linux 6.15 and later drop handshakes only for CAP_NET_ADMIN")
    def test_sigterm_resets_nobody_who_got_through(self):
        node = self.start_node()
        host, port = node.public.rsplit(":", 1)
        served, broken = [0] * 16, []

        def come_again_and_again(client):
            while True:
                try:
                    connection = socket.create_connection((host, int(port)), timeout=SECONDS)
                except ConnectionRefusedError:
                    return
                with connection:
                    try:
                        connection.sendall(REQUEST)
                        answer = connection.recv(65536)
                    except OSError as error:
                        answer = repr(error).encode()
                if not answer.startswith(b"HTTP/1.1 200"):
                    broken.append(answer)
                served[client] += 1

        clients = [threading.Thread(target=come_again_and_again, args=(i,)) for i in range(16)]
        for client in clients:
            client.start()
        wait_until(lambda: min(served) > 10, "every client has been served")
        self.assertEqual(node.end(), 0)
        for client in clients:
            client.join(timeout=SECONDS)
        self.assertEqual(broken, [])

    def test_a_second_signal_ends_it_at_once(self):
        node = self.start_node()
        served = KeptAlive(node.public)
        served.connection.request("GET", "/delay/20000")
        wait_until(lambda: stat(node, "http.public.downstream_rq_active") == 1, "the request runs")
        node.process.send_signal(signal.SIGHUP)
        node.process.send_signal(signal.SIGTERM)
        wait_until(lambda: get(f"http://{node.admin}/ready")[0] == 503, "the node drains")
        self.assertEqual(node.end(signal.SIGINT), 0)
        with self.assertRaises((http.client.HTTPException, OSError)):
            served.connection.getresponse()


if __name__ == "__main__":
    results.main()
