// LSTM against the reference kernel.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, Lstm) {
  for (const int64_t hidden : {1, 7, 16, 17, 65, 130})
    for (const char* direction : {"forward", "reverse", "bidirectional"}) {
      const int64_t directions = direction == std::string_view("bidirectional") ? 2 : 1;
      const int64_t batch = 1 + hidden % 3, steps = 1 + hidden % 5, inputs = hidden % 2 == 0 ? 70 : 3;
      Case c = onnx_case("LSTM", {{"direction", std::string(direction)}, {"hidden_size", hidden}});
      c.terms = 10'000;
      c.add(random_tensor({steps, batch, inputs}, 1));
      c.add(random_weights({directions, 4 * hidden, inputs}, inputs, 2));
      c.add(random_weights({directions, 4 * hidden, hidden}, hidden, 3));
      c.add(hidden == 7 ? Tensor() : random_tensor({directions, 8 * hidden}, 4));
      c.add(Tensor());
      c.add(hidden == 16 ? Tensor() : random_tensor({directions, batch, hidden}, 5));
      c.add(hidden == 17 ? Tensor() : random_tensor({directions, batch, hidden}, 6));
      c.want(3);
      check_float32(c, "cpu:lstm", fmt::format("{} hidden, {}", hidden, direction));
    }
}

TEST(Choice, LongSequencesOfFewValuesAreRefused) {
  const Tensor w(DType::kF32, {1, 4, 1}), r(DType::kF32, {1, 4, 1});
  const Case c = onnx_case("LSTM", {{"hidden_size", int64_t{1}}});
  const std::vector<ValueInfo> inputs{
      {DType::kF32, {1 << 20, 1, 1}}, {DType::kF32, w.shape(), &w}, {DType::kF32, r.shape(), &r}};
  const std::vector<ValueInfo> outputs{{DType::kF32, {1 << 20, 1, 1, 1}}};
  EXPECT_EQ(choose(cpu::device(), {c.node, 13, inputs, outputs}).refusals,
            std::vector<std::string>{"cpu:lstm: sums of mostly zeros"});
}

}  // namespace
}  // namespace effdet::kernels
