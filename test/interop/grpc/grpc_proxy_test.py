#!/usr/bin/env python3
"""gRPC C++ on both sides of the real convoy-proxy, HTTP/2 by prior knowledge on both."""

import os
import re
import sys

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.getcwd(), folder) for folder in ("test/e2e", "test/interop/grpc")]

import grpc_calls  # noqa: E402
import results  # noqa: E402
from fleet import Process, get, listener_url, wait_until  # noqa: E402

BOOTSTRAP = """\
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
static_resources:
  listeners:
  - name: public
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: public
          access_log:
          - name: file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {log}
              log_format: {{text_format_source: {{inline_string: "%REQ(:PATH)% %GRPC_STATUS%\\n"}}}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: /convoy.test.Echo/Unary, headers: [{{name: grpc-timeout, present_match: true}}]}}
                route: {{cluster: {cluster}, timeout: 0s, max_stream_duration: {{grpc_timeout_header_max: {longest}}}}}
              - {{match: {{prefix: /convoy.test.Echo/}}, route: {{cluster: {cluster}, timeout: 0s}}}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: servers
    lb_policy: ROUND_ROBIN
    {check}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
    load_assignment:
      cluster_name: servers
      endpoints:
      - lb_endpoints: [{endpoints}]
  - {{name: nobody, load_assignment: {{cluster_name: nobody}}}}
"""


class ThroughProxy(grpc_calls.Calls):
    def setUp(self):
        super().setUp()
        self.through()

    def through(self, servers=(), cluster="servers", longest="0s", check=""):
        """From here on the client goes to a node in front of these servers."""
        endpoints = ", ".join("{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %s}}}}" %
                              s.address.rsplit(":", 1)[1] for s in servers or (self.server,))
        self.nodes = getattr(self, "nodes", 0) + 1
        name = f"node-{self.nodes}"
        path = os.path.join(self.folder, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(BOOTSTRAP.format(log=os.path.join(self.folder, name + ".access"), cluster=cluster, endpoints=endpoints,
                                        longest=longest, check=check))
        node = Process(self.folder, name, "proxy/convoy-proxy", "-c", path, "--concurrency", "1")
        self.addCleanup(node.process.wait)
        self.addCleanup(node.process.kill)
        node.admin, = node.found(r"convoy-proxy is live admin=(\S+)")
        self.address = listener_url(node, "public").removeprefix("http://")
        self.node = node

    def logged(self):
        """Lines of the access log; it is written when the node ends."""
        self.node.end()
        with open(os.path.join(self.folder, self.node.name + ".access"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_calls_of_one_connection_are_balanced(self):
        self.through((self.server, self.start_server("green")))
        self.assertEqual(self.call("unary", 200), "blue=100 green=100 status=0")

    def test_no_backend_is_unavailable(self):
        self.through(cluster="nobody")
        self.assertEqual(self.call("unary", 1), "status=14 No upstream host is available.")
        self.assertEqual(self.call("status", 5), "status=14 No upstream host is available.")
        self.assertEqual(self.logged(), ["/convoy.test.Echo/Unary Unavailable"] * 2)

    def test_the_nodes_own_deadline(self):
        self.through(longest="0.2s")
        self.assertEqual(self.call("deadline", 60000), "status=4 The request took too long (max_stream_duration). Set by grpc-timeout.")
        wait_until(lambda: "cancelled" in self.server.text(), "the cancellation at the server")
        self.assertEqual(self.logged(), ["/convoy.test.Echo/Unary DeadlineExceeded"])

    def test_the_servers_own_health_service(self):
        check = "health_checks: [{grpc_health_check: {%s}, timeout: 5s, interval: 0.1s, no_traffic_interval: 0.1s, " \
                "unhealthy_threshold: 2, healthy_threshold: 2}]"

        def health():
            text = get(f"http://{self.node.admin}/clusters")[1]
            return re.findall(r"^servers::\S+?::(health_\S+?)::(.*)$", text, re.MULTILINE)

        green = self.start_server("green")
        self.through((self.server, green), check=check % "")
        wait_until(lambda: health() == [("health_flags", "healthy")] * 2, "both servers to be found healthy")
        self.assertEqual(self.call("unary", 20), "blue=10 green=10 status=0")
        green.process.kill()
        wait_until(lambda: ("health_flags", "/failed_active_hc") in health(), "the dead one to be out")
        self.assertEqual(self.call("unary", 20), "blue=20 status=0")
        # A service that the server does not have.
        self.through(check=check % "service_name: no.such.Service")
        wait_until(lambda: any("gRPC status 5" in value for _, value in health()), "the service to be unknown")

    def test_the_log_knows_the_status(self):
        self.call("status", 5)
        self.call("collect", 3)
        self.assertEqual(self.logged(), ["/convoy.test.Echo/Unary NotFound", "/convoy.test.Echo/Collect OK"])


if __name__ == "__main__":
    results.main()
