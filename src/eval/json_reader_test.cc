// Valid and invalid JSON, and the offsets that errors name.
#include "eval/json_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/test_support.h"

namespace effdet::eval {
namespace {

std::string skip_error(const std::string& text) {
  return bad_input_message([&] {
    JsonReader reader(text, "x.json");
    reader.skip();
    reader.finish();
  });
}

bool skips(const std::string& text) {
  JsonReader reader(text, "x.json");
  reader.skip();
  reader.finish();
  return true;
}

double number(const std::string& text) {
  JsonReader reader(text, "x.json");
  const double value = reader.read_number();
  reader.finish();
  return value;
}

std::string string_of(const std::string& text) { return JsonReader(text, "x.json").read_string(); }

TEST(JsonReader, SkipsWhatIsValid) {
  for (const char* text : {"0", "-0.5e+3", " [ ] ", "{}", "[1,[2,{\"a\":[]}],null,true,false]", "\"\\u00e9\\\\\"",
                           "{\"a\":{\"b\":1},\"c\":[{}, {}]}", "1e999", "[NaN, Infinity, -Infinity]"}) {
    EXPECT_TRUE(skips(text)) << text;
  }
}

TEST(JsonReader, SkipRefusesWhatIsNot) {
  for (const char* text : {"[1,]",
                           "{\"a\":1,}",
                           "[1 2]",
                           "{\"a\" 1}",
                           "{a:1}",
                           "01",
                           "-",
                           "1.",
                           ".5",
                           "+1",
                           "1e",
                           "nan",
                           "-NaN",
                           "+Infinity",
                           "-Infinit",
                           "tru",
                           "\"abc",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "[",
                           "{",
                           "[}",
                           "{]",
                           "]",
                           "1 2",
                           "\"a\nb\"",
                           "\"\xC0\xAF\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF5\x80\x80\x80\"",
                           "\"\xE2\x82\"",
                           "\\",
                           "\"\\"}) {
    EXPECT_NE(skip_error(text), "") << text;
  }
}

TEST(JsonReader, Numbers) {
  EXPECT_EQ(number("0.1"), 0.1);
  EXPECT_EQ(number("-12.5E-1"), -1.25);
  EXPECT_EQ(number("1e-999"), 0);
  EXPECT_EQ(number("123456789012345678901234567890"), 123456789012345678901234567890.0);
  EXPECT_EQ(JsonReader("139.0", "x").read_integer(), 139);
  EXPECT_EQ(JsonReader("-9223372036854775808", "x").read_integer(), INT64_MIN);
  EXPECT_THROW(JsonReader("139.5", "x").read_integer(), Error);
  EXPECT_THROW(JsonReader("1e300", "x").read_integer(), Error);
  EXPECT_THROW(JsonReader("\"1\"", "x").read_integer(), Error);
}

TEST(JsonReader, NumbersOfAnyKind) {
  const auto any = [](const char* text) { return JsonReader(text, "x").read_any_number(); };
  for (const char* text : {"NaN", " null"}) EXPECT_TRUE(std::isnan(any(text))) << text;
  for (const char* text : {"Infinity", "1e999"}) EXPECT_EQ(any(text), std::numeric_limits<double>::infinity()) << text;
  for (const char* text : {"-Infinity", "-1e999"})
    EXPECT_EQ(any(text), -std::numeric_limits<double>::infinity()) << text;
  EXPECT_EQ(any("-1e-999"), 0);
  EXPECT_EQ(any("-1.5"), -1.5);
  for (const char* text : {"\"1\"", "true", "nul", "-"}) EXPECT_THROW(any(text), Error) << text;
  for (const char* text : {"NaN", "Infinity", "null"}) EXPECT_THROW(number(text), Error) << text;
}

TEST(JsonReader, Strings) {
  EXPECT_EQ(string_of("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "a\"\\/\b\f\n\r\t");
  EXPECT_EQ(string_of("\"\\u00e9\\u20AC\\ud83d\\ude00\""), "é€😀");
  EXPECT_EQ(string_of("\"é€😀\""), "é€😀");
}

/// The first and the last code of each length, and what lies beside them (RFC 3629).
TEST(JsonReader, Utf8AtItsLimits) {
  for (const char* text : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
                           "\xF0\x90\x80\x80", "\xF3\xBF\xBF\xBF", "\xF4\x8F\xBF\xBF"})
    EXPECT_EQ(string_of("\"" + std::string(text) + "\""), text);
  for (const char* text :
       {"\x80", "\xBF", "\xC1\x80", "\xC2", "\xC2z", "\xDF\xC0", "\xE0\x9F\x80", "\xED\xA0\x80", "\xE1z\x80",
        "\xE1\x80z", "\xE1\x80", "\xF0\x8F\x80\x80", "\xF4\x90\x80\x80", "\xF1z\x80\x80", "\xF1\x80z\x80",
        "\xF1\x80\x80z", "\xF1\x80\x80", "\xF5\x80\x80\x80", "\xFF"})
    EXPECT_EQ(skip_error("\"" + std::string(text) + "\""), "x.json: a string that is not UTF-8 (byte 1)") << text;
}

TEST(JsonReader, NumbersBeyondDouble) {
  EXPECT_EQ(number("1E-999"), 0);
  EXPECT_EQ(number("-0." + std::string(400, '0') + "1"), 0);
  EXPECT_EQ(number("0." + std::string(400, '0') + "1"), 0);
  for (const char* text : {"-1e999", "1E+999", "2e308"})
    EXPECT_EQ(bad_input_message([&] { number(text); }),
              "x.json: " + std::string(text) + " does not fit in a double (byte 0)");
  EXPECT_EQ(JsonReader("9007199254740992.0", "x").read_integer(), 9007199254740992);
  EXPECT_EQ(JsonReader("-1e3", "x").read_integer(), -1000);
  for (const char* text :
       {"9007199254740994.0", "-9007199254740994.0", "0.5", "1e999", "9223372036854775808", "1e-999"})
    EXPECT_THROW(JsonReader(text, "x").read_integer(), Error) << text;
}

TEST(JsonReader, FlagsMayBeNumbers) {
  const auto flag = [](const char* text) { return JsonReader(text, "x").read_flag(); };
  for (const char* text : {"true", " 1", "0.5"}) EXPECT_TRUE(flag(text)) << text;
  for (const char* text : {"false", "0", "0.0"}) EXPECT_FALSE(flag(text)) << text;
  for (const char* text : {"fals", "\"true\"", "null", " "}) EXPECT_THROW(flag(text), Error) << text;
}

TEST(JsonReader, KeysInErrorsArePrintable) {
  const std::string text = "{\"a\\u0001\\n\": x}", raw = "{\"k\": {1: 2}}";
  const auto message = bad_input_message([&] {
    JsonReader reader(text, "x.json");
    reader.read_object([&](std::string_view) { reader.read_number(); });
  });
  EXPECT_EQ(message.substr(0, 8), "x.json: ");
  EXPECT_TRUE(std::ranges::all_of(message, [](char c) { return c >= ' '; })) << message;
  EXPECT_NE(skip_error(raw).find("expected a key in quotes, found '1:'"), std::string::npos) << skip_error(raw);
  EXPECT_NE(bad_input_message([] { string_of(" 5"); }).find("expected a string, found '5'"), std::string::npos);
}

TEST(JsonReader, ErrorsTellPathAndByte) {
  const std::string text = R"({"a": [1, {"b\n": [0, "x"]}]})";
  const auto message = bad_input_message([&] {
    JsonReader reader(text, "x.json");
    reader.read_object([&](std::string_view) {
      reader.read_array([&](size_t index) {
        if (index == 0) return reader.skip();
        reader.read_object([&](std::string_view) { reader.read_array([&](size_t) { reader.read_number(); }); });
      });
    });
  });
  EXPECT_EQ(message, "x.json: a[1].b\\n[1]: expected a number, found '\"x\"' (byte 22)");
}

TEST(BadInput, Case85_DepthOfAMillion) {
  const std::string deep(1000000, '[');
  EXPECT_NE(skip_error(deep).find("nested deeper"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 1000000; ++i) objects += "{\"a\":";
  EXPECT_NE(skip_error(objects).find("nested deeper"), std::string::npos);
}

TEST(BadInput, Case85_ByteOrderMarkAndUtf16) {
  EXPECT_NE(skip_error("\xEF\xBB\xBF{}").find("byte order mark"), std::string::npos);
  EXPECT_NE(skip_error("\xFF\xFE{").find("UTF-16"), std::string::npos);
  EXPECT_NE(skip_error(std::string("{\0}\0", 4)).find("UTF-16"), std::string::npos);
  EXPECT_NE(skip_error(std::string("\0{\0}", 4)).find("UTF-16"), std::string::npos);
  EXPECT_NE(skip_error("").find("empty"), std::string::npos);
}

TEST(BadInput, Case85_NumberTooLarge) {
  const auto message = bad_input_message([] { number("1e999"); });
  EXPECT_NE(message.find("1e999 does not fit"), std::string::npos) << message;
}

TEST(BadInput, Case85_LoneSurrogate) {
  for (const char* text : {"\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "{\"\\ud800\": 1}"}) {
    EXPECT_NE(skip_error(text).find("surrogate"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace effdet::eval
