"""The proxies that are compared, each configured to do the workload at its best.

A peer writes its configuration into a folder and says with which command it runs in the foreground, as one process
with one worker. The settings that only make it faster have their reason beside them.
"""

import json
import os
import re
import shutil
import subprocess

from tools.benchmark import workload
from tools.benchmark.system import BenchError

LONG = 86_400  # seconds; no idle timeout may fall into a measurement
CONNECTIONS = 8_192  # client connections that each proxy is prepared for
UPSTREAM_IDLE = 2_048  # connections to the backends that each proxy may keep


class Setup:
    """Where one run of a proxy listens, whom it forwards to, and where its files go."""

    def __init__(self, folder, port, backends):
        self.folder = folder
        self.port = port
        self.backends = backends
        self.access_log = os.path.join(folder, "access.log")
        os.makedirs(folder, exist_ok=True)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Peer:
    name = ""
    label = ""
    reuses_upstream = True  # keeps its connections to the backends when a client goes
    logs_to_stdout = False
    counts_as_peer = False  # one of those that Convoy is measured against
    has_empty = True  # there is a configuration without any forwarding
    ready_path = "/"  # what answers 200 on `setup.port` with the empty configuration

    def __init__(self, binary):
        self.binary = binary

    def missing(self):
        """Why this proxy cannot take part, or nothing."""
        return None if self.binary and os.access(self.binary, os.X_OK) else f"{self.binary or self.name} is not there"

    def version(self):
        return None

    def command(self, setup):
        """Writes the configuration of the workload; returns the command."""
        raise NotImplementedError

    def empty_command(self, setup):
        """The same with as little configuration as it starts with; `setup.port` answers."""
        raise NotImplementedError

    def _version_from(self, flag, pattern):
        done = subprocess.run([self.binary, flag], capture_output=True, text=True, timeout=10, check=False)
        found = re.search(pattern, done.stdout + done.stderr)
        return found.group(1) if found else "unknown"


class Relay(Peer):
    name = "relay"
    label = "relay (floor)"
    reuses_upstream = False
    has_empty = False

    def command(self, setup):
        return [self.binary, str(setup.port), str(setup.backends[0])]


