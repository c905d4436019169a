#!/usr/bin/env python3
"""Adds up what a run of tools/test did and prints the closing line.

Reads every *.json of a folder: Bazel's build events (one JSON object a line), and tools/check's results (a list
of {"name": ..., "failures": [...]}). Counts test cases, from each test's test.xml; a test that failed without
saying in which case (a crash, a timeout, a build error) counts as one failed case more.
"""

import argparse
import json
import os
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree as xml_tree

PASSED = ("PASSED", "FLAKY")


class Tally:
    """Counts of one run, and the lines about what did not pass."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.notes = []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.notes += other.notes

    def line(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def is_skipped(case):
    return case.find("skipped") is not None or case.get("status") == "notrun" \
        or case.get("result") in ("skipped", "suppressed")


def tally_xml(path, label):
    """The cases of one test.xml. A file that is missing or cut short has none."""
    tally = Tally()
    try:
        cases = list(xml_tree.parse(path).iter("testcase"))
    except (OSError, xml_tree.ParseError):
        return tally
    for case in cases:
        name = f"{label} {case.get('classname', '')}.{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed += 1
            tally.notes.append(f"FAILED  {name}")
        elif is_skipped(case):
            tally.skipped += 1
            tally.notes.append(f"SKIPPED {name}")
        else:
            tally.passed += 1
    return tally


def tally_test_result(label, result):
    """One testResult event: one attempt of one test (or shard)."""
    files = {f.get("name"): f.get("uri", "") for f in result.get("testActionOutput", [])}
    uri = files.get("test.xml", "")
    tally = tally_xml(urllib.parse.unquote(uri[len("file://"):]), label) if uri else Tally()
    status = result.get("status", "NO_STATUS")
    if status not in PASSED and tally.failed == 0:
        tally.failed += 1
        tally.notes.append(f"FAILED  {label} ({status})")
    return tally


def tally_events(path):
    """All tests of one `bazel test`."""
    last_attempt = {}
    unbuilt = []
    for line in path.read_text().splitlines():
        event = json.loads(line)
        key = event.get("id", {})
        if "testResult" in key and "testResult" in event:
            attempt = key["testResult"]
            last_attempt[(attempt["label"], attempt.get("shard", 0), attempt.get("run", 0))] = event["testResult"]
        elif "targetCompleted" in key and not event.get("completed", {}).get("success", False):
            unbuilt.append(key["targetCompleted"]["label"])
    total = Tally()
    for (label, _, _), result in sorted(last_attempt.items()):
        total.add(tally_test_result(label, result))
    for label in sorted(set(unbuilt) - {label for label, _, _ in last_attempt}):
        total.failed += 1
        total.notes.append(f"FAILED  {label} (does not build)")
    return total


def tally_checks(entries):
    total = Tally()
    for entry in entries:
        if entry["failures"]:
            total.failed += 1
            total.notes.append(f"FAILED  tools/check: {entry['name']} ({len(entry['failures'])} places)")
        else:
            total.passed += 1
    return total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("broken", nargs="*", help="runs that ended with more than failed tests")
    arguments = parser.parse_args()

    total = Tally()
    for run in arguments.broken:
        (arguments.folder / f"{run}.json").touch()
    for path in sorted(arguments.folder.glob("*.json"), reverse=True):
        if path.name == "check.json":
            tally = tally_checks(json.loads(path.read_text() or "[]"))
        else:
            tally = tally_events(path)
        if path.stem in arguments.broken and tally.failed == 0:
            tally.failed = 1
            tally.notes.append(f"FAILED  {path.stem}: did not build or run whole (its messages are above)")
        print(f"test: {path.stem}: {tally.line()}")
        total.add(tally)
        for note in tally.notes:
            print(f"test:   {note}")
    print(total.line())
    if total.skipped and os.environ.get("CI") == "true":
        print("test: CI=true: a skipped test is a failure", file=sys.stderr)
        return 1
    if total.passed == 0:
        return 1
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
