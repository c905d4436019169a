#!/usr/bin/env python3
"""Tests that the relay relays: relay_test.py RELAY BACKEND"""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.getcwd())
BACKEND = os.path.abspath(sys.argv.pop(2))
RELAY = os.path.abspath(sys.argv.pop(1))

from tools.benchmark import backends, peers, workload  # noqa: E402
from tools.benchmark.processes import Processes  # noqa: E402
from tools.benchmark.running import Running  # noqa: E402

CORE = min(os.sched_getaffinity(0))


class RelayTest(unittest.TestCase):
    def test_bytes_pass_both_ways(self):
        with Processes() as processes:
            _, ports = backends.start(processes, CORE, BACKEND)
            running = Running(processes, peers.Relay(RELAY), CORE, ports)
            with workload.Client(running.port) as client:
                client.batches(20, 5)
                bodies = [client.exchange(connection) for connection in client.sockets]
            self.assertEqual([len(body) for body in bodies], [workload.BODY_BYTES] * 20)

    def test_more_than_the_sockets_hold(self):
        body = os.urandom(4 << 20)
        head = f"POST /echo HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with Processes() as processes:
            _, ports = backends.start(processes, CORE, BACKEND)
            running = Running(processes, peers.Relay(RELAY), CORE, ports)
            with workload.Client(running.port, head + body) as client:
                for _ in range(3):
                    echoed = client.exchange(client.connect())
                    self.assertEqual(echoed.partition(b"\r\n\r\n")[2], body)

    def test_the_backends_counts_see_no_reconnect(self):
        with Processes() as processes:
            _, ports = backends.start(processes, CORE, BACKEND)
            stats = workload.BackendStats(ports[0])
            running = Running(processes, peers.Relay(RELAY), CORE, ports)
            with workload.Client(running.port) as client:
                client.batches(3, 1)
                before = stats()
                client.batches(3, 50)
                after = stats()
            stats.close()
        self.assertEqual(after["requests"] - before["requests"], 150)
        self.assertEqual(after["connections_accepted"], before["connections_accepted"])


if __name__ == "__main__":
    unittest.main()
