// What inference does not need: single operators, kernels, graphs that are captured, shared memory, queues.
#include <cstdint>

#include "failure.h"

namespace effdet::acl {
namespace {

aclError say_unsupported(const char* function) {
  return answer_failure(function, {kApiNotSupport, "not supported by the library on a CPU"});
}

}  // namespace

// Whatever they are called with is not looked at, so that their parameters need no declaration.
#define ACL_UNSUPPORTED_CODE(name) \
  ACL_EXPORT aclError name() { return say_unsupported(#name); }
#define ACL_UNSUPPORTED_NULL(name) \
  ACL_EXPORT void* name() {        \
    say_unsupported(#name);        \
    return nullptr;                \
  }
#define ACL_UNSUPPORTED_ZERO(name) \
  ACL_EXPORT uint64_t name() {     \
    say_unsupported(#name);        \
    return 0;                      \
  }
#define ACL_UNSUPPORTED_VOID(name) \
  ACL_EXPORT void name() { say_unsupported(#name); }
#include "unsupported.inc"

}  // namespace effdet::acl
