// The last error of each thread, the version, and which process an object belongs to.
#include "api/c/call.h"

#include <unistd.h>

namespace effdet::api {
namespace {

thread_local std::string last_error;

}  // namespace

effdet_status failed(ErrorCode code, const char* message) noexcept {
  try {
    last_error = one_line(message);
  } catch (...) {
    last_error.clear();  // no memory for the message
  }
  return static_cast<effdet_status>(code);
}

int threads(int given) {
  if (given < 0 || given > kMostThreads)
    fail(ErrorCode::kUsage, "{} threads: 0 (all cores) to {} are possible", given, kMostThreads);
  return given;
}

OfProcess::OfProcess() : process_(getpid()) {}

void OfProcess::check(const char* what) const {
  if (getpid() == process_) return;
  fail(ErrorCode::kUsage, "{} is of the process before fork(), and its threads are gone; make a new one here", what);
}

}  // namespace effdet::api

const char* effdet_last_error() { return effdet::api::last_error.c_str(); }

#define EFFDET_TEXT_OF(number) #number
#define EFFDET_TEXT(number) EFFDET_TEXT_OF(number)
const char* effdet_version() {
  return EFFDET_TEXT(EFFDET_VERSION_MAJOR) "." EFFDET_TEXT(EFFDET_VERSION_MINOR) "." EFFDET_TEXT(EFFDET_VERSION_PATCH);
}
