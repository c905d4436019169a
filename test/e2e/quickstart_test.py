#!/usr/bin/env python3
"""tools/quickstart on binaries that are built: its checks pass, and it leaves nothing behind, by Ctrl-C either."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, wait_until  # noqa: E402


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

    def test_ctrl_c_stops_everything(self):
        process = self.start()
        wait_until(lambda: "Ctrl-C here stops everything." in self.text() or process.poll() is not None, "it runs")
        self.assertIsNone(process.poll(), self.text())
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(timeout=SECONDS), 130, self.text())
        self.assert_nothing_left(process)

    def test_it_can_be_interrupted_on_the_way(self):
        process = self.start()
        wait_until(lambda: "Starting two proxies" in self.text(), "it is on the way")
        os.killpg(process.pid, signal.SIGTERM)
        self.assertEqual(process.wait(timeout=SECONDS), 143, self.text())
        self.assert_nothing_left(process)

    def test_a_mistake_is_told(self):
        self.assertEqual(self.start("--frobnicate").wait(timeout=SECONDS), 2)


if __name__ == "__main__":
    results.main()
