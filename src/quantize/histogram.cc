// Counts values, and finds ranges from prefix sums over the bins.
#include "quantize/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace effdet::quantize {
namespace {

constexpr auto kHalf = static_cast<int64_t>(Histogram::kBins / 2);
constexpr int kHalfBits = 12;
static_assert(kHalf == int64_t{1} << kHalfBits);

/// The narrowest bins: 1 / 2^-126 is still a number.
constexpr int kSmallestExponent = -126;

/// The exponent of the width of the narrowest bins whose interval holds that magnitude.
int exponent_for(float magnitude) {
  if (magnitude == 0) return kSmallestExponent;
  return std::max(std::ilogb(magnitude) + 1 - kHalfBits, kSmallestExponent);
}

/// Steps between the smallest and largest part of a range that least_squares() tries at each end.
constexpr int kSteps = 80;
constexpr double kSmallestPart = 0.2;

/// Sums over the bins before each: of counts, of values, and of their squares.
struct Moments {
  std::vector<double> count, sum, square;

  /// Of the values of bins first to last - 1: the sum of their squared distances to a point.
  double distance(size_t first, size_t last, double point) const {
    const double n = count[last] - count[first], s = sum[last] - sum[first], q = square[last] - square[first];
    return std::max(0.0, q - 2 * point * s + point * point * n);
  }
};

}  // namespace

Histogram::Histogram() : counts_(kBins), exponent_(kSmallestExponent) {}

double Histogram::center(size_t bin) const {
  return std::ldexp(static_cast<double>(static_cast<int64_t>(bin) - kHalf) + 0.5, exponent_);
}

void Histogram::widen(int exponent) {
  const int shift = std::min(exponent - exponent_, 62);
  if (shift <= 0) return;
  std::vector<uint64_t> wide(kBins);
  for (int64_t i = 0; i < 2 * kHalf; ++i)
    if (const uint64_t count = counts_[static_cast<size_t>(i)]; count > 0)
      wide[static_cast<size_t>(((i - kHalf) >> shift) + kHalf)] += count;
  counts_ = std::move(wide);
  exponent_ = exponent;
}

bool Histogram::add(std::span<const float> values) {
  float low = 0, high = 0, zero = 0;
  for (const float value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
    zero += value * 0.0f;  // NaN for what is not finite
  }
  if (zero != 0 || std::isnan(zero)) return false;
  range_ = {std::min(range_.low, low), std::max(range_.high, high)};
  widen(exponent_for(std::max(-low, high)));
  const float per_bin = std::ldexp(1.0f, -exponent_);
  for (const float value : values)
    ++counts_[static_cast<size_t>(static_cast<int64_t>(std::floor(value * per_bin)) + kHalf)];
  return true;
}

void Histogram::merge(const Histogram& other) {
  range_ = {std::min(range_.low, other.range_.low), std::max(range_.high, other.range_.high)};
  if (other.exponent_ > exponent_) {
    widen(other.exponent_);
    for (size_t i = 0; i < kBins; ++i) counts_[i] += other.counts_[i];
    return;
  }
  Histogram wide = other;
  wide.widen(exponent_);
  for (size_t i = 0; i < kBins; ++i) counts_[i] += wide.counts_[i];
}

uint64_t Histogram::count() const {
  uint64_t sum = 0;
  for (const uint64_t count : counts_) sum += count;
  return sum;
}

Range Histogram::percentile(double percentile) const {
  const double beyond = static_cast<double>(count()) * (100 - percentile) / 100;
  Range range = range_;
  double below = 0;
  for (size_t i = 0; i < kBins; ++i) {
    if ((below += static_cast<double>(counts_[i])) <= beyond) continue;
    range.low = std::min(0.0f, std::max(range_.low, static_cast<float>(center(i))));
    break;
  }
  double above = 0;
  for (size_t i = kBins; i-- > 0;) {
    if ((above += static_cast<double>(counts_[i])) <= beyond) continue;
    range.high = std::max(0.0f, std::min(range_.high, static_cast<float>(center(i))));
    break;
  }
  return range;
}

Range Histogram::least_squares() const {
  Moments moments{std::vector<double>(kBins + 1), std::vector<double>(kBins + 1), std::vector<double>(kBins + 1)};
  for (size_t i = 0; i < kBins; ++i) {
    const auto n = static_cast<double>(counts_[i]);
    moments.count[i + 1] = moments.count[i] + n;
    moments.sum[i + 1] = moments.sum[i] + n * center(i);
    moments.square[i + 1] = moments.square[i] + n * center(i) * center(i);
  }
  const auto bin_of = [&](double value) {
    return static_cast<size_t>(std::clamp<double>(std::floor(std::ldexp(value, -exponent_)) + kHalf, 0, kBins));
  };
  const auto error = [&](double low, double high) {
    const size_t first = bin_of(low), last = std::max(first, bin_of(high));
    const double step = (high - low) / 255;
    return moments.distance(0, first, low) + (moments.count[last] - moments.count[first]) * step * step / 12 +
           moments.distance(last, kBins, high);
  };
  Range best = range_;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= (range_.low < 0 ? kSteps : 0); ++i)
    for (int j = 0; j <= (range_.high > 0 ? kSteps : 0); ++j) {
      const double low = range_.low * (1 - (1 - kSmallestPart) * i / kSteps);
      const double high = range_.high * (1 - (1 - kSmallestPart) * j / kSteps);
      const double found = error(low, high);
      if (found >= least) continue;
      least = found;
      best = {static_cast<float>(low), static_cast<float>(high)};
    }
  return best;
}

}  // namespace effdet::quantize
