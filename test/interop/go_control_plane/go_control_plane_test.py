#!/usr/bin/env python3
"""convoy-proxy driven by another project's control plane: go-control-plane, by delta ADS."""

import copy
import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.getcwd(), folder) for folder in ("test/e2e", "test/interop/go_control_plane")]

import resources as envoy  # noqa: E402
import results  # noqa: E402
from fleet import Process, get, listener_url, stat, traffic_result, url_of, wait_until  # noqa: E402
from peer import TYPES, Peer, resource_error  # noqa: E402

NODE = "node-1"


class GoControlPlaneTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="convoy-interop")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.blue, self.green = self.start_backend("blue"), self.start_backend("green")
        self.resources = {
            "clusters": {"web": envoy.cluster("web"), "api": envoy.cluster("api")},
            "endpoints": {"web": envoy.assignment("web", self.blue), "api": envoy.assignment("api", self.green)},
            "routes": {"table": envoy.routes("table", envoy.rule("/api", "api"), envoy.rule("/", "web"))},
            "listeners": {"public": envoy.listener("public", "table")},
        }
        self.version = 0
        self.start_peer()
        self.serve()
        self.node = self.start_node()

    def start(self, name, *command):
        process = Process(self.folder, name, *command)

        def end():
            if process.process.poll() is None:
                process.process.kill()
            process.process.wait()
        self.addCleanup(end)
        return process

    def start_backend(self, name):
        return self.start(name, "tools/sample/backend", "--name", name).found(r"^listening on (\S+)$")[0]

    def start_peer(self, address="127.0.0.1:0"):
        self.peer = Peer(os.path.join(self.folder, "peer.log"), address)
        self.addCleanup(self.peer.kill)

    def start_node(self):
        path = os.path.join(self.folder, "envoy.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(envoy.bootstrap(self.peer.address, NODE), file)
        node = self.start("proxy", "proxy/convoy-proxy", "-c", path, "--concurrency", "2")
        node.admin, = node.found(r"convoy-proxy is live admin=(\S+)")
        self.url = listener_url(node, "public")
        return node

    def start_traffic(self, *urls):
        traffic = self.start("traffic", "python3", "tools/lib/traffic.py", "--connections", "4", *urls)
        traffic.found(r"^(running)$")
        return traffic

    def serve(self):
        """Puts self.resources in force; what happens from then on is from the returned position on."""
        self.version += 1
        return self.peer.serve(NODE, str(self.version), self.resources)

    def served_by(self, path="/"):
        """Who answers: a backend's name, or a status where none did."""
        status, body, headers = get(self.url + path)
        return headers.get("x-backend", status) if status == 200 else status

    def wait_served_by(self, path, whom):
        wait_until(lambda: self.served_by(path) == whom, f"{path} answered by {whom}")

    def stat(self, name):
        return stat(self.node, name)

    def assert_nothing_failed(self, traffic):
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["closed"], result["errors"]), (0, 0, []), result)
        self.assertGreater(result["requests"], 0)
        return result

    def test_everything_arrives_is_acknowledged_and_serves(self):
        self.assertEqual(self.served_by("/"), "blue")
        self.assertEqual(self.served_by("/api"), "green")
        for kind, names in (("clusters", {"web", "api"}), ("endpoints", {"web", "api"}),
                            ("listeners", {"public"}), ("routes", {"table"})):
            response, answer = self.peer.answer(kind)
            self.assertEqual(set(response["resources"]), names)
            self.assertNotIn("error", answer)
        first = self.peer.find(kind="request")[0]
        self.assertEqual(first["node"], NODE)
        # Clusters and listeners by wildcard, the rest by name; who it is is said once.
        by_type = {kind: self.peer.find(kind="request", type=url) for kind, url in TYPES.items()}
        self.assertNotIn("subscribe", by_type["clusters"][0])
        self.assertNotIn("subscribe", by_type["listeners"][0])
        self.assertEqual(set(by_type["endpoints"][0]["subscribe"]), {"web", "api"})
        self.assertEqual(by_type["routes"][0]["subscribe"], ["table"])

    def test_a_removed_endpoint_gets_no_more_requests(self):
        self.resources["endpoints"]["web"] = envoy.assignment("web", self.blue, self.green)
        self.serve()
        self.wait_served_by("/", "green")
        traffic = self.start_traffic(self.url)
        self.resources["endpoints"]["web"] = envoy.assignment("web", self.green)
        start = self.serve()
        response, answer = self.peer.answer("endpoints", start)
        self.assertEqual((set(response["resources"]), "error" in answer), ({"web"}, False))
        self.assertEqual({self.served_by("/") for _ in range(8)}, {"green"})
        # Nothing else changed, and nothing else was sent.
        self.assertEqual(self.peer.find(start, kind="response"), [response])
        self.assert_nothing_failed(traffic)

    def test_a_changed_route_sends_requests_elsewhere(self):
        traffic = self.start_traffic(self.url)
        self.resources["routes"]["table"] = envoy.routes("table", envoy.rule("/", "api"))
        response, answer = self.peer.answer("routes", self.serve())
        self.assertEqual((set(response["resources"]), "error" in answer), ({"table"}, False))
        self.assertEqual(self.served_by("/"), "green")
        self.assert_nothing_failed(traffic)

    def test_a_bad_resource_is_refused_by_name_and_the_others_apply(self):
        traffic = self.start_traffic(self.url)
        # api changes to something that is not supported, bad never was; good is new, and web changes.
        self.resources["clusters"]["api"]["connection_pool_per_downstream_connection"] = True
        self.resources["clusters"]["bad"] = envoy.cluster("bad", upstream_config={"name": "some.extension", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}})
        self.resources["clusters"]["good"] = envoy.cluster("good")
        self.resources["clusters"]["web"]["connect_timeout"] = "2s"
        self.resources["endpoints"]["good"] = envoy.assignment("good", self.green)
        self.resources["routes"]["table"] = envoy.routes(
            "table", envoy.rule("/good", "good"), envoy.rule("/api", "api"), envoy.rule("/", "web"))
        start = self.serve()
        response, answer = self.peer.answer("clusters", start)
        self.assertEqual(set(response["resources"]), {"api", "bad", "good", "web"})
        errors = {e["name"]: e for e in map(resource_error, answer["details"])}
        self.assertEqual(set(errors), {"api", "bad"})
        self.assertEqual(errors["bad"]["field_path"], "upstream_config")
        self.assertEqual(errors["api"]["field_path"], "connection_pool_per_downstream_connection")
        for name, error in errors.items():
            self.assertEqual(error["type_url"], TYPES["clusters"])
            self.assertIn(f"{name}: {error['field_path']}: ", answer["error"])
        # What was not refused is in force, and so is the previous version of what was.
        self.wait_served_by("/good", "green")
        self.assertEqual(self.served_by("/api"), "green")
        self.assertEqual(self.served_by("/"), "blue")
        self.assertEqual(self.stat("cluster_manager.cds.resource_rejected"), 2)
        # A correct version makes good for it.
        del self.resources["clusters"]["api"]["connection_pool_per_downstream_connection"]
        del self.resources["clusters"]["bad"]
        response, answer = self.peer.answer("clusters", self.serve())
        self.assertEqual((set(response["resources"]), response["removed"]), ({"api"}, ["bad"]))
        self.assertNotIn("error", answer)
        self.assert_nothing_failed(traffic)

    def test_a_killed_control_plane_changes_nothing_and_resends_nothing_when_it_is_back(self):
        held = {}
        for kind in TYPES:
            response, _ = self.peer.answer(kind)
            held[kind] = response["resources"]
        traffic = self.start_traffic(self.url, self.url + "/api")
        self.peer.kill()
        wait_until(lambda: self.stat("control_plane.connected_state") == 0, "the node notices")
        self.assertEqual((self.served_by("/"), self.served_by("/api")), ("blue", "green"))

        self.start_peer(self.peer.address)
        self.serve()
        for kind, url in TYPES.items():
            first = self.peer.wait_for(f"a request about {kind}", kind="request", type=url)
            self.assertEqual(first["initial"], held[kind])
        wait_until(lambda: self.stat("control_plane.connected_state") == 1, "the node is back")
        # A change gets through, alone: whatever else was to be sent would have come before it.
        self.resources["endpoints"]["web"] = envoy.assignment("web", self.green)
        start = self.serve()
        self.peer.answer("endpoints", start)
        self.assertEqual(self.served_by("/"), "green")
        sent = [(e["type"], set(e.get("resources", {})), e.get("removed")) for e in self.peer.find(kind="response")]
        self.assertEqual([e for e in sent if e[1] or e[2]], [(TYPES["endpoints"], {"web"}, None)])
        self.assert_nothing_failed(traffic)

    def test_what_was_refused_is_offered_again_after_a_restart(self):
        good = copy.deepcopy(self.resources["clusters"]["api"])
        self.resources["clusters"]["api"]["connection_pool_per_downstream_connection"] = True
        _, answer = self.peer.answer("clusters", self.serve())
        self.assertIn("error", answer)
        self.peer.kill()
        self.start_peer(self.peer.address)
        self.serve()
        response, answer = self.peer.answer("clusters")
        self.assertEqual(set(response["resources"]), {"api"})
        self.assertEqual([resource_error(d)["name"] for d in answer["details"]], ["api"])
        self.assertEqual(self.served_by("/api"), "green")
        self.resources["clusters"]["api"] = {**good, "connect_timeout": "2s"}
        _, answer = self.peer.answer("clusters", self.serve())
        self.assertNotIn("error", answer)

    def test_removed_resources_are_gone(self):
        self.resources["listeners"]["extra"] = envoy.listener("extra", "extra-table")
        self.resources["routes"]["extra-table"] = envoy.routes("extra-table", envoy.rule("/", "api"))
        self.serve()
        extra = wait_until(lambda: url_of(self.node, "extra"), "a second listener")
        self.assertEqual(get(extra)[2]["x-backend"], "green")
        traffic = self.start_traffic(self.url)

        # The route first, so that nothing refers to the cluster any more.
        self.resources["routes"]["table"] = envoy.routes("table", envoy.rule("/", "web"))
        del self.resources["listeners"]["extra"], self.resources["routes"]["extra-table"]
        response, _ = self.peer.answer("listeners", self.serve())
        self.assertEqual(response["removed"], ["extra"])
        wait_until(lambda: url_of(self.node, "extra") is None, "the listener is gone")
        with self.assertRaises(OSError):
            get(extra)

        del self.resources["clusters"]["api"], self.resources["endpoints"]["api"]
        start = self.serve()
        response, _ = self.peer.answer("clusters", start)
        self.assertEqual(response["removed"], ["api"])
        self.peer.wait_for("the end of the interest in endpoints", start, kind="request", type=TYPES["endpoints"],
                           unsubscribe=["api"])
        wait_until(lambda: "\napi::" not in get(f"http://{self.node.admin}/clusters")[1], "the cluster is gone")
        self.assert_nothing_failed(traffic)

    def test_a_cluster_without_endpoints_answers_503_until_it_has_some(self):
        self.resources["clusters"]["late"] = envoy.cluster("late")
        self.resources["endpoints"]["late"] = {"cluster_name": "late"}
        self.resources["routes"]["table"] = envoy.routes("table", envoy.rule("/", "late"))
        self.serve()
        self.wait_served_by("/", 503)
        self.resources["endpoints"]["late"] = envoy.assignment("late", self.green)
        self.serve()
        self.wait_served_by("/", "green")


if __name__ == "__main__":
    results.main()
