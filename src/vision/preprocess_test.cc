// Input tensors against the reference's, bit by bit where it is deterministic.
#include "vision/preprocess.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

namespace fs = std::filesystem;

fs::path shared_folder() {
  const char* folder = std::getenv("EFFDET_SHARED");
  return folder ? fs::path(folder) : fs::path(EFFDET_SOURCE_DIR) / ".." / "shared";
}

TEST(Preprocess, TensorsAreTheReferencesForCoco) {
  std::ifstream golden(shared_folder() / "reference/golden/d0_256_coco/preprocess.sha256");
  if (!golden) GTEST_SKIP() << "no reference data in " << shared_folder();
  Preprocessing preprocessing;
  preprocessing.width = preprocessing.height = 256;
  std::vector<float> tensor(3 * 256 * 256);
  std::string sha256, file;
  size_t count = 0;
  while (golden >> sha256 >> file) {
    letterbox_to_tensor(decode_image(shared_folder() / "coco_data/val2017" / file), preprocessing, tensor);
    EXPECT_EQ(sha256_of(std::as_bytes(std::span(tensor))), sha256) << file;
    ++count;
  }
  EXPECT_GT(count, 0u);
}

TEST(Preprocess, ScaleAndSidesAreEffdets) {
  Preprocessing square;
  EXPECT_EQ(letterbox({640, 427}, square).size, (ImageSize{512, 341}));
  EXPECT_DOUBLE_EQ(letterbox({640, 427}, square).scale, 0.8);
  EXPECT_EQ(letterbox({3, 7}, square).size, (ImageSize{219, 512}));
  Preprocessing wide;
  wide.height = 100;
  EXPECT_EQ(letterbox({640, 480}, wide).size, (ImageSize{133, 100}));
}

TEST(Preprocess, TooNarrowIsRefused) {
  const Error error = error_of([] { letterbox({2000, 1}, Preprocessing{}); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_NE(std::string(error.what()).find("2000 x 1"), std::string::npos);
  EXPECT_EQ(error_of([] { letterbox({1, 513}, Preprocessing{}); }).code(), ErrorCode::kBadInput);
  EXPECT_EQ(letterbox({1, 512}, Preprocessing{}).size, (ImageSize{1, 512}));
}

TEST(Preprocess, TensorIsTheNormalisedLetterbox) {
  Preprocessing preprocessing;
  preprocessing.width = 70;
  preprocessing.height = 90;
  preprocessing.mean = preprocessing.std = {0.5, 0.5, 0.5};
  preprocessing.fill = {1, 2, 3};
  const Image image = decode_image(images_folder() / "ycc_420.jpg");
  std::vector<float> tensor(3 * 70 * 90);
  double scale = 0;
  EXPECT_DOUBLE_EQ(letterbox_to_tensor(image, preprocessing, tensor), 1.4);
  const Image boxed = letterbox_to_image(image, preprocessing, &scale);
  EXPECT_DOUBLE_EQ(scale, 1.4);
  for (int y = 0; y < 90; ++y)
    for (int x = 0; x < 70; ++x)
      for (int channel = 0; channel < 3; ++channel)
        ASSERT_EQ(tensor[static_cast<size_t>((channel * 90 + y) * 70 + x)],
                  (static_cast<float>(boxed.row(y)[3 * x + channel]) - 127.5f) / 127.5f);
  EXPECT_EQ(boxed.row(89)[0], 1);
  EXPECT_EQ(boxed.row(89)[2], 3);
}

TEST(Preprocess, SampledIsOpenCvs) {
  Image image(4, 2);
  for (int y = 0; y < 2; ++y)
    for (int x = 0; x < 12; ++x) image.row(y)[x] = static_cast<uint8_t>(20 * x + 7 * y * x);
  Preprocessing preprocessing{.height = 6, .width = 6, .mean = {0, 0, 0}, .std = {1, 1, 1}, .sampled = true};
  EXPECT_EQ(letterbox({4, 2}, preprocessing).size, (ImageSize{6, 3}));
  // cv2.resize(image.astype(float64), (6, 3)) / 255 of red; zeros below.
  const float expected[] = {0,       30,     70, 110,   150,   180,    0,      35.25f, 82.25f, 129.25f,
                            176.25f, 211.5f, 0,  40.5f, 94.5f, 148.5f, 202.5f, 243,    0,      0};
  std::vector<float> tensor(3 * 36, -1);
  letterbox_to_tensor(image, preprocessing, tensor);
  for (size_t i = 0; i < std::size(expected); ++i) EXPECT_NEAR(tensor[i] * 255, expected[i], 1e-3) << i;
  preprocessing.fill = {1, 2, 3};
  const Image boxed = letterbox_to_image(image, preprocessing);
  EXPECT_EQ(boxed.row(1)[3], 35);
  EXPECT_EQ(boxed.row(3)[1], 2);
}

/// As Yet-Another-EfficientDet-Pytorch has it: the longer side is the input's, the other one a product in double, whose
/// fraction is cut off; of a square that is the width.
TEST(Preprocess, SampledFillsTheLongerSide) {
  for (int side = 2; side < 200; ++side) {
    const Preprocessing preprocessing{.height = side, .width = side, .sampled = true};
    EXPECT_EQ(letterbox({49, 41}, preprocessing).size.width, side);
    EXPECT_EQ(letterbox({41, 49}, preprocessing).size.height, side);
  }
  const auto square = [](int side) {
    return letterbox({49, 49}, {.height = side, .width = side, .sampled = true}).size;
  };
  EXPECT_EQ(square(98), (ImageSize{98, 98}));
  EXPECT_EQ(square(198), (ImageSize{197, 198}));
}

TEST(Preprocess, WrongTensorSizeIsABug) {
  std::vector<float> tensor(100);
  const Image image = decode_image(images_folder() / "ycc_420.jpg");
  EXPECT_EQ(error_of([&] { letterbox_to_tensor(image, Preprocessing{}, tensor); }).code(), ErrorCode::kInternal);
}

}  // namespace
}  // namespace effdet::vision
