"""File and function budgets."""

import re

from tools.checks.tree import CPP

SUMMARY = "files of at most 800 lines (tests 1200), functions of at most 100"

WANTED_LINES = 400
MOST_LINES = 800
MOST_TEST_LINES = 1200
MOST_FUNCTION_LINES = 100

_SUFFIXES = CPP + (".py", ".bzl", ".proto", ".sh", ".go")
_NOT_A_FUNCTION = re.compile(r"^\s*(?:else\s+)?(?:if|for|while|switch|catch|do|return)\b")
_ACCESS = re.compile(r"^\s*(?:public|protected|private)\s*:$")
_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")


def is_test(path):
    return path.startswith("test/")


def is_script(tree, path):
    return "." not in path.rsplit("/", 1)[-1] and tree.texts[path].startswith("#!")


class Scanner:
    """Finds function bodies by their braces: a `{` after a parameter list, in a namespace or a class."""

    def __init__(self, code):
        self.code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code,
                           flags=re.MULTILINE)
        self.scopes = []  # ("scope" | "function" | "block", header, first line)

    def functions(self):
        """Yields (name, first line, number of lines)."""
        header, header_line, line, depth = "", 1, 1, 0
        for i, char in enumerate(self.code):
            if char == "\n":
                line += 1
            if char in "([":
                depth += 1
            elif char in ")]":
                depth = max(0, depth - 1)
            if char == "{":
                self.scopes.append((self._kind(header, depth), header, header_line, depth))
                depth = 0
                header = ""
                continue
            if char == "}":
                if not self.scopes:
                    return  # Unbalanced by the preprocessor: nothing to say of the rest.
                kind, opening, first, depth = self.scopes.pop()
                following = self.code[i + 1:i + 200].lstrip()[:1]
                if kind == "function" and following in (",", "{") and re.search(r"\)[^;]*:[^:]", opening):
                    header, header_line = opening, first  # A member initialiser; the body is yet to come.
                    continue
                if kind == "function" and not any(k == "function" for k, *_ in self.scopes):
                    yield self._name(opening), first, line - first + 1
                header = opening + "{}" if depth else ""
                header_line = first if depth else line
                continue
            if char == ";" and depth == 0:
                header = ""
                continue
            if not header.strip():
                header_line = line
            header += char
            if char == ":" and _ACCESS.match(header):
                header = ""

    def _kind(self, header, depth):
        if depth or any(k in ("function", "block") for k, *_ in self.scopes):
            return "block"
        if "(" in header and not _NOT_A_FUNCTION.match(header) and not re.search(r"=\s*$", header):
            return "function"
        return "scope" if _SCOPE.search(header) or not header.strip() else "block"

    @staticmethod
    def _name(header):
        match = re.search(r"([\w:~]+|operator\s*[^\s(]+)\s*\(", header)
        return match.group(1) if match else header.strip()


def check(tree):
    for path in tree.texts:
        if not path.endswith(_SUFFIXES) and not is_script(tree, path):
            continue
        lines = tree.texts[path].count("\n")
        most = MOST_TEST_LINES if is_test(path) else MOST_LINES
        if lines > most:
            yield path, 0, f"has {lines} lines, at most {most}: split it"
        if path.endswith(CPP):
            for name, first, length in Scanner(tree.code(path)).functions():
                if length > MOST_FUNCTION_LINES:
                    yield path, first, f"{name} has {length} lines, at most {MOST_FUNCTION_LINES}: split it"


def warnings(tree):
    """Files that are larger than wanted: (path, lines)."""
    for path in tree.paths(under=["proxy/", "controlplane/", "tools/"], suffix=_SUFFIXES):
        lines = tree.texts[path].count("\n")
        if WANTED_LINES < lines <= MOST_LINES:
            yield path, lines


def _function(lines, opening="void f(int a) {\n"):
    return opening + "  g();\n" * (lines - 2) + "}\n"


CASES = [
    ("a file in budget", {"proxy/a/b.cc": "int x;\n" * 800}, []),
    ("a file over budget", {"proxy/a/b.cc": "int x;\n" * 801}, ["proxy/a/b.cc:0"]),
    ("a test may be longer", {"test/a/b_test.cc": "int x;\n" * 1200}, []),
    ("a test over budget", {"test/a/b_test.cc": "int x;\n" * 1201}, ["test/a/b_test.cc:0"]),
    ("a script over budget", {"tools/x": "#!/bin/bash\n" * 801}, ["tools/x:0"]),
    ("functions in budget", {"proxy/a/b.cc": _function(100) + _function(100)}, []),
    ("a function over budget", {"proxy/a/b.cc": "int a;\n" + _function(101)}, ["proxy/a/b.cc:2"]),
    ("a method in a class in a namespace",
     {"proxy/a/b.h": "namespace a {\nclass B {\n public:\n" + _function(101, "int f() const {\n") + "};\n}\n"},
     ["proxy/a/b.h:4"]),
    ("a constructor with braced initialisers",
     {"proxy/a/b.cc": _function(101, "B::B(int a) : a_{a}, b_(a), c_{1} {\n")}, ["proxy/a/b.cc:1"]),
    ("a default argument in braces", {"proxy/a/b.cc": _function(101, "void f(A a = {}, int b = 1) {\n")},
     ["proxy/a/b.cc:1"]),
    ("a test body", {"test/a/b_test.cc": _function(101, "TEST(A, B) {\n")}, ["test/a/b_test.cc:1"]),
    ("a long table is no function", {"proxy/a/b.cc": "const int kTable[] = {\n" + "1,\n" * 200 + "};\n"}, []),
    ("a long class is no function", {"proxy/a/b.h": "class A : public B {\n" + "  int f();\n" * 200 + "};\n"}, []),
    ("a brace in a string", {"proxy/a/b.cc": 'void f() { g("{"); }\n' + "int x;\n" * 200}, []),
]
