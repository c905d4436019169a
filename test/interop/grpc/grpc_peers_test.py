#!/usr/bin/env python3
"""The gRPC peers with nothing between them: what their calls come to there, they must come to through a proxy."""

import os
import sys

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.getcwd(), folder) for folder in ("test/e2e", "test/interop/grpc")]

import results  # noqa: E402
from grpc_calls import Calls as Direct  # noqa: E402,F401

if __name__ == "__main__":
    results.main()
