#include "proxy/upstream/outlier/panic.h"

namespace convoy::upstream {

bool tooFew(const PanicSpec& spec, uint64_t hosts, uint64_t usable) {
  if (spec.mode == PanicSpec::Mode::Fail || hosts == 0) return false;
  return usable * 100 < spec.percent * hosts;
}

std::string_view nameOf(PanicSpec::Mode mode) {
  switch (mode) {
    case PanicSpec::Mode::ServeAll:
      return "serve_all";
    case PanicSpec::Mode::ServeLastGood:
      return "serve_last_good";
    case PanicSpec::Mode::Fail:
      break;
  }
  return "fail";
}

}  // namespace convoy::upstream
