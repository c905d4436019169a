#!/usr/bin/env python3
"""Sticky sessions of a fleet: a client's cookie means the same backend on every node, before and after restarts."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import Fleet, get, listener_url, url_of, wait_until  # noqa: E402

NAMES = ("blue", "green", "red")
CONFIG = """\
listeners:
- name: public
  address: 127.0.0.1:0
  routes: [{{pool: web}}]
pools:
- name: web
  algorithm: round_robin
  sticky: {{{sticky}}}
  {rules}
  backends: [{backends}]
"""


class StickyTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.addresses = {name: self.fleet.start_backend(name) for name in NAMES}
        self.running = {process.name: process for process in self.fleet.processes}
        self.nodes = [self.fleet.start_node("node-a"), self.fleet.start_node("node-b")]

    def apply(self, sticky, names=NAMES, rules=""):
        backends = ", ".join(f'{{address: "{self.addresses[name]}"}}' for name in names)
        self.fleet.apply(CONFIG.format(sticky=sticky, rules=rules, backends=backends))
        self.urls = [listener_url(node, "public") for node in self.nodes]

    def ask(self, node, cookie=None, **headers):
        """The backend that answers, and the cookie that it comes with."""
        status, body, answer = get(self.urls[node], dict(headers, **({"Cookie": cookie} if cookie else {})))
        self.assertEqual(status, 200)
        cookie = answer.get("set-cookie")
        return body.strip(), cookie.split(";")[0] if cookie else None

    def test_one_cookie_on_all_nodes(self):
        self.apply("cookie: {}")
        cookies = {}

        def new_client():
            name, cookie = self.ask(0)
            self.assertTrue(cookie.startswith('sticky-web="'), cookie)
            cookies[name] = cookie
            return set(cookies) == set(NAMES)
        wait_until(new_client, "a client of each backend")
        for name, cookie in cookies.items():
            for node in (0, 1, 1, 0):
                self.assertEqual(self.ask(node, cookie), (name, None))

        # The keys follow from the secrets key, so that a restart of everything changes nothing.
        self.assertEqual(self.fleet.control.end(), 0)
        self.assertEqual(self.nodes[1].end(), 0)
        self.fleet.start_control()
        self.nodes[1] = self.fleet.start_node("node-c")
        self.urls[1] = wait_until(lambda: url_of(self.nodes[1], "public"), "node-c to listen")
        for name, cookie in cookies.items():
            self.assertEqual(self.ask(1, cookie), (name, None))

        # A backend that leaves takes its sessions along; the others stay.
        self.apply("cookie: {}", names=("blue", "green"))
        moved, fresh = self.ask(1, cookies["red"])
        self.assertIn(moved, ("blue", "green"))
        self.assertEqual(self.ask(0, fresh), (moved, None))
        self.assertEqual(self.ask(0, cookies["blue"]), ("blue", None))

        # Nobody sees the keys.
        for node in self.nodes:
            dump = get(f"http://{node.admin}/config_dump")[1]
            self.assertIn("convoy.ext.SignedCookie", dump)
            # "[redacted]" in base64.
            self.assertGreater(dump.count("W3JlZGFjdGVkXQ=="), 0)
            self.assertEqual(dump.count("inline_bytes"), dump.count("W3JlZGFjdGVkXQ=="))

    def test_a_backend_that_is_down_is_replaced_and_the_cookie_with_it(self):
        self.apply("cookie: {}", rules="health_check: {tcp: {}, interval: 0.1s, timeout: 2s}")
        name, cookie = self.ask(0)
        self.running[name].process.kill()

        def moved():
            now, fresh = self.ask(0, cookie)
            return (now, fresh) if fresh is not None and now != name else None
        moved_to, fresh = wait_until(moved, "another backend and another cookie")
        for node in (1, 0):
            self.assertEqual(self.ask(node, fresh), (moved_to, None))

    def test_what_a_browser_is_told_of_the_cookie(self):
        self.apply("cookie: {name: sid, path: /app, domain: example.com, same_site: SAME_SITE_STRICT, secure: true}, ttl: 600s")
        status, _, headers = get(self.urls[0] + "/app/start")
        self.assertEqual(status, 200)
        self.assertRegex(headers["set-cookie"], r'^sid="[^";]+"; Max-Age=600; Path=/app; Domain=example.com; Secure; HttpOnly; SameSite=Strict$')
        self.assertIsNone(get(self.urls[0] + "/other")[2]["set-cookie"])
        self.apply("cookie: {name: sid, same_site: SAME_SITE_NONE, secure: true, http_only: false}, ttl: 0s")
        self.assertRegex(get(self.urls[1])[2]["set-cookie"], r'^sid="[^";]+"; Path=/; Secure; SameSite=None$')

    def test_another_key(self):
        self.apply("cookie: {name: sid}")
        name, old = self.ask(0)
        self.apply("cookie: {name: sid, key_version: 1}")
        again, fresh = self.ask(1, old)
        self.assertEqual(again, name)
        self.assertNotEqual(fresh, old)
        self.apply("cookie: {name: sid, key_version: 3}")
        self.assertIsNotNone(self.ask(0, old)[1])

    def test_nodes_remember_clients(self):
        self.apply("header: {name: x-user}")
        users = {str(user): self.ask(0, **{"x-user": str(user)})[0] for user in range(8)}
        self.assertGreater(len(set(users.values())), 1)
        for user, name in users.items():
            self.assertEqual(self.ask(0, **{"x-user": user}), (name, None))
        # What was learned stays when other settings of the pool change.
        self.apply("header: {name: x-user}, ttl: 100s")
        for user, name in users.items():
            self.assertEqual(self.ask(0, **{"x-user": user}), (name, None))


if __name__ == "__main__":
    results.main()
