#!/usr/bin/python3
"""Headless Chromium loads a page through the real convoy-proxy, plainly and over TLS, and the page echoes a WebSocket."""

import asyncio
import http
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from certificates import Certificates  # noqa: E402
from fleet import Process, get, listener_url  # noqa: E402
from websocket import Server, write_websocket_bootstrap  # noqa: E402

# A browser starts slowly on a busy machine.
PATIENCE = 120

PAGE = """<!doctype html><title>page</title><script>
const report = (what) => fetch('/report?' + encodeURIComponent(what));
const socket = new WebSocket(location.href.replace('http', 'ws') + 'chat');
const large = new Uint8Array(1 << 20).map((_, i) => i * 7);
socket.binaryType = 'arraybuffer';
socket.onerror = () => report('error');
socket.onopen = () => socket.send('hello');
socket.onmessage = (event) => {
  if (event.data === 'hello') return socket.send(large);
  const bytes = new Uint8Array(event.data);
  const same = bytes.length === large.length && bytes.every((byte, i) => byte === large[i]);
  report(same ? 'echoed over ' + performance.getEntriesByType('navigation')[0].nextHopProtocol : 'differs');
};
</script>"""


class Plain(unittest.IsolatedAsyncioTestCase):
    scheme = "http"
    flags = ()  # the browser's
    protocol = "http/1.1"
    # Of connections, as the node counts them: a WebSocket over HTTP/1.1 takes one for itself.
    counted = {"downstream_cx_http2_total": "0"}

    def transport(self, _folder):
        """Of the listener's filter chain, in YAML."""
        return ""

    def page(self, path):
        if path == "/":
            return http.HTTPStatus.OK, [("Content-Type", "text/html")], PAGE.encode()
        if path.startswith("/report?"):
            self.reported.set_result(path.split("?", 1)[1])
            return http.HTTPStatus.NO_CONTENT, [], b""
        return None if path == "/chat" else (http.HTTPStatus.NOT_FOUND, [], b"")

    async def test_a_page_echoes_a_websocket(self):
        self.reported = asyncio.get_running_loop().create_future()
        # Processes that the browser has started end a little after it, and write to its profile until then.
        with tempfile.TemporaryDirectory(prefix="convoy-browser", ignore_cleanup_errors=True) as folder:
            async with Server(self.page) as server:
                path = write_websocket_bootstrap(folder, server.port, self.transport(folder))
                node = Process(folder, "node", "proxy/convoy-proxy", "-c", path)
                self.addCleanup(node.process.kill)
                node.admin, = node.found(r"convoy-proxy is live admin=(\S+)")
                url = listener_url(node, "public").replace("http", self.scheme, 1) + "/"
                browser = Process(folder, "browser", "env", f"HOME={folder}", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                                  "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                                  "--remote-debugging-port=0", f"--user-data-dir={folder}/profile", *self.flags, url)
                try:
                    reported = await asyncio.wait_for(self.reported, PATIENCE)
                except asyncio.TimeoutError:
                    self.fail("the page did not report; the browser said:\n" + browser.text())
                finally:
                    browser.end()
                self.assertEqual(reported, "echoed%20over%20" + self.protocol.replace("/", "%2F"))
                stats = get(f"http://{node.admin}/stats")[1]
                for name, value in self.counted.items():
                    self.assertIn(f"http.public.{name}: {value}\n", stats)


class Tls(Plain):
    scheme = "https"
    # Nobody has told the browser of the tests' authority.
    flags = ("--ignore-certificate-errors",)
    protocol = "h2"
    # The WebSocket is a stream of the page's connection (RFC 8441).
    counted = {"downstream_cx_http1_total": "0", "downstream_cx_upgrades_total": "1"}

    def transport(self, folder):
        return Certificates(folder).transport()


class TlsHttp1(Tls):
    protocol = "http/1.1"
    counted = {"downstream_cx_http2_total": "0", "downstream_cx_upgrades_total": "1"}

    def transport(self, folder):
        return Certificates(folder).transport(protocols="http/1.1")


if __name__ == "__main__":
    results.main()
