#!/usr/bin/env python3
"""Steady HTTP/1.1 traffic that counts what goes wrong, for tools/quickstart and the end-to-end tests.

  traffic.py [--connections N] [--pause MS] URL...

Keeps N kept-alive connections to every URL busy until SIGTERM or SIGINT; then prints one line of JSON:
  {"requests": 1234, "failed": 0, "closed": 0, "mean_ms": 2.1, "backends": {"blue": 700, "green": 534}, "errors": []}
`failed`: answers other than 2xx and requests without an answer. `closed`: connections that the server closed. `mean_ms`: from a
request to the end of its answer.
Exit code 0 if nothing failed, else 1.
"""

import argparse
import collections
import http.client
import json
import signal
import sys
import threading
import time
import urllib.parse

MOST_ERRORS = 20
PATIENCE_SECONDS = 30


class Tally:
    """What all connections counted so far. Any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = 0
        self.failed = 0
        self.closed = 0
        self.seconds = 0.0
        self.backends = collections.Counter()
        self.errors = []

    def answered(self, status, backend, seconds):
        with self.lock:
            self.requests += 1
            self.seconds += seconds
            if 200 <= status < 300:
                self.backends[backend] += 1
            else:
                self._fail(f"status {status}")

    def broke(self, error):
        with self.lock:
            self.requests += 1
            self._fail(f"{type(error).__name__}: {error}")

    def was_closed(self):
        with self.lock:
            self.closed += 1

    def _fail(self, text):
        self.failed += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(text)

    def as_json(self):
        with self.lock:
            return json.dumps({"requests": self.requests, "failed": self.failed, "closed": self.closed,
                               "mean_ms": round(self.seconds * 1000 / max(self.requests, 1), 1),
                               "backends": dict(sorted(self.backends.items())), "errors": self.errors})


def run_connection(url, stop, pause, tally):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_SECONDS)
    path = parts.path or "/"
    while not stop.is_set():
        begin = time.monotonic()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            tally.answered(response.status, response.getheader("x-backend", "none"), time.monotonic() - begin)
            if response.will_close:
                tally.was_closed()
        except (OSError, http.client.HTTPException) as error:
            tally.broke(error)
            connection.close()
        stop.wait(pause)
    connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--pause", type=float, default=1.0, help="milliseconds between requests of a connection")
    flags = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tally = Tally()
    threads = [threading.Thread(target=run_connection, args=(url, stop, flags.pause / 1000, tally))
               for url in flags.urls for _ in range(flags.connections)]
    for thread in threads:
        thread.start()
    print("running", flush=True)
    stop.wait()
    for thread in threads:
        thread.join()
    print(tally.as_json(), flush=True)
    return 0 if tally.failed == 0 and tally.requests > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
