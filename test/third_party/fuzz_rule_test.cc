// Shows that convoy_cc_fuzz_test works in both of its forms: replay (default) and libFuzzer
// (--config=fuzz).

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with("ab") && input.ends_with("ba") && input.size() < 3) std::abort();
  return 0;
}
