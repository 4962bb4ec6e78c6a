// Raw outputs of checkpoints that init_checkpoint writes, against what PyTorch gives for them in float64
// (testdata/make_parity_golden.py): export, simplification, compilation and inference in one.
#include <gtest/gtest.h>

#include <filesystem>

#include "effdet/effdet.h"
#include "support/parity_golden.h"
#include "support/test_folder.h"

namespace effdet {
namespace {

namespace fs = std::filesystem;

using test::GoldenModel;

std::vector<GoldenModel> models() {
  return test::read_golden(fs::path(EFFDET_SOURCE_DIR) / "testdata/parity/outputs.txt");
}

std::vector<std::vector<float>> run(const CompiledModel& model, const std::vector<float>& input) {
  Runner runner(model, 2);
  std::vector<std::vector<float>> outputs;
  std::vector<std::span<std::byte>> targets;
  for (size_t bytes : runner.output_bytes()) outputs.emplace_back(bytes / sizeof(float));
  for (auto& output : outputs) targets.push_back(std::as_writable_bytes(std::span(output)));
  const std::span<const std::byte> sources[] = {std::as_bytes(std::span(input))};
  runner.run(sources, targets);
  return outputs;
}

class Parity : public testing::TestWithParam<GoldenModel> {};

TEST_P(Parity, RawOutputsAreThoseOfPyTorch) {
  const GoldenModel& c = GetParam();
  const test::TestFolder folder("parity");
  const fs::path checkpoint = folder / (c.model + ".pth");
  init_checkpoint({.model = c.model}, c.seed, checkpoint);
  const CompiledModel model = CompiledModel::open(checkpoint, {.model = c.model, .height = c.height, .width = c.width});
  const auto outputs = run(model, test::golden_input(c.height, c.width));
  ASSERT_EQ(outputs.size(), c.outputs.size());
  for (const test::GoldenOutput& golden : c.outputs)
    EXPECT_LE(test::worst_share(golden, outputs[golden.number]), test::float32_limit(golden))
        << "output " << golden.number;
}

INSTANTIATE_TEST_SUITE_P(Models, Parity, testing::ValuesIn(models()),
                         [](const auto& info) { return info.param.model; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Parity);

TEST(ParityData, IsThere) { EXPECT_GE(models().size(), 7u); }

}  // namespace
}  // namespace effdet
