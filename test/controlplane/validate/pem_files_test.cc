#include "controlplane/validate/pem_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "test/common/test_ca.h"
#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane::validate {
namespace {

using test::caFile;
using test::caPath;

TEST(PemFilesTest, ReadsAPairThatBelongsTogether) {
  const auto chain = readCertificates(caPath("ecdsa_with_ca.pem"));
  ASSERT_TRUE(chain.ok()) << chain.status();
  EXPECT_EQ(chain->pem, caFile("ecdsa_with_ca.pem"));
  EXPECT_EQ(chain->certificates.size(), 2u);
  const auto key = readKeyOf(*chain, caPath("ecdsa.key"));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(*key, caFile("ecdsa.key"));
}

TEST(PemFilesTest, NamesTheFileThatIsToBlame) {
  const auto chain = readCertificates(caPath("ecdsa.pem"));
  ASSERT_TRUE(chain.ok()) << chain.status();
  const std::string folder = caPath("");
  const TemporaryFolder temporary;
  const std::string fifo = temporary.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const std::string large = temporary.file("large.pem");
  std::ofstream(large).close();
  std::filesystem::resize_file(large, kMostPemBytes + 1);
  const std::pair<absl::Status, std::string> rows[] = {
      {readCertificates("/none").status(), "/none: cannot be read: No such file or directory"},
      {readCertificates(folder).status(), folder + ": cannot be read: Is a directory"},
      {readCertificates(large).status(), large + ": has more than 16 MiB"},
      {readCertificates("/dev/zero").status(), "/dev/zero: is not a regular file"},
      {readCertificates(fifo).status(), fifo + ": is not a regular file"},
      {readKeyOf(*chain, fifo).status(), fifo + ": is not a regular file"},
      {readCertificates(caPath("ecdsa.key")).status(),
       caPath("ecdsa.key") + ": no certificate in PEM form"},
      {readKeyOf(*chain, "/none").status(), "/none: cannot be read: No such file or directory"},
      {readKeyOf(*chain, caPath("ecdsa.pem")).status(), caPath("ecdsa.pem") + ": "},
      {readKeyOf(*chain, caPath("rsa.key")).status(),
       caPath("rsa.key") + ": is not the key of CN=ecdsa"},
  };
  for (const auto& [status, words] : rows) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(std::string(status.message()).find(words), 0u) << status << "\nnot: " << words;
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
