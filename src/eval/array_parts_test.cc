// Arrays read in parts: the same elements, files and errors as from front to back, whatever the text.
#include "eval/array_parts.h"

#include <gtest/gtest.h>

#include "eval/coco_dataset.h"
#include "eval/coco_results.h"
#include "eval/test_support.h"
#include "support/test_folder.h"

namespace effdet::eval {
namespace {

TEST(WorkProgress, TellsShareAndTotalInUnitsOfPeopleStageByStage) {
  std::vector<std::string> told;
  WorkProgress progress([&](std::string_view stage, size_t done, size_t total) {
    told.push_back(std::string(stage) + " " + std::to_string(done) + "/" + std::to_string(total));
  });
  progress.begin("nothing", 0, 0);
  progress.add(1);
  progress.begin("results, MB", 3000000, 3);
  progress.add(1000000);
  progress.add(2500000);  // the last part may reach beyond the array
  progress.begin("images", 8, 80);
  progress.add(2);
  EXPECT_EQ(told, (std::vector<std::string>{"results, MB 1/3", "results, MB 3/3", "images 20/80"}));
  WorkProgress({}).add(1);
}

/// Keeps the text of each element.
class TextPart {
 public:
  explicit TextPart(const JsonReader& reader) : reader_(reader) {}

  JsonReader& reader() { return reader_; }
  std::vector<std::string>& elements() { return elements_; }
  void read_element(size_t) {
    reader_.peek();
    const size_t begin = reader_.position();
    reader_.skip();
    elements_.emplace_back(reader_.text().substr(begin, reader_.position() - begin));
  }

 private:
  JsonReader reader_;
  std::vector<std::string> elements_;
};

struct Reading {
  std::vector<std::string> elements;
  std::string error;
  size_t parts = 0;
  bool operator==(const Reading& other) const { return elements == other.elements && error == other.error; }
};

Reading read_texts(const std::string& text, ThreadPool* pool, size_t part_bytes) {
  Reading reading;
  try {
    const JsonInput input{.text = text, .name = "x.json", .pool = pool, .part_bytes = part_bytes};
    JsonReader reader(text, input.name);
    auto parts = read_array_in_parts<TextPart>(
        input, reader, [](const JsonReader& at, bool) { return TextPart(at); }, [](const auto&) { return true; });
    reader.finish();
    reading.parts = parts.size();
    append_parts(reading.elements, parts, &TextPart::elements);
  } catch (const Error& error) {
    reading.error = error.what();
  }
  return reading;
}

class Parts : public testing::Test {
 protected:
  void expect_same(const std::string& text) {
    const Reading expected = read_texts(text, nullptr, 1);
    for (const size_t part_bytes : {1, 7, 40})
      EXPECT_TRUE(read_texts(text, &pool_, part_bytes) == expected) << text << " in parts of " << part_bytes;
  }

  ThreadPool pool_{3};
};

TEST_F(Parts, RecordsAreReadInParts) {
  const std::string text = R"([{"a": 1}, {"a": [2]} ,{"a": 3},
    {"a": 4}] )";
  const Reading reading = read_texts(text, &pool_, 1);
  EXPECT_EQ(reading.parts, 4U);
  EXPECT_EQ(reading.elements, (std::vector<std::string>{R"({"a": 1})", R"({"a": [2]})", R"({"a": 3})", R"({"a": 4})"}));
  EXPECT_EQ(read_texts(text, &pool_, 1000).parts, 1U);
}

TEST_F(Parts, WhatLooksLikeARecordMayBeNone) {
  for (const char* text :
       {R"([{"a": "},{"}, {"a": "}, {\"a\": 1}, {"}, {"b": 1}])", R"([{"a": [{}, {}, {"b": [{}, {}]}]}, {}, {}])",
        R"([{"a": [1, {"a": [{},{"x":[{},{"x":[]}]}]}]},{"a": 1},{"a": 2}])", R"([{"a": 1}, 5, {"a": 2}, "},{", {}])",
        "[[{}, {}], {}, {}]", "[{}]", "[]", "[ ]", R"([{"a":"\"},{"},{"\\":1},{}])"})
    expect_same(text);
}

TEST_F(Parts, ErrorsAreThoseOfTheWholeText) {
  const std::string text = R"([{"a": [1, {}, {}], "b": "}, {"}, {"c": "\u00e9"}, {"d": [{"e": null}, {}]}, {}] )";
  expect_same(text);
  for (size_t i = 0; i < text.size(); ++i) {
    expect_same(text.substr(0, i));
    for (const char c : {'{', '}', '[', ']', ',', '"', ' ', '\\', '\x01'}) {
      std::string changed = text;
      changed[i] = c;
      expect_same(changed);
    }
  }
}

TEST_F(Parts, NestedLooksAlikeAreReadOnce) {
  // From each "{" on, all that follows belongs to one value: parts must not read beyond their ends.
  std::string text = "[";
  for (int i = 0; i < 400; ++i) text += R"({},{"a":[)" + std::string(2000, ' ');
  const Reading reading = read_texts(text, &pool_, 1000);
  EXPECT_TRUE(reading == read_texts(text, nullptr, 1));
}

/// Records that are read in several parts of the usual size.
constexpr size_t kManyRecords = 40000;

