#pragma once

// What an HTTP/2 server reads, by the letter of RFC 9113 and nothing else: a reader of requests
// that shares no code with the proxy but HPACK's decoder. It forgives nothing; what it does not
// take is a finding. Requests come out as wire.h's: the pseudo-fields as a start line and Host.

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/integration/wire.h"

namespace convoy::test {

class WireH2Reader {
 public:
  WireH2Reader();

  void feed(std::string_view bytes);
  const std::vector<WireMessage>& messages() const { return messages_; }  // complete ones
  uint32_t streamOf(size_t message) const { return streams_[message]; }
  bool inside() const { return !held_.empty() || !block_.empty() || !open_.empty(); }
  const std::string& error() const { return error_; }
  // Requests that were reset before their end, since the last call.
  int takeResets() { return std::exchange(resets_, 0); }
  // What a server answers to frames by themselves: SETTINGS, acknowledgements, windows.
  std::string takeOutput() { return std::exchange(output_, {}); }

 private:
  struct Request {
    WireMessage message;
    bool has_head = false;
    bool is_tunnel = false;
  };
  using Fields = std::vector<std::pair<std::string, std::string>>;

  bool step();
  void takeFrame(uint8_t type, uint8_t flags, uint32_t id, std::string_view payload);
  void takeHeaders(uint8_t flags, uint32_t id, std::string_view block);
  void takeData(uint8_t flags, uint32_t id, std::string_view bytes);
  void takeHead(Request& request, const Fields& fields);
  void takeTrailers(Request& request, const Fields& fields, bool end);
  bool decode(std::string_view block, Fields& fields);
  void finish(uint32_t id);
  bool fail(const std::string& why);

  struct DeleteInflater {
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };
  std::unique_ptr<nghttp2_hd_inflater, DeleteInflater> inflater_;
  bool preface_ = false;
  std::string held_;
  std::string block_;  // of HEADERS that CONTINUATION goes on with
  uint8_t block_flags_ = 0;
  uint32_t block_id_ = 0;
  uint32_t last_id_ = 0;
  std::map<uint32_t, Request> open_;
  std::vector<WireMessage> messages_;
  std::vector<uint32_t> streams_;
  std::string error_;
  std::string output_;
  int resets_ = 0;
};

}  // namespace convoy::test
