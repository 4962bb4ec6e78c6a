// The operators of elementwise programs. Code for single instruction sets includes this too, and nothing that the
// linker could share is in it.
#pragma once

#include <cstdint>

namespace effdet::ops {

/// kElementwiseOperators (elementwise_program.h) says what each is.
enum class ElementwiseOp : int32_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMin,
  kMax,
  kPow,
  kPRelu,
  kNeg,
  kAbs,
  kSqrt,
  kReciprocal,
  kExp,
  kLog,
  kTanh,
  kErf,
  kSigmoid,
  kSoftplus,
  kMish,
  kRelu,
  kHardSwish,
  kFloor,
  kCeil,
  kRound,
  kLeakyRelu,
  kElu,
  kHardSigmoid,
  kClip
};

}  // namespace effdet::ops
