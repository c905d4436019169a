#!/usr/bin/env python3
"""A real convoy-proxy that speaks HTTP/2 with curl, nghttp and h2load, plainly and over TLS, and with itself upstream."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from certificates import Certificates  # noqa: E402
from fleet import SECONDS, Process, get, stat, wait_until  # noqa: E402

# Clients come to `front`, or by TLS to `secure`, which goes by HTTP/2 to `middle`, which goes by HTTP/1.1 to the backend.
BOOTSTRAP = """\
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
static_resources:
  listeners: [{front}, {secure}, {middle}]
  clusters:
  - {{name: middle, http2_protocol_options: {{max_concurrent_streams: 10}}, load_assignment: {{cluster_name: middle,
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{pipe: {{path: {folder}/middle}}}}}}}}]}}]}}}}
  - {{name: web, load_assignment: {{cluster_name: web,
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}}}}}]}}]}}}}
"""
LISTENER = """{{name: {name}, address: {address}, filter_chains: [{{{transport} filters: [{{
  name: envoy.filters.network.http_connection_manager,
  typed_config: {{
    "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
    stat_prefix: {name},
    access_log: [{{name: file, typed_config: {{
      "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: {folder}/{name}.log,
      log_format: {{text_format_source: {{inline_string: "%PROTOCOL% %REQ(:METHOD)% %RESPONSE_CODE%\\n"}}}}}}}}],
    route_config: {{virtual_hosts: [
      {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: {cluster}}}}}]}}]}},
    http_filters: [{{name: envoy.filters.http.router, typed_config: {{
      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]}}}}]}}]}}"""


class Http2Test(unittest.TestCase):
    def setUp(self):
        # A socket's path must be short.
        folder = tempfile.TemporaryDirectory(prefix="convoy-http2", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        backend = self.start("backend", "tools/sample/backend", "--name", "blue").found(r"^listening on (\S+)$")[0]
        host, port = backend.rsplit(":", 1)
        self.certificates = Certificates(self.folder)
        front, secure = (
            LISTENER.format(name=name, cluster="middle", folder=self.folder, transport=transport,
                            address="{socket_address: {address: 127.0.0.1, port_value: 0}}")
            for name, transport in [("front", ""), ("secure", self.certificates.transport() + ",")])
        middle = LISTENER.format(name="middle", cluster="web", folder=self.folder, transport="",
                                 address=f"{{pipe: {{path: {self.folder}/middle}}}}")
        path = os.path.join(self.folder, "envoy.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(BOOTSTRAP.format(front=front, secure=secure, middle=middle, folder=self.folder, host=host, port=port))
        self.proxy = self.start("proxy", "proxy/convoy-proxy", "-c", path, "--concurrency", "2")
        self.proxy.admin, = self.proxy.found(r"is live .*admin=(\S+)")
        self.url = "http://" + self.proxy.found(r"is live .*front=(\S+)")[0]
        self.secure_url = "https://" + self.proxy.found(r"is live .*secure=(\S+)")[0]

    def start(self, name, *command):
        process = Process(self.folder, name, *command)

        def end():
            if process.process.poll() is None:
                process.process.kill()
            process.process.wait(timeout=SECONDS)
        self.addCleanup(end)
        return process

    def run_tool(self, *command, stdin=None):
        done = subprocess.run(command, capture_output=True, input=stdin, timeout=4 * SECONDS, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def curl(self, *arguments, stdin=None):
        return self.run_tool("curl", "-sS", "--http2-prior-knowledge", *arguments, stdin=stdin)

    def stat(self, name):
        return stat(self.proxy, name)

    def logged(self, name):
        with open(os.path.join(self.folder, name + ".log"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_curl(self):
        text = self.curl("-w", "%{http_version} %{http_code}", self.url + "/")
        self.assertTrue(text.endswith(b"2 200"), text)
        body = os.urandom(1024 * 1024)
        echoed = self.curl("--data-binary", "@-", self.url + "/echo", stdin=body)
        self.assertTrue(echoed.endswith(body), "the backend repeats the request, its head first")
        self.assertIn(b"HTTP/2 200", self.curl("-I", self.url + "/"))
        # The same listener speaks HTTP/1.1.
        self.assertEqual(200, get(self.url + "/")[0])
        wait_until(lambda: len(self.logged("front")) == 4, "the log is written")
        # Each worker writes lines of its own, in no order among them.
        self.assertCountEqual(["HTTP/2 GET 200", "HTTP/2 POST 200", "HTTP/2 HEAD 200", "HTTP/1.1 GET 200"],
                              self.logged("front"))
        wait_until(lambda: len(self.logged("middle")) == 4, "the log is written")
        self.assertTrue(all(line.startswith("HTTP/2 ") for line in self.logged("middle")))
        self.assertEqual(3, self.stat("http.front.downstream_cx_http2_total"))
        self.assertEqual(1, self.stat("http.front.downstream_cx_http1_total"))
        self.assertEqual(3, self.stat("http.front.downstream_rq_http2_total"))
        self.assertGreaterEqual(self.stat("cluster.middle.upstream_cx_http2_total"), 1)
        self.assertEqual(0, self.stat("cluster.middle.upstream_cx_http1_total"))

    def test_nghttp(self):
        text = self.run_tool("nghttp", "-nvs", "-m", "20", self.url + "/").decode()
        self.assertEqual(20, len(re.findall(r"^ *\d+ .* 200 +\S+ +/$", text, re.MULTILINE)), text)

    def test_load_on_few_connections(self):
        text = self.run_tool("h2load", "-n", "4000", "-c", "4", "-m", "50", self.url + "/").decode()
        self.assertIn("status codes: 4000 2xx, 0 3xx, 0 4xx, 0 5xx", text)
        self.assertIn("4000 succeeded, 0 failed, 0 errored, 0 timeout", text)
        # 200 requests at a time, 10 on a connection.
        wait_until(lambda: self.stat("cluster.middle.http2.streams_active") == 0, "no stream is left")
        wait_until(lambda: self.stat("http2.streams_active") == 0, "no stream is left")
        self.assertGreater(self.stat("cluster.middle.upstream_cx_http2_total"), 2)

    def test_curl_over_tls(self):
        body = os.urandom(1024 * 1024)
        for version, said in (("--http2", b"2 200"), ("--http1.1", b"1.1 200")):
            with self.subTest(version):
                secure = ["curl", "-sS", version, "--cacert", self.certificates.authority]
                text = self.run_tool(*secure, "-w", "%{http_version} %{http_code}", self.secure_url + "/")
                self.assertTrue(text.endswith(said), text)
                echoed = self.run_tool(*secure, "--data-binary", "@-", self.secure_url + "/echo", stdin=body)
                self.assertTrue(echoed.endswith(body), "the backend repeats the request, its head first")
        self.assertEqual(2, self.stat("http.secure.downstream_cx_http2_total"))
        self.assertEqual(2, self.stat("http.secure.downstream_cx_http1_total"))

    def test_nghttp_over_tls(self):
        text = self.run_tool("nghttp", "-nvs", "-m", "20", self.secure_url + "/").decode()
        self.assertIn("The negotiated protocol: h2", text)
        self.assertEqual(20, len(re.findall(r"^ *\d+ .* 200 +\S+ +/$", text, re.MULTILINE)), text)

    def test_load_over_tls(self):
        for protocol in ("h2", "http/1.1"):
            with self.subTest(protocol):
                text = self.run_tool("h2load", "-n", "4000", "-c", "4", "-m", "50", f"--npn-list={protocol}",
                                     self.secure_url + "/").decode()
                self.assertIn(f"Application protocol: {protocol}", text)
                self.assertIn("4000 succeeded, 0 failed, 0 errored, 0 timeout", text)
        self.assertEqual(4, self.stat("http.secure.downstream_cx_http2_total"))
        self.assertEqual(4, self.stat("http.secure.downstream_cx_http1_total"))
        wait_until(lambda: self.stat("http2.streams_active") == 0, "no stream is left")


if __name__ == "__main__":
    results.main()
