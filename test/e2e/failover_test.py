#!/usr/bin/env python3
"""Backends that are killed, or replaced one after the other, under load: no client sees an error. With convoy.v1's
defaults: no health checks, no retry policy of one's own."""

import json
import os
import re
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, Fleet, get, listener_url, traffic_result, wait_until  # noqa: E402

NAMES = ("blue", "green", "red")
H2LOAD_REQUESTS = 20000
# A backend that speaks HTTP/2: a node in front of a sample backend.
HTTP2_BACKEND = """\
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
static_resources:
  listeners:
  - name: public
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: public
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: web}}}}]}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: web
    load_assignment:
      cluster_name: web
      endpoints:
      - lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]
"""


class FailoverTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.addresses = {name: self.fleet.start_backend(name) for name in NAMES}
        self.running = {name: self.fleet.processes[-len(NAMES) + i] for i, name in enumerate(NAMES)}
        self.node = self.fleet.start_node("node-a")
        self.fleet.apply(json.dumps({
            "listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": [{"pool": "web"}]}],
            "pools": [{"name": "web", "algorithm": "ALGORITHM_ROUND_ROBIN",
                       "backends": [{"address": address} for address in self.addresses.values()]}]}))
        self.url = listener_url(self.node, "public")

    def stat(self, name):
        match = re.search(rf"^{re.escape(name)}: (\d+)$", get(f"http://{self.node.admin}/stats")[1], re.MULTILINE)
        return int(match.group(1)) if match else 0

    def requests(self, more):
        """Waits until the node has served so many more."""
        name = "http.public.downstream_rq_completed"
        target = self.stat(name) + more
        wait_until(lambda: self.stat(name) >= target, f"{more} more requests")

    def start_wrk(self):
        """Until it is interrupted. On a busy machine an answer may take longer than wrk's own 2 s."""
        return subprocess.Popen(["wrk", "-t", "1", "-c", "4", "-d", "600s", "--timeout", f"{SECONDS}s", self.url + "/"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def start_h2load(self):
        # Few at a time: what a dead backend takes with it on connections that served nothing before costs the retry
        # budget, of which a pool always has 3.
        return self.load("/", H2LOAD_REQUESTS, 4, 2)

    def load(self, path, requests, connections, streams):
        return subprocess.Popen(["h2load", "-n", str(requests), "-c", str(connections), "-m", str(streams), self.url + path],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def assert_wrk_saw_none_fail(self, wrk):
        wrk.send_signal(signal.SIGINT)
        text = wrk.communicate(timeout=SECONDS * 3)[0]
        self.assertGreater(int(re.search(r"^ +(\d+) requests in ", text, re.MULTILINE).group(1)), 0)
        # It has these lines only if there are any.
        self.assertNotRegex(text, r"Socket errors|Non-2xx", text)

    def assert_none_failed(self, traffic, load):
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["errors"]), (0, []), result)
        self.assert_none_failed_of(H2LOAD_REQUESTS, load)
        return result

    def assert_none_failed_of(self, requests, load):
        text = load.communicate(timeout=SECONDS * 3)[0]
        self.assertIn(f"{requests} succeeded, 0 failed, 0 errored, 0 timeout", text)
        self.assertIn(f"status codes: {requests} 2xx, 0 3xx, 0 4xx, 0 5xx", text)
        self.assertEqual(self.stat("http.public.downstream_rq_5xx"), 0)

    def test_one_of_three_is_killed(self):
        traffic = self.fleet.start_traffic(self.url)
        load = self.start_h2load()
        self.requests(500)
        self.running["green"].end(signal.SIGKILL)
        self.requests(2000)
        result = self.assert_none_failed(traffic, load)
        self.assertEqual(set(result["backends"]), set(NAMES))
        self.assertGreater(self.stat("cluster.web.upstream_rq_retry"), 0)
        self.assertEqual(self.stat("cluster.web.upstream_rq_retry_overflow"), 0)

    def kill_one_with_hundreds_under_way(self, one):
        """Of each backend. What they have all got on connections that served before can be sent again, whatever the budget."""
        requests = 8000
        load = self.load("/delay/100", requests, 64, 6)
        self.addCleanup(load.kill)
        self.requests(1500)
        wait_until(lambda: self.stat("cluster.web.upstream_rq_active") >= 330, "hundreds of requests under way")
        retries = self.stat("cluster.web.upstream_rq_retry")
        one.end(signal.SIGKILL)
        self.assert_none_failed_of(requests, load)
        self.assertGreaterEqual(self.stat("cluster.web.upstream_rq_retry") - retries, 100)
        self.assertEqual(self.stat("cluster.web.upstream_rq_retry_overflow"), 0)

    def test_one_is_killed_with_a_hundred_requests_under_way(self):
        self.kill_one_with_hundreds_under_way(self.running["green"])

    def test_one_is_killed_with_a_hundred_streams_under_way(self):
        nodes = {}
        for name, address in self.addresses.items():
            path = os.path.join(self.fleet.folder, f"{name}-http2.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(HTTP2_BACKEND.format(port=address.rsplit(":", 1)[1]))
            nodes[name] = self.fleet.start(f"{name}-http2", "proxy/convoy-proxy", "-c", path, "--concurrency", "1")
        for node in nodes.values():
            node.admin, = node.found(r"convoy-proxy is live admin=(\S+)")
        backends = [{"address": listener_url(node, "public").removeprefix("http://")} for node in nodes.values()]
        self.fleet.apply(json.dumps({
            "listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": [{"pool": "web"}]}],
            "pools": [{"name": "web", "algorithm": "ALGORITHM_ROUND_ROBIN", "protocol": "PROTOCOL_HTTP2", "backends": backends}]}))
        self.kill_one_with_hundreds_under_way(nodes["green"])

    def test_all_are_replaced_one_after_the_other(self):
        traffic = self.fleet.start_traffic(self.url)
        wrk = self.start_wrk()
        self.addCleanup(wrk.kill)
        load = self.start_h2load()
        for name, address in self.addresses.items():
            self.requests(300)
            self.assertEqual(self.running[name].end(), 0)
            self.requests(300)
            replaced = self.fleet.start(f"{name}-2", "tools/sample/backend", "--name", f"{name}-2", "--listen", address)
            replaced.found(r"^listening on (\S+)$")
        self.requests(1000)
        self.assert_wrk_saw_none_fail(wrk)
        result = self.assert_none_failed(traffic, load)
        self.assertEqual({name for name in result["backends"] if name.endswith("-2")}, {f"{name}-2" for name in NAMES})

    def test_all_are_killed_and_one_returns(self):
        """Without health checks, too: nobody waits for backends that are not there, and one that is back is found by trying."""
        self.fleet.apply('listeners: [{name: public, address: "127.0.0.1:0", routes: [{pool: web, retries: {attempts: 2}}]}]')
        self.assertEqual({get(self.url)[1].strip() for _ in range(6)}, set(NAMES))
        for process in self.running.values():
            process.end(signal.SIGKILL)
        self.assertEqual([get(self.url)[0] for _ in range(6)], [503] * 6)
        self.assertEqual(self.stat("cluster.web.upstream_cx_connect_timeout"), 0)
        self.fleet.start("green-2", "tools/sample/backend", "--name", "green-2", "--listen", self.addresses["green"]).found(
            r"^listening on (\S+)$")
        self.assertEqual([get(self.url)[:2] for _ in range(6)], [(200, "green-2\n")] * 6)

    def test_a_node_knows_how_long_the_one_before_it_waits(self):
        status, body, _ = get(self.url + "/delay/60000", {"x-envoy-expected-rq-timeout-ms": "50"})
        self.assertEqual(status, 504)
        self.assertIn("Set by x-envoy-expected-rq-timeout-ms.", body)


if __name__ == "__main__":
    results.main()
