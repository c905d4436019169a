#include "proxy/config/listener.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::listener::v3::Listener;

Result<net::ListenerSpec> make(std::string_view yaml) {
  return makeListener(fromYaml<Listener>(yaml), testContext());
}

// An HTTP connection manager, as a network filter, with these fields more.
std::string manager(const std::string& fields = "") {
  return "{name: hcm, typed_config: {\"@type\": type.googleapis.com/"
         "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, "
         "stat_prefix: s, " +
         fields +
         (fields.find("route_config") == std::string::npos ? "route_config: {name: r}, " : "") +
         "http_filters: [{name: router, typed_config: {\"@type\": "
         "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}}";
}

const std::string kAddress = "address: {socket_address: {address: 127.0.0.1, port_value: 80}}, ";

std::string listenerWith(const std::string& fields) {
  return "{" + kAddress + "filter_chains: [{filters: [" + manager() + "]}], " + fields + "}";
}

std::string chainWith(const std::string& fields) {
  return "{" + kAddress + "filter_chains: [{filters: [" + manager() + "], " + fields + "}]}";
}

TEST(Listener, EveryHonouredField) {
  Context context = testContext();
  context.version = "v1";
  const auto result =
      makeListener(fromYaml<Listener>(
                       "{name: web, stat_prefix: w, address: {socket_address: {address: '::', "
                       "port_value: 8080, ipv4_compat: true}}, additional_addresses: [{address: "
                       "{pipe: {path: /run/w.sock, mode: 0660}}}], "
                       "per_connection_buffer_limit_bytes: 4096, tcp_backlog_size: 16, "
                       "ignore_global_conn_limit: true, "
                       "filter_chains: [{name: chain, filters: [" +
                       manager() +
                       "], filter_chain_match: {destination_port: 8080, prefix_ranges: "
                       "[{address_prefix: 10.0.0.0, prefix_len: 8}], source_prefix_ranges: "
                       "[{address_prefix: '2001:db8::', prefix_len: 32}], source_ports: [1, 2], "
                       "server_names: [A.example, '*.B.example'], transport_protocol: raw_buffer, "
                       "application_protocols: [http/1.1]}}], default_filter_chain: {filters: [" +
                       manager() + "]}}"),
                   context);
  ASSERT_TRUE(result.ok()) << result.errors.text();
  const net::ListenerSpec& spec = *result.spec;
  EXPECT_EQ(spec.name, "web");
  EXPECT_EQ(spec.version, "v1");
  EXPECT_EQ(spec.stat_prefix, "w");
  ASSERT_EQ(spec.addresses.size(), 2u);
  EXPECT_EQ(spec.addresses[0].text(), "[::]:8080");
  EXPECT_EQ(spec.addresses[1].text(), "unix:/run/w.sock");
  EXPECT_TRUE(spec.ipv4_compat);
  EXPECT_EQ(spec.unix_mode, 0660u);
  EXPECT_EQ(spec.per_connection_buffer_limit_bytes, 4096u);
  EXPECT_EQ(spec.send_queue_bytes, 4096u);
  EXPECT_EQ(spec.tcp_backlog, 16u);
  EXPECT_TRUE(spec.ignore_global_limit);
  ASSERT_EQ(spec.filter_chains.size(), 1u);
  const net::FilterChainSpec& chain = *spec.filter_chains[0];
  EXPECT_EQ(chain.name, "chain");
  EXPECT_EQ(chain.match.destination_port, 8080);
  EXPECT_EQ(chain.match.destination_ranges.at(0).address.ipText(), "10.0.0.0");
  EXPECT_EQ(chain.match.destination_ranges.at(0).prefix_length, 8);
  EXPECT_EQ(chain.match.source_ranges.at(0).prefix_length, 32);
  EXPECT_EQ(chain.match.source_ports, (std::vector<uint16_t>{1, 2}));
  EXPECT_EQ(chain.match.server_names, Lines({"a.example", "*.b.example"}));
  EXPECT_EQ(chain.match.transport_protocol, "raw_buffer");
  EXPECT_EQ(chain.match.application_protocols, Lines({"http/1.1"}));
  EXPECT_EQ(chain.transport, nullptr);
  ASSERT_EQ(chain.filters.size(), 1u);
  EXPECT_NE(dynamic_cast<const http::ConnectionManagerSpec*>(chain.filters[0].get()), nullptr);
  ASSERT_NE(spec.default_filter_chain, nullptr);
}

