#include "controlplane/manage/planner.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "api/convoy/v1/config_service.pb.h"
#include "controlplane/manage/status.h"
#include "test/controlplane/common/certificate_text.h"
#include "test/controlplane/common/model_text.h"

namespace convoy::controlplane::manage {
namespace {

constexpr char kStart[] = R"(
  listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
  pools { name: "web" backends { address: "10.0.0.1:80" } backends { address: "10.0.0.2:80" } }
  pools { name: "spare" backends { address: "10.0.0.9:80" } })";

class PlannerTest : public testing::Test {
 protected:
  PlannerTest() : model_(planText({}, kStart).model) {}

  // "+name" for what would be put, "-name" for what would be deleted.
  static std::string text(const absl::StatusOr<Plan>& plan) {
    if (!plan.ok()) return plan.status().ToString();
    std::string out;
    for (const store::Write& write : plan->writes) {
      absl::StrAppend(&out, write.value.has_value() ? "+" : "-", write.key.name, " ");
    }
    return out;
  }
  std::string apply(const std::string& config, bool prune = false) {
    return text(planApply(model_, parse<v1::Config>(config), prune, now_));
  }
  // "path: rule" of each problem.
  std::string problems(const std::string& config, bool prune = false) {
    const auto plan = planApply(model_, parse<v1::Config>(config), prune, now_);
    EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument) << plan.status();
    return text(problemsOf(plan.status()));
  }
  static std::string text(const v1::ProblemList& problems) {
    std::string out;
    for (const v1::Problem& problem : problems.problems()) {
      absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
    }
    return out;
  }
  absl::StatusOr<Plan> remove(const std::string& ids) {
    return planDelete(model_, parse<v1::DeleteRequest>(ids).ids());
  }

  model::Model model_;
  event::WallTime now_ = event::SystemClock().wallNow();
};

TEST_F(PlannerTest, PutsWhatIsNamedAndDiffers) {
  struct Case {
    std::string config;
    bool prune;
    std::string writes;
  };
  const Case cases[] = {
      {"", false, ""},
      {kStart, false, ""},
      {kStart, true, ""},
      // In another spelling it is the same.
      {R"(pools { name: "web" backends { address: "10.0.0.2:80" weight: 1 } backends { pool: "web" address: "10.0.0.1:80" } })",
       false, ""},
      {R"(pools { name: "web" algorithm: ALGORITHM_ROUND_ROBIN })", false, "+web "},
      {R"(pools { name: "new" backends { address: "10.0.0.1:80" } })", false,
       "+new +new/10.0.0.1:80 "},
      {R"(route_tables { name: "t" })", false, "+t "},
      // A list of backends is the whole list.
      {R"(pools { name: "web" backends { address: "10.0.0.2:80" weight: 3 } })", false,
       "-web/10.0.0.1:80 +web/10.0.0.2:80 "},
      // One backend alone.
      {R"(backends { pool: "web" address: "10.0.0.3:80" })", false, "+web/10.0.0.3:80 "},
      {R"(pools { name: "web" backends { address: "10.0.0.1:80" } } backends { pool: "web" address: "10.0.0.3:80" })",
       false, "-web/10.0.0.2:80 +web/10.0.0.3:80 "},
      // The whole truth.
      {R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } } pools { name: "web" })",
       true, "-spare -spare/10.0.0.9:80 -web/10.0.0.1:80 -web/10.0.0.2:80 "},
      {"", true, "-public -spare -web -spare/10.0.0.9:80 -web/10.0.0.1:80 -web/10.0.0.2:80 "},
  };
  for (const Case& c : cases) EXPECT_EQ(apply(c.config, c.prune), c.writes) << c.config;
}

