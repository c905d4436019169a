#!/usr/bin/env python3
"""The admin endpoint of a real convoy-proxy, as an operator, a scraper and Envoy's users see it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from bootstrap import write_bootstrap  # noqa: E402
from fleet import SECONDS, Process, get, wait_until  # noqa: E402


def post(url):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
    try:
        connection.request("POST", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


class AdminTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="convoy-e2e")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.backend = self.start("backend", "tools/sample/backend", "--name", "blue")
        path = write_bootstrap(self.folder, "envoy", self.backend.found(r"^listening on (\S+)$")[0], cluster='"we\\"b"',
                               top="node: {id: n1, cluster: edge}")
        self.proxy = self.start("proxy", "proxy/convoy-proxy", "-c", path, "--concurrency", "2")
        admin, public = self.proxy.found(r"convoy-proxy is live admin=(\S+) public=(\S+)")
        self.admin, self.public = "http://" + admin, "http://" + public
        self.assertEqual(get(self.public + "/")[0], 200)

    def start(self, name, *command):
        process = Process(self.folder, name, *command)
        self.addCleanup(process.end, signal.SIGKILL)
        return process

    def json(self, page):
        parts = urllib.parse.urlsplit(self.admin)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
        try:
            connection.request("GET", page)
            response = connection.getresponse()
            self.assertEqual((response.status, response.headers["content-type"]), (200, "application/json"), page)
            return json.loads(response.read())
        finally:
            connection.close()

    def test_prometheus_can_read_the_metrics(self):
        status, text, headers = get(self.admin + "/stats/prometheus")
        self.assertEqual((status, headers["content-type"]), (200, "text/plain; version=0.0.4"))
        self.assertIn('\nenvoy_cluster_upstream_rq_total{envoy_cluster_name="we\\"b"} 1\n', text)
        self.assertIn('\nenvoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="public"} 1\n', text)
        self.assertIn('\nenvoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix="public",'
                      'envoy_response_code_class="2"} 1\n', text)
        address = self.public[len("http://"):].rsplit(":", 1)[0]
        self.assertIn(f'\nenvoy_listener_downstream_cx_total{{envoy_listener_address="{address}_0"}} 1\n', text)
        promtool = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True,
                                  timeout=SECONDS, check=False)
        # 0: fine; 3: it reads them and dislikes names, which are Envoy's; 1: it cannot read them.
        self.assertIn(promtool.returncode, (0, 3), promtool.stderr)
        dislikes = [line for line in promtool.stderr.splitlines()
                    if not re.search(r'counter metrics should have "_total" suffix'
                                     r'|non-histogram and non-summary metrics should not have "_(count|bucket)" suffix'
                                     r'|use base unit "seconds" instead of "(milliseconds|days)"'
                                     r'|metric names should not contain abbreviated units'
                                     r'|non-counter metrics should not have "_total" suffix', line)]
        self.assertEqual(dislikes, [])
        self.assertEqual(len(re.findall(r"^# TYPE ", text, re.MULTILINE)),
                         len(set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))))

    def test_a_failure_is_counted_by_its_response_flag(self):
        name = 'envoy_http_downstream_rq_response_flag{envoy_http_conn_manager_prefix="public",response_flag="%s"} %d\n'
        text = get(self.admin + "/stats/prometheus")[1]
        self.assertIn("\n" + name % ("UF", 0), text)
        self.assertEqual(text.count("# TYPE envoy_http_downstream_rq_response_flag counter\n"), 1)
        self.backend.end()
        self.assertEqual(get(self.public + "/")[0], 503)
        text = get(self.admin + "/stats/prometheus")[1]
        self.assertIn("\n" + name % ("UF", 1), text)
        self.assertIn("\n" + name % ("UH", 0), text)
        self.assertIn("http.public.downstream_rq_response_flag.UF: 1\n", get(self.admin + "/stats")[1])

    def test_the_pages_that_envoys_users_know(self):
        self.assertEqual(get(self.admin + "/ready")[:2], (200, "LIVE\n"))
        self.assertEqual(self.json("/server_info")["state"], "LIVE")
        self.assertIn("total_physical_bytes", self.json("/memory"))
        self.assertIn(f"public::{self.public[7:]}\n", get(self.admin + "/listeners")[1])
        self.assertEqual(self.json("/clusters?format=json")["cluster_statuses"][0]["name"], 'we"b')
        self.assertEqual([config["@type"].rsplit(".", 1)[1] for config in self.json("/config_dump")["configs"]],
                         ["BootstrapConfigDump", "ClustersConfigDump", "ListenersConfigDump", "RoutesConfigDump",
                          "SecretsConfigDump"])
        status, text, _ = get(self.admin + "/nothing")
        self.assertEqual(status, 404)
        self.assertIn("/config_dump", text)
        status, _, headers = get(self.admin + "/quitquitquit")
        self.assertEqual((status, headers["allow"]), (405, "POST"))

    def test_pages_that_change_something(self):
        self.assertEqual(post(self.admin + "/logging?level=debug"), (200, "active loggers:\n  convoy: debug\n"))
        self.assertEqual(post(self.admin + "/healthcheck/fail"), (200, "OK\n"))
        self.assertEqual(get(self.admin + "/ready")[:2], (503, "DRAINING\n"))
        self.assertEqual(post(self.admin + "/healthcheck/ok"), (200, "OK\n"))
        self.assertEqual(get(self.admin + "/ready")[0], 200)
        self.assertEqual(post(self.admin + "/drain_listeners"), (200, "OK\n"))
        address = urllib.parse.urlsplit(self.public)

        def refused():
            with socket.socket() as client:
                return client.connect_ex((address.hostname, address.port)) != 0
        wait_until(refused, "the listener is closed")
        self.assertEqual(post(self.admin + "/quitquitquit"), (200, "OK\n"))
        self.assertEqual(self.proxy.process.wait(timeout=SECONDS), 0)


if __name__ == "__main__":
    results.main()
