// TopK and other choices of values by what they are. Values are worked out by hand.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, Selection) {
  const Tensor x = floats({2, 3}, {3, 1, 2, 0, 5, 5});
  expect_values({
      {"TopK", {x, ints({2})}, {3, 2, 5, 5}},
      {"TopK", {x, ints({1})}, {1, 0}, {{"largest", int64_t{0}}}},
      {"NonZero", {x}, {0, 0, 0, 1, 1, 0, 1, 2, 1, 2}},
      {"Compress", {x, bools({0, 1})}, {0, 5, 5}, {{"axis", int64_t{0}}}},
      {"Compress", {x, bools({1, 0, 1})}, {3, 2}},
      {"Unique", {list({2, 1, 2})}, {1, 2}},
      {"Unique", {list({2, 1, 2})}, {2, 1}, {{"sorted", int64_t{0}}}},
      {"OneHot", {ints({1, -1}), ints({3}), list({0, 9})}, {0, 9, 0, 0, 0, 9}},
  });
  const auto top = run_node("TopK", {x, ints({2})}, {}, 18, 2);
  EXPECT_EQ(values<int64_t>(top[1]), (List{0, 2, 1, 2}));
  const auto unique = run_node("Unique", {list({2, 1, 2})}, {}, 18, 4);
  EXPECT_EQ(values<int64_t>(unique[1]), (List{1, 0}));
  EXPECT_EQ(values<int64_t>(unique[2]), (List{1, 0, 1}));
  EXPECT_EQ(values<int64_t>(unique[3]), (List{1, 2}));
}

/// Many values, few of them different, against a stable sort; NaN is the largest.
TEST(Operators, TopKOfMany) {
  constexpr int64_t kCount = 1000;
  std::vector<float> content;
  for (int64_t i = 0; i < kCount; ++i) content.push_back(static_cast<float>(i * 7919 % 37));
  content[100] = content[900] = std::numeric_limits<float>::quiet_NaN();
  const auto larger = [](float a, float b) { return a > b || (std::isnan(a) && !std::isnan(b)); };
  for (const int64_t largest : {0, 1}) {
    List order(kCount);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int64_t i, int64_t j) {
      const float a = content[static_cast<size_t>(i)], b = content[static_cast<size_t>(j)];
      return largest != 0 ? larger(a, b) : larger(b, a);
    });
    for (const int64_t k : {1, 2, 37, 400, 1000}) {
      const List want(order.begin(), order.begin() + k);
      const auto top = run_node("TopK", {list(content), ints({k})}, {{"largest", largest}}, 18, 2);
      EXPECT_EQ(values<int64_t>(top[1]), want) << "k " << k << ", largest " << largest;
    }
  }
}

}  // namespace
}  // namespace effdet::ops
