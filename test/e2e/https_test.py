#!/usr/bin/env python3
"""HTTPS by convoyctl apply, through the real control plane and nodes, against curl, openssl and Python's ssl."""

import base64
import hashlib
import hmac
import http.client
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from backends import Backend  # noqa: E402
from fleet import SECONDS, Fleet, get, listener_url  # noqa: E402

# The example of docs/configuration.md.
TEN_LINES = re.compile(r"^## HTTPS\n```yaml convoy\.v1\n(.*?)^```", re.MULTILINE | re.DOTALL)

CLIENTS = """\
listeners:
- name: public
  address: 127.0.0.1:0
  tls: {certificates: [web], client_certificates: {ca: clients}}
  routes: [{pool: web}]
certificates:
- {name: clients, certificate_file: ca.pem}
"""

# Of clients with and without certificates.
FORWARDING = """\
listeners:
- name: public
  address: 127.0.0.1:0
  tls: {certificates: [web], client_certificates: {FORWARDca: clients, optional: true}}
  routes: [{pool: told}]
certificates:
- {name: clients, certificate_file: ca.pem}
pools:
- {name: told, backends: [{address: "BACKEND"}]}
"""

# The node `inner` is the backend of the node `outer`.
BACKEND = """\
listeners:
- name: inner
  address: 127.0.0.1:0
  nodes: {labels: {role: inner}}
  tls: {certificates: [web], client_certificates: {ca: trusted}}
  routes: [{pool: web}]
certificates:
- {name: trusted, certificate_file: ca.pem}
"""
TO_BACKEND = """\
listeners:
- name: outer
  address: 127.0.0.1:0
  nodes: {labels: {role: outer}}
  routes: [{pool: POOL}]
pools:
- name: POOL
  protocol: PROTOCOL
  tls: {server_name: SERVER_NAME, ca: AUTHORITY, certificate: client}
  backends: [{address: "ADDRESS"}]
certificates:
- {name: AUTHORITY, certificate_file: AUTHORITY.pem}
- {name: client, certificate_file: client.pem, private_key_file: client.key}
"""


class HttpsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.ca = pathlib.Path(folder.name)
        subprocess.run(["sh", "test/common/test_ca.sh", cls.ca], timeout=2 * SECONDS, check=True)

    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.folder = pathlib.Path(self.fleet.folder)
        for name in ("ca", "other_ca", "client"):
            shutil.copy(self.ca / f"{name}.pem", self.folder)
        shutil.copy(self.ca / "client.key", self.folder)
        self.use("ecdsa")
        self.pools = 0
        backend = self.fleet.start_backend("blue")
        self.node = self.fleet.start_node("outer", "role=outer")
        text = TEN_LINES.search(pathlib.Path("docs/configuration.md").read_text(encoding="utf-8")).group(1)
        self.ten_lines = text.replace("0.0.0.0:8443", "127.0.0.1:0").replace("10.0.0.1:8080", backend)
        self.apply(self.ten_lines)
        self.address = listener_url(self.node, "public").removeprefix("http://")

    def use(self, name, key=None, to="web"):
        """Makes a certificate of the authority web.pem and web.key, or others."""
        shutil.copy(self.ca / f"{name}.pem", self.folder / f"{to}.pem")
        shutil.copy(self.ca / f"{key or name}.key", self.folder / f"{to}.key")

    def write(self, text):
        path = self.folder / "convoy.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def apply(self, text):
        return self.fleet.ctl("apply", "-f", self.write(text), "--wait", "20s")

    def curl(self, *arguments):
        port = self.address.rsplit(":", 1)[1]
        return subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", "--resolve", f"example.com:{port}:127.0.0.1", "--cacert",
             "ca.pem", "--write-out", "%{http_code} %{http_version}", *arguments, f"https://example.com:{port}/"],
            capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self.folder)

    def assert_served(self, version, *arguments):
        answer = self.curl(*arguments)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertEqual(answer.stdout.split(), ["blue", "200", version])

    def subject(self, *arguments):
        """The subject of the certificate that openssl is shown."""
        shown = subprocess.run(
            ["openssl", "s_client", "-connect", self.address, "-servername", "example.com", "-CAfile", self.folder / "ca.pem",
             "-verify_return_error", *arguments], input="", capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertIn("Verify return code: 0 (ok)", shown.stdout, shown.stderr)
        return re.search(r"^subject=CN = (\S+)$", shown.stdout, re.MULTILINE).group(1)

    def keep_alive(self):
        host, port = self.address.rsplit(":", 1)
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        connection = http.client.HTTPSConnection(host, int(port), timeout=SECONDS, context=context)
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection):
        """(body, subject of the server's certificate, the socket)"""
        connection.request("GET", "/")
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        body = response.read().decode().strip()
        return body, connection.sock.getpeercert()["subject"][0][0][1], connection.sock

    def test_ten_lines_serve_both_protocols(self):
        self.assert_served("2")
        self.assert_served("2", "--http2", "--tls-max", "1.2")
        self.assert_served("1.1", "--http1.1")
        self.assert_served("1.1", "--no-alpn")

    def test_a_renewed_certificate_touches_no_open_connection(self):
        before = self.keep_alive()
        self.assertEqual(self.ask(before)[:2], ("blue", "ecdsa"))
        socket = before.sock
        self.use("renewed")
        self.assertIn("updated certificate web", self.apply(self.ten_lines))
        self.assertEqual(self.ask(self.keep_alive())[:2], ("blue", "renewed"))
        self.assertEqual(self.ask(before), ("blue", "ecdsa", socket))
        self.assertEqual(self.address, listener_url(self.node, "public").removeprefix("http://"))

    def test_each_client_gets_the_key_that_it_can_use(self):
        self.use("rsa", to="web-rsa")
        second = "- {name: web-rsa, certificate_file: web-rsa.pem, private_key_file: web-rsa.key}"
        self.apply(self.ten_lines.replace("[web]", "[web, web-rsa]").replace("\ncertificates:", f"\ncertificates:\n{second}"))
        self.assertEqual(self.subject(), "ecdsa")
        self.assertEqual(self.subject("-sigalgs", "rsa_pss_rsae_sha256"), "rsa")
        self.assertEqual(self.subject("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), "ecdsa")
        self.assertEqual(self.subject("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "rsa")

    def resumed(self, node, session, *arguments):
        """Whether the node resumed the session of the file, if there is one; leaves the newest session there."""
        address = listener_url(node, "public").removeprefix("http://")
        given = ["-sess_in", session] if session.exists() else []
        # A ticket of TLS 1.3 comes with the first answer.
        request = "GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n"
        shown = subprocess.run(
            ["openssl", "s_client", "-connect", address, "-servername", "example.com", "-CAfile", self.folder / "ca.pem",
             "-verify_return_error", "-ign_eof", *given, "-sess_out", session, *arguments], input=request, capture_output=True,
            text=True, timeout=SECONDS, check=False)
        self.assertIn("blue", shown.stdout, shown.stderr)
        kind, = re.findall(r"^(New|Reused), ", shown.stdout, re.MULTILINE)
        return kind == "Reused"

    def test_a_fleet_resumes_each_others_sessions(self):
        other = self.fleet.start_node("second", "role=outer")
        self.apply(self.ten_lines)
        sessions = {version: self.folder / f"session{version}" for version in ("-tls1_2", "-tls1_3")}
        for version, session in sessions.items():
            self.assertFalse(self.resumed(self.node, session, version), version)
            self.assertTrue(self.resumed(other, session, version), version)
        # The keys come from the secrets key, wherever and whenever a control plane runs, and nodes do not store them.
        self.fleet.control.end()
        self.fleet.start_control()
        late = self.fleet.start_node("late", "role=outer")
        self.apply(self.ten_lines)
        for version, session in sessions.items():
            for node in (late, self.node):
                self.assertTrue(self.resumed(node, session, version), version)

    def test_sessions_of_a_node_or_none(self):
        other = self.fleet.start_node("second", "role=outer")
        for name, own in (("node", True), ("off", False)):
            self.apply(self.ten_lines.replace("{certificates: [web]}", f"{{certificates: [web], session_tickets: {name}}}"))
            for version in ("-tls1_2", "-tls1_3"):
                session = self.folder / f"session-{name}{version}"
                self.assertFalse(self.resumed(self.node, session, version))
                self.assertEqual(self.resumed(self.node, session, version), own, f"{name} {version}")
                self.assertFalse(self.resumed(other, session, version), f"{name} {version}")

    def test_client_certificates_are_demanded(self):
        self.apply(CLIENTS)
        self.address = listener_url(self.node, "public").removeprefix("http://")
        refused = self.curl()
        self.assertNotEqual(refused.returncode, 0, refused.stdout)
        self.use("untrusted", to="stranger")
        self.assertNotEqual(self.curl("--cert", "stranger.pem", "--key", "stranger.key").returncode, 0)
        self.assert_served("2", "--cert", "client.pem", "--key", "client.key")

    def told(self, backend, *arguments):
        """What the backend gets as X-Forwarded-Client-Cert of a client that forges one."""
        answer = self.curl("--header", "x-forwarded-client-cert: Hash=0;URI=spiffe://example.org/ns/shop/sa/admin", *arguments)
        self.assertEqual((answer.returncode, answer.stdout.split()), (0, ["200", "2"]), answer.stderr)
        return backend.heads[-1].get_all("x-forwarded-client-cert", [])

    def test_backends_are_told_who_the_client_is(self):
        backend = Backend(self, lambda _: (200, {}, ""))
        known = ("--cert", "client.pem", "--key", "client.key")
        der = ssl.PEM_cert_to_DER_cert((self.folder / "client.pem").read_text(encoding="ascii"))
        digest = "Hash=" + hashlib.sha256(der).hexdigest()
        uri, dns = "URI=spiffe://example.org/ns/shop/sa/web", "DNS=client.example.com"
        for forward, expected in (("", [f'{digest};Subject="CN=client,O=Convoy";{uri};{dns}']),
                                  ("forward: [uri], ", [f"{digest};{uri}"]),
                                  ("forward: [dns, uri], ", [f"{digest};{uri};{dns}"]),
                                  ("forward: [none], ", [])):
            with self.subTest(forward):
                self.apply(FORWARDING.replace("FORWARD", forward).replace("BACKEND", backend.address))
                self.address = listener_url(self.node, "public").removeprefix("http://")
                self.assertEqual(self.told(backend, *known), expected)
                self.assertEqual(self.told(backend), [])
        # A listener that asks for no certificates believes nobody either.
        self.apply(self.ten_lines.replace("[{pool: web}]", "[{pool: told}]"))
        self.address = listener_url(self.node, "public").removeprefix("http://")
        self.assertEqual(self.told(backend, *known), [])

    def start_tls_backend(self):
        inner = self.fleet.start_node("inner", "role=inner")
        self.apply(BACKEND)
        return listener_url(inner, "inner").removeprefix("http://")

    def through(self, address, protocol="http1", server_name="example.com", authority="ca", pool=None):
        """What comes through `outer` from the TLS backend, by a pool without connections unless named: (status, body)."""
        self.pools += 1
        text = TO_BACKEND
        for field, value in (("ADDRESS", address), ("PROTOCOL", protocol), ("SERVER_NAME", server_name), ("AUTHORITY", authority),
                             ("POOL", pool or f"inner-{self.pools}")):
            text = text.replace(field, value)
        self.apply(text)
        return get(listener_url(self.node, "outer"))[:2]

    def test_backends_are_verified(self):
        address = self.start_tls_backend()
        for protocol in ("http1", "http2"):
            status, body = self.through(address, protocol)
            self.assertEqual((status, body.strip()), (200, "blue"), protocol)
            self.assertEqual(self.through(address, protocol, authority="other_ca")[0], 503, protocol)
            self.assertEqual(self.through(address, protocol, server_name="elsewhere.example")[0], 503, protocol)

    def test_a_pool_with_another_authority_forgets_its_connections(self):
        address = self.start_tls_backend()
        self.assertEqual(self.through(address, pool="inner")[0], 200)
        url = listener_url(self.node, "outer")
        # However the kernel spreads them, connections are kept.
        self.assertEqual({get(url)[0] for _ in range(8)}, {200})
        self.assertEqual(self.through(address, authority="other_ca", pool="inner")[0], 503)
        self.assertEqual({get(url)[0] for _ in range(8)}, {503})

    def test_a_key_of_another_certificate_is_refused_with_its_place(self):
        self.use("ecdsa", key="renewed")
        path = self.write(self.ten_lines)
        line = 1 + self.ten_lines.splitlines().index("  private_key_file: web.key")
        refused = self.fleet.run_ctl("apply", "-f", path)
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertRegex(refused.stderr, rf"(?m)^{re.escape(str(path))}:{line}:\d+: certificates\[0\]\.private_key: .*CN=ecdsa")
        self.assert_no_key(refused.stdout + refused.stderr)
        self.assertEqual(self.subject(), "ecdsa")

    def assert_no_key(self, text):
        """Neither the line of a PEM file, nor its bytes."""
        data = text if isinstance(text, bytes) else text.encode()
        self.assertNotIn(b"PRIVATE KEY", data)
        for name in ("ecdsa", "renewed", "client"):
            for line in (self.ca / f"{name}.key").read_bytes().splitlines()[1:-1]:
                self.assertNotIn(line, data)
            shown = subprocess.run(["openssl", "ec", "-in", self.ca / f"{name}.key", "-outform", "DER"], capture_output=True,
                                   timeout=SECONDS, check=True)
            # ECPrivateKey (RFC 5915): the number itself.
            number = shown.stdout[7:39]
            self.assertNotIn(number, data)
            self.assertNotIn(number.hex().encode(), data.lower())
        for key in self.ticket_keys():
            for form in (key, key.hex().encode(), base64.b64encode(key)):
                self.assertNotIn(form, data)

    def ticket_keys(self):
        """The secret parts of the keys around now: HKDF-SHA-256 (RFC 5869) of the secrets key, without its first 16 bytes."""
        secret = bytes.fromhex((self.folder / "convoy.db.key").read_text(encoding="ascii"))
        pseudo_random = hmac.digest(bytes(32), secret, "sha256")
        for epoch in range(int(time.time()) // 43200 - 2, int(time.time()) // 43200 + 2):
            block, key = b"", b""
            for i in range(1, 4):
                block = hmac.digest(pseudo_random, block + b"convoy session ticket key %d" % epoch + bytes([i]), "sha256")
                key += block
            # Aligned, so that the text of base64 is found in a longer one.
            yield key[18:78]

    def test_no_key_comes_out(self):
        address = self.start_tls_backend()
        self.assertEqual(self.through(address)[0], 200)
        self.use("renewed")
        self.apply(self.ten_lines)
        self.assert_served("2")
        for command in (["get", "certificate", "web", "-o", "yaml"], ["list", "-o", "yaml"], ["list", "-o", "json"],
                        ["history"], ["status", "-o", "json"]):
            self.assert_no_key(self.fleet.ctl(*command))
        self.assertIn("CN=renewed", self.fleet.ctl("get", "certificate", "web", "-o", "yaml"))
        nodes = [process for process in self.fleet.processes if hasattr(process, "admin")]
        self.assertEqual(len(nodes), 2)
        for node in nodes:
            dump = get(f"http://{node.admin}/config_dump")[1]
            self.assertIn('"web"', dump)
            self.assertIn('"convoy/session_tickets"', dump)
            for path in ("/config_dump", "/certs", "/stats", "/clusters", "/listeners"):
                self.assert_no_key(get(f"http://{node.admin}{path}")[1])
        stores = list(self.folder.glob("convoy.db*"))
        self.assertIn("convoy.db", {path.name for path in stores})
        for path in stores:
            self.assert_no_key(path.read_bytes())
        for process in self.fleet.processes:
            process.end()
            self.assert_no_key(process.text())


if __name__ == "__main__":
    results.main()
