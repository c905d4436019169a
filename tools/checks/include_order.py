"""Which folder may include which."""

from tools.checks.tree import CPP, includes, is_spec_header

SUMMARY = "proxy/ folders include only folders before them; config/ only specs and base/"

# Each may include itself and what stands before it.
ORDER = ["base", "event", "observe", "net", "tls", "http", "grpc", "redis", "route", "upstream", "filter", "l4",
         "config", "xds", "admin", "server"]

# What the control plane shares with the data plane besides base/, config/ and the specs: injected time and chance.
SHARED = ("proxy/event/clock.h", "proxy/event/random.h", "proxy/net/listen_socket.h")

# Libraries that only some folders may see: include prefix -> (folders, why).
CONFINED = {
    "openssl/": (("proxy/tls/", "controlplane/"), "tls/ is the only folder that includes BoringSSL"),
    "grpcpp/": (("controlplane/", "tools/", "test/"), "gRPC++ brings OpenSSL, which cannot share a process with BoringSSL"),
    "grpc/": (("controlplane/", "tools/", "test/"), "gRPC++ brings OpenSSL, which cannot share a process with BoringSSL"),
    "hiredis/": (("proxy/redis/",), "what comes from Redis is read in one place"),
    "sqlite3.h": (("controlplane/store/", "test/"), "the store is behind its interface"),
}


def folder_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "proxy" and len(parts) > 2 else None


def spec_closure(tree):
    """Spec headers, and the plain headers that they are made of."""
    found = set()
    waiting = [p for p in tree.paths(under=["proxy/"], suffix=[".h"]) if is_spec_header(p)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path in tree.texts:
            waiting += [name for _, name, quoted in includes(tree, path) if quoted and name.startswith("proxy/")]
    return found


def check_proxy_include(path, included, specs):
    """The reason why a file of proxy/ may not include this header of proxy/, or None."""
    mine, theirs = folder_of(path), folder_of(included)
    if theirs is None or mine == theirs:
        return None
    if theirs not in ORDER:
        return f"proxy/{theirs}/ has no place in the order {' '.join(ORDER)}"
    if mine is None or is_spec_header(included):
        return None
    if mine not in ORDER:
        return f"proxy/{mine}/ has no place in the order {' '.join(ORDER)}"
    if mine == "config":
        if theirs != "base" and included not in specs:
            return "config/ may include only spec headers (and what they include) and base/: it is linked without sockets"
        return None
    if ORDER.index(theirs) > ORDER.index(mine):
        return f"{theirs}/ comes after {mine}/ in the order {' '.join(ORDER)}: turn the dependency round, or give {theirs}/ a spec header"
    return None


def check(tree):
    specs = spec_closure(tree)
    for path in tree.paths(under=["proxy/", "controlplane/"], suffix=CPP):
        for line, included, quoted in includes(tree, path):
            for prefix, (folders, why) in CONFINED.items():
                if included.startswith(prefix) and not path.startswith(folders):
                    yield path, line, f"<{included}> is not for this folder: {why}"
            if not quoted:
                continue
            if included.startswith("proxy/"):
                if path.startswith("proxy/"):
                    reason = check_proxy_include(path, included, specs)
                elif folder_of(included) in ("base", "config") or included in specs or included in SHARED:
                    reason = None
                else:
                    reason = "the control plane shares only proxy/base/, proxy/config/, spec headers, Clock, " \
                             "RandomSource and ListenSocket with the data plane"
                if reason:
                    yield path, line, f"may not include {included}: {reason}"
            elif included.startswith("controlplane/") and path.startswith("proxy/"):
                yield path, line, f"may not include {included}: the data plane knows nothing of the control plane"


CASES = [
    ("a folder before", {"proxy/http/a.h": '#include "proxy/base/log.h"\n'}, []),
    ("a folder after", {"proxy/base/a.cc": '\n#include "proxy/http/message.h"\n'}, ["proxy/base/a.cc:2"]),
    ("a spec header of a folder after", {"proxy/http/a.h": '#include "proxy/filter/router/spec.h"\n'}, []),
    ("a folder without a place", {"proxy/http/a.h": '#include "proxy/misc/x.h"\n'}, ["proxy/http/a.h:1"]),
    ("main joins everything", {"proxy/main.cc": '#include "proxy/server/server.h"\n'}, []),
    ("config and a spec", {"proxy/config/a.cc": '#include "proxy/net/spec.h"\n'}, []),
    ("config and what a spec is made of",
     {"proxy/net/spec.h": '#include "proxy/net/address.h"\n', "proxy/net/address.h": "",
      "proxy/config/a.cc": '#include "proxy/net/address.h"\n'}, []),
    ("config and a socket", {"proxy/config/a.cc": '#include "proxy/net/connection.h"\n'}, ["proxy/config/a.cc:1"]),
    ("BoringSSL outside tls", {"proxy/http/a.cc": "#include <openssl/ssl.h>\n"}, ["proxy/http/a.cc:1"]),
    ("BoringSSL in tls", {"proxy/tls/a.cc": "#include <openssl/ssl.h>\n"}, []),
    ("gRPC++ in the data plane", {"proxy/xds/a.cc": "#include <grpcpp/grpcpp.h>\n"}, ["proxy/xds/a.cc:1"]),
    ("the control plane and the validator", {"controlplane/manage/a.cc": '#include "proxy/config/validate.h"\n'}, []),
    ("the control plane and a clock", {"controlplane/store/a.cc": '#include "proxy/event/clock.h"\n'}, []),
    ("the control plane and a socket", {"controlplane/manage/a.cc": '#include "proxy/net/listener.h"\n'},
     ["controlplane/manage/a.cc:1"]),
    ("the data plane and the control plane", {"proxy/xds/a.cc": '#include "controlplane/store/store.h"\n'},
     ["proxy/xds/a.cc:1"]),
    ("an include in a comment", {"proxy/base/a.cc": '// #include "proxy/http/message.h"\n'}, []),
]
