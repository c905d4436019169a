#!/usr/bin/python3
"""Runs after each test of a coverage build: turns its gcov data into one file in lcov's format.

Bazel calls it in place of its own Java tool, as `lcov_merger --coverage_dir=DIR --output_file=FILE ...`. DIR holds
the .gcda files that the test and its child processes wrote, with the .gcno files beside them.
"""

import collections
import json
import pathlib
import subprocess
import sys


def lines_of(gcda):
    """Yields (source, line, count) that gcov tells of one object file."""
    result = subprocess.run(["/usr/bin/gcov", "--json-format", "--stdout", "--object-directory", str(gcda.parent), str(gcda)],
                            capture_output=True, text=True, check=False)
    for document in result.stdout.splitlines():
        if not document.startswith("{"):
            continue
        for file in json.loads(document)["files"]:
            for line in file["lines"]:
                yield file["file"], line["line_number"], line["count"]


def main():
    options = dict(a[2:].split("=", 1) for a in sys.argv[1:] if a.startswith("--") and "=" in a)
    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    for gcda in sorted(pathlib.Path(options["coverage_dir"]).rglob("*.gcda")):
        if gcda.with_suffix(".gcno").exists():
            for source, line, count in lines_of(gcda):
                if not source.startswith(("/", "external/", "bazel-out/")):
                    counts[source][line] = max(counts[source][line], count)
    with open(options["output_file"], "w") as out:
        for source in sorted(counts):
            out.write(f"SF:{source}\n")
            for line, count in sorted(counts[source].items()):
                out.write(f"DA:{line},{count}\n")
            out.write("end_of_record\n")


if __name__ == "__main__":
    main()
