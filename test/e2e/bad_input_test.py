#!/usr/bin/env python3
"""Bad input, with the real binaries: what is refused, in which words, and that nothing changes by it."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, Fleet, Process, get, listener_url, wait_until  # noqa: E402

GOOD = """\
listeners:
- name: public
  address: 127.0.0.1:0
  routes:
  - pool: web
pools:
- name: web
  backends:
  - address: {backend}
"""

# What, the file, and what is said of it: place, field, reason, (rule: value).
CONFIGURATION = [
    ("malformed YAML", "listeners:\n- name: [public\n", ["stdin:2:9: not YAML", "(syntax)"]),
    ("a tab for indentation", "pools:\n- name: web\n\tbackends: []\n", ["stdin:3:", "not YAML"]),
    ("text that is no map", "hello\n", ["stdin:1:1: "]),
    ("an unknown field", "listeners:\n- name: public\n  adress: x\n",
     ["stdin:3:3: listeners[0].adress: ", 'did you mean "address"?', "(unknown_field: adress)"]),
    ("an unknown kind", "listenrs: []\n", ["stdin:1:1: listenrs: ", 'did you mean "listeners"?']),
    ("a word for a number", "pools:\n- name: web\n  backends:\n  - {address: '1.2.3.4:80', weight: heavy}\n",
     ["stdin:4:", "pools[0].backends[0].weight: ", "(type: heavy)"]),
    ("a negative number", "pools:\n- name: web\n  backends:\n  - {address: '1.2.3.4:80', weight: -1}\n",
     ["pools[0].backends[0].weight: ", "(type: -1)"]),
    ("a number below its range", "pools:\n- name: web\n  backends:\n  - {address: '1.2.3.4:80', weight: 0}\n",
     ["stdin:4:", "pools[0].backends[0].weight: ", "1 to 128", "(range: 0)"]),
    ("a number above its range", "pools:\n- name: web\n  backends:\n  - {address: '1.2.3.4:80', weight: 129}\n",
     ["pools[0].backends[0].weight: ", "(range: 129)"]),
    ("an unknown algorithm", "pools:\n- name: web\n  algorithm: fastest\n",
     ["stdin:3:3: pools[0].algorithm: ", "(enum: fastest)"]),
    ("a hash key that there is not", "pools:\n- name: web\n  algorithm: maglev\n  hash_key: {session: id}\n",
     ["stdin:4:14: pools[0].hash_key.session: ", "(unknown_field: session)"]),
    ("a hash key without a name", "pools:\n- name: web\n  algorithm: maglev\n  hash_key: {header: \"\"}\n",
     ["stdin:4:14: pools[0].hash_key.header: ", "(required)"]),
    ("a hash key for no algorithm", "pools:\n- name: web\n  algorithm: random\n  hash_key: {header: x-user}\n",
     ["stdin:4:3: pools[0].hash_key: ", "consistent_hash and maglev", "(conflict: random)"]),
    ("a route's hash key for no algorithm",
     "listeners:\n- name: b\n  address: 127.0.0.1:0\n  routes:\n  - {pool: web, hash_key: {path: true}}\n",
     ["stdin:5:17: listeners[0].routes[0].hash_key: ", 'pool "web"', "(conflict: web)"]),
    ("a bound below its range", "pools:\n- name: web\n  algorithm: maglev\n  max_load_percent: 99\n",
     ["stdin:4:3: pools[0].max_load_percent: ", "100 to 10000", "(range: 99)"]),
    ("more points than there may be", "pools:\n- name: web\n  algorithm: consistent_hash\n  points_per_weight: 1001\n",
     ["stdin:4:3: pools[0].points_per_weight: ", "1 to 1000", "(range: 1001)"]),
    ("points for no ring", "pools:\n- name: web\n  algorithm: maglev\n  points_per_weight: 150\n",
     ["stdin:4:3: pools[0].points_per_weight: ", "consistent_hash", "(conflict: maglev)"]),
    ("a threshold of zero", "pools:\n- name: web\n  health_check: {unhealthy_threshold: 0}\n",
     ["stdin:3:18: pools[0].health_check.unhealthy_threshold: ", "1 to 100", "(range: 0)"]),
    ("a threshold above its range", "pools:\n- name: web\n  health_check: {healthy_threshold: 101}\n",
     ["stdin:3:18: pools[0].health_check.healthy_threshold: ", "1 to 100", "(range: 101)"]),
    ("more than all backends", "pools:\n- name: web\n  outlier_detection: {max_ejection_percent: 101}\n",
     ["stdin:3:23: pools[0].outlier_detection.max_ejection_percent: ", "(range: 101)"]),
    ("a mode of panic that there is not", "pools:\n- name: web\n  panic: {mode: serve_some}\n",
     ["stdin:3:11: pools[0].panic.mode: ", "(enum: serve_some)"]),
    ("a command somewhere else", "pools:\n- name: web\n  health_check: {command: {command: ../sh}}\n",
     ["pools[0].health_check.command.command: ", "--health-command-dir", "(syntax: ../sh)"]),
    ("a Redis without a port", "pools:\n- name: web\n  sticky: {source_ip: {}, redis: {address: 10.0.0.9}}\n",
     ["pools[0].sticky.redis.address: ", "(address: 10.0.0.9)"]),
    ("a name twice", "pools:\n- name: a\n- name: a\n", ["stdin:3:3: pools[1]: ", "(duplicate: a)"]),
    ("a backend twice", "pools:\n- name: a\n  backends:\n  - address: 1.2.3.4:80\n  - address: 1.2.3.4:80\n",
     ["stdin:5:5: pools[0].backends[1]: ", "(duplicate: a/1.2.3.4:80)"]),
    ("a key twice", "pools: []\nlisteners: []\npools: []\n", ["stdin:3:1: ", '"pools"', "line 1", "(duplicate)"]),
    ("a route to a missing pool", "listeners:\n- name: b\n  address: 127.0.0.1:0\n  routes:\n  - pool: wbe\n",
     ["stdin:5:5: listeners[0].routes[0].pool: ", 'did you mean "web"?', "(not_found: wbe)"]),
    ("a port out of range", "listeners:\n- name: b\n  address: 127.0.0.1:65536\n  routes: [{pool: web}]\n",
     ["stdin:3:3: listeners[0].address: ", "0 to 65535", "(address: 127.0.0.1:65536)"]),
    ("a backend's port out of range", "pools:\n- name: web\n  backends:\n  - address: 1.2.3.4:0\n",
     ["stdin:4:5: pools[0].backends[0].address: ", "1 to 65535", "(address: 1.2.3.4:0)"]),
    ("a good part beside a bad one", "pools:\n- name: fine\n- name: bad\n  algorithm: fastest\n",
     ["stdin:4:3: pools[1].algorithm: "]),
]

BOOTSTRAP = """\
static_resources:
  listeners:
  - name: public
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: public
          {extra}
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: {cluster}{route}}}}}]}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: web
    {rules}
    load_assignment:
      cluster_name: web
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 9}}}}}}
          {weight}
