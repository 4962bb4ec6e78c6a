// Environment variables to numbers.
#include "settings.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "failure.h"

namespace effdet::acl {
namespace {

uint64_t parse(const char* variable, std::string_view text, uint64_t least, uint64_t most) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  require(error == std::errc() && stop == end && value >= least && value <= most, kInvalidParam,
          "{}: '{}' is not a number from {} to {}", variable, text, least, most);
  return value;
}

uint64_t number_of(const char* variable, uint64_t otherwise, uint64_t least, uint64_t most) {
  const char* text = std::getenv(variable);
  return text == nullptr || *text == '\0' ? otherwise : parse(variable, text, least, most);
}

bool is_function(std::string_view name) {
  static constexpr std::string_view kFunctions[] = {
#define ACL_FUNCTION(result, name, parameters) #name,
#include "kernels/ascend/functions.inc"
#undef ACL_FUNCTION
  };
  return std::ranges::find(kFunctions, name) != std::end(kFunctions);
}

uint64_t machine_memory() {
  return static_cast<uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES))) *
         static_cast<uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
}

Settings read_settings() {
  Settings s;
  s.devices = static_cast<int>(number_of("EFFDET_ASCEND_DEVICES", 1, 1, 64));
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const uint64_t share = std::max<uint64_t>(1, processors / static_cast<unsigned>(s.devices));
  s.threads = static_cast<int>(number_of("EFFDET_ASCEND_THREADS", share, 1, 1024));
  s.memory_bytes = number_of("EFFDET_ASCEND_MEMORY_MB", machine_memory() >> 20, 1, uint64_t{1} << 40) << 20;
  s.debug = number_of("EFFDET_ASCEND_DEBUG", 0, 0, 1) != 0;
  if (const char* fail_at = std::getenv("EFFDET_ASCEND_FAIL"); fail_at != nullptr && *fail_at != '\0') {
    const std::string text = fail_at;
    const size_t colon = text.find(':');
    s.failing = text.substr(0, colon);
    require(is_function(s.failing), kInvalidParam, "EFFDET_ASCEND_FAIL: there is no function '{}'", s.failing);
    s.failing_call =
        colon == std::string::npos ? 1 : parse("EFFDET_ASCEND_FAIL", text.substr(colon + 1), 1, UINT32_MAX);
  }
  const char* soc = std::getenv("EFFDET_ASCEND_SOC");
  s.soc_name = soc != nullptr && *soc != '\0' ? soc : "Ascend310P3";
  return s;
}

}  // namespace

const Settings& settings() {
  static const Settings read = read_settings();
  return read;
}

}  // namespace effdet::acl
