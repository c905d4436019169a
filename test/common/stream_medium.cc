#include "test/common/stream_medium.h"

#include "proxy/base/assert.h"
#include "test/common/in_memory_connection.h"
#include "test/common/raw_socket.h"

namespace convoy::test {

namespace {

ConnectionPair socketPair(const RawSocket& listener, event::Loop& loop,
                          net::ConnectionHandler& first, net::ConnectionHandler& second) {
  const net::Address address = listener.localAddress();
  std::unique_ptr<net::Connection> a = net::Connection::connect(loop, address, nullptr, first);
  RawSocket accepted = listener.accept();
  const net::Address remote = accepted.remoteAddress();
  return {std::move(a),
          net::Connection::adopt(loop, accepted.release(), {remote, address}, second)};
}

}  // namespace

std::string_view name(Medium medium) {
  switch (medium) {
    case Medium::Memory:
      return "Memory";
    case Medium::MemoryByteByByte:
      return "MemoryByteByByte";
    case Medium::Tcp:
      return "Tcp";
    case Medium::Unix:
      return "Unix";
  }
  return "";
}

ConnectionPair connectedPair(Medium medium, event::Loop& loop, net::ConnectionHandler& first,
                             net::ConnectionHandler& second) {
  switch (medium) {
    case Medium::Memory:
      return InMemoryConnection::pair(loop, first, second);
    case Medium::MemoryByteByByte: {
      InMemoryConnection::Options options;
      options.max_read_bytes = 1;
      options.pipe_bytes = 16 * 1024;
      return InMemoryConnection::pair(loop, first, second, options);
    }
    case Medium::Tcp:
      return socketPair(RawSocket::listening(), loop, first, second);
    case Medium::Unix:
      return socketPair(RawSocket::listeningOn(uniqueUnixAddress()), loop, first, second);
  }
  CONVOY_ASSERT(false);
  return {};
}

}  // namespace convoy::test