std::string many_results(size_t changed, const std::string& record) {
  std::string text = "[";
  for (size_t i = 0; i < kManyRecords; ++i) {
    if (i != 0) text += ", ";
    text += i == changed
                ? record
                : fmt::format(R"({{"image_id": {}, "category_id": 1, "bbox": [0.5, {}, 1, 2.25], "score": 0.{}}})",
                              i % 7, i, i + 1);
  }
  return text + "]";
}

std::string many_annotations(size_t changed, const std::string& record) {
  std::string text = R"({"images": [{"id": 1}], "categories": [{"id": 3}], "annotations": [)";
  for (size_t i = 0; i < kManyRecords; ++i) {
    if (i != 0) text += ", ";
    text += i == changed
                ? record
                : fmt::format(R"({{"image_id": 1, "category_id": 3, "id": {}, "bbox": [0.5, {}, 1, 2]}})", i * 3, i);
  }
  return text + R"(], "info": [{"a": 1}, {"a": 2}]})";
}

TEST_F(Parts, ResultFiles) {
  const auto dataset = parse_coco_dataset(
      R"({"images": [{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}, {"id": 5}, {"id": 6}],
          "categories": [{"id": 1}]})",
      "gt.json");
  const auto read = [&](const std::string& text, ThreadPool* pool) {
    std::string outcome;
    try {
      const auto file = parse_coco_results(text, "r.json", dataset, BadRecords::kLeaveOut, pool);
      for (const CocoResult& result : file.results)
        outcome += fmt::format("{} {} {} {} {}\n", result.image_id, result.category_id, result.bbox[1], result.bbox[2],
                               result.score);
      for (const std::string& note : file.notes) outcome += note;
    } catch (const Error& error) {
      outcome = error.what();
    }
    return outcome;
  };
  for (const char* record : {R"({"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1})",
                             R"({"image_id": 1, "category_id": 9, "bbox": [0, 0, 1, 1], "score": 1})",
                             R"({"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": NaN})",
                             R"({"image_id": 9})", "{}", "7", "", R"("}, {")"}) {
    const std::string text = many_results(kManyRecords - 5, record);
    EXPECT_TRUE(read(text, &pool_) == read(text, nullptr)) << record;
  }
  const std::string one_left_out =
      many_results(kManyRecords - 5, R"({"image_id": 1, "category_id": 9, "bbox": [0, 0, 1, 1], "score": 1})");
  EXPECT_NE(read(one_left_out, &pool_)
                .find("1 of 40000 results left out: of categories that the annotation file does "
                      "not list (the first is [39995])"),
            std::string::npos);
}

TEST_F(Parts, AnnotationFiles) {
  const auto read = [&](const std::string& text, ThreadPool* pool) {
    std::string outcome;
    try {
      const auto dataset = parse_coco_dataset(text, "gt.json", BadRecords::kLeaveOut, pool);
      for (const Annotation& a : dataset.annotations)
        outcome += fmt::format("{} {} {} {} {}\n", a.id, a.image_id, a.category_id, a.bbox[1], a.area);
      for (const std::string& note : dataset.notes) outcome += note;
    } catch (const Error& error) {
      outcome = error.what();
    }
    return outcome;
  };
  for (const char* record : {R"({"image_id": 1, "category_id": 3, "id": 5, "bbox": [0, 0, 1, 1]})",
                             R"({"image_id": 1, "category_id": 3, "id": 6, "bbox": [0, 0, 1, 1]})",
                             R"({"image_id": 1, "category_id": 3, "id": "6", "bbox": [0, 0, 1, 1]})",
                             R"({"image_id": "1", "category_id": 3, "id": 5, "bbox": [0, 0, 1, 1]})",
                             R"({"image_id": 1, "category_id": 4, "id": 5, "bbox": [0, 0, 1, 1]})",
                             R"({"image_id": 1, "category_id": 3, "id": 5, "bbox": [0, 0, -1, 1]})", "{}", "[", "}"}) {
    const std::string text = many_annotations(kManyRecords - 5, record);
    EXPECT_TRUE(read(text, &pool_) == read(text, nullptr)) << record;
  }
  const std::string twice =
      many_annotations(kManyRecords - 5, R"({"image_id": 1, "category_id": 3, "id": 6, "bbox": [0, 0, 1, 1]})");
  EXPECT_NE(read(twice, &pool_).find("annotations[39995].id: the id of another annotation"), std::string::npos);
}

TEST_F(Parts, FilesWhosePagesAreReleased) {
  const test::TestFolder folder("eval");
  const std::string text = many_annotations(0, R"({"image_id": 1, "category_id": 3, "id": 6, "bbox": [0, 0, 1, 1]})");
  write_file(folder / "gt.json", text);  // with an id that occurs twice, so that it is read in parts and then in one
  EXPECT_NE(bad_input_message([&] {
              read_coco_dataset(folder / "gt.json", BadRecords::kLeaveOut, &pool_);
            }).find("annotations[2].id"),
            std::string::npos);
  const MappedFile file(folder / "gt.json");
  file.release(1, file.size());
  EXPECT_TRUE(file.text() == text);
}

}  // namespace
}  // namespace effdet::eval
