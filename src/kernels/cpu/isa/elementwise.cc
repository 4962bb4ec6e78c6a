// Steps of elementwise programs: one operator on runs of values that stay in the first-level cache. Steps are apart, so
// that sums and products round as ONNX's operators do.
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/vec_math.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

/// x tanh(ln(1 + e^x)): with e = e^x, tanh(ln(1 + e)) is e (e + 2) / (e (e + 2) + 2), and from 20 on 1.
EFFDET_INLINE Vec exact_mish(Vec x) {
  const Vec e = vec_exp(vec_min(splat(20.0f), x)), n = e * (e + 2.0f);
  return x * (n / (n + 2.0f));
}

/// y[i] = f(a[i]) for values that have no vectors: functions of the C library.
template <typename F>
EFFDET_INLINE void each(const ElementwiseRun& run, F&& f) {
  for (int i = 0; i < run.count; ++i) run.y[i] = f(run.a.data[run.a.step * i]);
}

template <typename F>
EFFDET_INLINE void unary(const ElementwiseRun& run, F&& f) {
  if (run.a.step == 0) {  // of one value, all
    const Vec y = f(splat(run.a.data[0]));
    return for_vectors(run.count, [&](int64_t i, int lanes) { put(run.y + i, y, lanes); });
  }
  for_vectors(
      run.count, [&](int64_t i, int lanes)
                     __attribute__((always_inline)) { put(run.y + i, f(get(run.a.data + i, lanes)), lanes); });
}

template <typename F>
EFFDET_INLINE void binary(const ElementwiseRun& run, F&& f) {
  const float *a = run.a.data, *b = run.b.data;
  if (run.b.step == 0)
    return unary(
        run, [&, y = splat(*b) ](Vec x) __attribute__((always_inline)) { return f(x, y); });
  if (run.a.step == 0) {
    const Vec x = splat(*a);
    return for_vectors(
        run.count, [&](int64_t i, int lanes)
                       __attribute__((always_inline)) { put(run.y + i, f(x, get(b + i, lanes)), lanes); });
  }
  for_vectors(
      run.count, [&](int64_t i, int lanes) __attribute__((always_inline)) {
        put(run.y + i, f(get(a + i, lanes), get(b + i, lanes)), lanes);
      });
}

}  // namespace

void elementwise(const ElementwiseRun& run) {
  using Op = ops::ElementwiseOp;
  const float p = run.numbers[0], q = run.numbers[1];
  switch (run.op) {
    case Op::kAdd:
      return binary(run, [](Vec a, Vec b) { return a + b; });
    case Op::kSub:
      return binary(run, [](Vec a, Vec b) { return a - b; });
    case Op::kMul:
      return binary(run, [](Vec a, Vec b) { return a * b; });
    case Op::kDiv:
      return binary(run, [](Vec a, Vec b) { return a / b; });
    // NaN on either side gives NaN, and of equal values the first stays.
    case Op::kMin:
      return binary(run, [](Vec a, Vec b) { return (b < a) | (b != b) ? b : a; });
    case Op::kMax:
      return binary(run, [](Vec a, Vec b) { return (a < b) | (b != b) ? b : a; });
    case Op::kPow:
      for (int i = 0; i < run.count; ++i)
        run.y[i] = __builtin_powf(run.a.data[run.a.step * i], run.b.data[run.b.step * i]);
      return;
    case Op::kPRelu:
      return binary(run, [](Vec a, Vec b) { return a < Vec{} ? a * b : a; });
    case Op::kNeg:
      return unary(run, [](Vec a) { return -a; });
    case Op::kAbs:
      return unary(run, [](Vec a) { return vec_abs(a); });
    case Op::kSqrt:
      return unary(run, [](Vec a) { return vec_sqrt(a); });
    case Op::kReciprocal:
      return unary(run, [](Vec a) { return 1.0f / a; });
    case Op::kExp:
      return unary(run, [](Vec a) { return vec_exp(a); });
    case Op::kLog:
      return each(run, [](float a) { return __builtin_logf(a); });
    case Op::kTanh:
      return unary(run, [](Vec a) { return vec_tanh(a); });
    case Op::kErf:
      return unary(run, [](Vec a) { return vec_erf(a); });
    case Op::kSigmoid:
      return unary(run, [](Vec a) { return vec_sigmoid(a); });
    case Op::kSoftplus:
      return each(run,
                  [](float a) { return (a < 0 ? 0.0f : a) + __builtin_log1pf(__builtin_expf(-__builtin_fabsf(a))); });
    case Op::kMish:
      return unary(run, [](Vec a) { return exact_mish(a); });
    case Op::kRelu:
      return unary(run, [](Vec a) { return vec_max(a, Vec{}); });
    case Op::kHardSwish:
      return unary(run, [](Vec a) { return a * vec_min(splat(1.0f), vec_max(a / 6.0f + 0.5f, Vec{})); });
    case Op::kFloor:
      return each(run, [](float a) { return __builtin_floorf(a); });
    case Op::kCeil:
      return each(run, [](float a) { return __builtin_ceilf(a); });
    case Op::kRound:
      return each(run, [](float a) { return __builtin_nearbyintf(a); });
    case Op::kLeakyRelu:
      return unary(run, [p](Vec a) { return a < Vec{} ? a * p : a; });
    case Op::kElu:
      return unary(run, [p](Vec a) { return a < Vec{} ? vec_exp_less_one(a) * p : a; });
    case Op::kHardSigmoid:
      return unary(run, [p, q](Vec a) { return vec_min(splat(1.0f), vec_max(a * p + q, Vec{})); });
    case Op::kClip:
      return unary(run, [p, q](Vec a) { return vec_min(splat(q), vec_max(a, splat(p))); });
  }
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
