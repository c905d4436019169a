#!/usr/bin/python3
"""WebSockets between a client and a server of a foreign library, through the real convoy-proxy."""

import asyncio
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
import websockets  # noqa: E402
from fleet import SECONDS, Fleet, Process, listener_url, stat  # noqa: E402
from websocket import MIB, Server, connect, echoed, write_websocket_bootstrap  # noqa: E402

CONFIG = """\
listeners:
- name: public
  address: 127.0.0.1:0
  routes:
  - {{match: {{path_prefix: /live}}, pool: live{more}}}
pools:
- name: live
  backends: [{{address: "127.0.0.1:{port}", weight: {weight}}}]
"""


class NodeTest(unittest.IsolatedAsyncioTestCase):
    def start(self, port):
        folder = tempfile.TemporaryDirectory(prefix="convoy-ws")
        self.addCleanup(folder.cleanup)
        path = write_websocket_bootstrap(folder.name, port)
        self.node = Process(folder.name, "node", "proxy/convoy-proxy", "-c", path, "--drain-time-s", "2")
        self.addCleanup(self.node.end)
        self.node.admin, = self.node.found(r"convoy-proxy is live admin=(\S+)")
        return listener_url(self.node, "public") + "/chat"

    def stat(self, name):
        return stat(self.node, name)

    async def test_text_and_a_mebibyte_come_back(self):
        async with Server() as server:
            async with connect(self.start(server.port)) as socket:
                self.assertEqual(await echoed(socket, "h\u00e9llo"), "h\u00e9llo")
                large = os.urandom(MIB)
                for _ in range(8):
                    self.assertEqual(await echoed(socket, large), large)
                self.assertEqual(self.stat("http.public.downstream_cx_upgrades_active"), 1)
                self.assertEqual(self.stat("cluster.web.upstream_cx_upgrades_active"), 1)
                await asyncio.wait_for(await socket.ping(), SECONDS)
            await server.until_closed(1)
            self.assertEqual(server.closed, [1000], "the closing handshake came through")
            self.assertEqual(socket.close_code, 1000)
            self.assertEqual(self.stat("http.public.downstream_cx_upgrades_total"), 1)

    async def test_the_server_may_close(self):
        async with Server() as server:
            async with connect(self.start(server.port)) as socket:
                await socket.send("close 4001")
                with self.assertRaises(websockets.ConnectionClosed):
                    await asyncio.wait_for(socket.recv(), SECONDS)
                self.assertEqual((socket.close_code, socket.close_reason), (4001, "as you said"))

    async def test_many_at_a_time(self):
        async with Server() as server:
            url = self.start(server.port)

            async def one(number):
                async with connect(url) as socket:
                    for turn in range(20):
                        text = f"{number} {turn} " + "x" * 5000
                        self.assertEqual(await echoed(socket, text), text)

            await asyncio.gather(*(one(number) for number in range(50)))

    async def test_a_drain_ends_it_when_its_time_is_over(self):
        async with Server() as server:
            async with connect(self.start(server.port)) as socket:
                await echoed(socket, "before")
                self.node.process.terminate()
                self.assertEqual(await echoed(socket, "draining"), "draining")
                await asyncio.wait_for(socket.wait_closed(), SECONDS)
                self.assertEqual(socket.close_code, 1006)
            self.assertEqual(self.node.ended(), 0)  # a second signal would cut it short


class FleetTest(unittest.IsolatedAsyncioTestCase):
    async def test_survives_changes_that_are_not_its_own(self):
        fleet = Fleet()
        self.addCleanup(fleet.close)
        node = fleet.start_node("edge")
        async with Server() as server:
            fleet.apply(CONFIG.format(port=server.port, weight=1, more=""))
            url = listener_url(node, "public")
            async with connect(url + "/live") as socket:
                await echoed(socket, "first")
                for change in ({"weight": 2, "more": ""}, {"weight": 2, "more": ", tunnel_idle_timeout: 9s"}):
                    fleet.apply(CONFIG.format(port=server.port, **change))
                    self.assertEqual(await echoed(socket, "still here"), "still here")
                fleet.apply(CONFIG.format(port=server.port, weight=2, more="").replace(
                    "  routes:", "  upgrades: [none]\n  routes:"))
                self.assertEqual(await echoed(socket, "still here"), "still here")
                with self.assertRaises(websockets.InvalidStatusCode) as refused:
                    async with connect(url + "/live"):
                        pass
                self.assertEqual(refused.exception.status_code, 403)
                self.assertEqual(await echoed(socket, "last"), "last")


if __name__ == "__main__":
    results.main()
