// Messages and last errors, of each thread its own.
#include "failure.h"

#include <atomic>
#include <new>

#include "effdet/error.h"
#include "kernels/ascend/functions.h"
#include "settings.h"

namespace effdet::acl {
namespace {

thread_local std::string message, handed_out;
thread_local aclError last_error = kSuccess;

/// The codes of GE, which loads models, for what libeffdet throws.
aclError code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kIo:
      return kGeExecModelPathInvalid;
    case ErrorCode::kBadInput:
    case ErrorCode::kUnsupported:
      return kGeLoadModel;
    case ErrorCode::kOutOfMemory:
      return kGeMemoryAllocation;
    case ErrorCode::kUsage:
      return kGeParamInvalid;
    case ErrorCode::kMismatch:
    case ErrorCode::kInternal:
      break;
  }
  return kInternalError;
}

}  // namespace

aclError answer_failure(const char* function, const Failure& failure) noexcept {
  last_error = failure.code;
  try {
    message = fmt::format("{}: {} ({})", function, failure.text, failure.code);
  } catch (const std::exception&) {  // the code is what counts
    message.clear();
  }
  return failure.code;
}

aclError answer_exception(const char* function) noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    return answer_failure(function, failure);
  } catch (const Error& error) {
    return answer_failure(function, {code_of(error.code()), error.what()});
  } catch (const std::bad_alloc&) {
    return answer_failure(function, {kBadAlloc, "out of memory"});
  } catch (const std::exception& error) {
    return answer_failure(function, {kInternalError, error.what()});
  } catch (...) {
    return answer_failure(function, {kInternalError, "a callback threw"});
  }
}

void fail_if_wanted(const char* function) {
  const Settings& s = settings();
  if (s.failing.empty() || s.failing != function) return;
  static std::atomic<uint64_t> calls = 0;  // of that function
  require(++calls != s.failing_call, kInternalError, "EFFDET_ASCEND_FAIL wants this call to fail");
}

ACL_EXPORT const char* aclGetRecentErrMsg() {
  handed_out.swap(message);
  message.clear();
  return handed_out.empty() ? nullptr : handed_out.c_str();
}

ACL_EXPORT aclError aclrtPeekAtLastError(aclrtLastErrLevel level) {
  return level == ACL_RT_THREAD_LEVEL ? last_error : static_cast<aclError>(kInvalidParam);
}

ACL_EXPORT aclError aclrtGetLastError(aclrtLastErrLevel level) {
  const aclError code = aclrtPeekAtLastError(level);
  last_error = kSuccess;
  return code;
}

}  // namespace effdet::acl
