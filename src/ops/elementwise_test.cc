// Arithmetic and logic element by element, with broadcasting. Values are worked out by hand.
#include <limits>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, Binary) {
  const Tensor bytes = Tensor::from<uint8_t>({2}, std::vector<uint8_t>{1, 255}), amount = bytes;
  expect_values({
      {"Mod", {ints({-5, 5, -6}), ints({3, -3, 3})}, {1, -1, 0}},
      {"Mod", {list({-5, 5}), list({3, -3})}, {-2, 2}, {{"fmod", int64_t{1}}}},
      {"BitwiseAnd", {ints({6, -1}), ints({3, 8})}, {2, 8}},
      {"BitwiseOr", {ints({6, 0}), ints({3, 8})}, {7, 8}},
      {"BitwiseXor", {ints({6, 1}), ints({3, 1})}, {5, 0}},
      {"BitShift", {bytes, amount}, {2, 0}, {{"direction", std::string("LEFT")}}},
      {"BitShift", {bytes, amount}, {0, 0}, {{"direction", std::string("RIGHT")}}},
      {"Xor", {bools({0, 1, 1}), bools({1, 1, 0})}, {1, 0, 1}},
      {"CastLike", {list({1.7f}), ints({0})}, {1}},
  });
}

TEST(Operators, ShiftsOfSignedNumbers) {
  const auto numbers = [](std::vector<int8_t> values) {
    return Tensor::from<int8_t>({static_cast<int64_t>(values.size())}, values);
  };
  const std::map<std::string, ir::Attribute> left{{"direction", std::string("LEFT")}},
      right{{"direction", std::string("RIGHT")}};
  const Tensor x = numbers({-8, 100, -1, 5, -5, 1}), by = numbers({1, 1, 9, -1, -1, 7});
  expect_values({{"BitShift", {x, by}, {-4, 50, -1, 0, -1, 0}, right, 28},
                 {"BitShift", {x, by}, {-16, -56, 0, 0, 0, -128}, left, 28}});
  EXPECT_THROW(run_node("BitShift", {x, by}, right, 22), Error);
}

TEST(Operators, HalvesAreRoundedOnce) {
  const Tensor half = Tensor::from<float>({2}, std::vector<float>{1, 2048}).to(DType::kF16);
  const Tensor sum = run_node("Add", {half, half}, {}, 18)[0];
  EXPECT_EQ(sum.dtype(), DType::kF16);
  EXPECT_EQ(values(sum.to(DType::kF32)), (std::vector<float>{2, 4096}));
  const Tensor mean = run_node("ReduceMean", {half.to(DType::kBF16)}, {}, 18)[0];
  EXPECT_EQ(mean.dtype(), DType::kBF16);
}

TEST(Elementwise, Broadcasts) {
  const Tensor a = counting({2, 3}), row = floats({3}, {10, 20, 30}), column = floats({2, 1}, {100, 200});
  EXPECT_EQ(values(run_node("Add", {a, row})[0]), (Floats{10, 21, 32, 13, 24, 35}));
  EXPECT_EQ(values(run_node("Sum", {a, row, column})[0]), (Floats{110, 121, 132, 213, 224, 235}));
  EXPECT_EQ(values(run_node("Sub", {row, column})[0]), (Floats{-90, -80, -70, -190, -180, -170}));
  EXPECT_EQ(run_node("Mul", {floats({}, {2}), a})[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(values<bool>(run_node("Less", {a, floats({}, {2})})[0]),
            (std::vector<bool>{true, true, false, false, false, false}));
}

TEST(Elementwise, IntegersWrapAndZeroDivisorsAreErrors) {
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(values<int64_t>(run_node("Sub", {ints({kLowest}), ints({1})})[0])[0], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(values<int64_t>(run_node("Div", {ints({kLowest}), ints({-1})})[0])[0], kLowest);
  EXPECT_EQ(values<int64_t>(run_node("Abs", {ints({kLowest})})[0])[0], kLowest);
  EXPECT_THROW(run_node("Div", {ints({1}), ints({0})}), Error);
}

TEST(Elementwise, NarrowIntegersWrapInTheirOwnType) {
  const auto bytes = [](std::vector<int64_t> values) { return ints(std::move(values)).to(DType::kI8); };
  EXPECT_EQ(values<int8_t>(run_node("Add", {bytes({100, -100}), bytes({100})})[0]), (std::vector<int8_t>{-56, 0}));
  EXPECT_EQ(values<int8_t>(run_node("Div", {bytes({-128}), bytes({-1})})[0])[0], -128);
  EXPECT_EQ(values<int8_t>(run_node("Max", {bytes({-3, 5}), bytes({2}), bytes({4})}, {}, 12)[0]),
            (std::vector<int8_t>{4, 5}));
  EXPECT_EQ(values<uint8_t>(run_node("Sub", {ints({1}).to(DType::kU8), ints({2}).to(DType::kU8)})[0])[0], 255);
  EXPECT_EQ(values<bool>(run_node("Less", {bytes({-1}), bytes({0})})[0])[0], true);
}

TEST(Elementwise, BoolsCompareButDoNotAdd) {
  const Tensor bools = ints({0, 1}).to(DType::kBool);
  EXPECT_EQ(values<bool>(run_node("And", {bools, bools})[0]), (std::vector<bool>{false, true}));
  EXPECT_EQ(values<bool>(run_node("Equal", {bools, ints({0}).to(DType::kBool)})[0]), (std::vector<bool>{true, false}));
  for (const char* op : {"Add", "Sum", "Neg", "ReduceSum"}) {
    std::vector<Tensor> inputs(op == std::string("Add") ? 2 : 1, bools);
    EXPECT_THROW(run_node(op, inputs), Error) << op;
  }
}

TEST(Where, MovesElementsOfAnyType) {
  const Tensor choose = ints({1, 0}).to(DType::kBool), x = floats({2}, {1, 2}), y = floats({1}, {-1});
  EXPECT_EQ(values(run_node("Where", {choose, x, y})[0]), (Floats{1, -1}));
  const Tensor halves = run_node("Where", {choose, x.to(DType::kF16), y.to(DType::kF16)})[0];
  EXPECT_EQ(values(halves.to(DType::kF32)), (Floats{1, -1}));
}

}  // namespace
}  // namespace effdet::ops