TEST_F(PlannerTest, RefusesWithEveryPlace) {
  struct Case {
    std::string config;
    bool prune;
    std::string problems;
  };
  const Case cases[] = {
      {R"(listeners { name: "a" address: "1.1.1.1:1" routes { pool: "no" } })", false,
       "listeners[0].routes[0].pool: not_found"},
      {R"(pools { name: "x" } pools { name: "x" } listeners { name: "public" address: "1.1.1.1:1" }
          listeners { name: "public" address: "1.1.1.1:1" } route_tables { name: "t" } route_tables { name: "t" })",
       false, "listeners[1]: duplicate, route_tables[1]: duplicate, pools[1]: duplicate"},
      {R"(pools { name: "x" backends { address: "[::1]:1" } backends { address: "[0::1]:1" } })",
       false, "pools[0].backends[1]: duplicate"},
      {R"(pools { name: "x" backends { address: "1.1.1.1:1" } } backends { pool: "x" address: "1.1.1.1:1" })",
       false, "backends[0]: duplicate"},
      {R"(pools { name: "x" backends { address: "1.1.1.1:1" pool: "web" } })", false,
       "pools[0].backends[0].pool: conflict"},
      {R"(backends { address: "1.1.1.1:1" } backends { pool: "nope" address: "1.1.1.1:1" })", false,
       "backends[0].pool: required, backends[1].pool: not_found"},
      // With prune, what is stored does not count.
      {R"(backends { pool: "web" address: "1.1.1.1:1" })", true, "backends[0].pool: not_found"},
      {R"(pools { backends { address: "1.1.1.1:1" } backends {} })", false,
       "pools[0].name: required, pools[0].backends[1].address: required"},
      // What is stored conflicts with what is asked for.
      {R"(listeners { name: "zz" address: "0.0.0.0:8080" })", false,
       "listeners[0].address: conflict"},
      {R"(listeners { name: "aa" address: "0.0.0.0:8080" })", false,
       "listeners[0].address: conflict"},
      {R"(pools { name: "x" health_check { healthy_threshold: 101 } algorithm: 99 })", false,
       "pools[0].algorithm: enum, pools[0].health_check.healthy_threshold: range"},
  };
  for (const Case& c : cases) EXPECT_EQ(problems(c.config, c.prune), c.problems) << c.config;
}

TEST_F(PlannerTest, RefusesFieldsThatItDoesNotKnow) {
  v1::Config config;
  config.GetReflection()->MutableUnknownFields(&config)->AddVarint(77, 1);
  const auto plan = planApply(model_, config, false, now_);
  EXPECT_EQ(problemsOf(plan.status()).problems(0).rule(), "unknown_field");
}

// Brings the model to a configuration with certificates.
class CertificatePlannerTest : public PlannerTest {
 protected:
  void become(const std::string& config) { model_ = planText(model_, config).model; }
  const v1::Certificate& stored(const std::string& name) { return *model_.certificates.at(name); }
};

TEST_F(CertificatePlannerTest, WhatIsLeftOutStaysAsItIs) {
  become(certificateText("web", "ecdsa") + authorityText("ca"));
  EXPECT_EQ(apply(R"(certificates { name: "web" } certificates { name: "ca" })"), "");
  // As List prints it.
  EXPECT_EQ(apply(R"(certificates { name: "web" info { subject: "CN=x" } })"), "");
  EXPECT_EQ(apply(R"(certificates { name: "web" } certificates { name: "ca" })", true), "");
  EXPECT_EQ(apply(certificateText("web", "ecdsa")), "");
  EXPECT_EQ(apply(certificateText("web", "renewed")), "+web ");
  // A certificate alone must be of the key that is there.
  EXPECT_EQ(problems(authorityText("web", "renewed")), "certificates[0].private_key: mismatch");
  EXPECT_EQ(problems(R"(certificates { name: "new" })"), "certificates[0].certificate: required");
  EXPECT_EQ(apply(R"(certificates { name: "web" })", true), "-ca ");
}

