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

}  // namespace
}  // namespace effdet::kernels