TEST(Listener, Defaults) {
  const auto result = make(listenerWith(""));
  ASSERT_TRUE(result.ok()) << result.errors.text();
  // Envoy makes a name up; the address tells more.
  EXPECT_EQ(result.spec->name, "127.0.0.1:80");
  EXPECT_EQ(result.spec->per_connection_buffer_limit_bytes, 1024u * 1024);
  EXPECT_EQ(result.spec->send_queue_bytes, 256u * 1024);
  EXPECT_FALSE(result.spec->ipv4_compat);
  EXPECT_EQ(result.spec->unix_mode, std::nullopt);
  EXPECT_FALSE(result.spec->ignore_global_limit);
}

uint64_t hashOf(const std::string& yaml) {
  const auto result = make(yaml);
  EXPECT_TRUE(result.ok()) << result.errors.text();
  return result.ok() ? result.spec->filter_chains[0]->content_hash : 0;
}

// Connections are drained only for what they, and not their requests, depend on.
TEST(Listener, TheContentHashIsOfWhatConnectionsPin) {
  const auto with = [](const std::string& hcm, const std::string& chain = "") {
    return hashOf("{" + kAddress + "filter_chains: [{filters: [" + manager(hcm) + "], " + chain +
                  "}]}");
  };
  const uint64_t hash = with("");
  EXPECT_EQ(with(""), hash);
  EXPECT_EQ(with("server_name: other, stream_idle_timeout: 5s, "), hash);
  EXPECT_EQ(with("route_config: {name: other}, "), hash);
  EXPECT_EQ(with("", "name: other"), hash);
  EXPECT_NE(with("codec_type: HTTP1, "), hash);
  EXPECT_NE(with("", "filter_chain_match: {destination_port: 80}"), hash);
}

TEST(Listener, PortZeroMayBeThereTwice) {
  const auto result = make(
      "{address: {socket_address: {address: 127.0.0.1, port_value: 0}}, additional_addresses: "
      "[{address: {socket_address: {address: 127.0.0.1, port_value: 0}}}], filter_chains: "
      "[{filters: [" +
      manager() + "]}]}");
  ASSERT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(result.spec->addresses.size(), 2u);
}

