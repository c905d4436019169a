"""The bootstrap of a node without a control plane: one listener, `public`, and one cluster with one backend."""

import os


def socket_address(address):
    """HOST:PORT in YAML."""
    host, port = address.rsplit(":", 1)
    return f"{{socket_address: {{address: {host}, port_value: {port}}}}}"


ANY_PORT = socket_address("127.0.0.1:0")

BOOTSTRAP = """\
{top}
admin: {{address: {any_port}}}
static_resources:
  listeners:
  - name: public
    {listener}
    address: {address}
    filter_chains:
    - {chain}
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: public
          {manager}
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: {cluster}}}}}]}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: {cluster}
    load_assignment:
      cluster_name: {cluster}
      endpoints:
      - lb_endpoints: [{{endpoint: {{address: {backend}}}}}]
"""


def write_bootstrap(folder, name, backend, *, address=ANY_PORT, cluster="web", top="", listener="", chain="", manager=()):
    """Writes it and returns its path. backend: HOST:PORT. The others in YAML: the listener's address, the cluster's name, and a
    line more for the file, the listener and its filter chain, and lines for its connection manager."""
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(BOOTSTRAP.format(any_port=ANY_PORT, backend=socket_address(backend), address=address, cluster=cluster, top=top,
                                    listener=listener, chain=chain, manager="\n          ".join(manager)))
    return path
