"""clang-format, over C++ files."""

import hashlib
import os
import pathlib
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tools.checks.tree import CPP, ROOT

SUMMARY = "C++ is formatted by .clang-format (tools/check --fix does it)"

_TOOL = "clang-format-14"
_STYLE = f"--style=file:{ROOT}/.clang-format"


def _formatted(path, text):
    result = subprocess.run([_TOOL, _STYLE, f"--assume-filename={path}"], input=text.encode(), capture_output=True,
                            check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{_TOOL} {path}: {result.stderr.decode()}")
    return result.stdout.decode()


class _Known:
    """Digests of texts that are known to be formatted, kept between runs: the tool takes 20 ms a file."""

    def __init__(self):
        self.file = pathlib.Path(os.environ.get("HOME", "/tmp")) / ".cache/convoy/formatted"
        self.style = (ROOT / ".clang-format").read_text()
        self.digests = set(self.file.read_text().split()) if self.file.exists() else set()
        self.used = set()

    def digest(self, text):
        return hashlib.sha256((self.style + "\0" + text).encode()).hexdigest()

    def save(self):
        if self.used - self.digests:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text("\n".join(sorted(self.digests | self.used)[-20000:]))


def _first_difference(old, new):
    pairs = zip(old.splitlines(), new.splitlines())
    return next((n for n, (a, b) in enumerate(pairs, 1) if a != b), 1)


def _differing(tree):
    known = _Known()
    todo = []
    for path in tree.paths(suffix=CPP):
        digest = known.digest(tree.texts[path])
        if digest in known.digests:
            known.used.add(digest)
        else:
            todo.append((path, digest))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda item: _formatted(item[0], tree.texts[item[0]]), todo))
    for (path, digest), formatted in zip(todo, results):
        if formatted == tree.texts[path]:
            known.used.add(digest)
        else:
            yield path, formatted
    known.save()


def check(tree):
    for path, formatted in _differing(tree):
        yield path, _first_difference(tree.texts[path], formatted), "is not formatted: tools/check --fix"


def fix(tree):
    for path, formatted in _differing(tree):
        (ROOT / path).write_text(formatted)
        print(f"check: formatted {path}")


CASES = [
    ("formatted", {"proxy/a/b.cc": "int x;\nint y;\n"}, []),
    ("not formatted", {"proxy/a/b.cc": "int x;\nint   y;\n"}, ["proxy/a/b.cc:2"]),
]
