#include "tools/ctl/certificate_files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "proxy/config/utf8.h"

namespace convoy::tools::ctl {

namespace {

// More than the control plane takes of any of them.
constexpr size_t kMostBytes = 1 << 20;

class Reader {
 public:
  Reader(std::string folder, const config::SourceMap& sources)
      : folder_(std::move(folder)), sources_(sources) {}

  enum class Form { Pem, Der };

  // `path`: of the field that names the file.
  void read(const std::string& path, Form form, std::string* file, std::string* content) {
    if (file->empty()) return;
    if (!content->empty()) {
      const std::string field = path.substr(path.rfind('.') + 1);
      complain(path, "conflict", *file,
               field.substr(0, field.rfind("_file")) + " is set too; remove one of the two");
      return;
    }
    const std::string full = (std::filesystem::path(folder_) / *file).string();
    std::error_code error;
    const bool is_folder = std::filesystem::is_directory(full, error);
    // It would wait for who writes to it, for ever maybe.
    if (std::filesystem::is_fifo(full, error)) {
      complain(path, "file", full, "is not a regular file");
      return;
    }
    std::ifstream stream(full, std::ios::binary);
    if (!stream || is_folder) {
      complain(path, "file", full,
               std::string("cannot be read: ") + strerror(is_folder ? EISDIR : errno));
      return;
    }
    std::string bytes(kMostBytes + 1, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<size_t>(stream.gcount()));
    if (stream.bad()) {
      complain(path, "file", full, "cannot be read");
    } else if (bytes.size() > kMostBytes) {
      complain(path, "file", full, "is larger than 1 MiB; is it the right file?");
    } else if (bytes.empty()) {
      complain(path, "file", full, "is empty");
    } else if (form == Form::Pem && !config::isUtf8(bytes)) {
      // A message cannot hold it.
      complain(path, "file", full, "is not text, so not PEM; openssl makes PEM of DER");
    } else {
      *content = std::move(bytes);
      file->clear();
    }
  }

  std::vector<config::LocatedError> take() { return std::move(errors_); }

 private:
  void complain(const std::string& path, const std::string& rule, const std::string& value,
                const std::string& reason) {
    errors_.push_back(sources_.locate(base::FieldError{path, rule, value, reason}));
  }

  const std::string folder_;
  const config::SourceMap& sources_;
  std::vector<config::LocatedError> errors_;
};

}  // namespace

std::vector<config::LocatedError> readCertificateFiles(const std::string& folder,
                                                       const config::SourceMap& sources,
                                                       v1::Config* config) {
  Reader reader(folder, sources);
  for (int i = 0; i < config->certificates_size(); ++i) {
    v1::Certificate& certificate = *config->mutable_certificates(i);
    const std::string path = "certificates[" + std::to_string(i) + "].";
    reader.read(path + "certificate_file", Reader::Form::Pem,
                certificate.mutable_certificate_file(), certificate.mutable_certificate());
    reader.read(path + "private_key_file", Reader::Form::Pem,
                certificate.mutable_private_key_file(), certificate.mutable_private_key());
    reader.read(path + "ocsp_response_file", Reader::Form::Der,
                certificate.mutable_ocsp_response_file(), certificate.mutable_ocsp_response());
  }
  return reader.take();
}

}  // namespace convoy::tools::ctl