"""

# What, the values to fill in, and what is said of the file.
BOOTSTRAPS = [
    ("an unknown field", {"extra": "stat_prefx: x"}, [":11:", "stat_prefx", "unknown_field"]),
    ("an unsupported field", {"extra": "add_user_agent: true"}, [":11:", ".add_user_agent: ", "true"]),
    ("a port out of range", {"port": "65536"}, [":4:", "port_value", "65536"]),
    ("a missing cluster", {"cluster": "nowhere"}, [":14:", "cluster", "nowhere"]),
    ("malformed YAML", {"extra": "["}, ["syntax"]),
    ("an unknown algorithm", {"rules": "lb_policy: FASTEST"}, [":20:", ".lb_policy: ", "(enum: FASTEST)"]),
    ("an algorithm of somebody else",
     {"rules": 'load_balancing_policy: {policies: [{typed_extension_config: {name: x, typed_config: {"@type": '
               'type.googleapis.com/envoy.extensions.load_balancing_policies.pick_first.v3.PickFirst}}}]}'},
     [":20:", ".load_balancing_policy.policies: ", "(unsupported_extension: "]),
    ("a weight of zero", {"weight": "load_balancing_weight: 0"},
     [":26:", ".lb_endpoints[0].load_balancing_weight: ", "(range: 0)"]),
    ("a negative weight", {"weight": "load_balancing_weight: -1"},
     [":26:", ".lb_endpoints[0].load_balancing_weight: ", "(type: -1)"]),
    ("a threshold of zero",
     {"rules": "health_checks: [{timeout: 1s, interval: 1s, unhealthy_threshold: 0, healthy_threshold: 2, tcp_health_check: {}}]"},
     [":20:", ".health_checks[0].unhealthy_threshold: ", "(range: 0)"]),
    ("more than all hosts", {"rules": "outlier_detection: {max_ejection_percent: 101}"},
     [":20:", ".outlier_detection.max_ejection_percent: ", "(range: 101)"]),
    ("a hash key that there is not", {"route": ", hash_policy: [{session: {name: id}}]"},
     [":14:", ".hash_policy[0].session: ", "(unknown_field: session)"]),
    ("a hash key without a name", {"route": ', hash_policy: [{header: {header_name: ""}}]'},
     [":14:", ".hash_policy[0].header.header_name: "]),
]


class BadConfigurationTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.node = self.fleet.start_node("node-a")
        self.fleet.apply(GOOD.format(backend=self.fleet.start_backend("blue")))
        self.url = listener_url(self.node, "public")

    def test_everything_is_refused_whole_with_place_field_rule_and_value(self):
        before = self.fleet.ctl("list", "-o", "yaml")
        for what, text, said in CONFIGURATION:
            for command in (("apply", "-f", "-"), ("validate", "-f", "-")):
                with self.subTest(what=what, command=command[0]):
                    result = self.fleet.run_ctl(*command, stdin=text)
                    self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
                    for words in said:
                        self.assertIn(words, result.stderr)
        self.assertEqual(self.fleet.ctl("list", "-o", "yaml"), before)
        self.assertIn("revision 1\n", self.fleet.ctl("status"))
        self.assertEqual(get(self.url)[1].strip(), "blue")

    def test_a_file_is_named(self):
        path = os.path.join(self.fleet.folder, "web.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("pools:\n- name: web\n  algorithm: fastest\n")
        result = self.fleet.run_ctl("apply", "-f", path)
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"{path}:3:3: pools[0].algorithm: ", result.stderr)
        result = self.fleet.run_ctl("apply", "-f", path + ".gone")
        self.assertEqual(result.returncode, 2)
        self.assertIn(path + ".gone", result.stderr)

    def test_a_bootstrap_is_refused_before_anything_starts(self):
        for what, values, said in BOOTSTRAPS:
            path = os.path.join(self.fleet.folder, "envoy.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(BOOTSTRAP.format(**{"port": "0", "extra": "", "cluster": "web", "route": "", "rules": "", "weight": "",
                                               **values}))
            for mode in ("validate", "serve"):
                with self.subTest(what=what, mode=mode):
                    result = subprocess.run(["proxy/convoy-proxy", "-c", path, "--mode", mode], text=True,
                                            capture_output=True, timeout=SECONDS, check=False)
                    output = result.stdout + result.stderr
                    self.assertEqual(result.returncode, 2, output)
                    self.assertIn(path + ":", output)
                    for words in said:
                        self.assertIn(words, output)
                    self.assertNotIn("is live", output)


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.store = os.path.join(self.fleet.folder, "convoy.db")
        self.good = GOOD.format(backend="127.0.0.1:9")
        self.fleet.ctl("apply", "-f", "-", stdin=self.good)

    def refused_start(self, *flags):
        """What a control plane says that cannot start on the store."""
        result = subprocess.run(["controlplane/convoy-control", "--store", self.store, "--listen", "127.0.0.1:0",
                                 "--xds-listen", "127.0.0.1:0", *flags], text=True, capture_output=True, timeout=SECONDS,
                                check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertIn(f"store file {self.store} ", result.stderr)
        self.assertNotIn("not an error", result.stderr)
        return result.stderr

    def assert_the_configuration_is_there(self, revision):
        self.assertIn(f"still revision {revision}", self.fleet.ctl("apply", "-f", "-", stdin=self.good))

    def test_a_second_process_is_refused_and_the_first_one_goes_on(self):
        self.assertIn("is in use by another process", self.refused_start())
        self.assert_the_configuration_is_there(1)

    def test_damaged_and_foreign_files_are_refused_and_left_as_they_are(self):
        self.fleet.control.end()
        backup = self.store + ".backup"
        shutil.copy(self.store, backup)

        def change(sql):
            with sqlite3.connect(self.store) as db:
                db.execute(sql)
            db.close()

        def rewrite(edit):
            with open(self.store, "rb") as file:
                changed = edit(bytearray(file.read()))
            with open(self.store, "wb") as file:
                file.write(changed)

        def scribble(data):
            for at in range(4096, len(data), 97):
                data[at] ^= 0x55
            return data

        def foreign(_):
            os.remove(self.store)
            with sqlite3.connect(self.store) as db:
                db.execute("CREATE TABLE theirs (x)")
            db.close()

        cases = [
            ("a newer schema", lambda: change("PRAGMA user_version=99"), "was written by a newer Convoy (schema 99"),
            ("bytes changed", lambda: rewrite(scribble), "is corrupt"),
            ("cut short", lambda: rewrite(lambda data: data[:5000]), "is corrupt"),
            ("cut to one byte", lambda: rewrite(lambda data: data[:1]), "was cut short"),
            ("cut to nothing", lambda: rewrite(lambda data: b""), "is empty, but secrets key file"),
            ("without its head", lambda: change("DELETE FROM head"), "does not say which revision is the newest"),
            ("set back", lambda: change("UPDATE head SET number=0"), "is corrupt: its newest revision is 0"),
            ("without a change", lambda: change("DELETE FROM log WHERE kind=(SELECT min(kind) FROM log)"),
             "changes of revision 1 are missing"),
            ("no database", lambda: rewrite(lambda data: b"some text\n" * 100), "is not a Convoy store"),
            ("another program's database", lambda: foreign(None), "is not a Convoy store"),
        ]
        for what, damage, said in cases:
            with self.subTest(what=what):
                shutil.copy(backup, self.store)
                damage()
                with open(self.store, "rb") as file:
                    damaged = file.read()
                self.assertIn(said, self.refused_start())
                with open(self.store, "rb") as file:
                    self.assertEqual(file.read(), damaged)
        shutil.copy(backup, self.store)
        self.fleet.start_control()
        self.assert_the_configuration_is_there(1)

    def test_a_store_that_is_gone_does_not_empty_the_fleet(self):
        node = self.fleet.start_node("node-a")
        self.fleet.apply(GOOD.format(backend=self.fleet.start_backend("blue")), "--prune")
        url = listener_url(node, "public")
        self.fleet.control.end()
        backup = self.store + ".backup"
        shutil.move(self.store, backup)
        said = self.refused_start()
        for words in (f"does not exist, but secrets key file {self.store}.key is there", "--new-store"):
            self.assertIn(words, said)
        self.assertFalse(os.path.exists(self.store))
        self.assertEqual(get(url)[1].strip(), "blue")
        shutil.move(backup, self.store)
        self.assertIn("exists, and --new-store makes a store only where there is none", self.refused_start("--new-store"))
        self.fleet.start_control()
        wait_until(lambda: self.fleet.nodes().get("node-a", {}).get("state") == "SYNCED", "the node is back")
        self.assertEqual(get(url)[1].strip(), "blue")

    def test_the_documented_backup_of_a_running_store_can_be_started(self):
        with open("docs/operating.md", encoding="utf-8") as page:
            command = re.search(r"^(sqlite3 .*\.backup.*)$", page.read(), re.MULTILINE).group(1)
        copy = os.path.join(self.fleet.folder, "copy.db")
        command = command.replace("/var/lib/convoy/convoy.db", self.store).replace("/var/backups/convoy.db", copy)
        for weight in range(2, 20):
            self.fleet.ctl("apply", "-f", "-", stdin=f"backends: [{{pool: web, address: '127.0.0.1:9', weight: {weight}}}]")
        result = subprocess.run(["sh", "-c", command], text=True, capture_output=True, timeout=SECONDS, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.fleet.ctl("apply", "-f", "-", stdin="backends: [{pool: web, address: '127.0.0.1:9', weight: 99}]")
        self.fleet.control.end()
        os.remove(self.store)
        shutil.move(copy, self.store)
        self.assertIn("is at revision 19, but revision 20 was acknowledged", self.refused_start())
        os.remove(self.store + ".head")  # as the page says
        self.fleet.start_control()
        self.assertIn("revision 19\n", self.fleet.ctl("status"))
        self.assertIn("weight: 19\n", self.fleet.ctl("list", "backends", "-o", "yaml"))

    def test_kill_9_during_applies_loses_nothing_that_was_acknowledged(self):
        acknowledged = 1
        weight = 2
        for kill_after in (1, 2, 4, 3):
            applying = threading.Event()
            control = self.fleet.control

            def kill(control=control, applying=applying):
                applying.wait()
                control.end(signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            done = 0
            while True:
                if done == kill_after:
                    applying.set()  # it dies while this one is on its way, or the next
                result = self.fleet.run_ctl("--timeout", "5", "apply", "-f", "-", stdin=(
                    f"backends: [{{pool: web, address: '127.0.0.1:9', weight: {weight}}}]"))
                weight = weight % 127 + 2
                if result.returncode != 0:
                    break
                acknowledged = int(re.search(r"revision (\d+)", result.stdout).group(1))
                done += 1
            applying.set()
            killer.join()
            self.assertGreaterEqual(done, kill_after)
            self.fleet.start_control()
            head = self.fleet.revision()
            self.assertIn(head, (acknowledged, acknowledged + 1))
            acknowledged = head
            self.assertEqual(len(json.loads(self.fleet.ctl("history", "--limit", "1000", "-o", "json"))["revisions"]), head)

    def test_a_disk_that_takes_no_more_loses_nothing_that_was_acknowledged(self):
        self.fleet.control.end()
        # As large as it is and a little more: the log beside the store stops there.
        limit = os.path.getsize(self.store) + 16384
        self.fleet.control = Process(self.fleet.folder, "control-limited", "prlimit", f"--fsize={limit}",
                                     "controlplane/convoy-control", "--store", self.store, "--listen",
                                     self.fleet.management, "--xds-listen", self.fleet.xds)
        self.fleet.processes.append(self.fleet.control)
        self.fleet.control.found(r"^ready management=(\S+) ")
        acknowledged = 1
        refused = None
        for weight in range(2, 129):
            result = self.fleet.run_ctl("apply", "-f", "-", stdin=(
                f"backends: [{{pool: web, address: '127.0.0.1:9', weight: {weight}}}]"))
            if result.returncode != 0:
                refused = result
                break
            self.assertIn(f"revision {acknowledged + 1}", result.stdout)
            acknowledged += 1
        self.assertIsNotNone(refused, "the limit was never reached")
        self.assertIn(self.store, refused.stderr)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        # It still answers, and the refused change is not half there.
        self.assertIn(f"revision {acknowledged}\n", self.fleet.ctl("status"))
        self.fleet.control.end(signal.SIGKILL)
        self.fleet.start_control()
        wait_until(lambda: f"revision {acknowledged}\n" in self.fleet.ctl("status"), "the last one acknowledged")
        self.assertIn(f"weight: {acknowledged}\n", self.fleet.ctl("list", "backends", "-o", "yaml"))
        self.fleet.ctl("apply", "-f", "-", stdin="backends: [{pool: web, address: '127.0.0.1:9', weight: 7}]")


class StrangersTest(unittest.TestCase):
    """Who only connects, more often than the control plane has descriptors."""

    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.fleet.control.end()

    def start_control(self, limits):
        control = Process(self.fleet.folder, "control-limited", "prlimit", f"--nofile={limits}", "controlplane/convoy-control",
                          "--store", os.path.join(self.fleet.folder, "convoy.db"), "--listen", "127.0.0.1:0",
                          "--xds-listen", "127.0.0.1:0", *self.fleet.control_flags)
        self.fleet.processes.append(control)
        self.fleet.management, self.fleet.xds = control.found(r"^ready management=(\S+) xds=(\S+) ")
        return control

    def connect(self, address, count):
        host, port = address.split(":")
        connections = []
        for _ in range(count):
            connection = socket.create_connection((host, int(port)), timeout=SECONDS)
            self.addCleanup(connection.close)
            connections.append(connection)
        return connections

    def assert_closed_by_the_server(self, connections):
        for connection in connections:
            try:
                while connection.recv(4096):
                    pass
            except ConnectionResetError:
                pass

    def test_neither_port_is_lost(self):
        self.start_control("256:256")
        strangers = self.connect(self.fleet.xds, 300)
        self.assertEqual(self.fleet.ctl("list"), "nothing\n", "nodes cannot shut out the people")
        # Some at once, the others when the time for a handshake is over.
        self.assert_closed_by_the_server(strangers)
        for address in (self.fleet.management, self.fleet.xds):
            for connection in self.connect(address, 300):
                connection.close()
        wait_until(lambda: self.fleet.run_ctl("list").returncode == 0, "the management address lets people in again")
        node = self.fleet.start_node("node-a")
        self.fleet.apply(GOOD.format(backend=self.fleet.start_backend("blue")))
        self.assertEqual(get(listener_url(node, "public"))[1].strip(), "blue")

    def test_the_limit_is_raised_as_far_as_it_may_be(self):
        control = self.start_control("64:1024")
        with open(f"/proc/{control.process.pid}/limits", encoding="utf-8") as limits:
            self.assertRegex(limits.read(), r"Max open files +1024 +1024 ")

    def test_too_few_to_start_are_named(self):
        for limit in (8, 14, 20):
            with self.subTest(limit):
                control = Process(self.fleet.folder, f"control-{limit}", "prlimit", f"--nofile={limit}:{limit}",
                                  "controlplane/convoy-control", "--store", os.path.join(self.fleet.folder, "convoy.db"))
                self.fleet.processes.append(control)
                self.assertEqual(control.process.wait(timeout=SECONDS), 1)
                self.assertRegex(control.text(), rf"this process may open {limit} descriptors, and needs at least \d+: "
                                                 r"raise the limit \(ulimit -Hn\)")

    def test_connections_can_be_limited(self):
        self.fleet.control_flags = ("--max-connections", "20")
        self.start_control("1024:1024")
        strangers = self.connect(self.fleet.xds, 100)
        wait_until(lambda: "event=connections_refused" in self.fleet.processes[-1].text(), "the refusal is logged")
        self.assertEqual(self.fleet.ctl("list"), "nothing\n")
        self.assert_closed_by_the_server(strangers)


if __name__ == "__main__":
    results.main()
