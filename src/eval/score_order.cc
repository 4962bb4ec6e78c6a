// Radix sort of scores, eleven bits at a time; digits that all scores share cost nothing.
#include "eval/score_order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <tuple>
#include <utility>

namespace effdet::eval {
namespace {

constexpr unsigned kDigitBits = 11, kNumDigits = 6;
constexpr size_t kDigitValues = 1U << kDigitBits;
/// Below it, counting digits takes longer than comparing.
constexpr size_t kFewScores = 512;

size_t digit_of(uint64_t key, unsigned digit) { return key >> (digit * kDigitBits) & (kDigitValues - 1); }

}  // namespace

uint64_t score_key(double score) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  const auto bits = std::bit_cast<uint64_t>(score + 0.0);  // -0 becomes 0
  return (bits & kSign) != 0 ? bits : ~(bits | kSign);
}

void sort_by_score(std::vector<KeyedPlace>& items, std::vector<KeyedPlace>& scratch) {
  if (items.size() < kFewScores) {
    std::sort(items.begin(), items.end(), [](const KeyedPlace& a, const KeyedPlace& b) {
      return std::tie(a.key, a.place) < std::tie(b.key, b.place);
    });
    return;
  }
  std::array<std::array<size_t, kDigitValues>, kNumDigits> counts{};
  for (const KeyedPlace& item : items)
    for (unsigned digit = 0; digit < kNumDigits; ++digit) ++counts[digit][digit_of(item.key, digit)];
  scratch.resize(items.size());
  for (unsigned digit = 0; digit < kNumDigits; ++digit) {
    auto& begins = counts[digit];
    if (begins[digit_of(items.front().key, digit)] == items.size()) continue;
    size_t begin = 0;
    for (size_t& count : begins) begin += std::exchange(count, begin);
    for (const KeyedPlace& item : items) scratch[begins[digit_of(item.key, digit)]++] = item;
    items.swap(scratch);
  }
}

}  // namespace effdet::eval
