// Which category a decoder gives a class.
#include "detection/head_decoder.h"

#include <gtest/gtest.h>

namespace effdet::detection {
namespace {

constexpr int kSide = 128, kClasses = 6, kAnchors = 9;

/// Class outputs of levels 3 to 7, then box outputs: nothing is found but one box of class 1 in the centre of level 5.
std::vector<std::vector<float>> one_object() {
  std::vector<std::vector<float>> outputs;
  for (const int values : {kClasses, 4})
    for (int cells = kSide / 8; cells > 0; cells /= 2)
      outputs.emplace_back(kAnchors * values * cells * cells, values == kClasses ? -12.0f : 0.0f);
  outputs[2][static_cast<size_t>(1 * 16 + 1 * 4 + 2)] = 3.0f;  // anchor 0, class 1, row 1, column 2
  return outputs;
}

TEST(HeadDecoder, CountsCategoriesFromTheModelsOffset) {
  model::ModelConfig config = model::default_config(*model::find_variant("tf_efficientdet_d0"), kClasses);
  model::ModelInfo info = model::info_of(config);
  const auto outputs = one_object();
  const std::vector<std::span<const float>> spans(outputs.begin(), outputs.end());
  std::vector<uint64_t> counts;
  for (const auto& values : outputs) counts.push_back(values.size());
  for (const int offset : {0, 1, 5}) {
    info.label_offset = offset;
    const HeadDecoder decoder(info, kSide, kSide);
    const auto found = decoder.decode(spans, decoder.layout_of(counts), {kSide, kSide}, {.score_threshold = 0.5f});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].category, 1 + offset);
  }
}

}  // namespace
}  // namespace effdet::detection
