// Functions of one number. Values are worked out by hand.
#include <cmath>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, Unary) {
  expect_values({
      {"Sin", {list({0, 1})}, {0, 0.841471f}},
      {"Cos", {list({0, 1})}, {1, 0.540302f}},
      {"Tan", {list({0, 1})}, {0, 1.557408f}},
      {"Asin", {list({0, 1})}, {0, 1.570796f}},
      {"Acos", {list({0, 1})}, {1.570796f, 0}},
      {"Atan", {list({0, 1})}, {0, 0.785398f}},
      {"Sinh", {list({0, 1})}, {0, 1.175201f}},
      {"Cosh", {list({0, 1})}, {1, 1.543081f}},
      {"Asinh", {list({0, 1})}, {0, 0.881374f}},
      {"Acosh", {list({1, 2})}, {0, 1.316958f}},
      {"Atanh", {list({0, 0.5f})}, {0, 0.549306f}},
      {"Round", {list({0.5f, 1.5f, -0.5f, -1.6f})}, {0, 2, 0, -2}},
      {"Sign", {list({-3, 0, 2})}, {-1, 0, 1}},
      {"IsNaN", {list({std::nanf(""), 1})}, {1, 0}},
      {"IsInf", {list({kInf, -kInf, 1})}, {1, 0, 0}, {{"detect_negative", int64_t{0}}}},
      {"BitwiseNot", {ints({0, 5})}, {-1, -6}},
  });
}

}  // namespace
}  // namespace effdet::ops
