// Boxes, labels and contact sheets: where pixels change, and where they must not.
#include "vision/draw.h"

#include <gtest/gtest.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include <array>
#include <cmath>
#include <limits>

#include "vision/font.h"
#include "vision/font_files.h"
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

TEST(Draw, LinesAreAsWideAsAsked) {
  Image image = grey_image(100, 100);
  draw_detections(image, std::vector<LabelledBox>{{20, 20, 80, 80, "", 0}}, 7);
  EXPECT_NE(image.row(50)[3 * 26], 100);
  EXPECT_EQ(image.row(50)[3 * 27], 100);
}

TEST(Draw, BoxesThatAreNotFiniteAreLeftOut) {
  Image image = grey_image(20, 20);
  for (size_t side = 0; side < 4; ++side)
    for (const float value : {NAN, INFINITY, -INFINITY}) {
      std::array<float, 4> box{2, 2, 9, 9};
      box[side] = value;
      draw_detections(image, std::vector<LabelledBox>{{box[0], box[1], box[2], box[3], "x", 0}});
    }
  EXPECT_EQ(changed_area(image)[2], 0);
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

TEST(LabelLayout, LabelsLargerThanTheImageBeginAtItsEdge) {
  const std::vector<Area> boxes{{5, 5, 15, 15}};
  for (const ImageSize label : {ImageSize{100, 8}, ImageSize{8, 100}, ImageSize{100, 100}}) {
    const auto places = place_labels({20, 20}, boxes, std::vector<ImageSize>{label});
    ASSERT_TRUE(places[0]);
    EXPECT_TRUE(label.width <= 20 || places[0]->x == 0) << label.width;
    EXPECT_TRUE(label.height <= 20 || places[0]->y == 0) << label.height;
  }
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

/// Each of these is one character that no font has, and all are as wide.
TEST(Typeface, WhatIsNoUtf8IsUnknown) {
  const TextBitmap unknown = render_text("\xEF\xBF\xBD", 20);
  EXPECT_GT(unknown.width, 0);
  for (const std::string text : {"\x80", "\xC1", "\xC3", "\xE4\xBA", "\xF0\x9F\x98", "\xF5", "\xFF", "\x1F", "\x7F"})
    EXPECT_EQ(render_text(text, 20).coverage, unknown.coverage) << text;
  EXPECT_EQ(render_text("\xC3(", 20).width, unknown.width + render_text("(", 20).width) << "the next one is its own";
}

/// Letters that were rendered are kept, up to a limit.
TEST(Typeface, LettersAreTheSameAgain) {
  const TextBitmap before = render_text("person 0.87", 20);
  std::string letters;
  for (char c = '!'; c < '~' && letters.size() < 80; ++c) letters += c;
  for (int pixels = 6; pixels < 62; ++pixels) render_text(letters, pixels);
  EXPECT_EQ(render_text("person 0.87", 20).coverage, before.coverage);
}

TEST(Typeface, FontsAreFilesThatHaveTheCharacter) {
#if defined(__SANITIZE_ADDRESS__)
  const __lsan::ScopedDisabler fontconfigs;
#endif
  EXPECT_TRUE(font_with(0x10FFFF).path.empty()) << "a character that there is not";
  for (const FontFile& font : {plain_font(), font_with('a')}) {
    if (font.path.empty()) GTEST_SKIP() << "no font is installed, or fontconfig is not";
    EXPECT_TRUE(std::filesystem::is_regular_file(font.path)) << font.path;
  }
}

/// The letters of machines without FreeType.
TEST(BitmapFont, LettersAreCells) {
  EXPECT_EQ(text_size("ab\xC3\xA4", 2), (ImageSize{3 * 2 * kCellWidth, 2 * kCellHeight}));
  EXPECT_EQ(text_size("", 3).width, 0);
  constexpr uint8_t kWhite[3] = {255, 255, 255};
  const auto drawn = [&](std::string_view text, int scale) {
    Image image = grey_image(40, 30);
    draw_text(image, 1, 2, text, scale, kWhite);
    return image;
  };
  EXPECT_EQ(changed_area(drawn("", 1))[2], 0);
  EXPECT_EQ(changed_area(drawn(" ", 1))[2], 0);
  const auto [left, top, right, bottom] = changed_area(drawn("H", 1));
  EXPECT_EQ((std::array{left, top, right, bottom}), (std::array{1, 2, 6, 9})) << "five columns of seven rows";
  EXPECT_EQ(changed_area(drawn("H", 2)), (std::array{1, 2, 11, 16}));
  EXPECT_EQ(changed_area(drawn("HH", 1))[2], 6 + kCellWidth);
  EXPECT_TRUE(std::ranges::equal(drawn("\xC3\xA4\x01\x7F", 1).pixels(), drawn("???", 1).pixels()));
  EXPECT_LE(changed_area(drawn(std::string(100, 'W'), 3))[2], 40) << "cut to the image";
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

/// A caption that is cut ends behind a whole character.
TEST(ContactSheet, LongCaptionsAreCut) {
  const std::vector<Image> images(3, grey_image(40, 40));
  std::string umlauts;
  for (int i = 0; i < 60; ++i) umlauts += "ä";
  const Image sheet = contact_sheet(images, 3, 64, std::vector<std::string>{umlauts, std::string(100, 'w')});
  for (const int gap : {0, 70, 140, 210})  // the margins between cells
    for (int y = 0; y < sheet.height(); ++y)
      for (int x = gap; x < gap + 6; ++x) ASSERT_EQ(sheet.row(y)[3 * x], 32) << x << ", " << y;
  EXPECT_EQ(sheet.row(6 + 64 + 10)[3 * 180], 32) << "the last image has no caption";
}

TEST(ContactSheet, NonsenseIsRefused) {
  std::vector<Image> images;
  EXPECT_EQ(error_of([&] { contact_sheet(images, 1, 64, {}); }).code(), ErrorCode::kUsage);
  images.push_back(grey_image(4, 4));
  EXPECT_EQ(error_of([&] { contact_sheet(images, 0, 64, {}); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { contact_sheet(images, 1, 15, {}); }).code(), ErrorCode::kUsage);
  for (const int cell : {20'000, 2'000'000'000})
    EXPECT_EQ(error_of([&] { contact_sheet(images, 1, cell, {}); }).code(), ErrorCode::kUsage) << cell;
}

}  // namespace
}  // namespace effdet::vision