TEST_F(CertificatePlannerTest, OneThatIsStoredMayExpire) {
  become(certificateText("web", "ecdsa"));
  now_ += std::chrono::hours(24 * 91);
  EXPECT_EQ(apply(certificateText("web", "ecdsa")), "");
  EXPECT_EQ(problems(certificateText("web", "renewed")), "certificates[0].certificate: expired");
  EXPECT_EQ(problems(certificateText("other", "ecdsa")), "certificates[0].certificate: expired");
}

TEST_F(CertificatePlannerTest, WhatIsNamedMustBeThereAndOfTheRightKind) {
  become(certificateText("web", "ecdsa") + authorityText("ca"));
  EXPECT_EQ(problems(R"(listeners { name: "l" address: "0.0.0.0:1" tls {
                          certificates: "wbe" certificates: "ca" client_certificates { ca: "web" } } }
                        pools { name: "p" tls { server_name: "a" ca: "web" certificate: "no" } })"),
            "listeners[0].tls.certificates[0]: not_found, "
            "listeners[0].tls.certificates[1]: no_private_key, "
            "listeners[0].tls.client_certificates.ca: conflict, "
            "pools[0].tls.certificate: not_found, pools[0].tls.ca: conflict");
  EXPECT_EQ(apply(R"(listeners { name: "l" address: "0.0.0.0:1" tls {
                       certificates: "web" client_certificates { ca: "ca" } } }
                     pools { name: "p" tls { server_name: "a" ca: "ca" certificate: "web" } })"),
            "+l +p ");
}

TEST_F(CertificatePlannerTest, NoneThatIsUsedIsDeleted) {
  become(certificateText("web", "ecdsa") +
         R"(listeners { name: "l" address: "0.0.0.0:1" tls { certificates: "web" } })");
  const auto used = remove(R"(ids { kind: KIND_CERTIFICATE name: "web" })");
  EXPECT_EQ(text(problemsOf(used.status())), "listener l: tls.certificates[0]: in_use");
}

TEST_F(PlannerTest, SaysWhatTheModelWouldBe) {
  const auto plan = planApply(
      model_, parse<v1::Config>(R"(backends { pool: "web" address: "10.0.0.3:80" })"), false, now_);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->model.revision, 2);
  EXPECT_EQ(plan->model.pools.at("web")->backends.size(), 3u);
  EXPECT_EQ(plan->places.at({v1::KIND_BACKEND, "web/10.0.0.3:80"}), "backends[0]");
}

TEST_F(PlannerTest, Deletes) {
  EXPECT_EQ(text(remove(R"(ids { kind: KIND_POOL name: "spare" })")), "-spare -spare/10.0.0.9:80 ");
  EXPECT_EQ(text(remove(R"(ids { kind: KIND_BACKEND name: "web/10.0.0.1:80" })")),
            "-web/10.0.0.1:80 ");
  EXPECT_EQ(
      text(remove(R"(ids { kind: KIND_POOL name: "web" } ids { kind: KIND_LISTENER name: "public" }
                           ids { kind: KIND_BACKEND name: "web/10.0.0.1:80" })")),
      "-public -web -web/10.0.0.1:80 -web/10.0.0.2:80 ");
}

TEST_F(PlannerTest, DeletesNothingThatIsUsedOrMissing) {
  const auto used = remove(R"(ids { kind: KIND_POOL name: "web" })");
  EXPECT_EQ(used.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(text(problemsOf(used.status())), "listener public: routes[0].pool: in_use");
  const auto missing =
      remove(R"(ids { kind: KIND_POOL name: "spare" } ids { kind: KIND_POOL name: "x" })");
  EXPECT_TRUE(absl::IsNotFound(missing.status()));
  EXPECT_NE(missing.status().message().find("\"x\""), absl::string_view::npos);
  EXPECT_TRUE(absl::IsInvalidArgument(remove("").status()));
}

}  // namespace
}  // namespace convoy::controlplane::manage
