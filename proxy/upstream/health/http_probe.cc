#include "proxy/upstream/health/http_probe.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/grpc/frame_parser.h"
#include "proxy/grpc/status.h"
#include "proxy/upstream/health/matching.h"

namespace convoy::upstream {

namespace {

constexpr std::string_view kDegraded = "x-envoy-degraded";
constexpr std::string_view kImmediateFail = "x-envoy-immediate-health-check-fail";
constexpr std::string_view kService = "x-envoy-upstream-healthchecked-cluster";
constexpr std::string_view kContentType = "content-type";
constexpr std::string_view kGrpcStatus = "grpc-status";
constexpr std::string_view kGrpcMessage = "grpc-message";

// A response of grpc.health.v1 has a few bytes.
constexpr size_t kMostGrpcBody = 4096;
constexpr uint64_t kServing = 1;

const std::string* find(const std::vector<Header>& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [name](const Header& header) { return header.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

ProbeResult failed(std::string reason) {
  return {ProbeResult::Kind::Fail, std::move(reason)};
}

std::string authorityOf(const ProbeOwner& owner, const ProbeTarget& target,
                        const std::string& configured) {
  if (!target.hostname.empty()) return target.hostname;
  return configured.empty() ? owner.cluster->name : configured;
}

CheckRequest httpRequest(const ProbeOwner& owner, const ProbeTarget& target,
                         const HttpCheckSpec& spec) {
  CheckRequest request{.method = spec.method,
                       .target = spec.path,
                       .authority = authorityOf(owner, target, spec.host),
                       .headers = {},
                       .body = spec.send};
  const auto removed = [&spec](std::string_view name) {
    return std::any_of(spec.removed.begin(), spec.removed.end(), [name](const std::string& other) {
      return base::equalsIgnoreCase(name, other);
    });
  };
  const auto named = [&spec](std::string_view name) {
    return std::any_of(spec.headers.begin(), spec.headers.end(), [name](const Header& other) {
      return base::equalsIgnoreCase(name, other.first);
    });
  };
  if (!removed("user-agent") && !named("user-agent")) {
    request.headers.emplace_back("user-agent", "Convoy/HC");
  }
  request.headers.insert(request.headers.end(), spec.headers.begin(), spec.headers.end());
  return request;
}

CheckRequest grpcRequest(const ProbeOwner& owner, const ProbeTarget& target,
                         const GrpcCheckSpec& spec) {
  const std::string message = encodeHealthRequest(spec.service);
  char prefix[grpc::kFramePrefixBytes];
  grpc::writeFramePrefix(static_cast<uint32_t>(message.size()), prefix);
  CheckRequest request{
      .method = "POST",
      .target = "/grpc.health.v1.Health/Check",
      .authority = authorityOf(owner, target, spec.authority),
      .headers = {{"content-type", "application/grpc"}, {"user-agent", "Convoy/HC"}},
      .body = std::string(prefix, sizeof(prefix)) + message,
      .te_trailers = true};
  request.headers.emplace_back("te", "trailers");
  request.headers.insert(request.headers.end(), spec.metadata.begin(), spec.metadata.end());
  return request;
}

std::optional<ProbeResult> judgeStatus(const HttpCheckSpec& spec, uint16_t status) {
  if (inRanges(status, spec.expected)) return std::nullopt;
  const bool counts = inRanges(status, spec.retriable);
  return ProbeResult{counts ? ProbeResult::Kind::Fail : ProbeResult::Kind::FailAtOnce,
                     absl::StrCat("status ", status)};
}

std::optional<std::string> faultInBody(const HttpCheckSpec& spec, const std::string& body) {
  if (!containsInOrder(body, spec.receive)) return "the body does not have what is expected";
  return spec.json ? faultInReport(body) : std::nullopt;
}

}  // namespace

ProbeResult judgeHttp(const HttpCheckSpec& spec, const route::TextMatcher* service_name,
                      const CheckAnswer& answer) {
  if (!answer.error.empty()) return {ProbeResult::Kind::Network, answer.error};
  if (find(answer.headers, kImmediateFail) != nullptr) {
    return {ProbeResult::Kind::FailAtOnce, "the host said x-envoy-immediate-health-check-fail",
            /*told_by_host=*/true};
  }
  if (auto result = judgeStatus(spec, answer.status); result.has_value()) return *result;
  if (auto fault = faultInBody(spec, answer.body); fault.has_value()) {
    // As a status: what is in `retriable` counts towards the threshold.
    const bool counts = inRanges(answer.status, spec.retriable);
    return {counts ? ProbeResult::Kind::Fail : ProbeResult::Kind::FailAtOnce, *std::move(fault)};
  }
  if (service_name != nullptr) {
    const std::string* const name = find(answer.headers, kService);
    if (name == nullptr || !service_name->matches(*name)) {
      return {ProbeResult::Kind::FailAtOnce,
              absl::StrCat("the host belongs to another service: ",
                           name == nullptr ? "it does not say which" : shown(*name))};
    }
  }
  const bool degraded = find(answer.headers, kDegraded) != nullptr;
  return {degraded ? ProbeResult::Kind::Degraded : ProbeResult::Kind::Pass, {}};
}

ProbeResult judgeGrpc(const CheckAnswer& answer) {
  if (!answer.error.empty()) return {ProbeResult::Kind::Network, answer.error};
  if (answer.status != 200) return failed(absl::StrCat("HTTP status ", answer.status));
  const std::string* const type = find(answer.headers, kContentType);
  if (type == nullptr || !type->starts_with("application/grpc")) {
    return failed("the host does not answer in gRPC");
  }
  const std::string* status = find(answer.trailers, kGrpcStatus);
  const std::string* message = find(answer.trailers, kGrpcMessage);
  if (status == nullptr) {
    status = find(answer.headers, kGrpcStatus);
    message = find(answer.headers, kGrpcMessage);
  }
  if (status == nullptr) return failed("the answer has no grpc-status");
  if (*status != "0") {
    return failed(absl::StrCat("gRPC status ", shown(*status), message == nullptr ? "" : ": ",
                               message == nullptr ? "" : shown(grpc::percentDecode(*message))));
  }
  grpc::FrameParser parser(kMostGrpcBody);
  std::string_view body = answer.body;
  if (parser.parse(body) != grpc::FrameParser::Result::Message) {
    return failed("the answer has no message");
  }
  const auto serving = decodeServingStatus(parser.message());
  if (!serving.has_value()) return failed("the answer is no HealthCheckResponse");
  if (*serving == kServing) return {ProbeResult::Kind::Pass, {}};
  return failed(absl::StrCat("the service is not SERVING (status ", *serving, ")"));
}

HttpProbe::HttpProbe(ProbeServices& services, const ProbeOwner& owner, const ProbeTarget& target,
                     const HttpCheckSpec& spec, Done done)
    : spec_(spec),
      request_(httpRequest(owner, target, spec)),
      done_(std::move(done)),
      exchange_(
          services, owner, target, spec.http2 ? UpstreamProtocol::Http2 : UpstreamProtocol::Http1,
          {spec.json || !spec.receive.empty() ? spec.body_limit : 0},
          {kDegraded, kImmediateFail, kService}, [this](const CheckAnswer& answer) {
            done_(judgeHttp(spec_, service_name_.has_value() ? &*service_name_ : nullptr, answer));
          }) {
  if (!spec.service_name.has_value()) return;
  // config/ has tried it.
  auto compiled = route::TextMatcher::compile(*spec.service_name);
  if (compiled.ok()) service_name_ = *std::move(compiled);
}

GrpcProbe::GrpcProbe(ProbeServices& services, const ProbeOwner& owner, const ProbeTarget& target,
                     const GrpcCheckSpec& spec, Done done)
    : request_(grpcRequest(owner, target, spec)),
      done_(std::move(done)),
      exchange_(services, owner, target, UpstreamProtocol::Http2, {kMostGrpcBody},
                {kContentType, kGrpcStatus, kGrpcMessage},
                [this](const CheckAnswer& answer) { done_(judgeGrpc(answer)); }) {}

}  // namespace convoy::upstream
