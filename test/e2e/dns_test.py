#!/usr/bin/env python3
"""Backends and a control plane by name, against dnsmasq and /etc/hosts."""

import os
import shutil
import signal
import socket
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import Fleet, free_port, get, listener_url, traffic_result, wait_until  # noqa: E402

CONFIG = """\
listeners:
- name: public
  address: 127.0.0.1:0
  routes: [{{pool: web}}]
pools:
- name: web
  algorithm: round_robin
  dns: {{servers: ["{server}"], min_refresh: 1s, max_refresh: 1s, families: v4}}
  backends: [{{address: "{name}"}}{more}]
"""


class Dnsmasq:
    """Answers for names below .test, by a file in the form of /etc/hosts."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.hosts = os.path.join(fleet.folder, "hosts")
        self.address = f"127.0.0.1:{free_port()}"
        self.runs = 0
        self.set()
        self.start()

    def set(self, *lines):
        with open(self.hosts, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        if self.runs:
            self.process.process.send_signal(signal.SIGHUP)

    def start(self):
        self.runs += 1
        command = shutil.which("dnsmasq", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = self.fleet.start(
            f"dnsmasq-{self.runs}", command, "--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--user=", "--group=",
            "--pid-file=", "--no-resolv", "--no-hosts", "--local=/test/", "--local-ttl=1", f"--addn-hosts={self.hosts}",
            "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={self.address.rsplit(':', 1)[1]}")
        self.process.found(r"started, version")


class Refusing:
    """A DNS server that answers every query with SERVFAIL."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.queries = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            # The question comes back with the answer bit, and nothing else (RFC 1035 4.1.1).
            self.socket.sendto(query[:2] + b"\x80\x02" + query[4:6] + bytes(6) + query[12:], peer)
            self.queries += 1


class DnsTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)

    def backends(self):
        """Two on one port, at two addresses of the loopback; returns the port."""
        blue = self.fleet.start("blue", "tools/sample/backend", "--name", "blue", "--listen", "127.0.0.2:0")
        port = blue.found(r"^listening on \S+:(\d+)$")[0]
        green = self.fleet.start("green", "tools/sample/backend", "--name", "green", "--listen", f"127.0.0.3:{port}")
        green.found(r"^listening on (\S+)$")
        return port

    def served_by(self):
        return {get(self.url)[1].strip() for _ in range(6)}

    def clusters(self):
        return get(f"http://{self.node.admin}/clusters")[1]

    def test_hosts_follow_a_real_dns_server(self):
        dns = Dnsmasq(self.fleet)
        dns.set("127.0.0.2 web.test", "127.0.0.3 web.test")
        port = self.backends()
        self.node = self.fleet.start_node("node-a")
        self.fleet.apply(CONFIG.format(server=dns.address, name=f"web.test:{port}", more=""))
        self.url = listener_url(self.node, "public")
        self.assertEqual(self.served_by(), {"blue", "green"}, "the first requests have their hosts")
        self.assertIn("web::dns::web.test::addresses::2\n", self.clusters())

        # One goes under traffic.
        traffic = self.fleet.start_traffic(self.url)
        dns.set("127.0.0.2 web.test")
        wait_until(lambda: "addresses::1\n" in self.clusters(), "the answer to be in force")
        wait_until(lambda: self.served_by() == {"blue"}, "requests to blue only")
        dns.set("127.0.0.2 web.test", "127.0.0.3 web.test")
        wait_until(lambda: self.served_by() == {"blue", "green"}, "green to be back")
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["errors"]), (0, []), result)

        # Without DNS everything stays.
        dns.process.end(signal.SIGKILL)
        wait_until(lambda: "web::dns::web.test::problem::" in self.clusters(), "the failure to be shown")
        self.assertEqual(self.served_by(), {"blue", "green"})

        # It is back, and does not know the name any more.
        dns.set()
        dns.start()
        wait_until(lambda: get(self.url)[0] == 503, "a pool without hosts")
        self.assertIn("web::dns::web.test::problem::NXDOMAIN: there is no such name\n", self.clusters())
        dns.set("127.0.0.3 web.test")
        wait_until(lambda: get(self.url)[0] == 200, "the name to be back")
        self.assertEqual(self.served_by(), {"green"})

    def problem(self):
        for line in self.clusters().splitlines():
            if line.startswith("web::dns::web.test::problem::"):
                return line.rsplit("::", 1)[1]
        return None

    def test_failures_keep_what_was_known(self):
        dns = Dnsmasq(self.fleet)
        dns.set("127.0.0.2 web.test", "127.0.0.3 web.test")
        port = self.backends()
        self.node = self.fleet.start_node("node-a")
        config = CONFIG.format(server=dns.address, name=f"web.test:{port}", more="")
        self.fleet.apply(config)
        self.url = listener_url(self.node, "public")
        self.assertEqual(self.served_by(), {"blue", "green"})
        # From here on the traffic has its turns, too: six requests may all meet the same backend.
        traffic = self.fleet.start_traffic(self.url)

        # It hangs: no answer in time.
        dns.process.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(self.problem, "the time-out to be shown")
            self.assertIn("web::dns::web.test::addresses::2\n", self.clusters())
            wait_until(lambda: self.served_by() == {"blue", "green"}, "requests to go to both")
        finally:
            dns.process.process.send_signal(signal.SIGCONT)
        wait_until(lambda: self.problem() is None, "it to be well again")

        # Another one, which fails every query.
        refusing = Refusing()
        self.fleet.apply(config.replace(dns.address, refusing.address))
        wait_until(lambda: refusing.queries > 0 and "SERVFAIL" in (self.problem() or ""), "the failure to be shown")
        self.assertIn("web::dns::web.test::addresses::2\n", self.clusters())
        wait_until(lambda: self.served_by() == {"blue", "green"}, "requests to go to both")
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["errors"]), (0, []), result)

    def test_one_address_of_many(self):
        dns = Dnsmasq(self.fleet)
        dns.set("127.0.0.2 web.test", "127.0.0.3 web.test")
        port = self.backends()
        self.node = self.fleet.start_node("node-a")
        self.fleet.apply(CONFIG.format(server=dns.address, name=f"web.test:{port}", more="").replace(
            "families: v4", "families: v4, one_address: true"))
        self.url = listener_url(self.node, "public")
        first = self.served_by()
        self.assertEqual(len(first), 1, "one at a time, although there are two")
        traffic = self.fleet.start_traffic(self.url)
        # It goes when it is not among the answers any more.
        other = ({"blue", "green"} - first).pop()
        dns.set(f"127.0.0.{2 if other == 'blue' else 3} web.test")
        wait_until(lambda: self.served_by() == {other}, "requests to the other one")
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["errors"]), (0, []), result)

    def test_names_and_addresses_in_one_pool_and_a_pool_that_changes(self):
        dns = Dnsmasq(self.fleet)
        dns.set("127.0.0.2 web.test")
        port = self.backends()
        self.node = self.fleet.start_node("node-a")

        def apply(name, more=""):
            self.fleet.apply(CONFIG.format(server=dns.address, name=name, more=more))
        apply(f"web.test:{port}", f', {{address: "127.0.0.3:{port}"}}')
        self.url = listener_url(self.node, "public")
        self.assertEqual(self.served_by(), {"blue", "green"})
        traffic = self.fleet.start_traffic(self.url)
        apply(f"127.0.0.3:{port}")
        wait_until(lambda: self.served_by() == {"green"}, "requests to green only")
        apply(f"web.test:{port}")
        wait_until(lambda: self.served_by() == {"blue"}, "requests to blue only")
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["errors"]), (0, []), result)

    def test_the_control_plane_by_name(self):
        self.fleet.xds = "localhost:" + self.fleet.xds.rsplit(":", 1)[1]
        port = self.backends()
        self.node = self.fleet.start_node("node-a")
        self.fleet.apply(CONFIG.format(server="127.0.0.1:53", name=f"127.0.0.2:{port}", more=""))
        self.url = listener_url(self.node, "public")
        self.assertEqual(self.served_by(), {"blue"})

    def test_bad_names_are_refused_at_their_place(self):
        path = os.path.join(self.fleet.folder, "bad.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(server="127.0.0.1:53", name="web..test:80", more=""))
        result = self.fleet.run_ctl("apply", "-f", path)
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"{path}:9:", result.stderr)
        self.assertIn("a part of a host name is empty", result.stderr)


if __name__ == "__main__":
    results.main()
