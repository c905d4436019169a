"""WebSocket peers for end-to-end tests, by the library of Debian's python3-websockets; and a node that is told of them."""

import asyncio
import re

import websockets

from bootstrap import write_bootstrap
from fleet import SECONDS

MIB = 1 << 20


def write_websocket_bootstrap(folder, port, chain=""):
    """Of a node in front of a server; chain: a line more for the listener's filter chain. Returns its path."""
    return write_bootstrap(folder, "node", f"127.0.0.1:{port}", chain=chain, manager=(
        "upgrade_configs: [{upgrade_type: websocket}]", "http2_protocol_options: {allow_connect: true}"))


async def echo(socket):
    """Sends back what comes, until a message says "close CODE"."""
    async for message in socket:
        leave = re.fullmatch(r"close (\d+)", message) if isinstance(message, str) else None
        if leave is not None:
            await socket.close(int(leave[1]), "as you said")
            return
        await socket.send(message)


class Server:
    """An echo server on a free port. `pages` answers plain requests: path -> (status, headers, body) or None."""

    def __init__(self, pages=None):
        self.pages = pages
        self.closed = []  # close codes, as the server saw them
        self._one_closed = asyncio.Event()

    async def __aenter__(self):
        async def handler(socket):
            try:
                await echo(socket)
            except websockets.ConnectionClosed:
                pass  # without a closing handshake: the code says so
            finally:
                self.closed.append(socket.close_code)
                self._one_closed.set()

        async def plain(path, _headers):
            return self.pages(path) if self.pages is not None else None

        self.server = await websockets.serve(handler, "127.0.0.1", 0, max_size=4 * MIB, compression=None,
                                             process_request=plain)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    async def until_closed(self, count):
        async def look():
            while len(self.closed) < count:
                self._one_closed.clear()
                await self._one_closed.wait()
        await asyncio.wait_for(look(), SECONDS)


def connect(url):
    return websockets.connect(url.replace("http", "ws", 1), max_size=4 * MIB, compression=None, open_timeout=SECONDS)


async def echoed(socket, message):
    await asyncio.wait_for(socket.send(message), SECONDS)
    return await asyncio.wait_for(socket.recv(), SECONDS)
