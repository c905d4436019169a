#!/usr/bin/env python3
"""Sticky sessions of a fleet: a client's cookie means the same backend on every node, before and after restarts."""

import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import Fleet, get, listener_url, stat, url_of, wait_until  # noqa: E402

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

    def counter(self, name):
        return stat(self.nodes[0], f"cluster.web.sticky_{name}")

    def clients(self):
        """The cookie of a client of each backend."""
        cookies = {}

        def new_client():
            name, cookie = self.ask(0)
            cookies[name] = cookie
            return len(cookies) == len(NAMES)
        wait_until(new_client, "a client of each backend")
        return cookies

    def test_one_cookie_on_all_nodes(self):
        self.apply("cookie: {}")
        cookies = self.clients()
        for name, cookie in cookies.items():
            self.assertTrue(cookie.startswith('sticky-web="'), cookie)
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

    def test_a_cookie_that_was_altered_is_ignored_and_counted(self):
        """Whichever character it is."""
        self.apply("cookie: {}")
        name, cookie = self.ask(0)
        value = re.fullmatch(r'sticky-web="([\w-]{64})"', cookie).group(1)
        for i, char in enumerate(value):
            altered = f"{value[:i]}{'B' if char == 'A' else 'A'}{value[i + 1:]}"
            served_by, fresh = self.ask(0, f'sticky-web="{altered}"')
            self.assertIsNotNone(fresh)
            self.assertEqual(self.counter("tampered"), i + 1)
        self.assertEqual(self.ask(0, fresh), (served_by, None), "the new one holds")
        self.assertEqual(self.ask(0, cookie), (name, None), "and so does the old one")
        self.assertEqual((self.counter("tampered"), self.counter("hit")), (len(value), 2))

    def test_strict_clients_go_nowhere_else(self):
        self.apply("cookie: {}, strict: true")
        cookies = self.clients()
        self.apply("cookie: {}, strict: true", names=("blue", "green"))
        for _ in range(3):
            status, _, headers = get(self.urls[0], {"Cookie": cookies["red"]})
            self.assertEqual((status, headers["set-cookie"]), (503, None))
        self.assertEqual(self.counter("repicked"), 3)
        self.assertEqual(self.ask(0, cookies["blue"]), ("blue", None))
        self.assertIn(self.ask(0)[0], ("blue", "green"), "a new client has a backend")
        self.apply("cookie: {}, strict: true")
        self.assertEqual(self.ask(0, cookies["red"]), ("red", None))

    def test_sessions_that_backends_begin_are_learned(self):
        self.addresses = {name: self.fleet.start_session_backend(f"app-{name}") for name in NAMES}
        self.apply("app_cookie: {name: JSESSIONID}")
        for name, cookie in self.clients().items():
            self.assertEqual(cookie, f"JSESSIONID=session-of-{name}")
            self.assertEqual([self.ask(0, f"a=b; {cookie}")[0] for _ in range(4)], [name] * 4)
        self.assertEqual((self.counter("entries"), self.counter("hit")), (3, 12))
        # A value that no backend was seen to set is nobody's.
        wait_until(lambda: len({self.ask(0, "JSESSIONID=forged")[0] for _ in range(8)}) > 1, "no session of it")
        self.assertEqual((self.counter("entries"), self.counter("hit")), (3, 12))

    def test_clients_are_known_by_their_addresses(self):
        self.apply("source_ip: {}")
        sources = [f"127.0.1.{i}" for i in range(1, 9)]
        backends = {source: get(self.urls[0], source=source)[1] for source in sources}
        self.assertGreater(len(set(backends.values())), 1)
        for source, backend in backends.items():
            self.assertEqual([get(self.urls[0], source=source)[:2] for _ in range(4)], [(200, backend)] * 4)
        self.assertEqual((self.counter("entries"), self.counter("hit")), (8, 32))

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