TEST(Listener, Errors) {
  const ErrorCase cases[] = {
      {"{filter_chains: [{filters: [" + manager() + "]}]}", {"address: required: "}},
      {"{" + kAddress + "}", {"filter_chains: required: "}},
      {"{" + kAddress + "filter_chains: [{}]}", {"filter_chains[0].filters: required: "}},
      {"{" + kAddress + "filter_chains: [{filters: [{name: x}]}]}",
       {"filter_chains[0].filters[0].typed_config: required: "}},
      {"{" + kAddress +
           "filter_chains: [{filters: [{name: tcp, typed_config: {\"@type\": "
           "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, "
           "stat_prefix: s, cluster: c}}]}]}",
       {"filter_chains[0].filters[0].typed_config: unsupported_extension: "
        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"}},
      {"{" + kAddress + "filter_chains: [{filters: [" + manager() + ", " + manager() + "]}]}",
       {"filter_chains[0].filters[0]: order: hcm"}},
      {"{" + kAddress + "filter_chains: [{filters: [" + manager() + "]}, {filters: [" + manager() +
           "]}]}",
       {"filter_chains[1].filter_chain_match: duplicate: "}},
      {"{address: {socket_address: {address: example.com, port_value: 80}}, filter_chains: "
       "[{filters: [" +
           manager() + "]}]}",
       {"address.socket_address.address: address: example.com"}},
      {"{address: {pipe: {path: /" + std::string(200, 'x') + "}}, filter_chains: [{filters: [" +
           manager() + "]}]}",
       {"address.pipe.path: address: /" + std::string(200, 'x')}},
      {listenerWith("additional_addresses: [{address: {socket_address: {address: 127.0.0.1, "
                    "port_value: 80}}}]"),
       {"additional_addresses[0].address: duplicate: 127.0.0.1:80"}},
      {listenerWith("listener_filters: [{name: x}]"),
       {"listener_filters[0].typed_config: required: "}},
      {listenerWith("listener_filters: [{name: x, typed_config: {\"@type\": type.googleapis.com/"
                    "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector}}]"),
       {"listener_filters[0].typed_config: unsupported_extension: "
        "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"}},
      {listenerWith("use_original_dst: true"), {"use_original_dst: unsupported_field: true"}},
      {listenerWith("use_original_dst: false, bind_to_port: true, transparent: false"), {}},
      {listenerWith("bind_to_port: false"), {"bind_to_port: unsupported_field: false"}},
      {listenerWith("drain_type: MODIFY_ONLY"), {"drain_type: unsupported_field: MODIFY_ONLY"}},
      {chainWith("filter_chain_match: {destination_port: 0}"),
       {"filter_chains[0].filter_chain_match.destination_port: range: 0"}},
      {chainWith("filter_chain_match: {prefix_ranges: [{address_prefix: x}, {address_prefix: "
                 "10.0.0.0, prefix_len: 33}]}"),
       {"filter_chains[0].filter_chain_match.prefix_ranges[0].address_prefix: address: x",
        "filter_chains[0].filter_chain_match.prefix_ranges[1].prefix_len: range: 33"}},
      {chainWith("filter_chain_match: {server_names: ['*.a.*', 'a*']}"),
       {"filter_chains[0].filter_chain_match.server_names[0]: domain: *.a.*",
        "filter_chains[0].filter_chain_match.server_names[1]: domain: a*"}},
      {chainWith("filter_chain_match: {source_type: EXTERNAL}"),
       {"filter_chains[0].filter_chain_match.source_type: unsupported_field: EXTERNAL"}},
      {chainWith("transport_socket: {name: tls, typed_config: {\"@type\": type.googleapis.com/"
                 "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext}}"),
       {"filter_chains[0].transport_socket.typed_config.common_tls_context.tls_certificates: "
        "required: "}},
      {chainWith("transport_socket: {name: raw, typed_config: {\"@type\": type.googleapis.com/"
                 "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer}}"),
       {}},
  };
  for (const ErrorCase& c : cases) {
    EXPECT_EQ(brief(make(c.yaml).errors.errors), c.errors) << c.yaml;
  }
}

TEST(Listener, AMatchThatNeedsTheClientHelloGetsIt) {
  const auto inspects = [](const std::string& yaml) {
    const auto result = make(yaml);
    EXPECT_TRUE(result.ok()) << result.errors.text();
    return result.ok() && result.spec->inspect_tls;
  };
  EXPECT_FALSE(inspects(listenerWith("")));
  EXPECT_FALSE(inspects(chainWith("filter_chain_match: {transport_protocol: raw_buffer}")));
  EXPECT_FALSE(inspects(chainWith(
      "filter_chain_match: {transport_protocol: raw_buffer, server_names: [a.example]}")));
  EXPECT_TRUE(inspects(chainWith("filter_chain_match: {transport_protocol: tls}")));
  EXPECT_TRUE(inspects(chainWith("filter_chain_match: {server_names: [a.example]}")));
  EXPECT_TRUE(inspects(chainWith("filter_chain_match: {application_protocols: [h2]}")));
  EXPECT_TRUE(inspects(
      listenerWith("listener_filters: [{name: x, typed_config: {\"@type\": type.googleapis.com/"
                   "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector}}]")));
}

TEST(Listener, TimeLimitsOfWhatComesBeforeHttp) {
  const auto unset = make(listenerWith(""));
  ASSERT_TRUE(unset.ok());
  EXPECT_EQ(unset.spec->inspect_timeout, std::chrono::seconds(15));
  EXPECT_FALSE(unset.spec->continue_after_inspect_timeout);
  EXPECT_EQ(unset.spec->filter_chains[0]->transport_timeout, std::chrono::milliseconds(0));
  const auto set = make(
      listenerWith("listener_filters_timeout: 0.5s, continue_on_listener_filters_timeout: true"));
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set.spec->inspect_timeout, std::chrono::milliseconds(500));
  EXPECT_TRUE(set.spec->continue_after_inspect_timeout);
  const auto chain = make(chainWith("transport_socket_connect_timeout: 2s"));
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain.spec->filter_chains[0]->transport_timeout, std::chrono::seconds(2));
}

}  // namespace
}  // namespace convoy::config
