#include "tools/ctl/certificate_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "test/controlplane/common/temporary_folder.h"

namespace convoy::tools::ctl {
namespace {

class CertificateFilesTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
  }
  // What is wrong, a line each.
  std::string read(const std::string& yaml) {
    config_.Clear();
    const config::Loaded loaded = config::loadYaml(yaml, "web.yaml", &config_);
    EXPECT_TRUE(loaded.ok());
    std::string out;
    for (const auto& error : readCertificateFiles(folder_.file(""), *loaded.sources, &config_)) {
      out += error.text() + "\n";
    }
    return out;
  }

  controlplane::TemporaryFolder folder_;
  v1::Config config_;
};

TEST_F(CertificateFilesTest, ContentTakesThePlaceOfTheName) {
  write("web.pem", "chain\n");
  write("web.key", "key");
  write("web.ocsp", std::string("\0\xff", 2));
  EXPECT_EQ(read("certificates:\n"
                 "- name: web\n"
                 "  certificate_file: web.pem\n"
                 "  private_key_file: " +
                 folder_.file("web.key") +
                 "\n"
                 "  ocsp_response_file: ./web.ocsp\n"
                 "- {name: inline, certificate: x}\n"),
            "");
  const v1::Certificate& web = config_.certificates(0);
  EXPECT_EQ(web.certificate(), "chain\n");
  EXPECT_EQ(web.private_key(), "key");
  EXPECT_EQ(web.ocsp_response(), std::string("\0\xff", 2));
  EXPECT_EQ(web.certificate_file() + web.private_key_file() + web.ocsp_response_file(), "");
  EXPECT_EQ(config_.certificates(1).certificate(), "x");
}

TEST_F(CertificateFilesTest, AFifoIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(folder_.file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read("certificates:\n- {name: a, private_key_file: fifo}\n"),
            "web.yaml:2:13: certificates[0].private_key_file: is not a regular file (file: " +
                folder_.file("fifo") + ")\n");
}

TEST_F(CertificateFilesTest, MistakesAreShownWithTheirPlace) {
  write("empty.pem", "");
  write("web.der", "0\x82\x01\xff");
  write("secret.pem", "top secret");
  write("large.pem", std::string((1 << 20) + 1, 'x'));
  std::filesystem::create_directory(folder_.file("folder"));
  const std::string errors = read(
      "certificates:\n"
      "- name: a\n"
      "  certificate_file: missing.pem\n"
      "  private_key_file: folder\n"
      "- name: b\n"
      "  certificate_file: empty.pem\n"
      "  private_key: x\n"
      "  private_key_file: secret.pem\n"
      "- name: c\n"
      "  certificate_file: large.pem\n"
      "- name: d\n"
      "  certificate_file: web.der\n");
  for (const std::string& line : {
           std::string(
               "web.yaml:3:3: certificates[0].certificate_file: cannot be read: No such file"),
           std::string("web.yaml:4:3: certificates[0].private_key_file: cannot be read: Is a dir"),
           std::string("web.yaml:6:3: certificates[1].certificate_file: is empty"),
           std::string("web.yaml:8:3: certificates[1].private_key_file: private_key is set too"),
           std::string("web.yaml:10:3: certificates[2].certificate_file: is larger than 1 MiB"),
           std::string("web.yaml:12:3: certificates[3].certificate_file: is not text, so not PEM"),
           folder_.file("missing.pem"),
       }) {
    EXPECT_NE(errors.find(line), std::string::npos) << line << " in\n" << errors;
  }
  EXPECT_EQ(errors.find("top secret"), std::string::npos);
}

}  // namespace
}  // namespace convoy::tools::ctl
