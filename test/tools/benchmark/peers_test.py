#!/usr/bin/env python3
"""Tests that every proxy is configured to do the same work."""

import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.getcwd())

from tools.benchmark import certificate, cli, peers, rows, scenarios, workload  # noqa: E402
from tools.benchmark.peer import Setup
from tools.benchmark.system import BenchError  # noqa: E402

PORT = 4711
BACKENDS = [5001, 5002]
FILES = certificate.Certificate("/x/chain.pem", "/x/key.pem", "/x/both.pem", "/x/client.cnf")
PROXIES = (peers.Nginx, peers.Haproxy, peers.Nghttpx, peers.Convoy)
ROWS = {row.name: row for row in scenarios.ALL}


def configuration(peer_class, empty=False, row="h1"):
    """(text of the configuration, the command)."""
    with tempfile.TemporaryDirectory() as folder:
        setup = Setup(folder, PORT, BACKENDS, ROWS[row], FILES)
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
        for peer in PROXIES:
            text, _ = configuration(peer)
            for _, path in workload.ROUTES:
                self.assertIn(path, text, peer.name)
            for port in [PORT, *BACKENDS]:
                self.assertIn(str(port), text, peer.name)

    def test_every_proxy_logs_and_adds_the_headers(self):
        wanted = {
            peers.Nginx: ["access_log /", "X-Request-ID", "X-Forwarded-For", "keepalive_requests 1000000000"],
            peers.Haproxy: ["log-format", "X-Request-ID", "option forwardfor", "http-reuse always", "nbthread 1"],
            peers.Nghttpx: ["accesslog-file=/", "accesslog-format=", "add-x-forwarded-for=yes", "workers=1"],
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

    def test_tls_is_the_same_for_all(self):
        wanted = {
            peers.Nginx: ["ssl http2;", "ssl_protocols TLSv1.3;", f"Ciphersuites {certificate.CIPHER};",
                          f"ssl_ecdh_curve {certificate.CURVE};", FILES.chain, FILES.key],
            peers.Haproxy: [f"ssl crt {FILES.both} alpn h2,http/1.1 ssl-min-ver TLSv1.3",
                            f"ciphersuites {certificate.CIPHER} curves {certificate.CURVE}"],
            peers.Nghttpx: ["tls-min-proto-version=TLSv1.3", f"tls13-ciphers={certificate.CIPHER}",
                            f"ecdh-curves={certificate.CURVE}", FILES.chain, FILES.key],
            peers.Convoy: ["DownstreamTlsContext", "TLSv1_3", certificate.CURVE, FILES.chain, FILES.key],
        }
        for peer, words in wanted.items():
            in_clear, _ = configuration(peer, row="h2")
            for row in ("tls-h1", "tls-h2", "handshake-full", "handshake-resumed", "body-64k-tls-h2"):
                text, _ = configuration(peer, row=row)
                for word in words:
                    self.assertIn(word, text, (peer.name, row))
                    self.assertNotIn(word, in_clear, peer.name)
                # A ticket that is refused would be a full handshake: nobody turns them off.
                self.assertNotRegex(text, "no-tickets|no-tls-tickets|ssl_session_tickets off|disable_stateless")

    def test_cleartext_http2_of_clients(self):
        for peer, word in ((peers.Nginx, "backlog=4096 http2;"), (peers.Haproxy, "proto h2\n  log"),
                           (peers.Nghttpx, f"frontend=127.0.0.1,{PORT};no-tls")):
            self.assertIn(word, configuration(peer, row="h2")[0], peer.name)
        self.assertNotIn("codec_type", configuration(peers.Convoy, row="h2")[0])

    def test_http2_to_the_backends(self):
        for peer, word in ((peers.Nginx, "grpc_pass grpc://orders"), (peers.Haproxy, "127.0.0.1:5001 proto h2"),
                           (peers.Nghttpx, "proto=h2"), (peers.Convoy, "http2_protocol_options")):
            self.assertIn(word, configuration(peer, row="grpc")[0], peer.name)
            self.assertNotIn(word, configuration(peer, row="tls-h2")[0], peer.name)

    def test_large_bodies_have_the_settings_that_they_are_cheapest_with(self):
        for peer, word, rows_with in ((peers.Nginx, "proxy_buffers 8 80k", {"body-64k", "body-64k-tls-h2", "body-10m"}),
                                      (peers.Haproxy, "splice-response", {"body-64k", "body-10m"})):
            found = {row.name for row in scenarios.ALL
                     if not peer("x").cannot(row) and word in configuration(peer, row=row.name)[0]}
            self.assertEqual(found, rows_with, peer.name)

    def test_who_takes_no_part_says_why(self):
        left_out = {(peer.name, row.name) for peer in (*PROXIES, peers.Envoy) for row in scenarios.ALL
                    if peer("x").cannot(row)}
        self.assertEqual(left_out, {("nginx", "tls-h2-h2"), ("nghttpx", "h1")})
        self.assertIn("grpc_pass", peers.Nginx("x").cannot(ROWS["tls-h2-h2"]))
        relayed = {row.name for row in scenarios.ALL if not peers.Relay("x").cannot(row)}
        self.assertEqual(relayed, {"h1", "body-64k", "body-10m"})

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
        amounts = rows.amounts_of(options)
        self.assertEqual(amounts(scenarios.H1), {"rounds": 7, "duration": 4, "clients": [64, 256]})
        self.assertEqual(amounts(ROWS["tls-h2"]), {"rounds": 7, "duration": 2, "clients": [8]})
        self.assertEqual(options.scenarios, scenarios.ALL)
        self.assertTrue(options.everything and options.cpu and options.callgrind and options.start)

    def test_one_kind(self):
        options = cli.parse_arguments(["--idle"])
        self.assertTrue(options.idle)
        self.assertFalse(options.cpu or options.everything)

    def test_quick_leaves_explicit_values(self):
        options = cli.parse_arguments(["--quick", "--rounds", "3", "--connections", "8,9"])
        amounts = rows.amounts_of(options)
        self.assertEqual(amounts(scenarios.H1), {"rounds": 3, "duration": 1, "clients": [8, 9]})
        self.assertEqual(amounts(ROWS["grpc"]), {"rounds": 3, "duration": 1, "clients": [8]})

    def test_rows_are_cpu_alone(self):
        options = cli.parse_arguments(["--rows", "body,h2,tls-h2"])
        self.assertTrue(options.cpu)
        self.assertFalse(options.everything or options.callgrind)
        self.assertEqual([row.name for row in options.scenarios],
                         ["h2", "tls-h2", "tls-h2-h2", "body-64k", "body-64k-tls-h2", "body-10m"])

    def test_a_row_that_there_is_not(self):
        with self.assertRaisesRegex(BenchError, "no row is called quic; there are h1, h2, "):
            scenarios.choose(["h2", "quic"])


class ScenariosTest(unittest.TestCase):
    def test_names_are_unique_and_every_group_has_a_title(self):
        self.assertEqual(len(ROWS), len(scenarios.ALL))
        self.assertEqual(list(dict.fromkeys(row.group for row in scenarios.ALL)), list(scenarios.GROUPS))

    def test_a_load_speaks_what_its_row_says(self):
        for row in scenarios.ALL:
            self.assertEqual(row.http2, row.tool == "h2load", row.name)
            self.assertTrue(row.tls or row.tool != "handshakes", row.name)


if __name__ == "__main__":
    unittest.main()
