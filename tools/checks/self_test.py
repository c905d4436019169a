"""Runs every rule over the small trees planted for it: each violation must be found, and nothing else."""

import os

from tools.checks.exceptions import Exceptions
from tools.checks.tree import Tree, git


def _findings(rule, texts):
    return sorted({f"{path}:{line}" for path, line, _ in rule.check(Tree(texts))})


def _exceptions_work():
    exceptions = Exceptions("# comment\nsize a.cc too long to split\nsize b.cc stale\nsize c.cc\n", "list")
    yield "an excepted place", exceptions.allow("size", "a.cc"), True
    yield "a place of another rule", exceptions.allow("banned", "a.cc"), False
    yield "stale and malformed lines", [f.split(": ")[0] for f in exceptions.unused()], ["list:4", "list:3"]


def _other_users_checkouts_work():
    """git's own way to test what it does in the repository of another user."""
    os.environ["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1"
    try:
        yield "a checkout of another user", "tools/checks/self_test.py" in git("ls-files", "tools/checks", check=False), True
    finally:
        del os.environ["GIT_TEST_ASSUME_DIFFERENT_OWNER"]


def run(rules):
    failures = []
    count = 0
    for rule in rules:
        name = rule.__name__.rsplit(".", 1)[-1]
        if not any(expected for _, _, expected in rule.CASES):
            failures.append(f"tools/checks/{name}.py: has no case with a violation")
        for case, texts, expected in rule.CASES:
            count += 1
            found = _findings(rule, texts)
            if found != sorted(expected):
                failures.append(f"tools/checks/{name}.py: case '{case}': found {found}, expected {sorted(expected)}")
    for case, found, expected in _exceptions_work():
        count += 1
        if found != expected:
            failures.append(f"tools/checks/exceptions.py: case '{case}': found {found}, expected {expected}")
    for case, found, expected in _other_users_checkouts_work():
        count += 1
        if found != expected:
            failures.append(f"tools/checks/tree.py: case '{case}': found {found}, expected {expected}")
    for failure in failures:
        print(failure)
    print(f"check: {'self_test':14} {f'{len(failures)} places' if failures else 'ok':10}        "
          f"{count} planted trees, every violation found")
    return {"name": "self_test", "failures": failures}
