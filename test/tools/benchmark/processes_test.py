#!/usr/bin/env python3
"""Tests that tools/bench leaves neither a process nor a file behind."""

import os
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.getcwd())

from tools.benchmark.processes import Processes  # noqa: E402
from tools.benchmark.system import BenchError, Cpu, memory, wait_for  # noqa: E402

CORE = min(os.sched_getaffinity(0))

# Starts a child, says which, and waits; the child waits for ever.
HOLDER = """
import os, signal, sys
sys.path.insert(0, os.getcwd())
from tools.benchmark import cli
from tools.benchmark.processes import Processes
signal.signal(signal.SIGTERM, cli._stop)
with Processes() as processes:
    child = processes.start(["tail", "-f", "/dev/null"], min(os.sched_getaffinity(0)))
    print(child.pid, processes.folder, flush=True)
    signal.pause()
"""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class ProcessesTest(unittest.TestCase):
    def test_output_is_returned(self):
        with Processes() as processes:
            self.assertEqual(processes.run(["echo", "hello"], CORE, 10), "hello\n")

    def test_children_and_files_go_with_an_error(self):
        with self.assertRaises(ZeroDivisionError), Processes() as processes:
            child = processes.start(["tail", "-f", "/dev/null"], CORE)
            folder = processes.folder
            raise ZeroDivisionError
        self.assertIsNotNone(child.returncode)
        self.assertFalse(os.path.exists(folder))

    def test_grandchildren_go_too(self):
        with Processes() as processes:
            child = processes.start(["sh", "-c", "tail -f /dev/null & echo $!; wait"], CORE)

            def printed():
                with open(child.out_path, encoding="utf-8") as file:
                    return file.read()

            grandchild = int(wait_for(printed, 10, "the grandchild"))
            self.assertTrue(alive(grandchild))
        wait_for(lambda: not alive(grandchild), 10, "the end of the grandchild")

    def test_failures_are_told(self):
        with Processes() as processes:
            with self.assertRaisesRegex(BenchError, "exit status 3\noops"):
                processes.run(["sh", "-c", "echo oops >&2; exit 3"], CORE, 10)
            with self.assertRaisesRegex(BenchError, "cannot start /nowhere/x"):
                processes.start(["/nowhere/x"], CORE)
            with self.assertRaisesRegex(BenchError, "not done within"):
                processes.run(["tail", "-f", "/dev/null"], CORE, 0.2)

    def test_nothing_outlives_a_signal(self):
        for number, files_go in ((signal.SIGTERM, True), (signal.SIGINT, True), (signal.SIGKILL, False)):
            with self.subTest(signal=number.name):
                # SIGINT is ignored in the background jobs of a shell, and so perhaps here.
                holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True,
                                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
                                          stderr=subprocess.DEVNULL)
                pid, folder = holder.stdout.readline().split()
                holder.send_signal(number)
                holder.wait(timeout=10)
                holder.stdout.close()
                wait_for(lambda p=pid: not alive(p), 10, "the end of the child")
                self.assertEqual(os.path.exists(folder), not files_go)
                if not files_go:
                    os.rmdir(folder) if not os.listdir(folder) else subprocess.run(["rm", "-r", folder], check=True)

    def test_what_the_kernel_says_about_us(self):
        rss, pss = memory(os.getpid())
        self.assertGreater(rss, 1 << 20)
        self.assertGreaterEqual(rss, pss)
        self.assertGreater(Cpu(os.getpid()).total, 0)


if __name__ == "__main__":
    unittest.main()
