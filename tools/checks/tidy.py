"""clang-tidy, over the C++ files that changed."""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tools.checks.tree import CPP, ROOT, git

SUMMARY = "clang-tidy (.clang-tidy) has nothing to say about changed files"

BASE = None  # The commit to compare with; None: where this branch left main.
_TOOL = "clang-tidy-14"
_FINDING = re.compile(r"^(?P<path>[^\s:]+):(?P<line>\d+):\d+: (?:warning|error): (?P<message>.*)$")


def _base():
    if BASE:
        return BASE
    for main in ("origin/main", "main"):
        found = git("merge-base", "HEAD", main, check=False).strip()
        if found:
            return found
    return "HEAD"


def changed_files():
    names = git("diff", "--name-only", "--diff-filter=d", _base()).split()
    names += git("ls-files", "--others", "--exclude-standard").split()
    return sorted({n for n in names if n.endswith(CPP)})


def _findings(path):
    result = subprocess.run([_TOOL, "--quiet", "-p", str(ROOT), path], cwd=ROOT, capture_output=True, text=True,
                            check=False)
    for line in result.stdout.splitlines():
        match = _FINDING.match(line)
        if match:
            place = match["path"]
            place = os.path.relpath(place, ROOT) if place.startswith(str(ROOT)) else place
            # The analyser follows our calls into system headers; what it dislikes there is not ours.
            if not place.startswith("/"):
                yield place, int(match["line"]), match["message"]


def check(tree):
    files = [f for f in changed_files() if f in tree.texts]
    if not files:
        return
    subprocess.run(["tools/compile_commands", "--quiet"], cwd=ROOT, check=True)
    known = {entry["file"] for entry in json.loads((ROOT / "compile_commands.json").read_text())}
    # A header is looked at through the sources that include it.
    sources = [f for f in files if f in known]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda f: list(_findings(f)), sources))
    yield from sorted({finding for found in results for finding in found})
