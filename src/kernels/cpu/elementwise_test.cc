// Elementwise programs against the reference kernel.
#include <limits>

#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

/// A program on inputs of the given shapes.
Case program(const std::string& text, const std::vector<Shape>& shapes) {
  Case c("Elementwise", {{"program", text}});
  for (size_t i = 0; i < shapes.size(); ++i) c.add(random_tensor(shapes[i], static_cast<uint32_t>(i + 1)));
  return c;
}

/// A program of one step, with its operands from the inputs, or numbers where the step wants these.
std::string one_step(const ops::ElementwiseOperator& op, bool second_is_number) {
  std::string text(op.name);
  for (size_t i = 0; i < op.operands; ++i)
    text += op.takes_number(i) || (i > 0 && second_is_number) ? fmt::format(" {}", 0.25f + static_cast<float>(i))
                                                              : fmt::format(" x{}", i);
  return text;
}

TEST_P(Kernels, ElementwiseOperators) {
  for (const ops::ElementwiseOperator& op : ops::kElementwiseOperators)
    for (const bool second_is_number : {false, true}) {
      const bool binary = op.operands > 1 && !op.takes_number(1) && !second_is_number;
      if (second_is_number && (op.operands < 2 || op.takes_number(1))) continue;
      const std::string text = one_step(op, second_is_number);
      for (const int64_t count : {1, 7, 17, 65, 600}) {
        Case c("Elementwise", {{"program", text}});
        const bool is_root = op.name == "sqrt" || op.name == "log" || op.name == "pow";
        Tensor x(DType::kF32, {count});
        float value = is_root ? 0 : -40.01f;  // far into both tails
        for (float& element : x.mutable_data<float>()) element = value += 80.0f / static_cast<float>(count + 1);
        c.add(x);
        if (binary) c.add(random_tensor({count}, 2));
        check_float32(c, "cpu:elementwise", fmt::format("{} of {}", text, count));
      }
    }
}

TEST_P(Kernels, ElementwiseFunctionsAreExactAroundZero) {
  for (const char* name : {"tanh", "erf", "exp", "sigmoid", "elu"}) {
    Case c("Elementwise", {{"program", fmt::format("{} x0{}", name, std::string(name) == "elu" ? " 1" : "")}});
    Tensor x(DType::kF32, {2001});
    for (size_t i = 0; i < 2001; ++i) x.mutable_data<float>()[i] = 2e-3f * (static_cast<float>(i) - 1000);
    c.add(x);
    const Tensor want = run(c, true, 1)[0], got = run(c, false, 1)[0];
    for (size_t i = 0; i < 2001; ++i) {  // each to its own digits
      const double w = want.data<float>()[i], g = got.data<float>()[i];
      EXPECT_NEAR(g, w, 6e-7 * std::abs(w)) << name << " of " << x.data<float>()[i];
    }
  }
}

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();

/// [n, 1] as [n, n].
Tensor expanded_rows(const Tensor& column) {
  Tensor result(DType::kF32, {column.dim(0), column.dim(0)});
  for (int64_t i = 0; i < result.numel(); ++i)
    result.mutable_data<float>()[static_cast<size_t>(i)] = column.data<float>()[static_cast<size_t>(i / column.dim(0))];
  return result;
}

/// Where the reference has NaN or an infinity, and nowhere else, the kernel has the same.
void expect_same_specials(const Case& c, const std::string& what) {
  SCOPED_TRACE(what);
  const Tensor want = run(c, true, 1)[0], got = run(c, false, 1)[0];
  for (size_t i = 0; i < static_cast<size_t>(want.numel()); ++i) {
    const float w = want.data<float>()[i], g = got.data<float>()[i];
    EXPECT_EQ(std::isnan(g), std::isnan(w)) << "value " << i << " is " << g << ", not " << w;
    EXPECT_TRUE((!std::isinf(w) && !std::isinf(g)) || g == w) << "value " << i << " is " << g << ", not " << w;
  }
}

TEST_P(Kernels, ElementwiseSpecialValues) {
  const std::vector<float> values{kNaN,  kInfinity, -kInfinity, 0.0f, -0.0f, 1e-40f, -1e-40f,
                                  3e38f, -3e38f,    1,          -1,   88.8f, -104};
  const auto count = static_cast<int64_t>(values.size());
  for (const ops::ElementwiseOperator& op : ops::kElementwiseOperators) {
    Case c("Elementwise", {{"program", one_step(op, false)}});
    c.add(Tensor::from<float>({count, 1}, values));
    if (op.operands > 1 && !op.takes_number(1)) {  // each with each
      c.inputs[0] = expanded_rows(c.inputs[0]);
      c.add(Tensor::from<float>({1, count}, values));
    }
    expect_same_specials(c, std::string(op.name));
  }
}

TEST_P(Kernels, ElementwiseBroadcasts) {
  const std::string text = "mul x0 x1; add t0 x2; tanh t1";
  for (const Row& row : channel_rows()) {
    if (row.out != row.channels && row.out != 16) continue;
    const int64_t n = row.batch, h = row.height, w = row.width, c = row.channels;
    const Shape full{n, h, w, c};
    const Shape others[] = {full, {c}, {1}, {}, {n, 1, 1, c}, {h, w, 1}, {1, h, 1, c}, {n, h, w, 1}, {w, c}};
    for (const Shape& second : others)
      check_float32(program(text, {full, second, others[row.flags % std::size(others)]}), "cpu:elementwise",
                    fmt::format("{}, by {}", row.text(), shape_text(second)));
    // Neither side has the output's shape.
    check_float32(program("sub x0 x1", {{n, h, 1, c}, {1, w, 1}}), "cpu:elementwise", row.text());
    // Lines longer than a block.
    check_float32(program(text, {{2, 3, 700}, {3, 1}, {700}}), "cpu:elementwise", "long lines");
  }
}

TEST_P(Kernels, ElementwiseOnBfloat16) {
  for (const int64_t channels : kChannels)
    for (const bool narrow_result : {false, true}) {
      const Shape map{2, 3, 5, channels};
      Case c = program("mul x0 x1; add t0 x2; max t1 x0", {map, {2, 1, 1, channels}, map});
      c.inputs[0] = c.inputs[0].to(DType::kBF16);
      c.inputs[2] = c.inputs[2].to(DType::kBF16);
      c.set("output_type", std::string(narrow_result ? "bfloat16" : "float32"));
      const Tensor want = run(c, true, 1)[0], got = run(c, false, 2, "cpu:elementwise")[0];
      EXPECT_TRUE(std::ranges::equal(got.bytes(), want.bytes())) << channels;  // each step rounds as ONNX's operator
    }
}

TEST_P(Kernels, ElementwiseProgramsUseTheirRegistersAgain) {
  // Every result is read by steps much later, so that none is free.
  std::string text = "add x0 1";
  for (int i = 1; i < 20; ++i) text += fmt::format("; mul t{} 1.01", i - 1);
  for (int i = 0; i < 19; ++i) text += fmt::format("; add t{} t{}", i, 19 + i);
  check_float32(program(text, {{3, 200}}), "cpu:elementwise", text);
}

}  // namespace
}  // namespace effdet::kernels
