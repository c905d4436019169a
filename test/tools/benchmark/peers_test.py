#!/usr/bin/env python3
"""Tests that every proxy is configured to do the same work."""

import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.getcwd())

from tools.benchmark import cli, peers, workload  # noqa: E402
from tools.benchmark.system import BenchError  # noqa: E402

PORT = 4711
BACKENDS = [5001, 5002]


def configuration(peer_class, empty=False):
    """(text of the configuration, the command)."""
    with tempfile.TemporaryDirectory() as folder:
        setup = peers.Setup(folder, PORT, BACKENDS)
        peer = peer_class("/bin/true")
        command = peer.empty_command(setup) if empty else peer.command(setup)
        texts = []
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts.append(file.read())
        return "\n".join(texts), command


class WorkloadTest(unittest.TestCase):
    def test_the_last_but_one_of_ten_routes_matches(self):
        self.assertEqual(len(workload.ROUTES), 10)
        matching = [i for i, (kind, path) in enumerate(workload.ROUTES)
                    if (workload.PATH == path if kind == "exact" else workload.PATH.startswith(path))]
        self.assertEqual(matching[0], 8)

    def test_six_headers(self):
        self.assertEqual(len(workload.REQUEST_HEADERS), 6)
        head = workload.request_bytes().decode()
        self.assertTrue(head.startswith(f"GET {workload.PATH} HTTP/1.1\r\nHost: "))
        self.assertTrue(head.endswith("\r\n\r\n"))
        self.assertEqual(head.count("\r\n"), 8)


class PeersTest(unittest.TestCase):
    def test_every_proxy_has_every_route_and_backend(self):
        for peer in (peers.Nginx, peers.Haproxy, peers.Convoy):
            text, _ = configuration(peer)
            for _, path in workload.ROUTES:
                self.assertIn(path, text, peer.name)
            for port in [PORT, *BACKENDS]:
                self.assertIn(str(port), text, peer.name)

    def test_every_proxy_logs_and_adds_the_headers(self):
        wanted = {
            peers.Nginx: ["access_log /", "X-Request-ID", "X-Forwarded-For", "keepalive_requests 1000000000"],
            peers.Haproxy: ["log-format", "X-Request-ID", "option forwardfor", "http-reuse always", "nbthread 1"],
            peers.Convoy: ["FileAccessLog", "generate_request_id", "use_remote_address"],
        }
        for peer, words in wanted.items():
            text, _ = configuration(peer)
            for word in words:
                self.assertIn(word, text, peer.name)

    def test_convoy_gets_a_stock_bootstrap(self):
        text, command = configuration(peers.Convoy)
        bootstrap = json.loads(text)["static_resources"]
        routes = bootstrap["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]
        matches = [route["match"] for route in routes["virtual_hosts"][0]["routes"]]
        self.assertEqual([next(iter(match.items())) for match in matches],
                         [("path" if kind == "exact" else "prefix", path) for kind, path in workload.ROUTES])
        self.assertEqual([cluster["name"] for cluster in bootstrap["clusters"]], workload.POOLS)
        self.assertEqual(command[3:5], ["--concurrency", "1"])

    def test_an_empty_configuration_forwards_nothing(self):
        for peer in (peers.Nginx, peers.Haproxy, peers.Convoy):
            text, _ = configuration(peer, empty=True)
            self.assertIn(str(PORT), text, peer.name)
            self.assertNotIn(str(BACKENDS[0]), text, peer.name)

    def test_a_binary_that_is_not_there_is_named(self):
        self.assertIn("/nowhere/nginx", peers.Nginx("/nowhere/nginx").missing())
        self.assertIsNone(peers.Relay("/bin/true").missing())

    def test_overrides(self):
        found = {peer.name: peer.binary for peer in peers.find("/root-of-it", {"convoy": "/x/proxy", "nginx": None})}
        self.assertEqual(found["convoy"], "/x/proxy")
        self.assertNotIn("envoy", found)
        self.assertTrue(found["relay"].startswith("/root-of-it/bazel-bin/"))
        with self.assertRaisesRegex(BenchError, "no proxy is called apache"):
            peers.find("/", {"apache": "/bin/true"})


class ArgumentsTest(unittest.TestCase):
    def test_defaults(self):
        options = cli.parse_arguments([])
        self.assertEqual((options.rounds, options.duration, options.connections), (7, 4, [64, 256]))
        self.assertTrue(options.everything and options.cpu and options.callgrind and options.start)

    def test_one_kind(self):
        options = cli.parse_arguments(["--idle"])
        self.assertTrue(options.idle)
        self.assertFalse(options.cpu or options.everything)

    def test_quick_leaves_explicit_values(self):
        options = cli.parse_arguments(["--quick", "--rounds", "3", "--connections", "8,9"])
        self.assertEqual((options.rounds, options.duration, options.connections), (3, 1, [8, 9]))


if __name__ == "__main__":
    unittest.main()
