#pragma once

// Lists in PEM form (RFC 7468): certificates, revocation lists. Any thread.

#include <openssl/base.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/tls/failure.h"

namespace convoy::tls {

// What one kind of block is called, in errors and in its first line.
struct PemKind {
  const char* name;   // "certificate"
  const char* label;  // "CERTIFICATE"
};

// All blocks of one kind, in order; `read` is the library's PEM_read_bio_X. Every one must be
// readable: a file that is half written is none. The error says which one is not, or that there is
// none.
template <class T>
absl::StatusOr<std::vector<bssl::UniquePtr<T>>> readPem(std::string_view pem, const PemKind& kind,
                                                        T* (*read)(BIO*, T**, pem_password_cb*,
                                                                   void*)) {
  ERR_clear_error();
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<bssl::UniquePtr<T>> all;
  while (T* const one = read(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(one);
  const uint32_t error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const std::string_view reason = takeLibraryError();
  if (!at_end) {
    return absl::InvalidArgumentError(absl::StrCat(kind.name, " ", all.size() + 1,
                                                   " in it cannot be read: ", base::toAbsl(reason),
                                                   "; write it as the issuer gave it"));
  }
  if (all.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no ", kind.name, " in PEM form (-----BEGIN ", kind.label, "-----) is in it"));
  }
  return all;
}

}  // namespace convoy::tls
