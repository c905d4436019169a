#!/usr/bin/env python3
"""Keeps Bazel's disk cache within bounds: trim_cache.py FOLDER GIB.

Debian's Bazel puts every result there and removes none: a day of work, every test linked statically and twice, adds up
to 50 GiB. Above GIB the files that were not used for longest go, until three quarters are left. A build that misses
one makes it again. When a file was used is what the file system says, which by default looks at most once a day.
"""

import os
import pathlib
import sys

GIB = 1 << 30


def files_of(folder):
    """(last use, bytes, path) of each file. Builds may be at work: what is gone meanwhile is not there."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            try:
                status = os.stat(path)
            except FileNotFoundError:
                continue
            yield max(status.st_atime, status.st_mtime), status.st_size, path


def trim(folder, limit):
    """Removes what is too much, and returns how many bytes that was."""
    files = sorted(files_of(folder))
    total = sum(size for _, size, _ in files)
    if total <= limit:
        return 0
    removed = 0
    for _, size, path in files:
        if total - removed <= limit * 3 // 4:
            break
        pathlib.Path(path).unlink(missing_ok=True)
        removed += size
    return removed


def main(folder, gib):
    removed = trim(folder, int(gib) * GIB)
    if removed:
        print(f"trim_cache: {folder} had more than {gib} GiB: removed {removed / GIB:.1f} GiB that was used least lately")


if __name__ == "__main__":
    main(*sys.argv[1:])
