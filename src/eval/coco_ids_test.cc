// Ids that are numbers or strings, as texts and as JSON; and the names of COCO's classes.
#include "eval/coco_ids.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "eval/coco_categories.h"

namespace effdet::eval {
namespace {

TEST(StringIds, WithoutStringsIdsAreWholeNumbers) {
  const StringIds ids;
  EXPECT_EQ(ids.parse("139"), 139);
  EXPECT_EQ(ids.parse("-5"), -5);
  for (const char* text : {"", "x", "139x", " 139", "1.0", "9223372036854775808"})
    EXPECT_EQ(ids.parse(text), StringIds::kUnknown) << text;
  EXPECT_EQ(ids.json_of(139), "139");
}

TEST(StringIds, WhereThereAreStringsTheyAreTheIds) {
  StringIds ids;
  const std::string odd = "a\"\\\x01\x1F/\xC3\xA9";
  const int64_t id = ids.add(odd);
  EXPECT_EQ(ids.add(odd), id);
  EXPECT_NE(ids.add("139"), id);
  EXPECT_EQ(ids.parse(odd), id);
  EXPECT_LT(ids.parse("139"), StringIds::kLowestNumber);
  EXPECT_EQ(ids.parse("140"), StringIds::kUnknown);
  EXPECT_EQ(ids.json_of(id), "\"a\\\"\\\\\\u0001\\u001f/\xC3\xA9\"");
  const auto sorted = ids.sort();
  EXPECT_LT(sorted.at(StringIds::kUnknown + 2), sorted.at(id)) << "139 before a";
}

TEST(CocoClassNames, AreThoseOfCocosIds) {
  const auto ninety = coco_class_names(90), eighty = coco_class_names(80);
  ASSERT_EQ(ninety.size(), 90u);
  EXPECT_EQ(ninety.front(), "person");
  EXPECT_EQ(ninety[11], "") << "id 12, which COCO leaves out";
  EXPECT_EQ(ninety.back(), "toothbrush");
  ASSERT_EQ(eighty.size(), 80u);
  EXPECT_EQ(eighty[11], "stop sign");
  EXPECT_EQ(eighty.back(), "toothbrush");
  EXPECT_EQ(coco_class_names(91).back(), "");
  EXPECT_EQ(std::ranges::count(coco_class_names(91), ""), 11);
  EXPECT_TRUE(coco_class_names(20).empty());
}

}  // namespace
}  // namespace effdet::eval
