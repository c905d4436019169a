#!/usr/bin/env python3
"""TLS between node, convoyctl and control plane, with certificates on both sides, by the flags of each."""

import http.client
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, Fleet, get, listener_url, stat, wait_until  # noqa: E402

CONFIG = """\
listeners:
- {name: public, address: "127.0.0.1:0", routes: [{direct_response: {status: 200, body: hello}}]}
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=SECONDS)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self.path)


class ControlTlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.ca = pathlib.Path(folder.name)
        subprocess.run(["sh", "test/common/test_ca.sh", cls.ca], timeout=2 * SECONDS, check=True)

    def client(self, certificate, authority="ca"):
        """Flags of convoyctl; `certificate` may be None."""
        own = [] if certificate is None else ["--cert", self.ca / f"{certificate}.pem", "--key", self.ca / f"{certificate}.key"]
        return ["--ca", self.ca / f"{authority}.pem", *own]

    def setUp(self):
        # Operators have certificates of ca, nodes of other_ca; the control plane's names have 127.0.0.1.
        self.fleet = Fleet(
            ["--tls-cert", self.ca / "ecdsa.pem", "--tls-key", self.ca / "ecdsa.key", "--tls-client-ca", self.ca / "ca.pem",
             "--xds-tls-client-ca", self.ca / "other_ca.pem"], self.client("client"), self.client("untrusted"))
        self.addCleanup(self.fleet.close)

    def test_a_fleet(self):
        node = self.fleet.start_node("a")
        self.fleet.apply(CONFIG)
        self.assertEqual(self.fleet.nodes()["a"]["state"], "SYNCED")
        self.assertEqual(get(listener_url(node, "public"))[:2], (200, "hello"))
        self.assertGreater(stat(node, "cluster.control_plane.ssl.handshake"), 0)
        # The stream goes on over TLS when the control plane comes back.
        self.fleet.control.end()
        self.fleet.start_control()
        wait_until(lambda: self.fleet.nodes().get("a", {}).get("state") == "SYNCED", "the node is back")

    def test_a_context_keeps_the_files(self):
        self.assertEqual(self.fleet.call_ctl("context", "set", "fleet", self.fleet.management, *self.client("client")).returncode, 0)
        listed = self.fleet.call_ctl("list")
        self.assertEqual((listed.returncode, listed.stdout), (0, "nothing\n"), listed.stderr)

    def test_convoyctl_is_refused_without_the_right_certificate(self):
        for flags in ([], self.client(None), self.client("untrusted"), self.client("client", "other_ca")):
            self.assertEqual(self.fleet.call_ctl("--server", self.fleet.management, "--timeout", "5", *flags, "list").returncode, 4)

    def stranger(self, flags, *more):
        """Starts a node that cannot connect; returns the value of a metric, of its admin endpoint on a unix socket."""
        path = os.path.join(self.fleet.folder, "stranger.sock")
        self.fleet.launch_node("stranger", "unix:" + path, [*flags, *more])

        def metric(name):
            if not os.path.exists(path):
                return None
            connection = UnixConnection(path)
            try:
                connection.request("GET", "/stats")
                found = re.search(rf"(?m)^{re.escape(name)}: (\d+)$", connection.getresponse().read().decode())
                return int(found.group(1))
            finally:
                connection.close()
        return metric

    def assert_never_connects(self, metric):
        wait_until(lambda: (metric("control_plane.stream_failure") or 0) >= 2, "the node has tried twice")
        self.assertEqual(metric("control_plane.connected_state"), 0)
        self.assertNotIn("stranger", self.fleet.nodes())

    def test_a_node_of_another_authority_gets_nothing(self):
        self.assert_never_connects(self.stranger(self.client("client")))

    def test_a_node_without_certificate_gets_nothing(self):
        self.assert_never_connects(self.stranger(self.client(None)))

    def test_a_node_without_tls_gets_nothing(self):
        self.assert_never_connects(self.stranger([]))

    def test_a_node_trusts_nobody_else(self):
        self.assert_never_connects(self.stranger(self.client("untrusted", "other_ca")))

    def test_a_node_asks_for_the_name(self):
        self.assert_never_connects(self.stranger(self.client("untrusted"), "--server-name", "elsewhere.example"))


if __name__ == "__main__":
    results.main()
