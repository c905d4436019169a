#!/usr/bin/env python3
"""tools/quickstart on binaries that are built: its checks pass, and it leaves nothing behind, by Ctrl-C either."""

import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, get, wait_until  # noqa: E402


class QuickstartTest(unittest.TestCase):
    def setUp(self):
        # A tree with the script and its binaries only; the script looks for them from where it stands.
        folder = tempfile.TemporaryDirectory(prefix="convoy-e2e")
        self.addCleanup(folder.cleanup)
        self.root = os.path.realpath(folder.name)
        os.makedirs(os.path.join(self.root, "tools/lib"))
        for path in ("tools/quickstart", "tools/lib/traffic.py"):
            shutil.copy(path, os.path.join(self.root, path))
        os.symlink(os.getcwd(), os.path.join(self.root, "bazel-bin"))
        self.log = os.path.join(self.root, "log")

    def start(self, *arguments):
        with open(self.log, "wb") as log:
            process = subprocess.Popen([os.path.join(self.root, "tools/quickstart"), "--no-build",
                                        "--any-port", *arguments],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.addCleanup(self.kill, process)
        return process

    @staticmethod
    def kill(process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=SECONDS)

    def text(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def assert_nothing_left(self, process):
        # Everything that it started is of its session.
        left = subprocess.run(["ps", "-o", "pid=,args=", "--sid", str(process.pid)], capture_output=True, text=True,
                              check=False).stdout
        self.assertEqual(left, "")

    def test_the_checks_pass(self):
        process = self.start("--exit")
        self.assertEqual(process.wait(timeout=SECONDS * 2), 0, self.text())
        self.assertIn("All checks passed.", self.text())
        self.assertIn(" requests, 0 failed, 0 connections closed", self.text())
        self.assert_nothing_left(process)

    def start_and_wait(self):
        process = self.start()
        wait_until(lambda: "Ctrl-C here stops everything." in self.text() or process.poll() is not None, "it runs")
        self.assertIsNone(process.poll(), self.text())
        return process

    def test_what_it_says_to_try_works(self):
        process = self.start_and_wait()
        said = self.text().split("Try in another terminal:")[1].split("Ctrl-C here")[0]
        setting, *commands = [line.strip() for line in said.splitlines() if line.startswith("  ")]
        self.assertRegex(setting, "^export PATH=")
        expected = [("curl -i http", "HTTP/1.1 200 OK"), ("convoyctl list", "pool      web "),
                    ("convoyctl apply -f ", "would change nothing, revision "), ("convoyctl watch", "revision "),
                    ("curl http", "# TYPE envoy_http_downstream_rq_total counter\n")]
        self.assertEqual(len(commands), len(expected), said)
        for command, (begin, answer) in zip(commands, expected):
            self.assertTrue(command.startswith(begin), command)
            if begin == "convoyctl watch":
                command = command.replace("convoyctl watch", "convoyctl watch --after 0 --count 1")  # it has no end otherwise
            result = subprocess.run(["bash", "-c", f"{setting}\n{command}"], capture_output=True, text=True, timeout=SECONDS,
                                    check=False)
            self.assertEqual(result.returncode, 0, f"{command}\n{result.stderr}")
            self.assertIn(answer, result.stdout, command)
        addresses = set(re.findall(r"127\.0\.0\.1:\d+", "".join(commands)))
        self.assertEqual(len(addresses), 4, said)
        for address in addresses:
            page = "/ready" if f"admin endpoint http://{address}\n" in self.text() else "/"
            self.assertEqual(get(f"http://{address}{page}")[0], 200, address)
        os.killpg(process.pid, signal.SIGTERM)
        self.assertEqual(process.wait(timeout=SECONDS), 143, self.text())
        self.assert_nothing_left(process)

    def test_a_node_that_dies_is_told_and_takes_everything_down(self):
        process = self.start_and_wait()
        running = subprocess.run(["ps", "-o", "pid=,args=", "--sid", str(process.pid)], capture_output=True, text=True,
                                 check=True).stdout
        node = re.search(r"^ *(\d+) \S*convoy-proxy -c \S*node-b.yaml$", running, re.MULTILINE)
        self.assertIsNotNone(node, running)
        os.kill(int(node[1]), signal.SIGKILL)
        self.assertEqual(process.wait(timeout=SECONDS), 1, self.text())
        self.assertIn("quickstart: node-b ended by itself", self.text())
        self.assert_nothing_left(process)

    def test_a_start_that_fails_leaves_nothing(self):
        # A control plane that ends at once.
        os.unlink(os.path.join(self.root, "bazel-bin"))
        for binary in ("controlplane/convoy-control", "proxy/convoy-proxy", "tools/convoyctl", "tools/sample/backend"):
            path = os.path.join(self.root, "bazel-bin", binary)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink("/bin/false" if binary.endswith("control") else os.path.join(os.getcwd(), binary), path)
        process = self.start("--exit")
        self.assertEqual(process.wait(timeout=SECONDS), 1, self.text())
        self.assertIn("quickstart: control did not start", self.text())
        self.assert_nothing_left(process)
        os.unlink(os.path.join(self.root, "bazel-bin/proxy/convoy-proxy"))
        self.assertEqual(self.start("--exit").wait(timeout=SECONDS), 1)
        self.assertIn("bazel-bin/proxy/convoy-proxy is missing", self.text())

    def test_ctrl_c_stops_everything(self):
        process = self.start_and_wait()
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(timeout=SECONDS), 130, self.text())
        self.assert_nothing_left(process)

    def test_it_can_be_interrupted_on_the_way(self):
        process = self.start()
        wait_until(lambda: "Starting two proxies" in self.text(), "it is on the way")
        os.killpg(process.pid, signal.SIGTERM)
        self.assertEqual(process.wait(timeout=SECONDS), 143, self.text())
        self.assert_nothing_left(process)

    def calls_of_bazel(self):
        """Runs it with a build that has nothing to do; returns the commands that Bazel was given."""
        calls = os.path.join(self.root, "calls")
        os.makedirs(os.path.join(self.root, "bin"))
        for path, text in (("tools/setup", ""), ("bin/bazel", f"echo $1 >> {calls}\n")):
            with open(os.path.join(self.root, path), "w", encoding="utf-8") as script:
                script.write("#!/bin/sh\n" + text)
            os.chmod(os.path.join(self.root, path), 0o755)
        subprocess.run([os.path.join(self.root, "tools/quickstart"), "--any-port", "--exit"], check=True, timeout=SECONDS * 2,
                       capture_output=True, env={"HOME": self.root, "PATH": f"{self.root}/bin:{os.environ['PATH']}"})
        with open(calls, encoding="utf-8") as log:
            return log.read().split()

    def test_the_builds_server_ends(self):
        self.assertEqual(self.calls_of_bazel(), ["build", "shutdown"])

    def test_a_server_that_was_there_before_stays(self):
        user = pwd.getpwuid(os.getuid()).pw_name
        server = os.path.join(self.root, ".cache/bazel/_bazel_" + user, hashlib.md5(self.root.encode()).hexdigest(), "server")
        os.makedirs(server)
        with open(os.path.join(server, "server.pid.txt"), "w", encoding="utf-8") as pid:
            pid.write(str(os.getpid()))
        self.assertEqual(self.calls_of_bazel(), ["build"])

    def test_a_mistake_is_told(self):
        self.assertEqual(self.start("--frobnicate").wait(timeout=SECONDS), 2)


if __name__ == "__main__":
    results.main()
