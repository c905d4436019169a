#!/usr/bin/env python3
"""The steps of docs/getting-started.md, one after the other: each command prints what the page says.

A line "$ COMMAND" of the page is run; the lines below it are what it prints, or what it has written so far if it runs on
in the background (&). Ports are others than the page's, so that nothing else on the machine is in the way; times, and
ports that the kernel chose, are compared as such.
"""

import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, Process, wait_until  # noqa: E402

PAGE = pathlib.Path("docs/getting-started.md")
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PORTS = ("9001", "9002", "18001", "18000", "9901", "8080")
# What differs from run to run: times, the peer's port.
VARYING = ((re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"), (re.compile(r"ipv4:127\.0\.0\.1:\d+ +"), "PEER "),
           (re.compile(r"PEER +L"), "PEER L"))


def free_ports(count):
    """Below those that the kernel gives to clients, so that nobody takes one meanwhile."""
    found = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return [str(port) for port in sorted(found)]


def steps(text):
    """("yaml", text) or ("command", text, what it prints) in the order of the page."""
    for kind, block in BLOCK.findall(text):
        if kind:
            yield ("yaml", block)
        elif block.startswith("$ "):
            for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                first, _, rest = command.partition("\n")
                yield ("command", first, rest)


def comparable(text):
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


class GettingStartedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="convoy-docs")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        binaries = os.path.join(self.folder, "bazel-bin")
        os.symlink(os.getcwd(), binaries)
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        self.environment = {"PATH": f"{binaries}/controlplane:{binaries}/proxy:{binaries}/tools:{os.environ['PATH']}",
                            "HOME": self.folder, "USER": "ann"}
        self.running = []

    def our(self, text):
        """The page's text with our ports."""
        return re.sub(r"\b(127\.0\.0\.1:)(%s)\b" % "|".join(PORTS), lambda m: m[1] + self.ports[m[2]], text)

    def edit(self, name, before, after):
        path = os.path.join(self.folder, name)
        text = pathlib.Path(path).read_text(encoding="utf-8")
        self.assertIn(before, text)
        pathlib.Path(path).write_text(text.replace(before, after), encoding="utf-8")

    def start(self, command):
        """In the background, in the page's folder."""
        if command.startswith("convoy-control"):
            command += f" --listen 127.0.0.1:{self.ports['18001']} --xds-listen 127.0.0.1:{self.ports['18000']}"
        process = Process(self.folder, f"background-{len(self.running)}", "bash", "-c",
                          f"cd {self.folder} && exec {command}", env=self.environment)
        self.addCleanup(process.end, signal.SIGKILL)
        self.running.append((command, process))
        return process

    def check(self, command, printed):
        command, printed = self.our(command), comparable(self.our(printed))
        if command.endswith(" &"):
            process = self.start(command.removesuffix(" &"))
            wait_until(lambda: printed in comparable(process.text()) or process.process.poll() is not None, f"{printed} of {command}")
            self.assertIn(printed, comparable(process.text()))
        elif command == "kill -9 %convoy-control":
            next(p for c, p in reversed(self.running) if c.startswith("convoy-control")).end(signal.SIGKILL)
        elif command == "convoyctl status":
            # The node comes back when it comes back.
            wait_until(lambda: self.run_in_page(command) == printed, printed)
        else:
            self.assertEqual(self.run_in_page(command), printed, command)

    def run_in_page(self, command):
        environment = {**self.environment, "CONVOY_SERVER": f"127.0.0.1:{self.ports['18001']}"}
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env=environment, timeout=SECONDS, check=False)
        return comparable(done.stdout)

    def test_the_steps(self):
        commands = 0
        for kind, *step in steps(PAGE.read_text(encoding="utf-8")):
            if kind == "yaml":
                pathlib.Path(self.folder, "fleet.yaml").write_text(self.our(step[0]), encoding="utf-8")
                continue
            command = step[0]
            # What the page asks for in words.
            if command.endswith("--dry-run"):
                last = self.our("  - address: 127.0.0.1:9002\n")
                self.edit("fleet.yaml", last, last + "    weight: 3\n")
            elif command == "convoyctl apply -f fleet.yaml":
                self.edit("fleet.yaml", "  address: 127", "  adress: 127")
            with self.subTest(command):
                self.check(*step)
            if command.startswith("convoyctl node bootstrap"):
                for port in ("9901", "18000"):
                    self.edit("node-a.yaml", f"port_value: {port}}}", f"port_value: {self.ports[port]}}}")
            commands += 1
        self.assertGreater(commands, 10)


if __name__ == "__main__":
    results.main()
