"""HTTP backends that do what a test says."""

import http.server
import threading


class Backend:
    """Answers a request for a path as answer(path) says: status, fields, body. `asked`: (method, host, path) of each request;
    `heads`: its header fields, as http.client has them."""

    def __init__(self, test, answer):
        self.asked, self.heads = asked, heads = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                heads.append(self.headers)
                asked.append((self.command, self.headers["host"], self.path))
                status, fields, body = answer(self.path)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("content-length", str(len(body.encode())))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body.encode())

            do_GET = do_HEAD = respond

            def log_message(self, format, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{server.server_port}"


class HeldBackend(Backend):
    """Answers `/held` when the test says so, and everything else at once."""

    def __init__(self, test, name):
        self.released = threading.Event()

        def answer(path):
            if path == "/held":
                self.released.wait()
            return 200, {"x-backend": name}, ""
        super().__init__(test, answer)
        test.addCleanup(self.released.set)
