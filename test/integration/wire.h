#pragma once

// What the far side of a connection reads, by the letter of RFC 9112 and nothing else: a reader of
// HTTP/1.1 that shares no code with the proxy. It forgives nothing, so that whatever it takes every
// other server takes the same way; bytes that it does not take are a finding.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy::test {

struct WireMessage {
  std::string start;  // start line
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::vector<std::pair<std::string, std::string>> trailers;

  // Values of the fields of this name, case-insensitive, joined by ", ".
  std::string field(std::string_view name) const;
  bool has(std::string_view name) const;
};

// One direction of a connection.
class WireReader {
 public:
  enum class Role { Requests, Responses };
  explicit WireReader(Role role) : role_(role) {}

  void feed(std::string_view bytes);
  // The sender ended its direction: the end of a response without a length.
  void end();
  // The next response answers HEAD: it has no body. For each response in turn.
  void expectNoBody() { bodiless_ = true; }

  const std::vector<WireMessage>& messages() const { return messages_; }  // complete ones
  bool inside() const { return !held_.empty() || reads_until_end_; }      // a message has begun
  const std::string& error() const { return error_; }  // empty: all that came is well-formed

 private:
  bool step();
  bool takeHead(std::string_view text, WireMessage& message, size_t& at);
  bool takeBody(std::string_view text, WireMessage& message, size_t& at);
  bool takeChunks(std::string_view text, WireMessage& message, size_t& at);
  bool takeFields(std::string_view text, size_t& at,
                  std::vector<std::pair<std::string, std::string>>& fields);
  bool takeLine(std::string_view text, size_t& at, std::string_view& line);
  bool fail(const std::string& why);

  Role role_;
  std::string held_;
  std::vector<WireMessage> messages_;
  std::string error_;
  bool bodiless_ = false;
  bool reads_until_end_ = false;
};

}  // namespace convoy::test
