"""nginx, configured to do the workload at its best."""

import os

from tools.benchmark import certificate, scenarios, workload
from tools.benchmark.peer import CONNECTIONS, LONG, UPSTREAM_IDLE, Peer

_DEFAULT_BUFFERS = 32 * scenarios.KIB


class Nginx(Peer):
    name = "nginx"
    label = "nginx"
    counts_as_peer = True

    def cannot(self, scenario):
        forwards = not scenario.upstream_http2 or scenario.grpc
        return None if forwards else "it forwards HTTP/2 only as gRPC (grpc_pass)"

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
        forward = "grpc_pass grpc" if setup.scenario.upstream_http2 else "proxy_pass http"
        locations = "\n".join(f"    location {'= ' if kind == 'exact' else ''}{path} "
                              f"{{ {forward}://{workload.pool_of(path)}; }}" for kind, path in workload.ROUTES)
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
    listen 127.0.0.1:{setup.port} reuseport backlog=4096{self._protocols(setup.scenario)};
{self._tls(setup)}
{self._headers(setup.scenario)}
{locations}
  }}""")), setup)

    @staticmethod
    def _protocols(scenario):
        # In the clear nginx speaks either HTTP/1.1 or HTTP/2 on a port, over TLS what the client chooses.
        return (" ssl" if scenario.tls else "") + (" http2" if scenario.tls or scenario.http2 else "")

    @staticmethod
    def _tls(setup):
        # Tickets are on by default; without a cache of sessions beside them nothing is stored.
        if not setup.scenario.tls:
            return ""
        return f"""    ssl_certificate {setup.certificate.chain};
    ssl_certificate_key {setup.certificate.key};
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites {certificate.CIPHER};
    ssl_ecdh_curve {certificate.CURVE};"""

    @staticmethod
    def _headers(scenario):
        kind = "grpc" if scenario.upstream_http2 else "proxy"
        lines = [f"    {kind}_set_header Host $http_host;", f"    {kind}_set_header X-Request-ID $request_id;",
                 f"    {kind}_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"]
        if kind == "proxy":
            lines += ["    proxy_http_version 1.1;", '    proxy_set_header Connection "";']
        # With the default buffers (32 KiB in all) a larger body is read in small pieces, and what a client does not take
        # at once goes through a file: a third dearer at 64 KiB, 1.7 times as dear at 10 MiB. A small body gains nothing.
        if scenario.body_bytes > _DEFAULT_BUFFERS:
            lines += ["    proxy_buffer_size 80k;", "    proxy_buffers 8 80k;", "    proxy_busy_buffers_size 160k;",
                      "    proxy_max_temp_file_size 0;"]
        return "\n".join(lines)

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
