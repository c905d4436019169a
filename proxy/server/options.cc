#include "proxy/server/options.h"

#include <getopt.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace convoy::server {

namespace {

enum LongOnly {
  kConcurrency = 256,
  kMode,
  kServiceNode,
  kServiceCluster,
  kDrainTime,
  kRejectUnknown,
  kHealthThreads,
  kHealthCommandDir,
  kVersion
};

constexpr option kOptions[] = {
    {"config-path", required_argument, nullptr, 'c'},
    {"log-level", required_argument, nullptr, 'l'},
    {"concurrency", required_argument, nullptr, kConcurrency},
    {"mode", required_argument, nullptr, kMode},
    {"service-node", required_argument, nullptr, kServiceNode},
    {"service-cluster", required_argument, nullptr, kServiceCluster},
    {"drain-time-s", required_argument, nullptr, kDrainTime},
    {"reject-unknown-dynamic-fields", no_argument, nullptr, kRejectUnknown},
    {"health-threads", required_argument, nullptr, kHealthThreads},
    {"health-command-dir", required_argument, nullptr, kHealthCommandDir},
    {"version", no_argument, nullptr, kVersion},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};

absl::Status wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, "; --help lists the options"));
}

bool parseNumber(const char* text, long most, long* number) {
  const char* end = text + std::strlen(text);
  const auto result = std::from_chars(text, end, *number);
  return result.ec == std::errc() && result.ptr == end && *number >= 0 && *number <= most;
}

bool isFolder(const char* path) {
  struct stat status {};
  return ::stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

absl::Status applyOption(int code, const char* value, Options& options) {
  long number = 0;
  switch (code) {
    case 'c':
      if (value[0] == '\0') return wrong("-c: must name a file");
      if (!options.config_path.empty()) {
        return wrong(absl::StrCat("-c ", value, ": there is -c ", options.config_path,
                                  " already, and a node has one bootstrap"));
      }
      options.config_path = value;
      return absl::OkStatus();
    case 'h':
      options.mode = Options::Mode::Help;
      return absl::OkStatus();
    case kVersion:
      options.mode = Options::Mode::Version;
      return absl::OkStatus();
    case kServiceNode:
      if (value[0] == '\0') return wrong("--service-node: must not be empty");
      options.service_node = value;
      return absl::OkStatus();
    case kServiceCluster:
      if (value[0] == '\0') return wrong("--service-cluster: must not be empty");
      options.service_cluster = value;
      return absl::OkStatus();
    case kRejectUnknown:
      options.reject_unknown_dynamic_fields = true;
      return absl::OkStatus();
    case 'l':
      if (base::parseLogLevel(value, &options.log_level)) return absl::OkStatus();
      return wrong(absl::StrCat("--log-level ", value,
                                ": must be trace, debug, info, warning, error, critical or off"));
    case kConcurrency:
      if (!parseNumber(value, 1024, &number) || number == 0) {
        return wrong(absl::StrCat("--concurrency ", value, ": must be a number from 1 to 1024"));
      }
      options.concurrency = static_cast<size_t>(number);
      return absl::OkStatus();
    case kHealthThreads:
      if (!parseNumber(value, 64, &number) || number == 0) {
        return wrong(absl::StrCat("--health-threads ", value, ": must be a number from 1 to 64"));
      }
      options.health_threads = static_cast<size_t>(number);
      return absl::OkStatus();
    case kHealthCommandDir:
      if (value[0] != '/') {
        return wrong(absl::StrCat("--health-command-dir ", value, ": must be an absolute path"));
      }
      if (!isFolder(value)) {
        return wrong(absl::StrCat("--health-command-dir ", value, ": there is no such folder"));
      }
      options.health_command_dir = value;
      return absl::OkStatus();
    case kDrainTime:
      if (!parseNumber(value, 86400, &number)) {
        return wrong(absl::StrCat("--drain-time-s ", value, ": must be seconds from 0 to 86400"));
      }
      options.drain_time = std::chrono::seconds(number);
      return absl::OkStatus();
    case kMode:
      if (std::strcmp(value, "serve") == 0) return absl::OkStatus();
      if (std::strcmp(value, "validate") != 0) {
        return wrong(absl::StrCat("--mode ", value, ": must be serve or validate"));
      }
      options.mode = Options::Mode::Validate;
      return absl::OkStatus();
    default:
      return wrong("unknown option");
  }
}

}  // namespace

const char* helpText() {
  return R"(convoy-proxy: an xDS-driven L4/L7 proxy.

Usage: convoy-proxy -c FILE [options]

  -c, --config-path FILE     Envoy v3 bootstrap, YAML or JSON (required)
      --mode MODE            serve (default), or validate: check FILE, print what is wrong, exit 0 or 2
      --concurrency N        worker threads, 1 to 1024; default: processors that this process may use
      --service-node ID      replaces node.id of the bootstrap
      --service-cluster NAME replaces node.cluster of the bootstrap
  -l, --log-level LEVEL      trace, debug, info (default), warning, error, critical, off
      --drain-time-s N       seconds that running requests get on SIGTERM or when a listener goes; default 30
      --reject-unknown-dynamic-fields
                             refuse resources of a control plane with fields that this version does not know
      --health-threads N     threads for active health checks, 1 (default) to 64
      --health-command-dir DIR
                             health checks may run the programs in DIR; without it they may run none
      --version              print the version
  -h, --help                 print this

SIGTERM and SIGINT drain and exit; a second one exits at once. SIGUSR1 reopens the access logs.
SIGHUP is ignored.
)";
}

absl::StatusOr<Options> parseOptions(int argc, char** argv) {
  Options options;
  opterr = 0;
  optind = 1;
  while (true) {
    const int at = optind;
    const int code = getopt_long(argc, argv, ":c:l:h", kOptions, nullptr);
    if (code == -1) break;
    if (code == '?') return wrong(absl::StrCat("unknown option ", argv[at]));
    if (code == ':') return wrong(absl::StrCat("option ", argv[at], " needs a value"));
    if (absl::Status status = applyOption(code, optarg, options); !status.ok()) return status;
  }
  if (optind < argc) return wrong(absl::StrCat("unexpected argument ", argv[optind]));
  const bool needs_file =
      options.mode == Options::Mode::Serve || options.mode == Options::Mode::Validate;
  if (needs_file && options.config_path.empty())
    return wrong("no configuration file: -c FILE is required");
  return options;
}

}  // namespace convoy::server
