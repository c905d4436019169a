"""Which libraries a built binary loads."""

import os
import subprocess

from tools.checks.tree import ROOT

SUMMARY = "no binary loads BoringSSL and OpenSSL (gRPC++); config/ links no socket and no TLS library"

_BORINGSSL = ("/android/libssl.so", "/android/libcrypto.so")
_OPENSSL = ("libgrpc.so", "libgrpc++.so", "libssl.so.3", "libcrypto.so.3")
_SKIPPED = ("runfiles", "_objs", "_solib_k8", "external")


def verdict(listing):
    """What is wrong with the libraries that `ldd` lists, or None."""
    boring = [name for name in _BORINGSSL if name in listing]
    openssl = [name for name in _OPENSSL if any(line.strip().startswith(name) for line in listing.splitlines())]
    if boring and openssl:
        return f"loads BoringSSL ({boring[0]}) and {openssl[0]}: both define OpenSSL's symbols, so the first one loaded " \
               "serves both, and crashes follow"
    return None


def _binaries():
    """Executables that the last build left under bazel-bin."""
    base = ROOT / "bazel-bin"
    for folder, subfolders, names in os.walk(base):
        subfolders[:] = [s for s in subfolders if s not in _SKIPPED and not s.endswith(".runfiles")]
        for name in names:
            path = os.path.join(folder, name)
            if "." in name or not os.access(path, os.X_OK) or os.path.islink(path):
                continue
            with open(path, "rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path, os.path.relpath(path, base)


def _config_dependencies():
    """Socket and TLS libraries that proxy/config reaches, by Bazel's graph."""
    if not (ROOT / "proxy/config/BUILD.bazel").exists():
        return
    libraries = "set(//third_party:libuv //third_party:nghttp2 //third_party:boringssl //third_party:openssl '//third_party:grpc++')"
    result = subprocess.run(
        ["bazel", "query", "--noshow_progress", "--ui_event_filters=-info,-debug", f"deps(//proxy/config/...) intersect {libraries}"],
        cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        yield "proxy/config/BUILD.bazel", 0, "bazel query failed: " + result.stderr.strip()[-300:]
    for label in result.stdout.split():
        yield "proxy/config/BUILD.bazel", 0, f"depends on {label}: config/ links specs only (bazel query 'somepath(//proxy/config/..., {label})')"


_checked = 0


def note():
    """How many binaries there were to look at: none before the first build."""
    return f"{_checked} binaries"


def check(tree):
    global _checked
    planted = [(p, t) for p, t in tree.texts.items() if p.endswith(".ldd")]
    if planted:  # The rule's own test.
        listings = planted
    else:
        listings = [(name, subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout)
                    for path, name in _binaries()]
        _checked = len(listings)
        if not listings and os.environ.get("CI") == "true":
            yield "bazel-bin", 0, "no binary was built, so that nothing was checked"
        yield from _config_dependencies()
    for name, listing in listings:
        reason = verdict(listing)
        if reason:
            yield name, 0, reason


_BORING_LINE = "\tlibcrypto.so.0 => /usr/lib/x86_64-linux-gnu/android/libcrypto.so.0 (0x1)\n"
CASES = [
    ("BoringSSL alone", {"a.ldd": _BORING_LINE + "\tlibuv.so.1 => /lib/libuv.so.1 (0x1)\n"}, []),
    ("OpenSSL alone", {"a.ldd": "\tlibgrpc++.so.1.51 => /lib/libgrpc++.so.1.51 (0x1)\n\tlibssl.so.3 => /lib/libssl.so.3 (0x1)\n"}, []),
    ("both", {"a.ldd": _BORING_LINE + "\tlibcrypto.so.3 => /lib/libcrypto.so.3 (0x1)\n"}, ["a.ldd:0"]),
]
