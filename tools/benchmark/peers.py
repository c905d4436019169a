"""The proxies that are compared, and where their binaries are. Each has a file of its own."""

import os
import shutil

from tools.benchmark.convoy import Convoy, Envoy
from tools.benchmark.haproxy import Haproxy
from tools.benchmark.nghttpx import Nghttpx
from tools.benchmark.nginx import Nginx
from tools.benchmark.peer import Peer
from tools.benchmark.system import BenchError


class Relay(Peer):
    name = "relay"
    label = "relay (floor)"
    reuses_upstream = False
    has_empty = False

    def cannot(self, scenario):
        plain = not scenario.http2 and not scenario.tls
        return None if plain else "it parses nothing"

    def command(self, setup):
        return [self.binary, str(setup.port), str(setup.backends[0])]


_ALL = [Convoy, Nginx, Haproxy, Nghttpx, Envoy, Relay]
NAMES = [peer.name for peer in _ALL]


def find(root, overrides):
    """All peers, with their binaries; `overrides` maps a name to a binary of the user's choice, or None."""

    def debian(name):
        return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin") or name

    binaries = {
        Convoy.name: os.path.join(root, "bazel-bin/proxy/convoy-proxy"),
        Nginx.name: debian("nginx"),
        Haproxy.name: debian("haproxy"),
        Nghttpx.name: debian("nghttpx"),
        Relay.name: os.path.join(root, "bazel-bin/tools/benchmark/relay"),
    }
    binaries.update({name: os.path.abspath(path) for name, path in overrides.items() if path})
    unknown = set(binaries) - set(NAMES)
    if unknown:
        raise BenchError(f"no proxy is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return [peer(binaries[peer.name]) for peer in _ALL if peer.name in binaries]
