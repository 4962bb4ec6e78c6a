// System calls that the kernel refuses, for tests of what follows.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <vector>

#include "support/child.h"

namespace effdet::test {

/// A call and the error that it ends with; with bits, only where the argument of that index has one of them.
struct RefusedCall {
  uint32_t number = 0;
  uint32_t error = 0;
  uint32_t argument = 0, bits = 0;
};

/// fstat(), which is the one or the other: ThreadSanitizer has a function of its own in place of the C library's.
inline std::vector<RefusedCall> refused_fstat(uint32_t error) {
  return {{SYS_newfstatat, error, 3, AT_EMPTY_PATH}, {SYS_fstat, error}};
}

/// Makes the kernel refuse the calls of this process from now on; false where it lets nobody ask for that.
inline bool refuse(const std::vector<RefusedCall>& calls) {
  std::vector<sock_filter> program;
  for (const RefusedCall& call : calls) {
    const uint32_t argument = offsetof(seccomp_data, args) + call.argument * sizeof(uint64_t);  // its lower half
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.number, 0, call.bits == 0 ? uint8_t{1} : uint8_t{3}));
    if (call.bits != 0) {
      program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument));
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, call.bits, 0, 1));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | call.error));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog filter{static_cast<uint16_t>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// Runs the body in a child process whose calls are refused. The test fails where an expectation of the body does, and
/// is left out, with the body, where nothing can be refused.
template <typename Body>
void with_refused(const std::vector<RefusedCall>& calls, Body&& body) {
  constexpr int kFailed = 1, kLeftOut = 77;
  std::cout.flush();
  const int state = state_of_child([&] {
    if (!refuse(calls)) return kLeftOut;
    try {
      body();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    std::cout.flush();
    return testing::Test::HasFailure() ? kFailed : 0;
  });
  if (WIFEXITED(state) && WEXITSTATUS(state) == kLeftOut) GTEST_SKIP() << "the kernel refuses no calls here";
  EXPECT_EQ(state, 0) << "see the expectations of the child process above";
}

}  // namespace effdet::test
