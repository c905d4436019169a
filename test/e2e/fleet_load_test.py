#!/usr/bin/env python3
"""Changes of every kind in a row under load: no request fails and no client connection is closed. Small;
tools/bench --fleet has the long version with wrk, and the figures."""

import json
import os
import statistics
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import Fleet, get, listener_url, traffic_result, wait_until  # noqa: E402

APPLIES = 20


class FleetLoadTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.backends = [self.fleet.start_backend(name) for name in ("blue", "green", "red")]
        self.nodes = [self.fleet.start_node("node-a"), self.fleet.start_node("node-b")]
        self.fleet.apply(json.dumps(self.config(self.backends[:2])))
        self.urls = [listener_url(node, "public") for node in self.nodes]

    def config(self, addresses, weight=1, routes=(), headers=None):
        listener = {"name": "public", "address": "127.0.0.1:0", "routes": [*routes, {"name": "all", "pool": "web"}]}
        if headers:
            listener["headers"] = {"response": {"set": headers}}
        backends = [{"address": address, "weight": weight} for address in addresses]
        return {"listeners": [listener], "pools": [{"name": "web", "backends": backends}]}

    def stats(self, node):
        lines = get(f"http://{node.admin}/stats")[1].splitlines()
        return {name: int(value) for name, value in (line.rsplit(": ", 1) for line in lines if ": " in line)
                if value.lstrip("-").isdigit()}

    def changed(self, number):
        """A change of each kind in turn, each different from all before."""
        kind, count = number % 4, number + 2
        if kind == 0:
            return self.config(self.backends[:2], weight=count)
        if kind == 1:
            return self.config(self.backends[number % 3:] or self.backends)
        if kind == 2:
            return self.config(self.backends, routes=[{"match": {"path": f"/{count}"}, "pool": "web"}])
        return self.config(self.backends, headers={"x-number": str(count)})

    def test_changes_in_a_row(self):
        traffic = self.fleet.start_traffic(*self.urls)
        connections = "http.public.downstream_cx_total"
        for node in self.nodes:
            wait_until(lambda: self.stats(node).get(connections) == 8, "the connections of the load")  # noqa: B023
        taken = []
        head = self.fleet.revision()
        for number in range(APPLIES):
            started = time.monotonic()
            self.fleet.apply(json.dumps(self.changed(number)))
            taken.append((time.monotonic() - started) * 1000)
        self.assertEqual(self.fleet.revision(), head + APPLIES, "a change was none")
        for node in self.nodes:
            self.assertEqual(self.stats(node)[connections], 8, "a connection of the load was replaced")
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["closed"], result["errors"]), (0, 0, []), result)
        self.assertGreater(result["requests"], 0)
        print(f"{APPLIES} applies until in force: median {statistics.median(taken):.0f} ms, longest {max(taken):.0f} ms, "
              f"convoyctl included; {result['requests']} requests meanwhile, none failed", flush=True)
        for url in self.urls:
            self.assertEqual(get(url)[2]["x-number"], str(APPLIES + 1))

    def test_one_backend_of_many_pools(self):
        names = [f"pool-{i}" for i in range(50)]
        pools = [{"name": name, "backends": [{"address": self.backends[0]}]} for name in names]
        routes = [{"match": {"path_prefix": f"/{name}/"}, "pool": name} for name in names]
        self.fleet.apply(json.dumps({"listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": routes}],
                                     "pools": pools}), "--prune")
        before = [self.stats(node) for node in self.nodes]
        self.fleet.apply(json.dumps({"backends": [{"pool": names[7], "address": self.backends[1]}]}))
        for node, former in zip(self.nodes, before):
            now = self.stats(node)
            received = {key: now[f"{key}.resource_received"] - former[f"{key}.resource_received"]
                        for key in ("cluster_manager.cds", "cluster_manager.eds", "listener_manager.lds", "http.rds")}
            self.assertEqual(received, {"cluster_manager.cds": 0, "cluster_manager.eds": 1, "listener_manager.lds": 0,
                                        "http.rds": 0})
            print(f"one backend of {len(names)} pools changed: "
                  f"{now['cluster_manager.eds.received_bytes'] - former['cluster_manager.eds.received_bytes']} bytes",
                  flush=True)


if __name__ == "__main__":
    results.main()
