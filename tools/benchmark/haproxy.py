"""HAProxy, configured to do the workload at its best."""

from tools.benchmark import certificate, scenarios, workload
from tools.benchmark.peer import CONNECTIONS, LONG, Peer

PIPES = 512  # of two descriptors each


class Haproxy(Peer):
    name = "haproxy"
    label = "HAProxy"
    counts_as_peer = True
    logs_to_stdout = True

    def version(self):
        return self._version_from("-v", r"version (\S+)")

    @staticmethod
    def _frame(sections, settings=""):
        # A pool of idle connections that threads share costs and gives nothing with one thread.
        return f"""
global
  nbthread 1
  maxconn {CONNECTIONS}
  tune.idle-pool.shared off
  log stdout format raw local0
{settings}
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
        pools = "\n".join(self._backend(pool, setup) for pool in workload.POOLS)
        settings, splice = self._splice(setup.scenario)
        sections = f"""
  http-reuse always
{splice}
frontend bench
  bind 127.0.0.1:{setup.port} backlog 4096{self._protocols(setup)}
  log global
  option forwardfor
  unique-id-format %[uuid()]
  unique-id-header X-Request-ID
  http-request capture req.hdr(User-Agent) len 64
  log-format '%ci [%tr] "%HM %HU %HV" %ST %B %Ta %si:%sp "%[capture.req.hdr(0)]" %ID'
{rules}
{pools}"""
        return [self.binary, "-db", "-f", setup.write("haproxy.cfg", self._frame(sections, settings))]

    @staticmethod
    def _splice(scenario):
        """(global settings, defaults) of rows with large bodies."""
        # In the clear from HTTP/1.1 to HTTP/1.1 the kernel moves a body from socket to socket, and HAProxy never sees
        # it: a fifth cheaper at 64 KiB, a third of the cost at 10 MiB. Larger buffers beside it are dearer at 64 KiB.
        plain = not scenario.tls and not scenario.http2 and not scenario.upstream_http2
        if not plain or scenario.body_bytes < 64 * scenarios.KIB:
            return "", ""
        return f"  maxpipes {PIPES}", "  option splice-response"

    @staticmethod
    def _protocols(setup):
        if not setup.scenario.tls:
            return " proto h2" if setup.scenario.http2 else ""
        # Tickets are on by default.
        return (f" ssl crt {setup.certificate.both} alpn h2,http/1.1 ssl-min-ver TLSv1.3 "
                f"ciphersuites {certificate.CIPHER} curves {certificate.CURVE}")

    @staticmethod
    def _backend(pool, setup):
        # Without a purge delay HAProxy closes half of its idle connections every five seconds.
        protocol = " proto h2" if setup.scenario.upstream_http2 else ""
        servers = "\n".join(f"  server b{i} 127.0.0.1:{port}{protocol} pool-max-conn -1 pool-purge-delay {LONG}s"
                            for i, port in enumerate(setup.backends))
        return f"backend {pool}\n  balance roundrobin\n{servers}"

    def empty_command(self, setup):
        sections = f"""
frontend bench
  bind 127.0.0.1:{setup.port}
  http-request return status 200"""
        return [self.binary, "-db", "-f", setup.write("empty.cfg", self._frame(sections))]
