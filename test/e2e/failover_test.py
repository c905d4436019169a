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
from bootstrap import socket_address, write_bootstrap  # noqa: E402
from fleet import SECONDS, Fleet, get, listener_url, stat, traffic_result, wait_until  # noqa: E402

NAMES = ("blue", "green", "red")
H2LOAD_REQUESTS = 20000


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
        return stat(self.node, name)

    def requests(self, more):
        """Waits until the node has served so many more."""
        name = "http.public.downstream_rq_completed"
        target = self.stat(name) + more
        wait_until(lambda: self.stat(name) >= target, f"{more} more requests")

    def start_wrk(self):
        """Until it is interrupted. On a busy machine an answer may take longer than wrk's own 2 s."""
        wrk = subprocess.Popen(["wrk", "-t", "1", "-c", "32", "-d", "600s", "--timeout", f"{SECONDS}s", self.url + "/"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(wrk.kill)
        return wrk

    def start_h2load(self):
        return self.load("/", H2LOAD_REQUESTS, 16, 8)

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

    def test_one_is_killed_with_a_hundred_requests_that_came_first(self):
        """On their connections: nothing has shown that the backend ever answers."""
        requests = 384
        load = self.load("/delay/10000", requests, 64, 6)
        self.addCleanup(load.kill)
        wait_until(lambda: self.stat("cluster.web.upstream_rq_active") == requests, "all requests under way")
        self.running["green"].end(signal.SIGKILL)
        self.assert_none_failed_of(requests, load)
        self.assertGreaterEqual(self.stat("cluster.web.upstream_rq_retry"), requests // 3)
        self.assertEqual(self.stat("cluster.web.upstream_rq_retry_overflow"), 0)

    def start_http2_backend(self, name, sample, listen="127.0.0.1:0"):
        """A node in front of a sample backend. Returns it and its listener's address."""
        path = write_bootstrap(self.fleet.folder, name, sample, address=socket_address(listen))
        node = self.fleet.start(name, "proxy/convoy-proxy", "-c", path, "--concurrency", "1")
        node.admin, = node.found(r"convoy-proxy is live admin=(\S+)")
        return node, listener_url(node, "public").removeprefix("http://")

    def start_http2_backends(self):
        """By name, as start_http2_backend()."""
        return {name: self.start_http2_backend(f"{name}-http2", address) for name, address in self.addresses.items()}

    def test_one_is_killed_with_a_hundred_streams_under_way(self):
        backends = self.start_http2_backends()
        self.fleet.apply(json.dumps({"pools": [
            {"name": "web", "algorithm": "ALGORITHM_ROUND_ROBIN", "protocol": "PROTOCOL_HTTP2",
             "backends": [{"address": address} for _, address in backends.values()]}]}))
        self.kill_one_with_hundreds_under_way(backends["green"][0])

    def answers(self, address):
        """Of a backend, by the pool that asked."""
        return {pool: int(count) for pool, count in re.findall(
            rf"^(\w+)::{re.escape(address)}::rq_success::(\d+)$", get(f"http://{self.node.admin}/clusters")[1], re.MULTILINE)}

    def both_are_served_by(self, address):
        """Waits until a backend has answered a hundred more requests of each pool."""
        before = self.answers(address)
        self.assertEqual(set(before), {"web", "streams"})
        wait_until(lambda: all(count >= before[pool] + 100 for pool, count in self.answers(address).items()),
                   f"answers of {address} to both pools")

    def replace_all(self, running, replace, protocol):
        """running: each backend's process, by its address; replace(address) starts another one there. wrk and h2load have a
        pool each, so that it can be told who was served by whom."""
        self.fleet.apply(json.dumps({
            "listeners": [{"name": "public", "address": "127.0.0.1:0",
                           "routes": [{"match": {"path_prefix": "/streams"}, "pool": "streams"}, {"pool": "web"}]}],
            "pools": [{"name": pool, "algorithm": "ALGORITHM_ROUND_ROBIN", "protocol": protocol,
                       "backends": [{"address": address} for address in running]} for pool in ("web", "streams")]}))
        wrk = self.start_wrk()
        answers = os.path.join(self.fleet.folder, "h2load.tsv")
        h2load = self.fleet.start("h2load", "h2load", "-D", "600", "-c", "16", "-m", "8", "--log-file", answers, self.url + "/streams")
        for address, process in running.items():
            self.both_are_served_by(address)
            self.assertEqual(process.end(), 0)
            self.requests(300)
            replace(address)
            self.both_are_served_by(address)
        self.assert_wrk_saw_none_fail(wrk)
        self.assertEqual(self.stat("http.public.downstream_cx_http2_active"), 16)
        h2load.end()
        with open(answers, encoding="utf-8") as file:
            self.assertEqual({line.split("\t")[1] for line in file if line.endswith("\n")}, {"200"})
        self.assertEqual(self.stat("http.public.downstream_rq_5xx"), 0)
        for pool in ("web", "streams"):
            self.assertEqual(self.stat(f"cluster.{pool}.upstream_rq_retry_overflow"), 0)

    def test_all_are_replaced_one_after_the_other(self):
        names = {address: name for name, address in self.addresses.items()}

        def replace(address):
            name = f"{names[address]}-2"
            self.fleet.start(name, "tools/sample/backend", "--name", name, "--listen", address).found(r"^listening on (\S+)$")

        traffic = self.fleet.start_traffic(self.url)
        self.replace_all({address: self.running[name] for name, address in self.addresses.items()}, replace, "PROTOCOL_HTTP1")
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["errors"]), (0, []), result)
        self.assertEqual({name for name in result["backends"] if name.endswith("-2")}, {f"{name}-2" for name in NAMES})

    def test_all_that_speak_http2_are_replaced_one_after_the_other(self):
        """What a backend says last, that it takes no more streams (GOAWAY), costs nobody a request."""
        nodes, samples = {}, {}
        for name, (node, address) in self.start_http2_backends().items():
            nodes[address], samples[address] = node, self.addresses[name]
        self.replace_all(nodes, lambda address: self.start_http2_backend(f"next-{len(self.fleet.processes)}", samples[address], address),
                         "PROTOCOL_HTTP2")

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
