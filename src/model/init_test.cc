// Random checkpoints: complete, reproducible, and tame on images that calibration has not seen.
#include "model/init.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/builder.h"
#include "model/calibrate.h"
#include "model/random.h"
#include "model/synthetic_image.h"
#include "ops/op.h"

namespace effdet::model {
namespace {

const Variant& lite0() { return *find_variant("tf_efficientdet_lite0"); }

bool same_bits(const std::vector<checkpoint::NamedTensor>& a, const std::vector<checkpoint::NamedTensor>& b) {
  return std::ranges::equal(a, b, [](const checkpoint::NamedTensor& x, const checkpoint::NamedTensor& y) {
    return x.name == y.name && x.tensor.shape() == y.tensor.shape() &&
           std::ranges::equal(x.tensor.bytes(), y.tensor.bytes());
  });
}

TEST(Init, HasEveryTensorInTheOrderOfTheStateDict) {
  const ModelConfig config = default_config(lite0(), 3);
  const auto tensors = init_checkpoint(config, 0);
  const auto expected = expected_tensors(config);
  ASSERT_EQ(tensors.size(), expected.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(tensors[i].name, expected[i].name);
    EXPECT_EQ(tensors[i].tensor.shape(), expected[i].shape) << tensors[i].name;
    EXPECT_EQ(tensors[i].tensor.dtype(), expected[i].dtype) << tensors[i].name;
  }
}

TEST(Init, TheSeedAloneDecides) {
  ModelConfig config = default_config(lite0(), 3);
  ThreadPool threads(3);
  const auto first = init_checkpoint(config, 7, &threads);
  config.image_height = 256;  // neither size nor batch nor the number of threads matter
  config.batch = 4;
  EXPECT_TRUE(same_bits(first, init_checkpoint(config, 7)));
  EXPECT_FALSE(same_bits(first, init_checkpoint(config, 8)));
}

TEST(Init, OutputsOfUnseenImagesLookTrained) {
  ModelConfig config = default_config(lite0());
  ThreadPool threads(default_thread_count());
  const checkpoint::Checkpoint checkpoint{"random.pth", "", init_checkpoint(config, 1, &threads)};
  RandomStream random(99, "unseen");
  const Tensor image = synthetic_images(lite0(), 1, config.image_height, random);
  const auto outputs = ops::run_reference(build_graph(config, checkpoint), std::span(&image, 1), &threads);
  for (size_t level = 0; level < 5; ++level) {
    const auto classes = outputs[level].data<float>();
    EXPECT_GT(std::ranges::min(classes), -40.0f) << level;
    EXPECT_LT(std::ranges::max(classes), 30.0f) << level;
  }
  EXPECT_NEAR(standard_deviation(std::span(outputs).first(3)), 1.5, 0.75);
  EXPECT_NEAR(standard_deviation(std::span(outputs).subspan(5, 3)), 0.3, 0.15);
}

TEST(RandomStream, DrawsItsOwnNumbersForEachName) {
  RandomStream a(1, "a"), again(1, "a"), b(1, "b");
  EXPECT_EQ(a.next(), again.next());
  EXPECT_NE(a.next(), b.next());
  double sum = 0, squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = a.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
}

}  // namespace
}  // namespace effdet::model
