// Short decimals against std::from_chars, and the texts that are none.
#include "eval/short_decimal.h"

#include <gtest/gtest.h>

#include <charconv>
#include <random>
#include <string>

namespace effdet::eval {
namespace {

/// Behind a number, so that it is scanned with padding, and without.
const std::string kFollowing = ", " + std::string(kDecimalPadding, '7');

void expect_nearest(const std::string& text) {
  double expected = 0;
  std::from_chars(text.data(), text.data() + text.size(), expected);
  for (const std::string& whole : {text, text + kFollowing}) {
    const ShortDecimal decimal = scan_short_decimal(whole);
    ASSERT_EQ(decimal.length, text.size()) << whole;
    ASSERT_EQ(std::bit_cast<uint64_t>(decimal.value()), std::bit_cast<uint64_t>(expected)) << text;
  }
}

/// digits with a point before the last `places` of them.
std::string with_point(uint64_t digits, size_t places) {
  std::string text = std::to_string(digits);
  if (text.size() <= places) text.insert(0, places - text.size() + 1, '0');
  if (places != 0) text.insert(text.size() - places, ".");
  return text;
}

TEST(ShortDecimal, IsTheNearestDouble) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t digits = random() >> (random() % 60 + 1);
    const std::string text = with_point(digits, random() % 19);
    if (text.size() > 20) continue;
    expect_nearest(text);
    expect_nearest("-" + text);
  }
  for (const char* text : {"0", "-0", "-0.0", "9007199254740993", "0.000000000000000001", "9999999999999999999"})
    expect_nearest(text);
}

TEST(ShortDecimal, RoundsHalfwayToEven) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 5000; ++i) {
    // 54 bits, the last of them 1: between two doubles where it is a whole number, and with few places beside that.
    const uint64_t halfway = (uint64_t{1} << 53) + (random() >> 11) * 2 + 1;
    expect_nearest(std::to_string(halfway));
    expect_nearest(with_point(halfway * 100 + random() % 3, 2));
  }
}

TEST(ShortDecimal, EndsWhereTheNumberEnds) {
  for (const char* text : {"1.25.5", "1.25..", "1.25-", "1.25:", "1.25/", "1.25\x80", "1.25\xFF", "1.25 5", "1.25+1"}) {
    for (const std::string& whole : {std::string(text), text + std::string(kDecimalPadding, '7')}) {
      const ShortDecimal decimal = scan_short_decimal(whole);
      EXPECT_EQ(decimal.length, 4U) << whole;
      EXPECT_EQ(decimal.value(), 1.25) << whole;
    }
  }
}

TEST(ShortDecimal, LeavesOtherTextsAlone) {
  for (const char* text : {"", "-", "01", "-01", ".5", "1.", "1.e", "-.5", "+1", "1e5", "1.5E-3", "NaN", "-Infinity",
                           "12345678901234567890", "1.2345678901234567890", "00"}) {
    EXPECT_EQ(scan_short_decimal(text).length, 0U) << text;
    EXPECT_EQ(scan_short_decimal(text + std::string(kDecimalPadding, ' ')).length, 0U) << text;
  }
}

}  // namespace
}  // namespace effdet::eval
