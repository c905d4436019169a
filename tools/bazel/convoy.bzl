"""The rules that Convoy's own packages use: C++ with warnings as errors, protos, gRPC stubs, fuzz targets."""

load("//tools/bazel:proto.bzl", _grpc = "convoy_cc_grpc_library", _proto = "convoy_cc_proto_library")

convoy_cc_proto_library = _proto
convoy_cc_grpc_library = _grpc

_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    # False positives of g++ 12 in std::string at -O2 (GCC bug 105651).
    "-Wno-restrict",
    # g++ gives this one up in files that include Envoy's larger headers, with a note each time.
    "-Wno-misleading-indentation",
]

_PUBLIC = ["//visibility:public"]

# Where requests pass. Inlining across files saves 600 of 14,000 instructions per request. The objects are fat: tests link
# the same ones in the ordinary way.
_HOT_PATH = ["base", "event", "filter", "http", "net", "observe", "route", "server", "upstream"]

def _lto_copts():
    parts = native.package_name().split("/")
    if len(parts) < 2 or parts[0] != "proxy" or parts[1] not in _HOT_PATH:
        return []
    return select({
        "//tools/bazel:lto": ["-flto", "-ffat-lto-objects"],
        "//conditions:default": [],
    })

# g++ would optimise across files wherever it finds such objects: a minute per test.
_NO_LTO = ["-fno-lto"]

def convoy_cc_library(name, copts = [], visibility = _PUBLIC, **kwargs):
    native.cc_library(
        name = name,
        copts = _COPTS + copts + _lto_copts(),
        visibility = visibility,
        **kwargs
    )

def convoy_cc_binary(name, copts = [], lto = False, visibility = _PUBLIC, **kwargs):
    """lto: optimise across files when linking, which takes long; for the binary whose speed counts."""
    native.cc_binary(
        name = name,
        copts = _COPTS + copts,
        linkopts = select({
            "//tools/bazel:lto": ["-flto=2", "-O2"] if lto else _NO_LTO,
            "//conditions:default": _NO_LTO,
        }),
        visibility = visibility,
        **kwargs
    )

def _with_sanitizer_data(data):
    return data + select({
        "//tools/bazel:tsan": ["//tools/bazel:tsan.supp"],
        "//conditions:default": [],
    })

def convoy_cc_test(name, deps = [], data = [], copts = [], size = "small", main = True, visibility = _PUBLIC, **kwargs):
    """A GoogleTest test. main = False: the test brings a main of its own."""
    native.cc_test(
        name = name,
        size = size,
        copts = _COPTS + copts,
        data = _with_sanitizer_data(data),
        linkopts = _NO_LTO,
        linkstatic = True,
        visibility = visibility,
        deps = deps + (["//third_party:gtest_main"] if main else ["//third_party:gtest"]),
        **kwargs
    )

def convoy_cc_fuzz_test(name, corpus = [], deps = [], copts = [], size = "small", visibility = _PUBLIC, **kwargs):
    """A libFuzzer entry point (LLVMFuzzerTestOneInput) with its corpus.

    By default an ordinary test that runs every corpus file once, each a test case of its own. With
    --config=fuzz the same target is a libFuzzer binary; tools/fuzz runs it.

    Args:
      corpus: files, such as glob(["corpus/h1/**"]).
    """
    native.cc_test(
        name = name,
        size = size,
        args = select({
            "//tools/bazel:fuzz": ["-max_total_time=10"],
            "//conditions:default": ["$(rootpaths :%s_corpus)" % name] if corpus else [],
        }),
        copts = _COPTS + copts,
        data = _with_sanitizer_data([":" + name + "_corpus"] if corpus else []),
        linkopts = select({
            "//tools/bazel:fuzz": ["-fsanitize=fuzzer"],
            "//conditions:default": _NO_LTO,
        }),
        linkstatic = True,
        visibility = visibility,
        deps = deps + select({
            "//tools/bazel:fuzz": [],
            "//conditions:default": ["//tools/bazel:fuzz_replay_main"],
        }),
        **kwargs
    )
    if corpus:
        native.filegroup(
            name = name + "_corpus",
            srcs = corpus,
            visibility = visibility,
        )
