// The largest values against a complete sort, with equal values and NaN.
#include "eval/top_k.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "eval/test_support.h"

namespace effdet::eval {
namespace {

/// The straightforward way: sort everything.
std::vector<Candidate> sorted_top(std::vector<Candidate> all, size_t k) {
  std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.index < b.index);
  });
  all.resize(std::min(k, all.size()));
  return all;
}

void expect_equal(const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].logit, b[i].logit);
    EXPECT_EQ(a[i].index, b[i].index);
  }
}

TEST(TopK, EqualsSorting) {
  for (size_t k : {0U, 1U, 7U, 500U, 20000U}) {
    TopK top(k);
    std::vector<Candidate> all;
    for (uint64_t plane = 0; plane < 9; ++plane) {
      auto values = noise(static_cast<uint32_t>(plane), 1003);
      for (auto& value : values) value = static_cast<float>(static_cast<int>(value * 300));  // many ties
      for (size_t i = 0; i < values.size(); ++i) all.push_back({values[i], plane + 9 * i});
      top.offer(values, plane, 9);
    }
    expect_equal(top.take(), sorted_top(all, k));
  }
}

TEST(TopK, EqualValuesAreTakenInOrderOfIndex) {
  TopK top(10);
  const std::vector<float> values(5000, 1.5f);
  top.offer(values, 1, 2);
  top.offer(values, 0, 2);
  const auto result = top.take();
  ASSERT_EQ(result.size(), 10U);
  for (size_t i = 0; i < result.size(); ++i) EXPECT_EQ(result[i].index, i);
}

TEST(TopK, NanAndMinusInfinityAreNeverTaken) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> values(400, std::numeric_limits<float>::quiet_NaN());
  values[3] = -kInfinity;
  values[200] = kInfinity;
  values[399] = -5;
  TopK top(100);
  top.offer(values, 0, 1);
  expect_equal(top.take(), {{kInfinity, 200}, {-5, 399}});
}

}  // namespace
}  // namespace effdet::eval
