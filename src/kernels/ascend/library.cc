// Looks for libascendcl.so, and for its functions.
#include "kernels/ascend/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "kernels/ascend/installation.h"

namespace effdet::kernels::ascend {
namespace {

namespace fs = std::filesystem;

std::string& configuration() {
  static std::string path;
  return path;
}

constexpr const char* kName = "libascendcl.so";

/// What the loader says of a file that it cannot load, or null for one that it can; handle is set then.
const char* open_library(const std::string& file, void*& handle) {
  // Global, since libraries that the library loads itself look for its symbols; never closed, since threads of it go
  // on.
  handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  return handle != nullptr ? nullptr : ::dlerror();
}

Library find_library() {
  Library library;
  void* handle = nullptr;
  if (const fs::path home = chosen_installation(); !home.empty()) {
    library.path = (home / "lib64" / kName).string();
    if (const char* error = open_library(library.path, handle); error != nullptr) {
      std::error_code ignored;
      // Of a library for another processor the loader says that there is no such file.
      const bool is_there = fs::exists(library.path, ignored);
      fail(ErrorCode::kUnsupported, "device ascend: ASCEND_HOME_PATH={} is no CANN that runs here: {}{}", home.string(),
           error,
           is_there && std::string_view(error).find("No such file") != std::string_view::npos
               ? " (the file is there: it, or what it needs, is for another processor)"
               : "");
    }
  } else {
    library.path = kName;
    const char* error = open_library(library.path, handle);
    std::string reason = error != nullptr ? error : "";
    for (const fs::path& folder : installations()) {
      if (handle != nullptr) break;
      library.path = (folder / "lib64" / kName).string();
      std::error_code ignored;
      if (!fs::exists(library.path, ignored)) continue;
      error = open_library(library.path, handle);
      if (error != nullptr) reason = error;
    }
    if (handle == nullptr)
      fail(ErrorCode::kUnsupported,
           "device ascend: no {} ({}): install CANN and source its set_env.sh, or set ASCEND_HOME_PATH", kName, reason);
  }
  const auto find = [&](const char* name, auto& function, bool needed) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    if (function == nullptr && needed)
      fail(ErrorCode::kUnsupported, "device ascend: {} has no function {}: it is too old, or not CANN's", library.path,
           name);
  };
#define EFFDET_ACL_FIND(name) find(#name, library.name, true);
  EFFDET_ACL_NEEDED(EFFDET_ACL_FIND)
#undef EFFDET_ACL_FIND
#define EFFDET_ACL_FIND(name) find(#name, library.name, false);
  EFFDET_ACL_OPTIONAL(EFFDET_ACL_FIND)
#undef EFFDET_ACL_FIND
  const acl::aclError code = library.aclInit(configuration().empty() ? nullptr : configuration().c_str());
  if (code != acl::kRepeatInitialize)
    library.check(code, "aclInit", configuration().empty() ? "start of AscendCL" : configuration());
  return library;
}

bool means_no_memory(acl::aclError code) {
  return code == acl::kBadAlloc || code == acl::kRtMemoryAllocation || code == acl::kGeMemoryAllocation ||
         code == acl::kRtDeviceOom;
}

}  // namespace

void set_configuration(const std::string& path) { configuration() = path; }

const Library& Library::instance() {
  static const Library library = find_library();
  return library;
}

void Library::check(acl::aclError code, const char* function, const std::string& what) const {
  if (code == acl::kSuccess) return;
  const char* text = aclGetRecentErrMsg != nullptr ? aclGetRecentErrMsg() : nullptr;
  std::string message = text != nullptr ? text : "no message";
  std::ranges::replace(message, '\n', ' ');
  fail(means_no_memory(code) ? ErrorCode::kOutOfMemory : ErrorCode::kIo, "device ascend: {}: {} gave {}: {}", what,
       function, code, message);
}

}  // namespace effdet::kernels::ascend
