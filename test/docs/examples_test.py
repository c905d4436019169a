#!/usr/bin/env python3
"""Every YAML example of the user's docs does what its page says.

A block's fence says what it is:
  ```yaml convoy.v1           convoyctl validate accepts it, in a folder with the files of CERTIFICATES
  ```yaml convoy.v1 refused   convoyctl validate refuses it, at a place in the file
  ```yaml bootstrap           convoy-proxy --mode validate accepts it
  ```yaml contexts            convoyctl context list reads it
A block without such a word fails.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402
from fleet import SECONDS, Fleet  # noqa: E402

FENCE = re.compile(r"^```ya?ml\b([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def pages():
    return [pathlib.Path("README.md"), *sorted(pathlib.Path("docs").glob("*.md"))]


# Files that the examples name: what they are in the folder of test/common/test_ca.sh.
CERTIFICATES = {"web.pem": "ecdsa.pem", "web.key": "ecdsa.key", "web.ocsp": "ecdsa.ocsp", "web-rsa.pem": "rsa.pem",
                "web-rsa.key": "rsa.key", "clients-ca.pem": "ca.pem", "backends-ca.pem": "other_ca.pem",
                "edge.pem": "client.pem", "edge.key": "client.key"}


class ExamplesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet()
        made = pathlib.Path(cls.fleet.folder, "test_ca")
        subprocess.run(["sh", "test/common/test_ca.sh", made], timeout=SECONDS, check=True)
        for name, source in CERTIFICATES.items():
            os.link(made / source, os.path.join(cls.fleet.folder, name))

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    def check(self, kind, text):
        if kind.startswith("convoy.v1"):
            path = pathlib.Path(self.fleet.folder, "example.yaml")
            path.write_text(text, encoding="utf-8")
            result = self.fleet.run_ctl("validate", "-f", path)
            if kind == "convoy.v1 refused":
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertRegex(result.stderr, r"/example.yaml:\d+:\d+: ")
            else:
                self.assertEqual(result.returncode, 0, result.stderr)
            return
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "example.yaml")
            path.write_text(text, encoding="utf-8")
            command = {"bootstrap": ["proxy/convoy-proxy", "--mode", "validate", "-c", path],
                       "contexts": ["tools/convoyctl", "context", "list"]}[kind]
            result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False,
                                    env={"PATH": os.environ["PATH"], "CONVOY_CONTEXTS": str(path)})
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotIn("no effect", result.stdout)

    def test_examples(self):
        count = 0
        for page in pages():
            text = page.read_text(encoding="utf-8")
            for match in FENCE.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                with self.subTest(f"{page}:{line}"):
                    kind = match.group(1).strip()
                    self.assertIn(kind, ("convoy.v1", "convoy.v1 refused", "bootstrap", "contexts"))
                    self.check(kind, match.group(2))
                    count += 1
        self.assertGreater(count, 5)

    def test_links_between_pages_lead_somewhere(self):
        for page in pages():
            for target in LINK.findall(page.read_text(encoding="utf-8")):
                path = os.path.normpath(page.parent / target)
                # Of the repository only the pages are here; what else there is, its own tests look after.
                if path.endswith(".md") and path.count("/") <= 1:
                    with self.subTest(f"{page}: {target}"):
                        self.assertTrue(os.path.exists(path))


if __name__ == "__main__":
    results.main()
