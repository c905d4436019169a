#include "proxy/server/exhaustion_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

namespace convoy::server {
namespace {

using std::chrono::seconds;

const net::Address kAddress = *net::Address::parse("127.0.0.1:80");

TEST(ExhaustionLogTest, SpeaksOncePerMinuteForTheWholeProcess) {
  ExhaustionLog log;
  event::MonotonicTime now{};
  EXPECT_TRUE(log.report(kAddress, EMFILE, now));
  for (int i = 0; i < 59; ++i) EXPECT_FALSE(log.report(kAddress, EMFILE, now += seconds(1)));
  EXPECT_TRUE(log.report(kAddress, ENOMEM, now += seconds(1)));
  EXPECT_FALSE(log.report(kAddress, EMFILE, now));
}

TEST(ExhaustionLogTest, OfSeveralWorkersOneSpeaks) {
  ExhaustionLog log;
  std::atomic<int> spoken{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] { spoken += log.report(kAddress, EMFILE, event::MonotonicTime{}); });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(spoken, 1);
}

TEST(ExhaustionLogTest, NamesTheAddressTheReasonAndTheWayOut) {
  const std::string descriptors = ExhaustionLog::text(kAddress, EMFILE);
  for (const char* part : {"127.0.0.1:80", "Too many open files", "the limit is", "ulimit -Hn"}) {
    EXPECT_NE(descriptors.find(part), std::string::npos) << descriptors;
  }
  EXPECT_EQ(ExhaustionLog::text(kAddress, ENOMEM).find("ulimit"), std::string::npos);
}

}  // namespace
}  // namespace convoy::server
