// How functions of the interface end: with a code, and a message for aclGetRecentErrMsg.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <utility>

#include "kernels/ascend/abi.h"

#define ACL_EXPORT extern "C" __attribute__((visibility("default")))

namespace effdet::acl {

using namespace kernels::ascend::acl;  // NOLINT(google-build-using-namespace): the interface that this library has

/// Thrown inside, never out of the library.
struct Failure {
  aclError code;
  std::string text;
};

template <typename... Arguments>
[[noreturn]] void fail(Code code, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw Failure{code, fmt::format(format, std::forward<Arguments>(arguments)...)};
}

template <typename... Arguments>
void require(bool condition, Code code, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (!condition) fail(code, format, std::forward<Arguments>(arguments)...);
}

/// For parameters that may not be null.
template <typename T>
T& need(T* pointer, const char* parameter) {
  if (pointer == nullptr) fail(kInvalidParam, "{} is null", parameter);
  return *pointer;
}

/// The code for an exception in flight; its text becomes the thread's message, and the code its last error.
aclError answer_exception(const char* function) noexcept;
/// The same for what is not thrown.
aclError answer_failure(const char* function, const Failure& failure) noexcept;

/// For programs that try what they do with errors: throws where EFFDET_ASCEND_FAIL says that this call fails.
void fail_if_wanted(const char* function);

/// Runs the body of a function that gives a code.
template <typename Body>
aclError answer(const char* function, Body&& body) noexcept {
  try {
    fail_if_wanted(function);
    body();
    return kSuccess;
  } catch (...) {
    return answer_exception(function);
  }
}

/// Runs the body of a function that gives something else, `otherwise` after a failure.
template <typename T, typename Body>
T answer_or(const char* function, T otherwise, Body&& body) noexcept {
  try {
    fail_if_wanted(function);
    return body();
  } catch (...) {
    answer_exception(function);
    return otherwise;
  }
}

}  // namespace effdet::acl
