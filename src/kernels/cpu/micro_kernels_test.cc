// Choosing an instruction set.
#include <cstdlib>

#include "kernels/cpu/micro_kernels.h"
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST(Isa, UnknownNameIsAUsageError) {
  ::setenv("EFFDET_ISA", "mmx", 1);
  EXPECT_THROW(cpu::micro_kernels(), Error);
  ::unsetenv("EFFDET_ISA");
}

/// Half the rate of floats is what their vectors multiply bfloat16 at.
TEST(Isa, IntelWidensBfloat16WithoutAmx) {
  const bool multiplies_slowly = __builtin_cpu_is("intel") && __builtin_cpu_supports("avx512fp16");
  if (!multiplies_slowly || cpu::micro_kernels_for("avx512_wide") == nullptr) GTEST_SKIP() << "another processor";
  const char* best = cpu::micro_kernels_for("amx_bf16") != nullptr ? "amx_bf16" : "avx512_wide";
  EXPECT_STREQ(cpu::micro_kernels().name, best);
}

}  // namespace
}  // namespace effdet::kernels
