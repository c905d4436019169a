"""The files that the rules look at, and small helpers that several rules share.

A rule is a module of this folder with
    SUMMARY       one line: what the rule demands
    check(tree)   yields (path, line or 0, message) for each place that breaks it
    CASES         its own test: a list of (name, {path: text}, [expected "path:line"]); an empty list of
                  expectations is a tree that must pass
A place may be excepted by a line of tools/checks/exceptions.txt, with a reason.
"""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = (".cc", ".h")


def git(*arguments, check=True):
    """Its output. The checkout may be another user's (root in a container), whose repositories git refuses to read."""
    return subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=ROOT, check=check, stdout=subprocess.PIPE,
                          text=True).stdout


class Tree:
    """Text of files by path relative to the root: of the working tree, or made up by a test."""

    def __init__(self, texts):
        self.texts = texts
        self._code = {}

    @staticmethod
    def of_repository():
        """Tracked files and new ones that git does not ignore."""
        listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        texts = {}
        for path in sorted(set(listed) - {""}):
            file = ROOT / path
            if file.is_symlink() or not file.is_file():
                continue
            try:
                texts[path] = file.read_text()
            except UnicodeDecodeError:
                continue
        return Tree(texts)

    def paths(self, *, under=(), suffix=()):
        """Paths below one of the folders (all, if none is named) that end in one of the suffixes."""
        for path in self.texts:
            if (not under or path.startswith(tuple(under))) and (not suffix or path.endswith(tuple(suffix))):
                yield path

    def code(self, path):
        """C++ text with comments and the insides of literals blanked out; lines keep their numbers."""
        if path not in self._code:
            self._code[path] = blank_comments_and_literals(self.texts[path])
        return self._code[path]

    def matches(self, path, pattern, *, raw=False):
        """Yields (line number, match) of a compiled pattern, in the code or in the raw text."""
        for number, line in enumerate((self.texts[path] if raw else self.code(path)).splitlines(), 1):
            match = pattern.search(line)
            if match:
                yield number, match


_LEXEME = re.compile(
    r'(?P<comment>//[^\n]*|/\*.*?\*/)'
    r'|(?P<include>^[ \t]*#[ \t]*include[^\n]*)'
    r'|(?P<raw>\bR"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")'
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<number>\b[0-9][0-9a-fA-FxX']*)"
    r"|(?P<char>'(?:\\.|[^'\\\n])+')",
    re.DOTALL | re.MULTILINE)


def blank_comments_and_literals(text):
    def blank(match):
        found = match.group(0)
        if match.lastgroup == "include" or match.group("include") or match.group("number"):
            return found
        if match.group("comment"):
            return re.sub(r"[^\n]", " ", found)
        return '"' + re.sub(r"[^\n]", " ", found[1:-1]) + '"'

    return _LEXEME.sub(blank, text)


_INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def includes(tree, path):
    """Yields (line, included path, is quoted)."""
    for number, match in tree.matches(path, _INCLUDE):
        yield number, match.group(2), match.group(1) == '"'


def is_spec_header(path):
    name = path.rsplit("/", 1)[-1]
    return name == "spec.h" or name.endswith("_spec.h")
