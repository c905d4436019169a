"""Envoy's resources, and a bootstrap, as any xDS control plane writes them: plain Envoy, nothing of Convoy's."""

ADS = {"resource_api_version": "V3", "ads": {}}


def bootstrap(control_plane, node):
    """A stock Envoy bootstrap (JSON is YAML) of a node that takes everything by delta ADS."""
    return {
        "node": {"id": node, "cluster": "interop"},
        "admin": {"address": socket_address("127.0.0.1:0")},
        "dynamic_resources": {
            "ads_config": {"api_type": "DELTA_GRPC", "transport_api_version": "V3",
                           "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]},
            "lds_config": ADS, "cds_config": ADS},
        "static_resources": {"clusters": [{
            "name": "xds", "type": "STATIC", "connect_timeout": "5s",
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}}}},
            "load_assignment": assignment("xds", control_plane)}]},
    }


def socket_address(text):
    host, port = text.rsplit(":", 1)
    return {"socket_address": {"address": host, "port_value": int(port)}}


def assignment(name, *addresses):
    return {"cluster_name": name, "endpoints": [
        {"lb_endpoints": [{"endpoint": {"address": socket_address(a)}} for a in addresses]}]}


def cluster(name, **more):
    return {"name": name, "type": "EDS", "connect_timeout": "5s", "lb_policy": "ROUND_ROBIN",
            "eds_cluster_config": {"eds_config": ADS}, **more}


def routes(name, *rules):
    return {"name": name, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": list(rules)}]}


def rule(prefix, to):
    return {"match": {"prefix": prefix}, "route": {"cluster": to}}


def listener(name, route_table):
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
                 "HttpConnectionManager",
        "stat_prefix": name, "rds": {"route_config_name": route_table, "config_source": ADS},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}
    return {"name": name, "address": socket_address("127.0.0.1:0"), "filter_chains": [
        {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}
