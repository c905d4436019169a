#!/bin/sh
echo "bazel coverage is not used in this repository: run tools/coverage" >&2
exit 1
