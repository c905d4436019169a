"""nghttpx, configured to do the workload at its best: the peer whose trade is HTTP/2.

It does less than the others in one thing: it has no way to make a request id.
"""

from tools.benchmark import certificate, scenarios, workload
from tools.benchmark.peer import LONG, Peer


class Nghttpx(Peer):
    name = "nghttpx"
    label = "nghttpx"
    counts_as_peer = True
    has_empty = False

    def cannot(self, scenario):
        # Nor is it in the counts, which are about the same row.
        return "the row is kept as it was before nghttpx took part" if scenario is scenarios.H1 else None

    def version(self):
        return self._version_from("--version", r"nghttpx nghttp2/(\S+)")

    def command(self, setup):
        return [self.binary, "--conf", setup.write("nghttpx.conf", "\n".join(self._options(setup)) + "\n")]

    def _options(self, setup):
        log = ('$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent $request_time '
               '$backend_host:$backend_port "$http_user_agent"')
        options = [
            # One process without a master is the same worker, and simpler to count.
            "single-process=yes", "workers=1", "single-thread=yes", "log-level=ERROR",
            f"accesslog-file={setup.access_log}", f"accesslog-format={log}",
            "add-x-forwarded-for=yes",
            # Without these it adds and rewrites headers that the others leave alone.
            "no-via=yes", "no-server-rewrite=yes", "no-location-rewrite=yes", "no-server-push=yes",
            f"frontend=127.0.0.1,{setup.port}{'' if setup.scenario.tls else ';no-tls'}",
        ]
        # By default it closes an idle connection to a backend after two seconds.
        options += [f"{name}-timeout={LONG}s" for name in (
            "frontend-http2-read", "frontend-read", "frontend-keep-alive", "backend-read", "backend-keep-alive")]
        for pool in workload.POOLS:
            patterns = ":".join(path for _, path in workload.ROUTES if workload.pool_of(path) == pool)
            protocol = "h2" if setup.scenario.upstream_http2 else "http/1.1"
            options += [f"backend=127.0.0.1,{port};{patterns};proto={protocol}" for port in setup.backends]
        return options + (self._tls(setup) if setup.scenario.tls else [])

    @staticmethod
    def _tls(setup):
        # Tickets are on by default. Stapling would start a script that asks for what this certificate has not.
        options = [f"private-key-file={setup.certificate.key}", f"certificate-file={setup.certificate.chain}",
                   "tls-min-proto-version=TLSv1.3", f"tls13-ciphers={certificate.CIPHER}",
                   f"ecdh-curves={certificate.CURVE}", "no-ocsp=yes"]
        return options
