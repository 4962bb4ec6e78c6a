// Boxes, labels and contact sheets: where pixels change, and where they must not.
#include "vision/draw.h"

#include <gtest/gtest.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include <array>
#include <cmath>
#include <limits>

#include "vision/label_layout.h"
#include "vision/palette.h"
#include "vision/test_util.h"
#include "vision/typeface.h"

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
  const TextBitmap text = render_text("person 0.87", 11);
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

bool overlap(const Area& a, const Area& b) { return a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2; }

TEST(LabelLayout, LabelsCoverNeitherEachOtherNorSmallBoxes) {
  std::vector<Area> boxes;
  for (int i = 0; i < 30; ++i) {
    const float x = static_cast<float>(i * 37 % 300), y = static_cast<float>(i * 53 % 260);
    boxes.push_back({x, y, x + 90, y + 60});
  }
  boxes.push_back({150, 150, 158, 158});
  const std::vector<ImageSize> labels(boxes.size(), ImageSize{60, 14});
  const auto places = place_labels({400, 330}, boxes, labels);
  std::vector<Area> taken;
  for (const auto& place : places) {
    if (!place) continue;
    const Area area{static_cast<float>(place->x), static_cast<float>(place->y), static_cast<float>(place->x + 60),
                    static_cast<float>(place->y + 14)};
    EXPECT_TRUE(area.x1 >= 0 && area.y1 >= 0 && area.x2 <= 400 && area.y2 <= 330);
    EXPECT_FALSE(overlap(area, boxes.back()));
    for (const Area& other : taken) EXPECT_FALSE(overlap(area, other));
    taken.push_back(area);
  }
  EXPECT_GT(taken.size(), 25u);
}

TEST(Palette, NoTwoClassesOfCocoHaveTheSameColour) {
  for (int i = 0; i < kColours; ++i) {
    for (int j = 0; j < i; ++j) {
      int difference = 0;
      for (size_t c = 0; c < 3; ++c) difference += std::abs(colour_of(i)[c] - colour_of(j)[c]);
      EXPECT_GE(difference, 30) << i << " and " << j;
    }
  }
  EXPECT_EQ(colour_of(-1), colour_of(kColours - 1));
}

TEST(Typeface, TextsOfASizeHaveOneHeight) {
#if defined(__SANITIZE_ADDRESS__)
  const __lsan::ScopedDisabler fontconfigs;  // fontconfig 2.14 does not free 288 bytes of its first match
#endif
  const TextBitmap latin = render_text("person 0.87", 20);
  EXPECT_GT(latin.width, 40);
  for (const std::string text :
       {"человек", "\xFF\xC3(", "a\nb", "\xF0\x9F\x98\x80", "人",
        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"}) {
    const TextBitmap other = render_text(text, 20);
    EXPECT_EQ(other.height, latin.height) << text;
    EXPECT_LT(other.width, 4000);
    EXPECT_EQ(other.coverage.size(), static_cast<size_t>(other.width) * static_cast<size_t>(other.height));
  }
  EXPECT_EQ(render_text("", 20).width, 0);
}

TEST(ContactSheet, HoldsEveryImage) {
  std::vector<Image> images;
  for (int i = 0; i < 5; ++i) images.push_back(grey_image(40 + 30 * i, 50));
  const std::vector<std::string> captions{"one", "two", std::string(200, 'w')};
  const Image sheet = contact_sheet(images, 3, 64, captions);
  EXPECT_EQ(sheet.width(), 3 * 70 + 6);
  EXPECT_EQ(sheet.height(), 2 * (70 + render_text("x", 9).height + 6) + 6);
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
