#!/usr/bin/env python3
"""What of a disk cache goes when it is too large."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "tools/lib"))

import trim_cache  # noqa: E402


class TrimCacheTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="convoy-trim-cache")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        # Ten files of 100 bytes in two folders. The later in the alphabet, the longer unused; of each pair in turn it
        # is the reading or the writing that was later.
        for i, name in enumerate("abcdefghij"):
            path = os.path.join(self.folder, "ac" if i % 2 else "cas", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(b"x" * 100)
            later, earlier = 1_000_000 - i, 1000
            os.utime(path, (later, earlier) if i % 2 else (earlier, later))

    def left(self):
        return "".join(sorted(name for _, _, names in os.walk(self.folder) for name in names))

    def test_nothing_goes_within_the_bound(self):
        self.assertEqual(trim_cache.trim(self.folder, 1000), 0)
        self.assertEqual(self.left(), "abcdefghij")

    def test_what_was_unused_longest_goes_until_three_quarters_are_left(self):
        self.assertEqual(trim_cache.trim(self.folder, 800), 400)
        self.assertEqual(self.left(), "abcdef")

    def test_a_folder_that_does_not_exist_yet_is_empty(self):
        self.assertEqual(trim_cache.trim(os.path.join(self.folder, "none"), 0), 0)


if __name__ == "__main__":
    unittest.main()
