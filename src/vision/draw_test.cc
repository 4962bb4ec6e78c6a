// Boxes, labels and contact sheets: where pixels change, and where they must not.
#include "vision/draw.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "vision/font.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

Image grey_image(int width, int height) {
  Image image(width, height);
  std::ranges::fill(image.pixels(), uint8_t{100});
  return image;
}

/// The smallest rectangle that holds all pixels that are no longer grey, as x1, y1, x2, y2 (past the last).
std::array<int, 4> changed_area(const Image& image) {
  std::array<int, 4> area{image.width(), image.height(), 0, 0};
  for (int y = 0; y < image.height(); ++y)
    for (int x = 0; x < image.width(); ++x) {
      const uint8_t* pixel = image.row(y) + 3 * x;
      if (pixel[0] == 100 && pixel[1] == 100 && pixel[2] == 100) continue;
      area = {std::min(area[0], x), std::min(area[1], y), std::max(area[2], x + 1), std::max(area[3], y + 1)};
    }
  return area;
}

TEST(Draw, OutlineLiesInsideTheBox) {
  Image image = grey_image(100, 80);
  draw_detections(image, std::vector<LabelledBox>{{10, 20, 60, 70, "", 3}});
  EXPECT_EQ(changed_area(image), (std::array<int, 4>{10, 20, 60, 70}));
  EXPECT_EQ(image.row(45)[3 * 30], 100) << "the inside is left alone";
}

TEST(Draw, EdgesAreSmooth) {
  Image image = grey_image(100, 80);
  draw_detections(image, std::vector<LabelledBox>{{10.5f, 20, 60, 70, "", 0}});
  const int edge = image.row(45)[3 * 10], full = image.row(45)[3 * 11];
  EXPECT_NEAR(edge, (100 + full) / 2.0, 1);
}

TEST(Draw, LabelsStayInTheImage) {
  const ImageSize text = text_size("person 0.87", 1);
  for (auto [x, y] : {std::pair{-50.0f, -50.0f}, {190.0f, 90.0f}, {100.0f, 2.0f}, {0.0f, 99.0f}}) {
    Image image = grey_image(200, 100);
    draw_detections(image, std::vector<LabelledBox>{{x, y, x + 1, y + 1, "person 0.87", 1}});
    const auto [x1, y1, x2, y2] = changed_area(image);
    EXPECT_GE(x2 - x1, text.width) << x;
    EXPECT_GE(y2 - y1, text.height) << y;
  }
}

TEST(Draw, WildBoxesDoNoHarm) {
  constexpr float kHuge = std::numeric_limits<float>::max(), kInf = std::numeric_limits<float>::infinity();
  Image image = grey_image(5, 4);
  const std::vector<LabelledBox> boxes{{NAN, 0, 1, 1, "a", 0},
                                       {0, 0, kInf, 1, "b", 1},
                                       {-kHuge, -kHuge, kHuge, kHuge, "c", -7},
                                       {4, 3, 1, 1, "d", 1 << 30},
                                       {9, 9, 9, 9, std::string(1000, 'x'), 2},
                                       {1, 1, 1, 1, "\xFF\x80\n", 2}};
  draw_detections(image, boxes);
  EXPECT_NE(changed_area(image)[2], 0);
}

TEST(Draw, LinesGrowWithTheImage) {
  Image small = grey_image(300, 300), large = grey_image(2000, 2000);
  draw_detections(small, std::vector<LabelledBox>{{100, 100, 200, 200, "", 0}});
  draw_detections(large, std::vector<LabelledBox>{{100, 100, 200, 200, "", 0}});
  EXPECT_EQ(small.row(103)[3 * 150], 100);
  EXPECT_NE(large.row(103)[3 * 150], 100);
}

TEST(ContactSheet, HoldsEveryImage) {
  std::vector<Image> images;
  for (int i = 0; i < 5; ++i) images.push_back(grey_image(40 + 30 * i, 50));
  const std::vector<std::string> captions{"one", "two", std::string(200, 'w')};
  const Image sheet = contact_sheet(images, 3, 64, captions);
  EXPECT_EQ(sheet.width(), 3 * 70 + 6);
  EXPECT_EQ(sheet.height(), 2 * (70 + 16) + 6);
  EXPECT_EQ(sheet.row(6 + 32)[3 * (6 + 32)], 100) << "centre of the first cell";
  EXPECT_EQ(contact_sheet(std::span(images).first(1), 3, 64, {}).width(), 76);
}

TEST(ContactSheet, NonsenseIsRefused) {
  std::vector<Image> images;
  EXPECT_EQ(error_of([&] { contact_sheet(images, 1, 64, {}); }).code(), ErrorCode::kUsage);
  images.push_back(grey_image(4, 4));
  EXPECT_EQ(error_of([&] { contact_sheet(images, 0, 64, {}); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { contact_sheet(images, 1, 2'000'000'000, {}); }).code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace effdet::vision
