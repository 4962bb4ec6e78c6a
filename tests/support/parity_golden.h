// Golden samples of raw outputs (testdata/make_parity_golden.py), and the input that they are for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace effdet::test {

struct GoldenOutput {
  size_t number;
  double largest, pytorch_error;
  std::vector<double> samples;
};

/// A checkpoint of `effdet init`, and what PyTorch makes of it in float64.
struct GoldenModel {
  std::string model;
  uint64_t seed = 0;
  int height = 0, width = 0;
  std::vector<GoldenOutput> outputs;
};

/// How GoogleTest shows a parameter.
inline void PrintTo(const GoldenModel& model, std::ostream* out) {
  *out << model.model << " " << model.height << "x" << model.width;
}

inline std::vector<GoldenModel> read_golden(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<GoldenModel> models;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    GoldenModel m;
    GoldenOutput output{};
    words >> m.model >> m.seed >> m.height >> m.width >> output.number >> output.largest >> output.pytorch_error;
    for (double sample; words >> sample;) output.samples.push_back(sample);
    if (models.empty() || models.back().model != m.model) models.push_back(m);
    models.back().outputs.push_back(output);
  }
  return models;
}

/// The same noise as the script's: [1, 3, height, width].
inline std::vector<float> golden_input(int height, int width) {
  std::vector<float> values(static_cast<size_t>(3 * height * width));
  uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

/// The largest difference at the samples, as a share of the output's largest magnitude; infinite where a value is not
/// finite.
inline double worst_share(const GoldenOutput& golden, std::span<const float> output) {
  double worst = 0;
  for (size_t i = 0; i < golden.samples.size(); ++i) {
    const double value = output[(output.size() - 1) * i / (golden.samples.size() - 1)];
    if (!std::isfinite(value)) return INFINITY;
    worst = std::max(worst, std::abs(value - golden.samples[i]) / golden.largest);
  }
  return worst;
}

/// What is asked of float32.
inline double float32_limit(const GoldenOutput& golden) { return std::max(1e-4, 2 * golden.pytorch_error); }

}  // namespace effdet::test
