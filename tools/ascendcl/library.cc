// aclInit and aclFinalize, which are counted, and what the library says of itself.
#include "library.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "failure.h"
#include "kernels/ascend/functions.h"
#include "settings.h"

namespace effdet::acl {
namespace {

/// The version of the interface that functions.inc was written from.
constexpr int32_t kMajor = 1, kMinor = 17, kPatch = 0;
constexpr std::streamsize kMaxConfigBytes = 10 << 20;

struct References {
  std::mutex mutex;
  uint64_t count = 0;
  bool finalized = false;
};
References& references() {
  static auto& kept = *new References;  // programs finalize whenever they like, also while they end
  return kept;
}

/// A configuration is checked, and has no effect: dumps and profiles are of hardware.
void check_config(const char* path) {
  if (path == nullptr || *path == '\0') return;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  require(file.good(), kInvalidFile, "{}: cannot be opened", path);
  const std::streamsize bytes = file.tellg();
  require(bytes >= 0 && bytes <= kMaxConfigBytes, kInvalidFile, "{}: no regular file below {} MB", path,
          kMaxConfigBytes >> 20);
  std::string text(static_cast<size_t>(bytes), '\0');
  file.seekg(0);
  file.read(text.data(), bytes);
  require(file.gcount() == bytes, kInvalidFile, "{}: cannot be read", path);
  int depth = 0;  // a parser that calls itself would take a stack for each bracket
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    require(depth <= 64, kParseFile, "{}: nested too deeply", path);
  }
  const auto config = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  require(config.is_object(), kParseFile, "{}: not a JSON object", path);
}

}  // namespace

bool is_initialized() {
  const std::lock_guard lock(references().mutex);
  return references().count > 0;
}

void require_initialized() { require(is_initialized(), kGeExecNotInit, "aclInit was not called, or aclFinalize was"); }

ACL_EXPORT aclError aclInit(const char* config_path) {
  return answer("aclInit", [&] {
    const std::lock_guard lock(references().mutex);
    if (references().count > 0) {
      ++references().count;
      fail(kRepeatInitialize, "called {} times: it counts, and changes nothing", references().count);
    }
    settings();
    check_config(config_path);
    references().count = 1;
    references().finalized = false;
  });
}

ACL_EXPORT aclError aclFinalize() {
  return answer("aclFinalize", [] {
    const std::lock_guard lock(references().mutex);
    require(!references().finalized, kRepeatFinalize, "called twice");
    references().count = 0;
    references().finalized = true;
  });
}

ACL_EXPORT aclError aclFinalizeReference(uint64_t* count) {
  return answer("aclFinalizeReference", [&] {
    const std::lock_guard lock(references().mutex);
    uint64_t& references_left = references().count;
    if (references_left > 0)
      --references_left;
    else
      fail(kRepeatFinalize, "called more often than aclInit");
    references().finalized = references_left == 0;
    if (count != nullptr) *count = references_left;
  });
}

ACL_EXPORT aclError aclrtGetVersion(int32_t* major, int32_t* minor, int32_t* patch) {
  return answer("aclrtGetVersion", [&] {
    need(major, "majorVersion") = kMajor;
    need(minor, "minorVersion") = kMinor;
    need(patch, "patchVersion") = kPatch;
  });
}

ACL_EXPORT const char* aclrtGetSocName() {
  return answer_or<const char*>("aclrtGetSocName", nullptr, [] { return settings().soc_name.c_str(); });
}

// Every package has the version of the interface: there is no other CANN here.
ACL_EXPORT aclError aclsysGetVersionStr(char* package, char* version) {
  return answer("aclsysGetVersionStr", [&] {
    need(package, "pkgName");
    const std::string text = fmt::format("{}.{}.{}", kMajor, kMinor, kPatch);
    std::memcpy(&need(version, "versionStr"), text.c_str(), text.size() + 1);
  });
}

ACL_EXPORT aclError aclsysGetVersionNum(char* package, int32_t* version) {
  return answer("aclsysGetVersionNum", [&] {
    need(package, "pkgName");
    need(version, "versionNum") = (kMajor * 10000000) + (kMinor * 100000) + (kPatch * 1000);
  });
}

ACL_EXPORT void aclAppLog(aclLogLevel level, const char* function, const char* file, uint32_t line, const char* format,
                          ...) {
  // Logs go nowhere without ASCEND_SLOG_PRINT_TO_STDOUT=1, as there.
  const char* print = std::getenv("ASCEND_SLOG_PRINT_TO_STDOUT");
  if (print == nullptr || std::strcmp(print, "1") != 0 || format == nullptr) return;
  static constexpr const char* kLevels[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
  va_list values;
  va_start(values, format);
  char text[1024];
  std::vsnprintf(text, sizeof text, format, values);
  va_end(values);
  std::printf("[%s] %s:%u %s: %s\n", level <= ACL_ERROR ? kLevels[level] : "?", file != nullptr ? file : "?", line,
              function != nullptr ? function : "?", text);
}

}  // namespace effdet::acl
