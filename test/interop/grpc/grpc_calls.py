"""Every kind of call between a client and a server of gRPC C++, which are processes; and what must come of each."""

import os
import re
import subprocess
import tempfile
import unittest

from fleet import SECONDS, Process, wait_until

HERE = "test/interop/grpc"


class Server(Process):
    """Started with a pipe as standard input: it ends when that does."""

    def __init__(self, folder, name):
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([f"{HERE}/server", name], stdin=subprocess.PIPE, stdout=log, stderr=log)
        self.address, = self.found(r"^listening on (\S+)$")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=SECONDS)


class Calls(unittest.TestCase):
    """What each call must come to; `address` is where the client goes, `server` who answers in the end."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="convoy-grpc")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.server = self.start_server("blue")
        self.address = self.server.address

    def start_server(self, name):
        server = Server(self.folder, name)
        self.addCleanup(server.stop)
        return server

    def call(self, *arguments):
        """The line that the client says."""
        result = subprocess.run([f"{HERE}/client", self.address, *map(str, arguments)], capture_output=True, text=True,
                                timeout=2 * SECONDS, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout.strip()

    def test_unary(self):
        self.assertEqual(self.call("unary", 200), "blue=200 status=0")

    def test_streams_of_the_client_the_server_and_both(self):
        for kind in ("collect", "repeat", "chat"):
            self.assertEqual(self.call(kind, 2000), "status=0", kind)

    def test_a_large_message(self):
        self.assertEqual(self.call("large", 16 << 20), "status=0")

    def test_a_status_without_a_reply(self):
        for code in (3, 5, 14, 16):
            self.assertEqual(self.call("status", code), f"status={code} as you said: 100% \u00e9")

    def test_a_method_that_is_not_there(self):
        self.assertEqual(re.match(r"status=\d+", self.call("method"))[0], "status=12")

    def test_a_deadline_cancels_the_call_at_the_server(self):
        self.assertEqual(re.match(r"status=\d+", self.call("deadline", 300))[0], "status=4")
        wait_until(lambda: "cancelled" in self.server.text(), "the cancellation at the server")
