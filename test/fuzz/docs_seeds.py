#!/usr/bin/env python3
"""Makes the corpus of convoy_config_fuzz_test out of the docs' examples: python3 test/fuzz/docs_seeds.py.

Run it after the docs have got new examples. Seeds of examples that are gone stay; they harm nobody.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "test/fuzz/corpus/convoy_config"
EXAMPLE = re.compile(r"^```yaml convoy\.v1\b[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def main():
    CORPUS.mkdir(parents=True, exist_ok=True)
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for number, example in enumerate(EXAMPLE.findall(page.read_text()), 1):
            name = f"{page.stem.lower().replace('-', '_')}_{number:02}_yaml"
            (CORPUS / name).write_text(example)


if __name__ == "__main__":
    main()
