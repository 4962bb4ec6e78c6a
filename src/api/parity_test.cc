// Raw outputs of checkpoints that init_checkpoint writes, against what PyTorch gives for them in float64
// (testdata/make_parity_golden.py): export, simplification, compilation and inference in one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "effdet/effdet.h"
#include "support/test_folder.h"

namespace effdet {
namespace {

namespace fs = std::filesystem;

struct Golden {
  size_t number;
  double largest, pytorch_error;
  std::vector<double> samples;
};

struct Case {
  std::string model;
  uint64_t seed = 0;
  int height = 0, width = 0;
  std::vector<Golden> outputs;
};

/// How GoogleTest shows a parameter.
void PrintTo(const Case& c, std::ostream* out) { *out << c.model << " " << c.height << "x" << c.width; }

std::vector<Case> read_cases() {
  std::ifstream file(fs::path(EFFDET_SOURCE_DIR) / "testdata/parity/outputs.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Case c;
    Golden golden{};
    words >> c.model >> c.seed >> c.height >> c.width >> golden.number >> golden.largest >> golden.pytorch_error;
    for (double sample; words >> sample;) golden.samples.push_back(sample);
    if (cases.empty() || cases.back().model != c.model) cases.push_back(c);
    cases.back().outputs.push_back(golden);
  }
  return cases;
}

/// The same noise as the script's.
std::vector<float> input_tensor(int height, int width) {
  std::vector<float> values(static_cast<size_t>(3 * height * width));
  uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  return values;
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

class Parity : public testing::TestWithParam<Case> {};

TEST_P(Parity, RawOutputsAreThoseOfPyTorch) {
  const Case& c = GetParam();
  const test::TestFolder folder("parity");
  const fs::path checkpoint = folder / (c.model + ".pth");
  init_checkpoint({.model = c.model}, c.seed, checkpoint);
  const CompiledModel model = CompiledModel::open(checkpoint, {.model = c.model, .height = c.height, .width = c.width});
  const auto outputs = run(model, input_tensor(c.height, c.width));
  ASSERT_EQ(outputs.size(), c.outputs.size());
  for (const Golden& golden : c.outputs) {
    const std::vector<float>& output = outputs[golden.number];
    const double limit = std::max(1e-4, 2 * golden.pytorch_error);
    for (size_t i = 0; i < golden.samples.size(); ++i) {
      const size_t place = (output.size() - 1) * i / (golden.samples.size() - 1);
      EXPECT_NEAR(output[place], golden.samples[i], limit * golden.largest)
          << "output " << golden.number << ", sample " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Parity, testing::ValuesIn(read_cases()),
                         [](const auto& info) { return info.param.model; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Parity);

TEST(ParityData, IsThere) { EXPECT_GE(read_cases().size(), 7u); }

}  // namespace
}  // namespace effdet
