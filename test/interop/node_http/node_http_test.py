#!/usr/bin/env python3
"""The same bytes to our HTTP/1.x codec and to Node's parser: where the two disagree, ours is the stricter one.

Inputs: the tables of accepted, malformed and hostile requests, and the fuzz corpus of the server codec. They agree on an
input when both take the same requests (method, target, body) and both or neither end in an error. Where we refuse what Node
takes, our error must be in STRICTER, with the reason. Where we take what Node refuses, Node's must be in LAXER: none of
these changes where a message ends.
A row that no input needs is a failure, too.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402

HERE = pathlib.Path("test/interop/node_http")
SECONDS = 240

# Our error -> why we refuse what Node takes.
STRICTER = {
    "bare_cr": "Node skips a CR before a request; RFC 9112 2.2 allows one CRLF there and nothing else",
    "bare_lf": "Node skips a LF before a request; a LF alone ends no line of ours (RFC 9112 2.2: MAY)",
    "body_extension_size": "Node's bound for the extensions of a body is 16 KiB of them, ours 16 KiB more than its data",
    "chunk_extension_size": "Node's bound for the extensions of a body is 16 KiB, ours 1 KiB for each chunk",
    "chunk_size_overflow": "Node counts to 2^64 - 1, ours to 2^63 - 1 and at most 16 digits, so that no later sum overflows",
    "connect_with_body": "CONNECT has no body (RFC 9110 9.3.6); Node leaves the bytes to whoever takes the tunnel",
    "duplicate_host": "Node keeps the first Host, which another server may not (RFC 9112 3.2: 400)",
    "empty_request_line": "Node skips any number of empty lines, we skip one (RFC 9112 2.2: at least one)",
    "invalid_content_length": "as chunk_size_overflow: 2^63 or more, or more than 19 digits",
    "invalid_host": "Node does not look into Host (RFC 9112 3.2: 400)",
    "invalid_request_line": "Node takes HTTP/0.9, and white space round the version",
    "invalid_target": "Node takes a fragment (RFC 9112 3.2 knows none)",
    "missing_host": "switched off in Node for this comparison, so that what is behind it is compared",
    "target_form": "Node does not judge targets: \"*\" with GET, a host with GET, a path without a slash",
    "too_many_fields": "Node's limit is a setting, too, and off for this comparison",
    "transfer_encoding_in_http10": "Node takes chunks in HTTP/1.0, whose servers do not know them (RFC 9112 6.1: faulty)",
    "transfer_encoding_unknown": "Node reads gzip, chunked as chunks, and an empty coding as none",
    "unsupported_scheme": "Node does not judge targets",
    "unsupported_version": "Node takes HTTP/0.9 and HTTP/2.0 in a request line",
}

# Node's error -> why we take what it refuses.
LAXER = {
    "HPE_INVALID_METHOD": "Node has a list of methods; every token is one (RFC 9110 9.1: others may be registered, and WebDAV has dozens), "
                          "which we forward as it is; how a message is framed does not depend on it",
}

# Inputs that neither error explains.
EXPLAINED = {
    "blanks around a length":
        "Node takes no tab there; white space round a value is no part of it (RFC 9110 5.5), and we forward the number without it",
    "offers of an upgrade that a server may ignore":
        "Node ends HTTP behind every Upgrade; h2c and TLS are offers that we ignore (RFC 9110 7.8), so HTTP goes on behind them",
}


def text(encoded):
    return base64.b64decode(encoded).decode("latin-1")


def taken(requests):
    """Complete requests. A target in absolute-form is compared by its path: we resolve it, Node does not."""
    out = []
    for request in requests:
        if not request["complete"]:
            continue
        target = text(request["target"])
        if "://" in target and not target.startswith("/"):
            rest = target.split("://", 1)[1]
            cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
            target = rest[cut:]
            if not target.startswith("/"):
                target = "/" + target
            if text(request["method"]) == "OPTIONS" and target == "/" and not rest.endswith("/"):
                target = "*"
        out.append((text(request["method"]), target, text(request["body"])))
    return out


class NodeHttpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        corpus = sorted(str(path) for path in pathlib.Path("test/fuzz/corpus/h1_codec_server").iterdir())
        lines = subprocess.run([HERE / "verdicts", *corpus], check=True, capture_output=True, timeout=SECONDS).stdout
        cls.ours = [json.loads(line) for line in lines.splitlines()]
        inputs = "".join(case["input"] + "\n" for case in cls.ours)
        node = subprocess.run(["../node/node", HERE / "parse.js"], input=inputs.encode(), check=True, capture_output=True,
                              timeout=SECONDS).stdout
        cls.theirs = [json.loads(line) for line in node.splitlines()]

    def test_inputs(self):
        self.assertGreater(len(self.ours), 500)
        self.assertEqual(len(self.ours), len(self.theirs))

    def test_every_disagreement_is_explained(self):
        used = set()
        for ours, theirs in zip(self.ours, self.theirs):
            here, there = taken(ours["requests"]), taken(theirs["requests"])
            our_error, their_error = text(ours["error"]), theirs["error"]
            if here == there and bool(our_error) == bool(their_error):
                continue
            what = text(ours["what"])
            if what in EXPLAINED:
                used.add(what)
                continue
            with self.subTest(what):
                shown = f"ours {here} {our_error!r}, Node's {there} {their_error!r}: {text(ours['input'])[:300]!r}"
                if here == there[:len(here)] and our_error:
                    self.assertIn(our_error, STRICTER, shown)
                    used.add(our_error)
                elif there == here[:len(there)] and their_error:
                    self.assertIn(their_error, LAXER, shown)
                    used.add(their_error)
                else:
                    self.fail("neither is the stricter: " + shown)
        self.assertEqual({*STRICTER, *LAXER, *EXPLAINED} - used, set(), "explained, but it does not happen")


if __name__ == "__main__":
    results.main()
