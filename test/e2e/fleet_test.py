#!/usr/bin/env python3
"""A fleet of real binaries: what an operator does, and what happens to the requests meanwhile."""

import concurrent.futures
import json
import os
import signal
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import Fleet, get, listener_url, stat, traffic_result, wait_until  # noqa: E402

# DESIGN.md's, on the loopback.
TEN_LINES = """\
listeners:
- name: public
  address: 127.0.0.1:0
  routes:
  - pool: web
pools:
- name: web
  backends:
  - address: {blue}
  - address: {green}
"""


class FleetTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.blue = self.fleet.start_backend("blue")
        self.green = self.fleet.start_backend("green")
        self.nodes = [self.fleet.start_node("node-a", "zone=a"), self.fleet.start_node("node-b", "zone=b")]
        self.ten_lines = TEN_LINES.format(blue=self.blue, green=self.green)
        out = self.fleet.apply(self.ten_lines)
        self.assertIn("in force on 2 nodes", out)
        self.urls = [listener_url(node, "public") for node in self.nodes]

    def assert_nothing_failed(self, traffic):
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["closed"], result["errors"]), (0, 0, []), result)
        self.assertGreater(result["requests"], 0)
        return result

    def served_since(self, traffic_urls):
        """Requests that the nodes' backends have to answer before the test goes on."""
        for url in traffic_urls:
            self.assertEqual(get(url)[0], 200)

    def test_ten_lines_serve_through_both_nodes(self):
        for url in self.urls:
            status, body, headers = get(url + "/any")
            self.assertEqual((status, body.strip()), (200, headers["x-backend"]))
            # Requests at the same time, so that the one with the fewest in flight is each of them in turn.
            with concurrent.futures.ThreadPoolExecutor(8) as threads:
                answers = list(threads.map(lambda _: get(url + "/delay/100"), range(8)))  # noqa: B023
            self.assertEqual({answer[1].strip() for answer in answers}, {"blue", "green"})

    def test_status_shows_what_each_node_listens_on(self):
        for name, url in zip(("node-a", "node-b"), self.urls):
            node = self.fleet.nodes()[name]
            self.assertEqual(node["report"]["lifecycle"], "LIFECYCLE_LIVE")
            self.assertEqual(node["report"]["bound_addresses"], [
                {"listener": "public", "configured": "127.0.0.1:0", "actual": url.removeprefix("http://")}])
            self.assertRegex(node["user_agent"], r"^convoy-proxy/\d+\.\d+\.\d+$")
            self.assertRegex(self.fleet.ctl("status"), rf"{name} +synced +1 +0 +convoy-proxy/\S+ .* public={url[7:]}\n")
        # A second listener is in the report by the time that the author is told that it is in force.
        self.fleet.apply("listeners: [{name: inner, address: '127.0.0.1:0', routes: [{pool: web}]}]")
        self.assertRegex(self.fleet.ctl("status"), r"node-b .* inner=127.0.0.1:\d+ public=127.0.0.1:\d+\n")
        self.fleet.ctl("delete", "listener", "public", "--wait", "20s")
        self.assertNotIn("public=", self.fleet.ctl("status"))

    def test_the_algorithm_arrives(self):
        def counted(url):
            backends = [get(url)[1].strip() for _ in range(12)]
            return {name: backends.count(name) for name in sorted(set(backends))}
        # Without anything in flight the first backend has the smallest (0 + 1) / weight, always.
        for url in self.urls:
            self.assertEqual(list(counted(url).values()), [12])
        self.fleet.apply(f"backends: [{{pool: web, address: '{self.green}', weight: 3}}]")
        for url in self.urls:
            self.assertEqual(counted(url), {"green": 12})
        self.fleet.apply("pools: [{name: web, algorithm: round_robin}]")
        for url in self.urls:
            self.assertEqual(set(counted(url)), {"blue", "green"})

    def test_the_access_log_is_json_if_the_listener_says_so(self):
        path = os.path.join(self.fleet.folder, "access.log")
        self.fleet.apply("listeners: [{name: public, address: '127.0.0.1:0', routes: [{name: all, pool: web}],"
                         f" access_log: {{format: json, path: '{path}'}}}}]")
        for url in self.urls:
            self.assertEqual(get(url + '/a"b', headers={"User-Agent": 'say "hi"\\'})[0], 200)

        def lines():
            with open(path, encoding="utf-8") as log:
                return log.read().splitlines()
        wait_until(lambda: len(lines()) == len(self.urls), "a line of each node")
        for record in map(json.loads, lines()):
            self.assertEqual((record["method"], record["path"], record["response_code"], record["response_flags"]),
                             ("GET", '/a"b', 200, None), record)
            self.assertEqual((record["user_agent"], record["pool"], record["route"], record["protocol"]),
                             ('say "hi"\\', "web", "all", "HTTP/1.1"), record)
            self.assertIn(record["upstream_host"], (self.blue, self.green))
            self.assertGreater(record["bytes_sent"], 0)

    def test_status_goes_on_with_watch(self):
        watch = self.fleet.start("watch", "tools/convoyctl", "--server", self.fleet.management, "status", "--watch")
        for name in ("node-a", "node-b"):
            watch.found(rf"^({name}) +synced +1 ")
        self.fleet.apply("listeners: [{name: inner, address: '127.0.0.1:0', routes: [{pool: web}]}]")
        for name in ("node-a", "node-b"):
            watch.found(rf"^({name}) +synced +2 .*inner=")
        self.nodes[0].end()
        watch.found(r"^(node-a) +disconnected ")
        self.assertEqual(watch.text().count("NODE "), 1, watch.text())
        self.fleet.control.end(signal.SIGKILL)
        self.assertEqual(watch.ended(), 4, watch.text())
        self.assertIn("no control plane answers at", watch.text())

    def test_changes_fail_no_request(self):
        red = self.fleet.start_backend("red")
        traffic = self.fleet.start_traffic(*[url + "/delay/5" for url in self.urls])
        self.fleet.apply(f"backends: [{{pool: web, address: '{self.green}', weight: 3}}]")
        self.served_since(self.urls)
        self.fleet.apply(f"backends: [{{pool: web, address: '{red}', weight: 9}}]")
        for url in self.urls:
            wait_until(lambda: get(url)[1].strip() == "red", "an answer of the new backend")  # noqa: B023
        self.fleet.apply("listeners: [{name: public, address: '127.0.0.1:0', routes: [{match: {path: /about},"
                         " direct_response: {status: 200, body: hello}}, {pool: web}]}]")
        for url in self.urls:
            self.assertEqual(get(url + "/about")[:2], (200, "hello"))
        self.fleet.ctl("delete", "backend", f"web/{self.blue}", "--wait", "20s")
        for url in self.urls:
            self.assertEqual(get(url)[0], 200)
        self.fleet.apply(self.ten_lines, "--prune")
        for url in self.urls:
            self.assertNotEqual(get(url + "/about")[1], "hello")
            self.assertIn(get(url)[1].strip(), {"blue", "green"})
        result = self.assert_nothing_failed(traffic)
        self.assertEqual(set(result["backends"]), {"blue", "green", "red"})

    def test_a_refusing_node_is_seen_by_the_author(self):
        # node-b cannot listen on an address that this machine does not have; node-a is not asked to.
        result = self.fleet.run_ctl("apply", "-f", "-", "--wait", "20s", stdin="""
            {listeners: [{name: elsewhere, address: "192.0.2.1:8080", routes: [{pool: web}],
                          nodes: {labels: {zone: b}}}]}""")
        self.assertEqual(result.returncode, 6, result.stdout + result.stderr)
        self.assertIn("node node-b refuses Listener elsewhere", result.stderr)
        nodes = self.fleet.nodes()
        self.assertEqual(nodes["node-a"]["state"], "SYNCED")
        self.assertEqual(nodes["node-b"]["state"], "REFUSING")
        self.assertEqual(nodes["node-b"]["errors"][0]["error"]["name"], "elsewhere")
        self.assertEqual(self.fleet.run_ctl("status", "--check").returncode, 6)
        for url in self.urls:
            self.assertEqual(get(url)[0], 200)
        self.fleet.ctl("delete", "listener", "elsewhere", "--wait", "20s")
        self.assertEqual(self.fleet.run_ctl("status", "--check").returncode, 0)

    def test_the_control_plane_dies_and_traffic_goes_on(self):
        traffic = self.fleet.start_traffic(*self.urls)
        self.served_since(self.urls)
        self.fleet.control.end(signal.SIGKILL)
        self.assertEqual(self.fleet.run_ctl("status").returncode, 4)
        self.served_since(self.urls)
        for node in self.nodes:
            wait_until(lambda: stat(node, "control_plane.connected_state") == 0, "the node has noticed")  # noqa: B023
            self.assertRegex(node.text(), r" warning xds: no stream from the control plane, what is in force stays so: \w")
        self.fleet.start_control()

        def both_are_back():
            nodes = self.fleet.nodes()
            return len(nodes) == 2 and all(node["state"] == "SYNCED" for node in nodes.values())
        wait_until(both_are_back, "both nodes connected again")
        self.assertIn("still revision 1", self.fleet.ctl("apply", "-f", "-", stdin=self.ten_lines))
        self.fleet.apply(f"backends: [{{pool: web, address: '{self.green}', weight: 5}}]")
        self.served_since(self.urls)
        self.assert_nothing_failed(traffic)

    def test_everything_ends_by_signal(self):
        for node in self.nodes:
            self.assertEqual(node.end(), 0, node.text())
        wait_until(lambda: {n["state"] for n in self.fleet.nodes().values()} == {"DISCONNECTED"}, "both nodes are lost")
        self.assertEqual(self.fleet.control.end(), 0)

    def test_bad_input_changes_nothing(self):
        result = self.fleet.run_ctl("apply", "-f", "-", stdin="listeners:\n- name: public\n  adress: x\n")
        self.assertEqual(result.returncode, 2)
        self.assertIn("stdin:3:3: listeners[0].adress:", result.stderr)
        self.assertIn("still revision 1", self.fleet.ctl("apply", "-f", "-", stdin=self.ten_lines))
        self.assertEqual(self.fleet.run_ctl("apply", "-f", "-", "--expected-revision", "7",
                                            stdin=self.ten_lines).returncode, 3)


if __name__ == "__main__":
    results.main()
