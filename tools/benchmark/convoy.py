"""Convoy, and Envoy beside it: both run the same stock Envoy bootstrap."""

import json

from tools.benchmark import certificate, workload
from tools.benchmark.peer import Peer


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
        chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        if setup.scenario.tls:
            chain["transport_socket"] = _tls(setup.certificate)
        # The codec is AUTO by default: what the client speaks decides, by ALPN or by its first bytes.
        listener = {"name": "bench", "address": _address(setup.port), "filter_chains": [chain]}
        return {
            "admin": _admin(0),
            "static_resources": {
                "listeners": [listener],
                "clusters": [_cluster(pool, setup) for pool in workload.POOLS],
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


def _tls(files):
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3",
                               "ecdh_curves": [certificate.CURVE]},
                "tls_certificates": [{"certificate_chain": {"filename": files.chain},
                                      "private_key": {"filename": files.key}}],
            },
        },
    }


def _cluster(name, setup):
    endpoints = [{"endpoint": {"address": _address(port)}} for port in setup.backends]
    cluster = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "lb_policy": "ROUND_ROBIN",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    }
    if setup.scenario.upstream_http2:
        cluster["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }}
    return cluster
