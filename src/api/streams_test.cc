// Several streams give what one gives.
#include "effdet/streams.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "effdet/checkpoint.h"
#include "effdet/error.h"

namespace effdet {
namespace {

const CompiledModel& small_model() {
  static const CompiledModel model = CompiledModel::open(EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth",
                                                         {.model = "tf_efficientdet_d0", .height = 128, .width = 128});
  return model;
}

using Outputs = std::vector<std::vector<std::byte>>;

/// One inference on input number `item`.
Outputs infer(Runner& runner, size_t item) {
  std::vector<float> input = made_up_input(runner.input_bytes()[0] / sizeof(float));
  std::ranges::rotate(input, input.begin() + static_cast<ptrdiff_t>(100 * item));
  Outputs outputs;
  for (const size_t bytes : runner.output_bytes()) outputs.emplace_back(bytes);
  std::vector<std::span<std::byte>> targets(outputs.begin(), outputs.end());
  const auto source = std::as_bytes(std::span(input));
  runner.run({&source, 1}, targets);
  return outputs;
}

TEST(Streams, InputOfEveryTypeIsMadeUp) {
  const auto made_up = [](const char* dtype) { return made_up_input(TensorInfo{"x", dtype, {10, 100}}); };
  const std::vector<float> floats = made_up_input(1000);
  EXPECT_TRUE(std::ranges::equal(made_up("float32"), std::as_bytes(std::span(floats))));
  for (const char* dtype : {"float16", "bfloat16"}) EXPECT_EQ(made_up(dtype).size(), 2000u) << dtype;
  EXPECT_EQ(made_up("float64").size(), 8000u);
  const auto distinct = [](std::vector<std::byte> bytes) {
    std::ranges::sort(bytes);
    return std::ranges::unique(bytes).begin() - bytes.begin();
  };
  EXPECT_GT(distinct(made_up("uint8")), 200);
  EXPECT_EQ(distinct(made_up("bool")), 2);
  for (const char* dtype : {"int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"})
    EXPECT_EQ(distinct(made_up(dtype)), 1) << dtype;
  EXPECT_THROW(made_up("string"), Error);
}

TEST(Streams, GiveTheBitsOfOneRunner) {
  constexpr size_t kItems = 9;
  std::vector<Outputs> expected;
  Runner alone(small_model(), 1);
  for (size_t item = 0; item < kItems; ++item) expected.push_back(infer(alone, item));
  EXPECT_NE(expected[0], expected[1]);
  for (const StreamLayout layout : {StreamLayout{1, 2}, StreamLayout{2, 1}, StreamLayout{3, 2}}) {
    Streams streams(small_model(), layout);
    EXPECT_EQ(streams.runner(layout.streams - 1).threads(), layout.threads);
    std::vector<Outputs> got(kItems);
    streams.for_each(kItems, [&](size_t item, int stream) { got[item] = infer(streams.runner(stream), item); });
    for (size_t item = 0; item < kItems; ++item)
      EXPECT_TRUE(got[item] == expected[item]) << "item " << item << " of " << layout.streams << " streams";
  }
}

TEST(Streams, LayoutsAreTriedAndTheFastestIsFirst) {
  const auto trials = try_stream_layouts(small_model(), 4, 0.1);
  ASSERT_EQ(trials.size(), 3u);
  std::vector<int> streams;
  for (const StreamTrial& trial : trials) {
    EXPECT_EQ(trial.layout.streams * trial.layout.threads, 4);
    EXPECT_GT(trial.milliseconds, 0);
    EXPECT_LE(trial.images_per_second, trials[0].images_per_second);
    streams.push_back(trial.layout.streams);
  }
  std::ranges::sort(streams);
  EXPECT_EQ(streams, (std::vector<int>{1, 2, 4}));
}

TEST(Streams, NeedOneAtLeast) { EXPECT_THROW(Streams(small_model(), {0, 1}), Error); }

}  // namespace
}  // namespace effdet
