"""Form of headers and includes."""

import re

from tools.checks.tree import CPP, includes

SUMMARY = "headers open with a contract and #pragma once; quoted includes are paths from the root"

_ROOTS = ("proxy/", "controlplane/", "api/", "test/", "tools/", "envoy/", "xds/", "udpa/", "validate/", "google/",
          "absl/", "gtest/", "gmock/", "benchmark/")
_PRAGMA = re.compile(r"^#pragma once$", re.MULTILINE)
_CONTRACT = re.compile(r"^//", re.MULTILINE)


def check(tree):
    for path in tree.paths(under=["proxy/", "controlplane/", "test/", "tools/"], suffix=CPP):
        text = tree.texts[path]
        if path.endswith(".h"):
            if not _PRAGMA.search(text):
                yield path, 1, "has no #pragma once"
            head = text[:text.find("#include")] if "#include" in text else text
            if not path.startswith("test/") and not _CONTRACT.search(head):
                yield path, 1, "does not open with its contract: what it is, owner, thread, units, errors"
        for line, included, quoted in includes(tree, path):
            if quoted and not included.startswith(_ROOTS):
                yield path, line, f'"{included}" is not a path from the repository\'s root'
            elif quoted and included.startswith(_ROOTS[:5]) and not included.endswith(".pb.h") \
                    and included not in tree.texts:
                yield path, line, f"{included} does not exist"


CASES = [
    ("in form", {"proxy/a/b.h": "#pragma once\n\n// What it is.\n\n#include <x>\n"}, []),
    ("no pragma", {"proxy/a/b.h": "// What it is.\n"}, ["proxy/a/b.h:1"]),
    ("no contract", {"proxy/a/b.h": "#pragma once\n#include <x>\n// late\n"}, ["proxy/a/b.h:1"]),
    ("a relative include", {"proxy/a/b.cc": '#include "b.h"\n'}, ["proxy/a/b.cc:1"]),
    ("a missing file", {"proxy/a/b.cc": '#include "proxy/a/c.h"\n'}, ["proxy/a/b.cc:1"]),
    ("a generated file", {"proxy/a/b.cc": '#include "api/convoy/v1/config.pb.h"\n'}, []),
]
