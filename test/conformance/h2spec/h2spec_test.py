#!/usr/bin/env python3
"""h2spec, every case of it, against a real convoy-proxy: by prior knowledge, and over TLS."""

import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from certificates import Certificates  # noqa: E402
from fleet import SECONDS, Process, get, wait_until  # noqa: E402

# Each listener takes the protocol in its own way.
BOOTSTRAP = """\
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
static_resources:
  listeners: [{listeners}]
  clusters:
  - name: web
    load_assignment:
      cluster_name: web
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}}}
"""
LISTENER = """{{name: {name}, address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}, filter_chains: [{{{transport} filters: [{{
  name: envoy.filters.network.http_connection_manager,
  typed_config: {{
    "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
    stat_prefix: {name}, codec_type: {codec},
    route_config: {{virtual_hosts: [
      {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: web}}}}]}}]}},
    http_filters: [{{name: envoy.filters.http.router, typed_config: {{
      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]}}}}]}}]}}"""

# All that this version of h2spec has, with the one that only -strict asks for. Its last version, which the Go proxy does not
# have as a module, adds a literal with an invalid index: h2_server_codec_test sends that, and that version's EOS.
CASES = 146

# With AUTO, what does not begin as HTTP/2 does is answered as HTTP/1.1.
NOT_BY_AUTO = {"Sends invalid connection preface"}


class H2specTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="convoy-h2spec")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        backend = self.start("backend", "tools/sample/backend", "--name", "blue").found(r"^listening on (\S+)$")[0]
        host, port = backend.rsplit(":", 1)
        secure = Certificates(self.folder).transport() + ","
        listeners = ", ".join(LISTENER.format(name=name, codec=codec, transport=transport) for name, codec, transport in [
            ("http2", "HTTP2", ""), ("auto", "AUTO", ""), ("secure", "AUTO", secure)])
        path = os.path.join(self.folder, "envoy.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(BOOTSTRAP.format(listeners=listeners, host=host, port=port))
        self.proxy = self.start("proxy", "proxy/convoy-proxy", "-c", path, "--concurrency", "1")
        self.stats = "http://" + self.proxy.found(r"is live .*admin=(\S+)")[0] + "/stats"
        self.port = {name: self.proxy.found(rf"is live .*{name}=\S+:(\d+)")[0] for name in ("http2", "auto", "secure")}

    def start(self, name, *command):
        process = Process(self.folder, name, *command)

        def end():
            if process.process.poll() is None:
                process.process.kill()
            process.process.wait(timeout=SECONDS)
        self.addCleanup(end)
        return process

    def run_cases(self, port, *flags):
        """How many cases were tried, without those that h2spec skipped, and the names of those that failed."""
        report = os.path.join(self.folder, "report.xml")
        # The backend takes its time, so that the stream is still open when the case goes on.
        ran = subprocess.run(["test/conformance/h2spec/h2spec", "-port", port, "-path", "/delay/20", "-strict",
                              "-timeout", "5s", "-junit", report, *flags], capture_output=True, text=True, timeout=280,
                             check=False)
        self.assertIn(ran.returncode, (0, 1), ran.stderr)
        cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
        failed = [f"{case.get('package')}: {case.get('classname')}" for case in cases
                  if case.find("failure") is not None or case.find("error") is not None]
        return len([case for case in cases if case.find("skipped") is None]), failed

    def test_every_case_passes(self):
        cases, failed = self.run_cases(self.port["http2"])
        self.assertEqual([], failed)
        self.assertEqual(CASES, cases)
        wait_until(lambda: "http2.streams_active: 0\n" in get(self.stats)[1], "no stream is left")

    def test_over_tls(self):
        cases, failed = self.run_cases(self.port["secure"], "-tls")
        # ALPN says h2: nothing is left to be found out.
        self.assertEqual([], failed)
        self.assertEqual(CASES, cases)
        # Also those whose client left with its window shut.
        wait_until(lambda: "http2.streams_active: 0\n" in get(self.stats)[1], "no stream is left")
        wait_until(lambda: "http.secure.downstream_cx_active: 0\n" in get(self.stats)[1], "no connection is left")

    def test_with_the_protocol_found_by_its_preface(self):
        _, failed = self.run_cases(self.port["auto"])
        self.assertEqual([], [name for name in failed if not any(name.endswith(known) for known in NOT_BY_AUTO)])


if __name__ == "__main__":
    results.main()
