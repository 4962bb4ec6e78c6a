// What the graphs compute, against effdet in float64: testdata/make_builder_golden.py says how the numbers were made.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <sstream>

#include "model/builder.h"
#include "model/random.h"
#include "model/settings.h"
#include "model/tensor_names.h"
#include "ops/op.h"

namespace effdet::model {
namespace {

constexpr uint64_t kSeed = 1;
constexpr int kClasses = 2;

Tensor uniform_tensor(const std::string& name, const Shape& shape, float low, float high) {
  Tensor tensor(DType::kF32, shape);
  RandomStream random(kSeed, name);
  for (float& value : tensor.mutable_data<float>()) value = random.uniform(low, high);
  return tensor;
}

class PatternWeights : public WeightSource {
 public:
  Tensor tensor(const std::string& name, const Shape& shape) override {
    if (shape.size() == 4) {
      const float limit = 2.0f / std::sqrt(static_cast<float>(shape[1] * shape[2] * shape[3]));
      return uniform_tensor(name, shape, -limit, limit);
    }
    const bool is_scale = name.ends_with(".weight") || name.ends_with(".running_var") ||
                          name.ends_with(".edge_weights") || name.ends_with("_w1") || name.ends_with("_w2");
    return is_scale ? uniform_tensor(name, shape, 0.5f, 1.5f) : uniform_tensor(name, shape, -0.25f, 0.25f);
  }
};

struct Expected {
  size_t output;
  double magnitude;
  std::vector<double> values;
};
void PrintTo(const Expected& expected, std::ostream* out) { *out << "output " << expected.output; }

using Case = std::tuple<std::string, int, int>;  // variant, height, width

std::map<Case, std::vector<Expected>> read_golden() {
  std::ifstream file(EFFDET_SOURCE_DIR "/testdata/builder_golden.txt");
  std::map<Case, std::vector<Expected>> golden;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string variant;
    int height, width;
    Expected expected{0, 0, std::vector<double>(8)};
    words >> variant >> height >> width >> expected.output >> expected.magnitude;
    for (double& value : expected.values) words >> value;
    golden[{variant, height, width}].push_back(expected);
  }
  return golden;
}

/// "tf_efficientdet_d0;redundant_bias=False"
ModelConfig config_of_case(const std::string& words, int height, int width) {
  std::istringstream parts(words);
  std::string part;
  std::getline(parts, part, ';');
  ModelConfig config = default_config(*find_variant(part), kClasses);
  while (std::getline(parts, part, ';'))
    apply_setting({part.substr(0, part.find('=')), part.substr(part.find('=') + 1)}, config);
  config.image_height = height;
  config.image_width = width;
  return config;
}

class BuilderGolden : public testing::TestWithParam<std::pair<const Case, std::vector<Expected>>> {};

TEST_P(BuilderGolden, OutputsAreEffdets) {
  const auto& [variant, height, width] = GetParam().first;
  const ModelConfig config = config_of_case(variant, height, width);
  PatternWeights pattern;
  RenamedWeights weights(pattern, config.variant);  // the script knows the checkpoints' names
  const ir::Graph graph = build_graph(config, weights);
  const Tensor image = uniform_tensor("image", {1, 3, height, width}, -2, 2);
  ThreadPool threads(default_thread_count());
  const auto outputs = ops::run_reference(graph, std::span(&image, 1), &threads);
  ASSERT_EQ(outputs.size(), GetParam().second.size());
  for (const Expected& expected : GetParam().second) {
    const auto values = outputs[expected.output].data<float>();
    for (size_t i = 0; i < 8; ++i)
      EXPECT_NEAR(values[i * (values.size() - 1) / 7], expected.values[i], 1e-4 * expected.magnitude)
          << expected.output;
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, BuilderGolden, testing::ValuesIn(read_golden()), [](const auto& info) {
  std::string name = std::get<0>(info.param.first);
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace effdet::model
