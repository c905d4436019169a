#!/usr/bin/env python3
"""Balancing through real nodes and backends: requests of one key stay together, and traffic leaves a backend that has become
slow."""

import concurrent.futures
import json
import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from backends import HeldBackend  # noqa: E402
from fleet import Fleet, get, listener_url, stat, traffic_result, wait_until  # noqa: E402

NAMES = ("blue", "green", "red", "white")
USERS = [f"user-{i}" for i in range(24)]
SOURCES = [f"127.0.1.{i}" for i in range(1, 25)]

HASHED = """\
listeners:
- name: public
  address: 127.0.0.1:0
  routes:
  - {{match: {{path_prefix: /header}}, pool: ring}}
  - {{match: {{path_prefix: /cookie}}, pool: ring, hash_key: {{cookie: id, cookie_ttl: 60s}}}}
  - {{match: {{path_prefix: /query}}, pool: table, hash_key: {{query: user}}}}
  - {{match: {{path_prefix: /path}}, pool: table, hash_key: {{path: true}}}}
  - {{match: {{path_prefix: /source}}, pool: table}}
  - {{match: {{path_prefix: /remainder}}, pool: clients}}
pools:
- {{name: ring, algorithm: consistent_hash, hash_key: {{header: x-user}}, backends: {backends}}}
- {{name: table, algorithm: maglev, backends: {backends}}}
- {{name: clients, algorithm: ip_hash, backends: {backends}}}
"""


class BalancingTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.addresses = {name: self.fleet.start_backend(name) for name in NAMES}
        self.running = {process.name: process for process in self.fleet.processes}
        self.node = self.fleet.start_node("node-a")

    def apply(self, config):
        self.fleet.apply(config)
        self.url = listener_url(self.node, "public")

    def apply_hashed(self, *names):
        self.apply(HASHED.format(backends=json.dumps([{"address": self.addresses[name]} for name in names])))

    def completed(self):
        return stat(self.node, "http.public.downstream_rq_completed")

    def backend_of(self, path, headers=None, source=None):
        """The one that serves three such requests."""
        answers = [get(self.url + path, headers, source) for _ in range(3)]
        self.assertEqual([answer[0] for answer in answers], [200, 200, 200])
        names = {answer[2]["x-backend"] for answer in answers}
        self.assertEqual(len(names), 1, (path, headers, source, names))
        return names.pop()

    def by_header(self):
        return [self.backend_of("/header", {"x-user": user}) for user in USERS]

    def test_requests_of_one_key_go_to_one_backend(self):
        self.apply_hashed(*NAMES)
        seen = {
            "header": self.by_header(),
            "cookie": [self.backend_of("/cookie", {"cookie": f"a=b; id={user}"}) for user in USERS],
            "query": [self.backend_of(f"/query?a=b&user={user}") for user in USERS],
            "path": [self.backend_of(f"/path/{user}") for user in USERS],
            "source": [self.backend_of("/source", source=source) for source in SOURCES],
            "remainder": [self.backend_of("/remainder", source=source) for source in SOURCES],
        }
        for key, backends in seen.items():
            self.assertGreaterEqual(len(set(backends)), 3, (key, backends))

    def test_a_client_without_the_cookie_is_given_one(self):
        self.apply_hashed(*NAMES)
        for _ in range(6):
            status, _, headers = get(self.url + "/cookie")
            self.assertEqual(status, 200)
            cookie = re.fullmatch(r'(id="[0-9a-f]+"); Max-Age=60; Path=/; HttpOnly', headers["set-cookie"]).group(1)
            self.assertEqual(self.backend_of("/cookie", {"cookie": cookie}), headers["x-backend"])
        self.assertIsNone(get(self.url + "/cookie", {"cookie": cookie})[2]["set-cookie"])

    def test_the_keys_of_the_others_stay_when_a_backend_leaves(self):
        self.apply_hashed(*NAMES)
        before = self.by_header()
        self.apply_hashed("blue", "green", "red")
        after = self.by_header()
        self.assertNotIn("white", after)
        for was, now in zip(before, after):
            if was != "white":
                self.assertEqual(now, was)
        self.apply_hashed(*NAMES)
        self.assertEqual(self.by_header(), before)

    def test_the_keys_of_a_backend_that_is_down_have_another(self):
        self.apply_hashed(*NAMES)
        before = self.by_header()
        self.running["white"].process.kill()
        self.running["white"].ended()
        after = self.by_header()
        self.assertNotIn("white", after)
        for was, now in zip(before, after):
            if was != "white":
                self.assertEqual(now, was)

    def apply_chosen(self, red, enabled):
        backends = [{"address": self.addresses["blue"]}, {"address": red, "enabled": enabled}]
        self.apply(json.dumps({
            "listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": [{"pool": "web"}]}],
            "pools": [{"name": "web", "algorithm": "ALGORITHM_ROUND_ROBIN", "override_header": "X-To", "drain_timeout": "0s",
                       "backends": backends}]}))

    def stat(self, name):
        return stat(self.node, f"cluster.web.{name}")

    def test_a_backend_that_is_disabled_finishes_what_it_has(self):
        red = HeldBackend(self, "red")
        self.apply_chosen(red.address, True)
        to_red = {"x-to": red.address}
        with concurrent.futures.ThreadPoolExecutor() as pool:
            held = pool.submit(get, self.url + "/held", to_red)
            try:
                wait_until(lambda: self.stat("upstream_rq_active") == 1, "the request to be under way")
                self.apply_chosen(red.address, False)
                for _ in range(8):
                    self.assertEqual(get(self.url, to_red)[2]["x-backend"], "blue")
            finally:
                red.released.set()
            status, _, headers = held.result()
            self.assertEqual((status, headers["x-backend"]), (200, "red"))
        self.assertEqual((self.stat("override_host.selected"), self.stat("override_host.fallback")), (1, 8))
        self.apply_chosen(red.address, True)
        for _ in range(4):
            self.assertEqual(get(self.url, to_red)[2]["x-backend"], "red")

    def test_a_backend_has_no_more_connections_than_it_may(self):
        limits = {"blue": 1, "red": 2}
        held = {name: HeldBackend(self, name) for name in limits}
        self.apply(json.dumps({
            "listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": [{"pool": "web"}]}],
            "pools": [{"name": "web", "backends": [{"address": held[name].address, "max_connections": most}
                                                   for name, most in limits.items()]}]}))
        with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
            requests = [pool.submit(get, self.url + "/held") for _ in range(3)]
            try:
                wait_until(lambda: self.stat("upstream_rq_active") == 3, "three requests to be under way")
                self.assertEqual(get(self.url)[0], 503)
            finally:
                for backend in held.values():
                    backend.released.set()
            backends = sorted(request.result()[2]["x-backend"] for request in requests)
        self.assertEqual(backends, ["blue", "red", "red"])
        self.assertEqual(self.stat("host_limit.overflow"), 1)
        self.assertEqual(get(self.url)[0], 200)

    def apply_placed(self, pool, routes=({"pool": "web"},)):
        """backends: fields of each by its name."""
        backends = [{"address": self.addresses[name], **fields} for name, fields in pool.pop("backends").items()]
        self.apply(json.dumps({
            "listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": list(routes)}],
            "pools": [{"name": "web", "algorithm": "ALGORITHM_ROUND_ROBIN", "backends": backends, **pool}]}))

    def served_by(self, path="/", requests=6):
        """Backends; None: a request that none has answered."""
        return {get(self.url + path)[2].get("x-backend") for _ in range(requests)}

    def test_backups_wait_until_the_others_are_down(self):
        check = {"interval": "0.1s", "timeout": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1, "tcp": {}}
        self.apply_placed({"health_check": check, "backends": {"blue": {}, "red": {}, "white": {"backup": True}}})
        wait_until(lambda: self.stat("membership_healthy") == 3, "the checks to pass")
        self.assertEqual(self.served_by(), {"blue", "red"})
        for name, left in (("blue", {"red"}), ("red", {"white"})):
            self.running[name].process.kill()
            self.running[name].ended()
            # The last one takes what it gets with it, until a check has seen it.
            wait_until(lambda: self.served_by() == left, f"the requests to go to {left}")
        self.assertEqual(self.stat("1.priority_healthy"), 1)

    def test_a_node_prefers_its_own_zone(self):
        zones = {"blue": {"zone": "a"}, "green": {"zone": "b"}, "red": {"zone": "b"}, "white": {"zone": "a"}}
        self.node = self.fleet.start_node("node-b", zone="b")
        self.apply_placed({"zone_aware": True, "backends": zones})
        self.assertEqual(self.served_by(requests=12), {"green", "red"})
        # What the own zone has no hosts for goes to the other.
        self.apply_placed({"zone_aware": True, "backends": {name: zones[name] for name in ("blue", "white")}})
        self.assertEqual(self.served_by(requests=12), {"blue", "white"})

    def test_a_route_chooses_the_backends_with_a_label(self):
        routes = ({"match": {"path_prefix": "/next"}, "pool": "web", "subset": {"version": "v2"}}, {"pool": "web"})
        subsets = {"by": [{"labels": ["version"]}], "fallback": "FALLBACK_DEFAULT", "default_labels": {"version": "v1"}}
        labelled = {"blue": "v1", "green": "v1", "red": "v2"}
        self.apply_placed({"subsets": subsets, "backends": {name: {"labels": {"version": v}} for name, v in labelled.items()}}, routes)
        self.assertEqual(self.served_by("/next"), {"red"})
        self.assertEqual(self.served_by("/"), {"blue", "green"})
        del labelled["red"]
        self.apply_placed({"subsets": subsets, "backends": {name: {"labels": {"version": v}} for name, v in labelled.items()}}, routes)
        self.assertEqual(self.served_by("/next"), {"blue", "green"})

    def with_a_slow_one(self, algorithm):
        """The share in per cent of a backend that has become slow while it was in use, and the mean time of a request in ms: of
        a thousand requests."""
        backends = [{"address": self.addresses[name]} for name in ("blue", "green", "red")]
        self.apply(json.dumps({
            "listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": [{"pool": "web"}]}],
            "pools": [{"name": "web", "algorithm": algorithm, "backends": backends}]}))
        for _ in range(30):
            self.assertEqual(get(self.url)[0], 200)
        self.running["red"].end()
        self.running["red"] = self.fleet.start(f"slow-{algorithm}", "tools/sample/backend", "--name", "slow", "--delay-ms", "300",
                                               "--listen", self.addresses["red"])
        self.running["red"].found(r"^listening on (\S+)$")
        before = self.completed()
        traffic = self.fleet.start_traffic(self.url)
        wait_until(lambda: self.completed() >= before + 1000, "a thousand requests")
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["errors"]), (0, []), result)
        return 100 * result["backends"].get("slow", 0) / result["requests"], result["mean_ms"]

    def test_traffic_leaves_a_backend_that_becomes_slow(self):
        share, mean = self.with_a_slow_one("ALGORITHM_LEAST_RESPONSE_TIME")
        self.assertLess(share, 5)
        # And clients do not notice it: a third of the requests, in turn, would be 100 ms for each on the average, on top of what
        # this machine needs now.
        in_turn_share, in_turn = self.with_a_slow_one("ALGORITHM_ROUND_ROBIN")
        self.assertGreater(in_turn_share, 30)
        self.assertLess(mean, in_turn - 50)

    def test_one_stall_is_enough_for_peak_ewma(self):
        self.assertLess(self.with_a_slow_one("ALGORITHM_PEAK_EWMA")[0], 5)


if __name__ == "__main__":
    results.main()
