#!/usr/bin/env python3
"""Scenarios for varnishtest (Debian's varnish): frame by frame what a client and a host say, with a real convoy-proxy
between them. What h2spec does not send: floods, hostile and odd but legal sequences.

Each *.vtc is a test of its own, with a proxy of its own. `to_http1` and `to_http2` are its listeners, before a host at
the unix socket `http1` or `http2`; `client_hello` and `server_hello` begin a connection of HTTP/2. A line
`# counter NAME VALUE` is what /stats says in the end.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, Process, get, wait_until  # noqa: E402

FOLDER = "test/conformance/varnishtest"
LISTENER = """{{name: to_{up}, address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}, filter_chains: [{{filters: [{{
  name: envoy.filters.network.http_connection_manager,
  typed_config: {{
    "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
    stat_prefix: {up}, route_config: {{virtual_hosts: [
      {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: {up}}}}}]}}]}},
    http_filters: [{{name: envoy.filters.http.router, typed_config: {{
      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]}}}}]}}]}}"""
CLUSTER = """{{name: {up}, {options} load_assignment: {{cluster_name: {up}, endpoints: [{{lb_endpoints: [
  {{endpoint: {{address: {{pipe: {{path: "{folder}/{up}.sock"}}}}}}}}]}}]}}}}"""
BOOTSTRAP = """\
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
static_resources:
  listeners: [{listeners}]
  clusters: [{clusters}]
"""


# varnishtest's own do not expect the WINDOW_UPDATE of the connection, which the acknowledgement of a client's early
# SETTINGS may overtake. A server must not wait for the acknowledgement: the
# first request comes before it, and varnishtest reads nothing more until that stream is declared.
CLIENT_HELLO = """txpri
	stream 0 {
		rxsettings
		rxwinup
		txsettings
		txsettings -ack
		rxsettings
		expect settings.ack == true
	} -run"""
SERVER_HELLO = """rxpri
	stream 0 {
		rxsettings
		rxwinup
		txsettings
		txsettings -ack
	} -run"""


def rapid_resets():
    """Hexadecimal: a request and its reset on each of 2,000 streams."""
    block = "828684410161"  # GET, http, "/", the authority "a"
    return "".join(f"{len(block) // 2:06x}0105{number:08x}{block}0000040300{number:08x}00000008"
                   for number in range(1, 4001, 2))


class VarnishtestTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="convoy-vtc")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        path = os.path.join(self.folder, "envoy.yaml")
        protocols = {"http1": "", "http2": "http2_protocol_options: {},"}
        with open(path, "w", encoding="utf-8") as file:
            file.write(BOOTSTRAP.format(
                listeners=", ".join(LISTENER.format(up=up) for up in protocols),
                clusters=", ".join(CLUSTER.format(up=up, options=options, folder=self.folder)
                                   for up, options in protocols.items())))
        self.proxy = Process(self.folder, "proxy", "proxy/convoy-proxy", "-c", path, "--concurrency", "1")
        self.addCleanup(self.kill)
        self.admin, = self.proxy.found(r"is live .*admin=(\S+)")
        self.macros = {}
        for up in protocols:
            port, = self.proxy.found(rf"is live .*to_{up}=\S+:(\d+)")
            self.macros["to_" + up] = "127.0.0.1 " + port
            self.macros[up] = f"{self.folder}/{up}.sock"

    def kill(self):
        if self.proxy.process.poll() is None:
            self.proxy.process.kill()
        self.proxy.process.wait(timeout=SECONDS)

    def stats(self):
        return "\n" + get(f"http://{self.admin}/stats")[1]

    def run_scenario(self, name):
        with open(os.path.join(FOLDER, name + ".vtc"), encoding="utf-8") as file:
            text = file.read()
        path = os.path.join(self.folder, name + ".vtc")
        with open(path, "w", encoding="utf-8") as file:
            # These are too long for varnishtest's macros.
            file.write(text.replace("${rapid_resets}", rapid_resets()).replace("${client_hello}", CLIENT_HELLO)
                       .replace("${server_hello}", SERVER_HELLO))
        defines = [argument for macro in self.macros.items() for argument in ("-D", "=".join(macro))]
        ran = subprocess.run(["varnishtest", "-v", "-t", "60", *defines, path], capture_output=True, text=True,
                             timeout=150, env=dict(os.environ, TMPDIR=self.folder), check=False)
        self.assertEqual(0, ran.returncode, ran.stdout[-6000:] + ran.stderr)
        counters = re.findall(r"^# counter (\S+) (\d+)$", text, re.MULTILINE)
        for counter, value in counters + [("http2.streams_active", "0")]:
            wait_until(lambda line=f"\n{counter}: {value}\n": line in self.stats(), f"{counter} is {value}")
        self.assertEqual(0, self.proxy.end(), self.proxy.text())


def scenario(name):
    return lambda self: self.run_scenario(name)


for file_name in sorted(os.listdir(FOLDER)):
    if file_name.endswith(".vtc"):
        setattr(VarnishtestTest, "test_" + file_name[:-4], scenario(file_name[:-4]))


if __name__ == "__main__":
    results.main()
