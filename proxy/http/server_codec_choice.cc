#include "proxy/http/server_codec_choice.h"

namespace convoy::http {

ServerCodecChoice chooseServerCodec(ConnectionManagerSpec::Codec configured, std::string_view alpn,
                                    size_t seen, std::string_view bytes) {
  switch (configured) {
    case ConnectionManagerSpec::Codec::Http1:
      return ServerCodecChoice::Http1;
    case ConnectionManagerSpec::Codec::Http2:
      return ServerCodecChoice::Http2;
    case ConnectionManagerSpec::Codec::Auto:
      break;
  }
  if (!alpn.empty()) return alpn == kAlpnH2 ? ServerCodecChoice::Http2 : ServerCodecChoice::Http1;
  const std::string_view rest = kH2Preface.substr(seen);
  if (bytes.size() >= rest.size()) {
    return bytes.starts_with(rest) ? ServerCodecChoice::Http2 : ServerCodecChoice::Http1;
  }
  return rest.starts_with(bytes) ? ServerCodecChoice::Undecided : ServerCodecChoice::Http1;
}

}  // namespace convoy::http
