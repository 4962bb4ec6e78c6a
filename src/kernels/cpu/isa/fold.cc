// Sums, maxima and minima over rows and along lines.
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

template <Fold fold>
EFFDET_INLINE Vec folded(Vec result, Vec x) {
  if constexpr (fold == Fold::kSum) return result + x;
  if constexpr (fold == Fold::kSquares) return result + x * x;
  // NaN stays NaN.
  if constexpr (fold == Fold::kMax) return (result < x) | (x != x) ? x : result;
  return (x < result) | (x != x) ? x : result;
}

template <Fold fold>
EFFDET_INLINE float start() {
  return fold == Fold::kMax ? -__builtin_inff() : fold == Fold::kMin ? __builtin_inff() : 0.0f;
}

/// How results of a fold are folded: squares are squared already.
template <Fold fold>
constexpr Fold kSumsOf = fold == Fold::kSquares ? Fold::kSum : fold;

// Results side by side: operations need not wait for each other, and long sums round less.
constexpr int kSumsBeside = 4;

template <Fold fold>
EFFDET_INLINE Vec joined(const Vec (&sums)[kSumsBeside]) {
  return folded<kSumsOf<fold>>(folded<kSumsOf<fold>>(sums[0], sums[1]), folded<kSumsOf<fold>>(sums[2], sums[3]));
}

/// The lanes of a vector, in a fixed order.
template <Fold fold>
EFFDET_INLINE float across(Vec v) {
  float result = v[0];
  for (int i = 1; i < kLanes; ++i) result = folded<kSumsOf<fold>>(splat(result), splat(v[i]))[0];
  return result;
}

/// Calls f with the fold as a constant.
template <typename F>
EFFDET_INLINE auto with_fold(Fold fold, F&& f) {
  switch (fold) {
    case Fold::kSum:
      return f(Number<static_cast<int>(Fold::kSum)>{});
    case Fold::kSquares:
      return f(Number<static_cast<int>(Fold::kSquares)>{});
    case Fold::kMax:
      return f(Number<static_cast<int>(Fold::kMax)>{});
    case Fold::kMin:
      break;
  }
  return f(Number<static_cast<int>(Fold::kMin)>{});
}

}  // namespace

template <typename T>
void fold_rows(const T* x, int64_t rows, ptrdiff_t stride, int64_t columns, float* result, Fold fold) {
  with_fold(fold, [&](auto constant) {
    constexpr Fold kFold = static_cast<Fold>(decltype(constant)::value);
    for_vectors(
        columns, [&](int64_t c, int lanes) __attribute__((always_inline)) {
          Vec sums[kSumsBeside];
          for (Vec& sum : sums) sum = splat(start<kFold>());
          int64_t row = 0;
          for (; row + kSumsBeside <= rows; row += kSumsBeside)
            for (int k = 0; k < kSumsBeside; ++k)
              sums[k] = folded<kFold>(sums[k], get(x + (row + k) * stride + c, lanes));
          for (; row < rows; ++row) sums[0] = folded<kFold>(sums[0], get(x + row * stride + c, lanes));
          put(result + c, folded<kSumsOf<kFold>>(get(result + c, lanes), joined<kFold>(sums)), lanes);
        });
  });
}

float fold_line(const float* x, int64_t count, Fold fold) {
  return with_fold(fold, [&](auto constant) {
    constexpr Fold kFold = static_cast<Fold>(decltype(constant)::value);
    Vec sums[kSumsBeside];
    for (Vec& sum : sums) sum = splat(start<kFold>());
    int64_t i = 0;
    for (; i + kSumsBeside * kLanes <= count; i += kSumsBeside * kLanes)
      for (int k = 0; k < kSumsBeside; ++k) sums[k] = folded<kFold>(sums[k], load(x + i + k * kLanes));
    for (; i + kLanes <= count; i += kLanes) sums[0] = folded<kFold>(sums[0], load(x + i));
    float result = across<kFold>(joined<kFold>(sums));
    for (; i < count; ++i) result = folded<kFold>(splat(result), splat(x[i]))[0];
    return result;
  });
}

#if EFFDET_OWN_FLOAT_MAPS
template void fold_rows(const float*, int64_t, ptrdiff_t, int64_t, float*, Fold);
#endif
template void fold_rows(const Bf16*, int64_t, ptrdiff_t, int64_t, float*, Fold);

}  // namespace effdet::kernels::cpu::EFFDET_ISA
