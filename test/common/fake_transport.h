#pragma once

// An encrypted transport that carries nothing and says what it is told to say.

#include <string>
#include <string_view>

#include "proxy/net/transport.h"

namespace convoy::test {

class FakeTransport final : public net::Transport {
 public:
  void attach(net::TransportCallbacks&) override {}
  void onSocketConnected() override {}
  void onSocketRead(std::string_view) override {}
  void onSocketEndOfStream() override {}
  void write(net::ByteQueue&, net::ByteQueue&) override {}
  void closeNotify(net::ByteQueue&) override {}
  std::string_view protocol() const override { return application_protocol; }
  bool encrypts() const override { return true; }
  net::TransportInfo info() const override {
    return {.version = "TLSv1.3",
            .cipher = "TLS_AES_128_GCM_SHA256",
            .server_name = server_name,
            .failure = {},
            .peer = has_peer ? &peer : nullptr,
            .secure = true};
  }
  std::string peerChainPem() const override { return "leaf+\nca=\n"; }

  std::string application_protocol;  // ALPN
  std::string server_name = "shop.example";
  bool has_peer = true;
  net::PeerIdentity peer{.subject = "CN=\\\"client\\\",O=Convoy",
                         .uris = {"spiffe://a/web", "spiffe://b/web"},
                         .dns_names = {"a.example", "b.example"},
                         .sha256 = "c0ffee",
                         .pem = "-----BEGIN X-----\na/b+c=\n",
                         .our_uris = {"spiffe://a/proxy"}};
};

}  // namespace convoy::test