class Nginx(Peer):
    name = "nginx"
    label = "nginx"
    counts_as_peer = True

    def version(self):
        return self._version_from("-v", r"nginx/(\S+)")

    def _command(self, path, setup):
        return [self.binary, "-p", setup.folder, "-c", path, "-e", os.path.join(setup.folder, "error.log")]

    def _frame(self, setup, http):
        # One process without a master is the same worker, and simpler to count.
        temporary = "\n".join(f"  {kind}_temp_path {setup.folder}/{kind};"
                              for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.getuid() == 0 else ""
        return f"""
daemon off;
master_process off;
{user}
pid {setup.folder}/nginx.pid;
worker_rlimit_nofile {2 * CONNECTIONS};
events {{ worker_connections {CONNECTIONS}; }}
http {{
{temporary}
{http}
}}
"""

    def command(self, setup):
        upstreams = "\n".join(self._upstream(pool, setup.backends) for pool in workload.POOLS)
        locations = "\n".join(f"    location {'= ' if kind == 'exact' else ''}{path} "
                              f"{{ proxy_pass http://{workload.pool_of(path)}; }}" for kind, path in workload.ROUTES)
        # The log is buffered as nginx advises for load; keep-alive without an end, both ways.
        return self._command(setup.write("nginx.conf", self._frame(setup, f"""
  log_format bench '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent $request_time '
                   '$upstream_addr "$http_user_agent" $request_id';
  access_log {setup.access_log} bench buffer=64k flush=1s;
  keepalive_timeout {LONG}s;
  keepalive_time {LONG}s;
  keepalive_requests 1000000000;
{upstreams}
  server {{
    listen 127.0.0.1:{setup.port} reuseport backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Request-ID $request_id;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
{locations}
  }}""")), setup)

    @staticmethod
    def _upstream(pool, backends):
        servers = "\n".join(f"    server 127.0.0.1:{port} max_fails=0;" for port in backends)
        return f"""  upstream {pool} {{
{servers}
    keepalive {UPSTREAM_IDLE};
    keepalive_requests 1000000000;
    keepalive_time {LONG}s;
    keepalive_timeout {LONG}s;
  }}"""

    def empty_command(self, setup):
        return self._command(setup.write("empty.conf", self._frame(setup, f"""
  access_log off;
  server {{ listen 127.0.0.1:{setup.port}; return 200; }}""")), setup)


class Haproxy(Peer):
    name = "haproxy"
    label = "HAProxy"
    counts_as_peer = True
    logs_to_stdout = True

    def version(self):
        return self._version_from("-v", r"version (\S+)")

    @staticmethod
    def _frame(sections):
        # A pool of idle connections that threads share costs and gives nothing with one thread.
        return f"""
global
  nbthread 1
  maxconn {CONNECTIONS}
  tune.idle-pool.shared off
  log stdout format raw local0
defaults
  mode http
  timeout connect 5s
  timeout client {LONG}s
  timeout server {LONG}s
  timeout http-request {LONG}s
  timeout http-keep-alive {LONG}s
{sections}
"""

    def command(self, setup):
        rules = "\n".join(f"  use_backend {workload.pool_of(path)} if {{ {'path' if kind == 'exact' else 'path_beg'} "
                          f"{path} }}" for kind, path in workload.ROUTES)
        pools = "\n".join(self._backend(pool, setup.backends) for pool in workload.POOLS)
        sections = f"""
  http-reuse always
frontend bench
  bind 127.0.0.1:{setup.port} backlog 4096
  log global
  option forwardfor
  unique-id-format %[uuid()]
  unique-id-header X-Request-ID
  http-request capture req.hdr(User-Agent) len 64
  log-format '%ci [%tr] "%HM %HU %HV" %ST %B %Ta %si:%sp "%[capture.req.hdr(0)]" %ID'
{rules}
{pools}"""
        return [self.binary, "-db", "-f", setup.write("haproxy.cfg", self._frame(sections))]

    @staticmethod
    def _backend(pool, backends):
        # Without a purge delay HAProxy closes half of its idle connections every five seconds.
        servers = "\n".join(f"  server b{i} 127.0.0.1:{port} pool-max-conn -1 pool-purge-delay {LONG}s"
                            for i, port in enumerate(backends))
        return f"backend {pool}\n  balance roundrobin\n{servers}"

    def empty_command(self, setup):
        sections = f"""
frontend bench
  bind 127.0.0.1:{setup.port}
  http-request return status 200"""
        return [self.binary, "-db", "-f", setup.write("empty.cfg", self._frame(sections))]


class Convoy(Peer):
    name = "convoy"
    label = "Convoy"
    ready_path = "/ready"

    def command(self, setup):
        return self._command(setup.write("convoy.json", json.dumps(self._bootstrap(setup), indent=1)))

    def empty_command(self, setup):
        return self._command(setup.write("empty.json", json.dumps({"admin": _admin(setup.port)})))

    def _command(self, path):
        return [self.binary, "-c", path, "--concurrency", "1", "-l", "error"]

    @staticmethod
    def _bootstrap(setup):
        """A stock Envoy bootstrap: Envoy itself runs it too."""
        manager = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
                     "HttpConnectionManager",
            "stat_prefix": "bench",
            "use_remote_address": True,
            "generate_request_id": True,
            "access_log": [_access_log(setup.access_log)],
            "route_config": {
                "name": "bench",
                "virtual_hosts": [{"name": "shop", "domains": ["*"], "routes": [_route(*r) for r in workload.ROUTES]}],
            },
            "http_filters": [{
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }],
        }
        listener = {
            "name": "bench",
            "address": _address(setup.port),
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }]}],
        }
        return {
            "admin": _admin(0),
            "static_resources": {
                "listeners": [listener],
                "clusters": [_cluster(pool, setup.backends) for pool in workload.POOLS],
            },
        }


class Envoy(Convoy):
    """Takes part only when its binary is given; it runs the very same bootstrap."""

    name = "envoy"
    label = "Envoy"

    def version(self):
        return self._version_from("--version", r"version: \w+/([\d.]+)")

    def _command(self, path):
        return [*super()._command(path), "--use-dynamic-base-id"]


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _admin(port):
    return {"address": _address(port)}


def _access_log(path):
    line = ('%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% [%START_TIME%] '
            '"%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %BYTES_SENT% %DURATION% %UPSTREAM_HOST% '
            '"%REQ(USER-AGENT)%" %REQ(X-REQUEST-ID)%\n')
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": {"text_format_source": {"inline_string": line}},
        },
    }


def _route(kind, path):
    return {"match": {"path" if kind == "exact" else "prefix": path}, "route": {"cluster": workload.pool_of(path)}}


def _cluster(name, backends):
    endpoints = [{"endpoint": {"address": _address(port)}} for port in backends]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "lb_policy": "ROUND_ROBIN",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    }


_ALL = [Convoy, Nginx, Haproxy, Envoy, Relay]
NAMES = [peer.name for peer in _ALL]


def find(root, overrides):
    """All peers, with their binaries; `overrides` maps a name to a binary of the user's choice, or None."""

    def debian(name):
        return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin") or name

    binaries = {
        Convoy.name: os.path.join(root, "bazel-bin/proxy/convoy-proxy"),
        Nginx.name: debian("nginx"),
        Haproxy.name: debian("haproxy"),
        Relay.name: os.path.join(root, "bazel-bin/tools/benchmark/relay"),
    }
    binaries.update({name: os.path.abspath(path) for name, path in overrides.items() if path})
    unknown = set(binaries) - set(NAMES)
    if unknown:
        raise BenchError(f"no proxy is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return [peer(binaries[peer.name]) for peer in _ALL if peer.name in binaries]
