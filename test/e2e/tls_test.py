#!/usr/bin/env python3
"""The bootstrap of docs/tls.md, as it stands there but for paths and ports, against curl and openssl."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, Process, get  # noqa: E402

EXAMPLE = re.compile(r"^```yaml bootstrap\n(.*?)^```", re.MULTILINE | re.DOTALL)


class TlsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        backend = self.start("backend", "tools/sample/backend", "--name", "blue").found(r"^listening on (\S+)$")[0]
        for name, issuer, subject, names in [
                ("clients-ca", None, "clients-ca", None), ("example.com", None, "example.com", "DNS:example.com"),
                ("internal", None, "internal.example", "DNS:internal.example"),
                ("client", "clients-ca", "alice", "URI:spiffe://example.org/alice")]:
            self.certificate(name, issuer, subject, names)
        text = EXAMPLE.search(pathlib.Path("docs/tls.md").read_text(encoding="utf-8")).group(1)
        text = text.replace("/etc/convoy/", f"{self.folder}/").replace("0.0.0.0", "127.0.0.1")
        host, port = backend.rsplit(":", 1)
        text = text.replace("address: 10.0.0.1, port_value: 8080", f"address: {host}, port_value: {port}")
        text = re.sub(r"port_value: (9901|8443|8080)\b", "port_value: 0", text)
        path = self.folder / "bootstrap.yaml"
        path.write_text(text, encoding="utf-8")
        self.proxy = self.start("proxy", "proxy/convoy-proxy", "-c", str(path), "--concurrency", "1")
        self.admin = f"http://{self.proxy.found(r'admin=([0-9.:]+)')[0]}"
        listeners = dict(re.findall(r"^(\w+)::(\S+)$", get(self.admin + "/listeners")[1], re.MULTILINE))
        self.https, self.http = listeners["https"], listeners["http"]

    def start(self, name, *command):
        process = Process(str(self.folder), name, *command)

        def end():
            if process.process.poll() is None:
                process.process.kill()
            process.process.wait(timeout=SECONDS)
        self.addCleanup(end)
        return process

    def openssl(self, *arguments, stdin=""):
        return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, text=True, timeout=SECONDS,
                              check=False, cwd=self.folder)

    def certificate(self, name, issuer, subject, names):
        ending = ["-addext", f"subjectAltName={names}"] if names else []
        signing = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"] if issuer else []
        made = self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "30",
                            "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.pem", *signing, *ending)
        self.assertEqual(made.returncode, 0, made.stderr)

    def curl(self, host, *arguments):
        port = self.https.rsplit(":", 1)[1]
        return subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", "--resolve", f"{host}:{port}:127.0.0.1", *arguments,
             f"https://{host}:{port}/"],
            capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self.folder)

    def test_curl_is_served(self):
        for version in ("--tlsv1.3", "--tls-max=1.2"):
            arguments = version.split("=")
            answer = self.curl("example.com", "--cacert", "example.com.pem", *arguments)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            self.assertIn("blue", answer.stdout)

    def test_a_client_certificate_is_demanded(self):
        trusted = ("--cacert", "internal.pem")
        refused = self.curl("internal.example", *trusted)
        self.assertNotEqual(refused.returncode, 0)
        served = self.curl("internal.example", *trusted, "--cert", "client.pem", "--key", "client.key")
        self.assertEqual(served.returncode, 0, served.stderr)
        self.assertIn("blue", served.stdout)

    def test_plain_text_is_redirected(self):
        answer = subprocess.run(
            ["curl", "--silent", "--noproxy", "*", "--output", "-", "--write-out", "%{http_code} %{redirect_url}",
             "-H", "Host: example.com", f"http://{self.http}/a"],
            capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertIn("301 https://example.com:8443/a", answer.stdout)

    def test_openssl_agrees(self):
        client = self.openssl("s_client", "-connect", self.https, "-servername", "example.com", "-CAfile", "example.com.pem",
                              "-verify_return_error", "-alpn", "h2,http/1.1", stdin="")
        self.assertIn("Verify return code: 0 (ok)", client.stdout, client.stderr)
        self.assertIn("ALPN protocol: http/1.1", client.stdout)
        old = self.openssl("s_client", "-connect", self.https, "-servername", "example.com", "-tls1_1",
                           "-cipher", "ALL:@SECLEVEL=0", stdin="")
        self.assertNotEqual(old.returncode, 0, old.stdout)

    def test_admin_shows_certificates_without_keys(self):
        certs = get(self.admin + "/certs")[1]
        self.assertIn('"example.com"', certs)
        dump = get(self.admin + "/config_dump")[1]
        self.assertIn("SecretsConfigDump", dump)
        self.assertNotIn("PRIVATE KEY", certs + dump)


if __name__ == "__main__":
    results.main()
