#!/usr/bin/env python3
"""Learned sessions of a fleet, shared through a real redis-server: the same backend on every node, and a Redis that goes
and comes back."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from certificates import Certificates  # noqa: E402
from fleet import SECONDS, Fleet, free_port, get, listener_url, stat, url_of, wait_until  # noqa: E402

NAMES = ("blue", "green", "red")
CONFIG = """\
listeners:
- name: public
  address: 127.0.0.1:0
  routes: [{{pool: web}}]
pools:
- name: web
  algorithm: random
  sticky: {{{by}, redis: {{address: "{redis}"{more}}}}}
  backends: [{backends}]
"""
BY_USER = "header: {name: x-user}"
# A busy machine's Redis is no slow one.
PATIENT = ", timeout: 1s"


class Redis:
    """A redis-server on a port of its own, which keeps nothing."""

    def __init__(self, fleet, port_flag="--port", flags=()):
        self.fleet, self.flags, self.runs = fleet, flags, 0
        self.port = free_port()
        self.listen = [port_flag, str(self.port)]
        self.address = f"127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.runs += 1
        self.process = self.fleet.start(f"redis-{self.runs}", "redis-server", "--port", "0", *self.listen, "--bind", "127.0.0.1",
                                        "--save", "", "--appendonly", "no", "--dir", self.fleet.folder, *self.flags)
        self.process.found(r"(Ready to accept connections)")

    def say(self, *words):
        result = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True,
                                timeout=SECONDS, check=True)
        return result.stdout.split()


class RedisTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.addresses = {name: self.fleet.start_backend(name) for name in NAMES}
        self.nodes = [self.fleet.start_node("node-a"), self.fleet.start_node("node-b")]
        self.users = 0

    def apply(self, redis, by=BY_USER, more=PATIENT, names=NAMES, rest=""):
        backends = ", ".join(f'{{address: "{self.addresses[name]}"}}' for name in names)
        self.fleet.apply(CONFIG.format(by=by, redis=redis.address, more=more, backends=backends) + rest)
        self.urls = [listener_url(node, "public") for node in self.nodes]

    def ask(self, node, **headers):
        """The backend that answers."""
        status, body, _ = get(self.urls[node], headers)
        self.assertEqual(status, 200)
        return body.strip()

    def new_users(self, count):
        self.users += count
        return [f"user-{i}" for i in range(self.users - count, self.users)]

    def counter(self, node, name):
        # A node has them from its first question on.
        return stat(self.nodes[node], f"redis.redis/web.{name}") or 0

    def shared(self, count=8):
        """Whether new clients of each node are known to the other."""
        hits = [self.counter(node, "hits") for node in (0, 1)]
        same = True
        for i, user in enumerate(self.new_users(count)):
            same &= self.ask(i % 2, **{"x-user": user}) == self.ask(1 - i % 2, **{"x-user": user})
        return same and sum(self.counter(node, "hits") for node in (0, 1)) == sum(hits) + count

    def test_one_backend_on_all_nodes(self):
        redis = Redis(self.fleet)
        self.apply(redis)
        users = {user: self.ask(0, **{"x-user": user}) for user in self.new_users(12)}
        self.assertGreater(len(set(users.values())), 1)
        for user, name in users.items():
            self.assertEqual([self.ask(node, **{"x-user": user}) for node in (1, 0, 1)], [name] * 3)
        self.assertEqual(self.counter(0, "misses"), 12)
        self.assertGreaterEqual(self.counter(1, "hits"), 12)

        # What is in Redis: no client's name, a backend's address, and an end.
        keys = redis.say("keys", "*")
        self.assertEqual(len(keys), 12)
        for key in keys:
            self.assertRegex(key, r"^sticky:[0-9a-f]{32}$")
            self.assertIn(redis.say("get", key)[0], self.addresses.values())
            self.assertTrue(0 < int(redis.say("ttl", key)[0]) <= 3600)

        # A backend that leaves: where one node moves its clients, the other follows.
        self.apply(redis, names=("blue", "green"))
        for user, name in users.items():
            moved = self.ask(0, **{"x-user": user})
            self.assertIn(moved, ("blue", "green"))
            self.assertTrue(moved == name or name == "red")
            self.assertEqual(self.ask(1, **{"x-user": user}), moved)

        # What somebody else has written there names a backend, or nothing.
        for key in keys:
            redis.say("set", key, "127.0.0.1:1")
        self.nodes[1].end()
        self.nodes[1] = self.fleet.start_node("node-c")
        self.urls[1] = wait_until(lambda: url_of(self.nodes[1], "public"), "node-c to listen")
        for user in users:
            moved = self.ask(1, **{"x-user": user})
            self.assertIn(moved, ("blue", "green"))
        for key in keys:
            self.assertIn(redis.say("get", key)[0], self.addresses.values())

    def test_sessions_of_the_backends_own(self):
        """JSESSIONID: whoever logs in on one node is known to the other."""
        for name in NAMES:
            self.addresses[name] = self.fleet.start_session_backend(f"app-{name}")
        redis = Redis(self.fleet)
        self.apply(redis, by="app_cookie: {name: JSESSIONID}")
        begun = {}

        def begin():
            _, body, headers = get(self.urls[0])
            begun[body.strip()] = headers["set-cookie"].split(";")[0]
            return len(begun) == len(NAMES)
        wait_until(begin, "a session with each backend")
        for name, cookie in begun.items():
            self.assertEqual(cookie, f"JSESSIONID=session-of-{name}")
            self.assertEqual([self.ask(node, cookie=f"a=b; {cookie}") for node in (1, 0, 1)], [name] * 3)
        self.assertGreaterEqual(self.counter(1, "hits"), len(NAMES))
        # A value that no backend was seen to set is nobody's.
        self.assertEqual(len(redis.say("keys", "*")), len(NAMES))
        wait_until(lambda: len({self.ask(1, cookie="JSESSIONID=forged") for _ in range(8)}) > 1, "no session of it")
        self.assertEqual(len(redis.say("keys", "*")), len(NAMES))

    def test_sessions_by_address(self):
        redis = Redis(self.fleet)
        self.apply(redis, by="source_ip: {}")
        sources = [f"127.0.1.{i}" for i in range(1, 13)]
        backends = {source: get(self.urls[0], source=source)[1] for source in sources}
        self.assertGreater(len(set(backends.values())), 1)
        for source, backend in backends.items():
            for node in (1, 0, 1):
                status, body, _ = get(self.urls[node], source=source)
                self.assertEqual((status, body), (200, backend))
        self.assertGreaterEqual(self.counter(1, "hits"), len(sources))

    def test_redis_goes_and_comes_back(self):
        redis = Redis(self.fleet)
        self.apply(redis)
        self.assertTrue(self.shared())
        timeouts = [self.counter(node, "timeouts") for node in (0, 1)]

        # Killed: no request fails, and none waits for a time-out.
        redis.process.end(signal.SIGKILL)
        for user in self.new_users(100):
            for node in (0, 1):
                name = self.ask(node, **{"x-user": user})
                self.assertEqual(self.ask(node, **{"x-user": user}), name, "what a node has learned itself")
        self.assertEqual([self.counter(node, "timeouts") for node in (0, 1)], timeouts)
        for node in (0, 1):
            self.assertGreater(self.counter(node, "skipped"), 80)

        # Back, with nothing in it: used again, without being told.
        redis.start()
        wait_until(self.shared, "the nodes to use Redis again")
        for node in (0, 1):
            self.assertGreater(self.counter(node, "reconnects"), 0)

    def test_redis_is_not_there(self):
        """Not from the beginning: no reason to refuse the pool, or a request."""
        redis = Redis(self.fleet)
        redis.process.end(signal.SIGKILL)
        self.apply(redis)
        for node in (0, 1):
            for user in self.new_users(20):
                name = self.ask(node, **{"x-user": user})
                self.assertEqual(self.ask(node, **{"x-user": user}), name, "what a node has learned itself")
            self.assertEqual(self.counter(node, "hits"), 0)
            self.assertGreater(self.counter(node, "skipped"), 0)
            self.assertGreater(stat(self.nodes[node], "cluster.redis/web.upstream_cx_connect_fail"), 0)
        redis.start()
        wait_until(self.shared, "the nodes to use Redis")

    def test_redis_hangs(self):
        redis = Redis(self.fleet)
        self.apply(redis)
        self.assertTrue(self.shared())
        redis.process.process.send_signal(signal.SIGSTOP)
        try:
            for user in self.new_users(100):
                for node in (0, 1):
                    self.ask(node, **{"x-user": user})
            for node in (0, 1):
                # GET and EXPIRE of each worker's first request, and not of the others.
                self.assertLess(self.counter(node, "timeouts"), 20)
                self.assertGreater(self.counter(node, "skipped"), 80)
        finally:
            redis.process.process.send_signal(signal.SIGCONT)
        wait_until(self.shared, "the nodes to use Redis again")

    def test_redis_hangs_and_nobody_has_set_a_time_out(self):
        redis = Redis(self.fleet)
        self.apply(redis, more="")
        wait_until(lambda: self.shared(count=2), "the nodes to use Redis")
        timeouts = self.counter(0, "timeouts")
        redis.process.process.send_signal(signal.SIGSTOP)
        try:
            def gave_up():
                user, = self.new_users(1)
                began = time.monotonic()
                self.assertIn(self.ask(0, **{"x-user": user}), NAMES)
                self.assertLess(time.monotonic() - began, SECONDS / 2)  # of what would be for ever
                return self.counter(0, "timeouts") > timeouts
            wait_until(gave_up, "a request that did not wait for Redis")
        finally:
            redis.process.process.send_signal(signal.SIGCONT)
        wait_until(lambda: self.shared(count=2), "the nodes to use Redis again")

    def test_a_password_and_tls(self):
        certificates = Certificates(self.fleet.folder)
        folder = certificates.folder
        redis = Redis(self.fleet, "--tls-port", ["--tls-cert-file", f"{folder}/ecdsa.pem", "--tls-key-file", f"{folder}/ecdsa.key",
                                                 "--tls-ca-cert-file", f"{folder}/ca.pem", "--tls-auth-clients", "no",
                                                 "--requirepass", "sesame-open"])
        password = os.path.join(self.fleet.folder, "password")
        with open(password, "w", encoding="utf-8") as file:
            file.write("sesame-open\n")
        with open(certificates.authority, encoding="utf-8") as file:
            authority = f"certificates:\n- {{name: redis-ca, certificate: {json.dumps(file.read())}}}\n"
        tls = f"{PATIENT}, database: 3, tls: {{ca: redis-ca, server_name: example.com}}"
        self.apply(redis, more=f"{tls}, password_file: {password}", rest=authority)
        self.assertTrue(self.shared())
        for node in self.nodes:
            dump = get(f"http://{node.admin}/config_dump")[1]
            self.assertIn("convoy.ext.LearnedSession", dump)
            self.assertNotIn("sesame", dump + node.text())

        # A wrong one: as if Redis was away.
        with open(password, "w", encoding="utf-8") as file:
            file.write("open-sesame\n")
        self.apply(redis, more=f'{tls}, password_file: {password}, key_prefix: "other:"', rest=authority)
        skipped = self.counter(0, "skipped")
        for user in self.new_users(20):
            self.ask(0, **{"x-user": user})
        self.assertGreater(self.counter(0, "skipped"), skipped)
        self.assertGreater(self.counter(0, "errors"), 0)
        for node in self.nodes:
            self.assertNotIn("sesame", node.text())


if __name__ == "__main__":
    results.main()
