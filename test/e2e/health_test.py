#!/usr/bin/env python3
"""Active health checks of real nodes against real backends that die and come back."""

import json
import os
import re
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from backends import Backend  # noqa: E402
from fleet import SECONDS, Fleet, get, listener_url, stat, traffic_result, wait_until  # noqa: E402

CONFIG = """\
listeners:
- name: public
  address: 127.0.0.1:0
  routes: [{{pool: web}}]
pools:
- name: web
  algorithm: round_robin
  {rules}
  backends: [{{address: "{blue}"}}, {{address: "{green}"}}]
"""


def check(checker):
    return f"health_check: {{{checker}, interval: 0.1s, timeout: 2s, unhealthy_threshold: 3, healthy_threshold: 2}}"


class HealthTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)
        self.blue = self.fleet.start_backend("blue")
        self.green = self.fleet.start_backend("green")

    def start(self, checker, *flags):
        self.start_with(check(checker), *flags)

    def start_with(self, rules, *flags):
        self.node = self.fleet.start_node("node-a", flags=flags)
        self.fleet.apply(CONFIG.format(rules=rules, blue=self.blue, green=self.green))
        self.url = listener_url(self.node, "public")

    def backend(self, name):
        return next(p for p in self.fleet.processes if p.name == name)

    def flags(self, address):
        """The health flags of a backend."""
        for line in get(f"http://{self.node.admin}/clusters")[1].splitlines():
            if line.startswith(f"web::{address}::health_flags::"):
                return line.rsplit("::", 1)[1]
        return None

    def await_flags(self, address, flags):
        wait_until(lambda: self.flags(address) == flags, f"{address} to be {flags}")

    def stat(self, name):
        return stat(self.node, f"cluster.web.health_check.{name}")

    def command_folder(self):
        folder = os.path.join(self.fleet.folder, "checks")
        os.makedirs(folder, exist_ok=True)
        return folder

    def command(self, name, text):
        path = os.path.join(self.command_folder(), name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o700)
        return path

    def served_by(self, requests=6):
        return {get(self.url)[1].strip() for _ in range(requests)}

    def test_a_backend_that_dies_goes_out_and_comes_back(self):
        self.start("http: {path: /health}")
        self.await_flags(self.blue, "healthy")
        self.await_flags(self.green, "healthy")
        self.assertEqual(self.served_by(), {"blue", "green"})
        self.assertEqual(self.stat("healthy"), 2)

        self.backend("blue").process.kill()
        self.await_flags(self.blue, "/failed_active_hc")
        traffic = self.fleet.start_traffic(self.url)
        self.assertEqual(self.served_by(), {"green"})
        reason = f"node node-a: backend web/{self.blue} fails its health check: connection failed: Connection refused\n"
        wait_until(lambda: reason in self.fleet.ctl("status"), "the author to see it")
        self.assertGreaterEqual(self.stat("failure"), 3)
        self.assertEqual(self.stat("healthy"), 1)

        self.fleet.start("blue-again", "tools/sample/backend", "--name", "blue", "--listen", self.blue)
        self.await_flags(self.blue, "healthy")
        wait_until(lambda: self.served_by() == {"blue", "green"}, "requests to blue")
        result = traffic_result(traffic)
        self.assertEqual((result["failed"], result["errors"]), (0, []), result)
        wait_until(lambda: "health check" not in self.fleet.ctl("status"), "the author to see that, too")

    def test_kill_all_is_503_at_once_and_one_that_returns_serves(self):
        self.start("tcp: {}")
        self.await_flags(self.blue, "healthy")
        self.await_flags(self.green, "healthy")
        for name in ("blue", "green"):
            self.backend(name).process.kill()
        self.await_flags(self.blue, "/failed_active_hc")
        self.await_flags(self.green, "/failed_active_hc")
        self.assertEqual(get(self.url)[0], 503)
        self.fleet.start("green-again", "tools/sample/backend", "--name", "green", "--listen", self.green)
        self.await_flags(self.green, "healthy")
        wait_until(lambda: get(self.url)[0] == 200, "a request to be served")

    def test_a_backend_that_requests_fail_on_is_ejected_and_comes_back(self):
        self.start_with("outlier_detection: {consecutive_failures: 3, interval: 0.1s, ejection_time: 1s}")
        self.await_flags(self.blue, "healthy")
        self.backend("blue").process.kill()

        def ejected():
            self.assertEqual(get(self.url)[0], 200)  # retried
            return self.flags(self.blue) == "/failed_outlier_check"
        wait_until(ejected, "the backend to be ejected")
        reason = f"backend web/{self.blue} is ejected: 3 responses of 5xx, or none, in a row\n"
        wait_until(lambda: ejected() and reason in self.fleet.ctl("status"), "the author to see it")
        self.fleet.start("blue-again", "tools/sample/backend", "--name", "blue", "--listen", self.blue)
        wait_until(lambda: self.served_by() == {"blue", "green"}, "requests to blue")
        wait_until(lambda: self.flags(self.blue) == "healthy", "the backend to be back")

    def test_a_status_that_is_not_expected_takes_a_backend_out(self):
        self.start("http: {path: /status/503}")
        self.await_flags(self.blue, "/failed_active_hc")
        wait_until(lambda: "fails its health check: status 503\n" in self.fleet.ctl("status"), "the reason")

    def test_a_check_asks_what_it_is_told_to(self):
        well, ill = Backend(self, lambda _: (204, {}, "")), Backend(self, lambda _: (200, {}, ""))
        self.blue, self.green = well.address, ill.address
        self.start("http: {method: HEAD, host: shop.example, path: /ready, expected_statuses: [204]}")
        self.await_flags(self.blue, "healthy")
        self.await_flags(self.green, "/failed_active_hc")
        for backend in (well, ill):
            self.assertEqual(set(backend.asked), {("HEAD", "shop.example", "/ready")})
        reason = f"backend web/{self.green} fails its health check: status 200\n"
        wait_until(lambda: reason in self.fleet.ctl("status"), "the reason")

    def goes_out_when_it_says(self, checker, well, ill, reason):
        said = [well]
        self.blue = Backend(self, lambda _: (200, {}, said[-1])).address
        self.start(checker)
        self.await_flags(self.blue, "healthy")
        self.await_flags(self.green, "/failed_active_hc")
        said.append(ill)
        self.await_flags(self.blue, "/failed_active_hc")
        wait_until(lambda: f"backend web/{self.blue} fails its health check: {reason}\n" in self.fleet.ctl("status"), "the reason")
        said.append(well)
        self.await_flags(self.blue, "healthy")

    def test_a_body_that_lacks_a_text_takes_a_backend_out(self):
        self.goes_out_when_it_says("http: {path: /health, body_contains: DB_OK}", "all is well: DB_OK", "all is well: DB_AWAY",
                                   "the body does not have what is expected")

    def test_a_report_in_json_takes_a_backend_out(self):
        self.goes_out_when_it_says(
            "http: {path: /health, json: true}", '{"status": "healthy", "checks": {"database": "ok", "cache": "ok"}}',
            '{"status": "healthy", "checks": {"database": "ok", "cache": "away"}}', "the body says that check cache is not ok")

    def start_grpc(self, name):
        """A server of gRPC C++, which has gRPC's own health service; returns its address."""
        server = subprocess.Popen(["test/interop/grpc/server", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.wait)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.kill)
        self.addCleanup(server.stdin.close)
        return server, re.fullmatch(r"listening on (\S+)\n", server.stdout.readline()).group(1)

    def test_grpc(self):
        server, self.blue = self.start_grpc("blue")
        _, self.green = self.start_grpc("green")
        self.start_with("protocol: http2\n  " + check("grpc: {}"))
        self.await_flags(self.blue, "healthy")
        self.await_flags(self.green, "healthy")
        server.kill()
        self.await_flags(self.blue, "/failed_active_hc")
        self.assertEqual(self.flags(self.green), "healthy")
        # A service that the server does not know.
        self.fleet.apply(CONFIG.format(rules="protocol: http2\n  " + check("grpc: {service: nobody.Knows}"), blue=self.blue,
                                       green=self.green))
        self.await_flags(self.green, "/failed_active_hc")
        wait_until(lambda: f"backend web/{self.green} fails its health check: " in self.fleet.ctl("status"), "the reason")

    def test_commands_of_the_node(self):
        folder = self.command_folder()
        script = self.command("check", f"[ -e {folder}/$CONVOY_PORT ] && exit 4\nexit 0\n")
        self.start("command: {command: check}", "--health-command-dir", folder)
        self.await_flags(self.blue, "healthy")
        self.await_flags(self.green, "healthy")
        with open(os.path.join(folder, self.blue.rsplit(":", 1)[1]), "w", encoding="utf-8"):
            pass
        self.await_flags(self.blue, "/failed_active_hc")
        self.assertEqual(self.flags(self.green), "healthy")
        wait_until(lambda: "the command ended with exit code 4" in self.fleet.ctl("status"), "the reason")
        os.remove(script)
        self.await_flags(self.green, "/failed_active_hc")
        wait_until(lambda: "the command check cannot be run: No such file" in self.fleet.ctl("status"), "the reason")

    def test_a_command_that_hangs_is_a_failed_check(self):
        folder = self.command_folder()
        self.command("hang", "sleep 1000\n")
        self.start_with("health_check: {command: {command: hang}, interval: 0.1s, timeout: 0.2s}", "--health-command-dir", folder)
        self.await_flags(self.blue, "/failed_active_hc")
        self.await_flags(self.green, "/failed_active_hc")
        wait_until(lambda: "no exit of the command within 200 ms" in self.fleet.ctl("status"), "the reason")
        self.assertEqual(get(self.url)[0], 503)

    def test_what_checks_cost(self):
        """Prints the processor time of a check, and what 1,000 backends every 5 s come to: 200 checks a second must be negligible
        (REQUIREMENTS A2), so a check costs no more than a few requests do, on this machine and in this build."""
        backends, checks = 300, 3000
        many = self.fleet.start("many", "tools/sample/backend", "--name", "many", *["--listen", "127.0.0.1:0"] * backends)

        def listening():
            addresses = re.findall(r"^listening on (\S+)$", many.text(), re.MULTILINE)
            return addresses if len(addresses) == backends else None
        addresses = wait_until(listening, "all addresses")
        self.node = self.fleet.start_node("node-a")
        pool = {"name": "web", "backends": [{"address": address} for address in addresses]}

        def apply():
            self.fleet.apply(json.dumps({
                "listeners": [{"name": "public", "address": "127.0.0.1:0", "routes": [{"pool": "web"}]}], "pools": [pool]}))

        def processor_time():
            with open(f"/proc/{self.node.process.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        apply()
        time = processor_time()
        subprocess.run(["h2load", "--h1", "-n", str(checks), "-c", "1", listener_url(self.node, "public") + "/"],
                       stdout=subprocess.DEVNULL, timeout=SECONDS * 2, check=True)
        request = (processor_time() - time) / checks
        pool["health_check"] = {"http": {"path": "/health"}, "interval": "0.2s", "timeout": "10s"}
        apply()
        wait_until(lambda: self.stat("healthy") == backends, "all to be healthy")
        time, attempts = processor_time(), self.stat("attempt")
        wait_until(lambda: self.stat("attempt") >= attempts + checks, "so many checks")
        cost = (processor_time() - time) / (self.stat("attempt") - attempts)
        print(f"a check costs {cost * 1e6:.0f} us of processor time, a request {request * 1e6:.0f} us; "
              f"1,000 backends every 5 s: {cost * 200 * 100:.2f} % of a core")
        self.assertEqual(self.stat("healthy"), backends)
        self.assertLess(cost, 4 * request)

    def test_a_node_that_allows_no_commands_refuses_the_pool(self):
        self.node = self.fleet.start_node("node-a")
        config = CONFIG.format(rules=check("command: {command: check}"), blue=self.blue, green=self.green)
        result = self.fleet.run_ctl("apply", "-f", "-", "--wait", "20s", stdin=config)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("health_checks[0].custom_health_check.typed_config.command", result.stderr + result.stdout)
        self.assertIn("--health-command-dir", result.stderr + result.stdout)


if __name__ == "__main__":
    results.main()
