// Classes and categories that match, and those that do not.
#include "dataset/class_map.h"
#include "dataset/category_map.h"

#include "dataset/test_support.h"
#include "eval/coco_dataset.h"

namespace effdet::dataset {
namespace {

constexpr int64_t kNone = ClassMap::kNone;
using Ids = std::vector<int64_t>;
using Names = std::vector<std::string>;

model::ModelInfo model_of(int classes, Names names = {}) {
  model::ModelInfo info;
  info.num_classes = classes;
  info.class_names = std::move(names);
  return info;
}

/// Categories with one annotation each; those whose name begins with '!' have none.
eval::GroundTruth data_of(const std::vector<std::pair<int64_t, std::string>>& categories) {
  eval::GroundTruth dataset;
  for (auto [id, name] : categories) {
    const bool annotated = !name.starts_with('!');
    dataset.categories.push_back({id, annotated ? name : name.substr(1)});
    if (annotated) dataset.annotations.push_back({.category_id = id});
  }
  return dataset;
}

eval::GroundTruth unnamed(const Ids& ids) {
  eval::GroundTruth dataset = data_of({});
  for (const int64_t id : ids) {
    dataset.categories.push_back({id, fmt::format("category {}", id)});
    dataset.annotations.push_back({.category_id = id});
  }
  return dataset;
}

struct Mapped {
  Ids ids;  ///< of each class
  std::vector<std::string> notes;
};

Mapped map(const model::ModelInfo& info, const eval::GroundTruth& dataset, ClassMapping mapping = ClassMapping::kAuto,
           const Names& names = {}) {
  const ClassMap classes(info, {.mapping = mapping, .names = names}, dataset, "gt.json");
  Mapped mapped{.ids = {}, .notes = classes.notes()};
  for (int i = 0; i < info.num_classes; ++i) mapped.ids.push_back(classes.category_of(i + info.label_offset));
  return mapped;
}

void expect_mapped(const Mapped& mapped, const Ids& ids, std::string_view note) {
  EXPECT_EQ(mapped.ids, ids);
  ASSERT_EQ(mapped.notes.size(), note.empty() ? 0u : 1u) << note;
  for (const std::string& line : mapped.notes) EXPECT_TRUE(contains(line, note)) << line;
}

TEST(ClassMap, IdsOfTheConventionAreTakenWithoutAWord) {
  expect_mapped(map(model_of(3), unnamed({1, 2, 3})), {1, 2, 3}, "");
  expect_mapped(map(model_of(3), unnamed({2})), {1, 2, 3}, "");
  const ClassMap three(model_of(3), {}, unnamed({2}), "gt.json");
  for (const int64_t none : {int64_t{0}, int64_t{4}, int64_t{-1'000'000'000}})
    EXPECT_EQ(three.category_of(none), kNone);
  expect_mapped(map(model_of(3), unnamed({})), {1, 2, 3}, "");
  expect_mapped(map(model_of(3, {"a", "b", "c"}), data_of({{3, "c"}, {1, "A"}})), {1, 2, 3}, "");
}

TEST(ClassMap, RenumberedCategoriesAreMappedByName) {
  const model::ModelInfo model = model_of(3, {"traffic light", "Bus", "dog"});
  expect_mapped(map(model, data_of({{0, "bus"}, {1, "dog"}, {2, "traffic_light"}})), {2, 0, 1}, "by name: 3 of 3");
  expect_mapped(map(model, data_of({{1, "dog"}, {2, "bus"}, {3, "Traffic-Light "}})), {3, 2, 1}, "by name");
  expect_mapped(map(model, data_of({{7, "dog"}, {900, "bus"}})), {kNone, 900, 7}, "by name");
  expect_mapped(map(model, data_of({{7, "dog"}, {9, "cat"}, {10, "!cow"}})), {kNone, kNone, 7},
                "no class is called 'cat'");
  expect_mapped(map(model_of(3), data_of({{5, "b"}, {6, "c"}, {9, "a"}}), ClassMapping::kAuto, {"a", "b", "c"}),
                {9, 5, 6}, "by name");
}

TEST(ClassMap, OtherNamesWithIdsThatFitAreSaid) {
  const model::ModelInfo model = model_of(2, {"cat", "dog"});
  expect_mapped(map(model, data_of({{1, "chat"}, {2, "chien"}})), {1, 2}, "2 of 2 categories have other names");
  expect_mapped(map(model, data_of({{1, "cat"}, {2, "chien"}})), {1, 2}, "1 of 2 categories have other names");
}

TEST(ClassMap, AsManyCategoriesAsClassesAreTakenInOrder) {
  for (const Ids& ids : {Ids{0, 1, 2}, Ids{1, 3, 7}, Ids{100, 101, 102}, Ids{-1, 0, 1}})
    expect_mapped(map(model_of(3), unnamed(ids)), ids, "in their order");
}

TEST(ClassMap, ACategoryForTheWholeSetIsNoClass) {
  // Roboflow's category 0 stands above the others.
  expect_mapped(map(model_of(2), data_of({{0, "!shapes"}, {1, "a"}, {2, "b"}})), {1, 2}, "but for categories without");
  expect_mapped(map(model_of(1, {"cat"}), data_of({{0, "!cat"}, {1, "cat"}})), {1}, "");
}

TEST(ClassMap, WhatDoesNotBelongTogetherIsRefused) {
  std::vector<std::pair<int64_t, std::string>> coco;
  for (int64_t id = 1; id <= 90; ++id) coco.emplace_back(id, fmt::format("thing {}", id));
  const std::string message = bad_input_message([&] { map(model_of(6), data_of(coco)); });
  EXPECT_TRUE(contains(message, "gt.json: 90 categories, ids 1 to 90, for a model of 6 classes")) << message;
  EXPECT_TRUE(contains(message, "--class-names FILE") && contains(message, "--category-map")) << message;
  EXPECT_TRUE(contains(bad_input_message([] { map(model_of(6), unnamed({0, 1, 2})); }), "ids 0 to 2"));
  EXPECT_TRUE(contains(bad_input_message([] { map(model_of(2, {"a", "b"}), unnamed({5, 6, 7})); }), "ids 5 to 7"));
  EXPECT_EQ(error_of([] { map(model_of(2), unnamed({1}), ClassMapping::kAuto, {"a"}); }).code(), ErrorCode::kUsage);
}

TEST(ClassMap, ModelsWithAsManyClassesAsCocoHaveItsNames) {
  // 90 classes: category ids of COCO; 80: COCO's categories in order.
  const eval::GroundTruth contiguous = data_of({{1, "person"}, {2, "toothbrush"}, {80, "stop sign"}});
  const Mapped of90 = map(model_of(90), contiguous), of80 = map(model_of(80), contiguous);
  EXPECT_EQ(of90.ids[0], 1);
  EXPECT_EQ(of90.ids[89], 2);
  EXPECT_EQ(of90.ids[12], 80);
  EXPECT_EQ(of80.ids[79], 2);
  EXPECT_EQ(of80.ids[11], 80);
  // Own data with a name of COCO's by chance are no reason to take the others away.
  const Mapped own = map(model_of(90), data_of({{1, "helmet"}, {2, "person"}, {3, "vest"}}));
  EXPECT_EQ(own.ids[1], 2);
  EXPECT_TRUE(
      contains(own.notes.at(0), "2 of 3 categories have other names than the model's classes would have for COCO"))
      << own.notes[0];
}

TEST(ClassMap, DoesAsItIsTold) {
  const eval::GroundTruth dataset = data_of({{0, "a"}, {1, "b"}});
  const model::ModelInfo model = model_of(3, {"b", "a", "c"});
  expect_mapped(map(model, dataset, ClassMapping::kIds), {1, 2, 3}, "");
  expect_mapped(map(model, dataset, ClassMapping::kOrder), {0, 1, kNone}, "in their order");
  expect_mapped(map(model, dataset, ClassMapping::kNames), {1, 0, kNone}, "by name: 2 of 2");
  EXPECT_EQ(error_of([&] { map(model_of(3), dataset, ClassMapping::kNames); }).code(), ErrorCode::kUsage);
  EXPECT_TRUE(
      contains(bad_input_message([&] { map(model, unnamed({1}), ClassMapping::kNames); }), "none of their names"));
  EXPECT_TRUE(contains(bad_input_message([&] { map(model_of(1), dataset, ClassMapping::kOrder); }), "more of them"));
}

TEST(ClassMap, OfCategoriesOfOneNameTheAnnotatedOneHasIt) {
  const model::ModelInfo model = model_of(2, {" cat", "dog"});
  expect_mapped(map(model, data_of({{5, "cat"}, {6, "!Cat"}, {7, "dog"}})), {5, 7}, "by name: 2 of 3");
  expect_mapped(map(model, data_of({{5, "!cat"}, {6, "cat"}, {7, "dog"}})), {6, 7}, "by name: 2 of 3");
  expect_mapped(map(model, data_of({{5, "cat"}, {6, "cat"}, {7, "dog"}})), {5, 7}, "no class is called 'cat'");
}

TEST(ClassMap, CategoriesWithoutNamesOrAnnotationsSayNothing) {
  expect_mapped(map(model_of(2, {"a", "b"}), data_of({{1, ""}, {2, "c"}})), {1, 2},
                "1 of 2 categories have other names");
  expect_mapped(map(model_of(2, {"a", "b"}), data_of({{1, ""}})), {1, 2}, "");
  EXPECT_TRUE(contains(bad_input_message([] {
                         map(model_of(2), data_of({{7, "!a"}, {8, "!b"}, {9, "!c"}}));
                       }),
                       "3 categories, ids 7 to 9, for a model of 2 classes"));
  EXPECT_TRUE(contains(bad_input_message([] { map(model_of(1, {"a"}), data_of({}), ClassMapping::kNames); }),
                       "0 categories, ids none"));
}

TEST(ClassMap, CountsFromTheModelsOffset) {
  model::ModelInfo model = model_of(2);
  model.label_offset = 0;
  expect_mapped(map(model, unnamed({0, 1})), {0, 1}, "");
}

TEST(ClassMap, CategoriesMayHaveStringIds) {
  const eval::GroundTruth dataset = eval::parse_coco_dataset(
      R"({"images": [{"id": 1}], "categories": [{"id": "d", "name": "dog"}, {"id": "c", "name": "cat"}], "annotations": []})",
      "gt.json");
  const Mapped mapped = map(model_of(2, {"dog", "cat"}), dataset);
  EXPECT_EQ(dataset.category_ids.json_of(mapped.ids[0]), "\"d\"");
  EXPECT_EQ(dataset.category_ids.json_of(mapped.ids[1]), "\"c\"");
}

TEST(ClassMap, TakesALineForEachClassFromAFile) {
  const TestFolder folder("category_map");
  const eval::GroundTruth dataset = data_of({{10, "vehicle"}, {20, "a, b"}, {30, "1"}});
  const auto mapped = [&](std::string_view text) {
    write_file(folder / "map.csv", text);
    const ClassMap classes(model_of(3, {"Car", "truck", "dog"}), {.map = folder / "map.csv"}, dataset, "gt.json");
    return Ids{classes.category_of(1), classes.category_of(2), classes.category_of(3)};
  };
  EXPECT_EQ(mapped("class,category\n# two are one\ncar, vehicle\r\n1,10\n\ndog,\"a, b\"\n"), (Ids{10, 10, 20}));
  EXPECT_EQ(mapped("2,1"), (Ids{kNone, kNone, 30}));
  for (const auto& [text, message] :
       {std::pair("car,vehicle\ncow,10\n", "map.csv:2: class 'cow' is neither a name nor an index (0 to 2)"),
        {"3,10\n", "map.csv:1: class '3' is neither"},
        {"car,bike\n", "map.csv:1: category 'bike' is neither an id nor a name of the annotations' 3 categories"},
        {"car\n", "map.csv:1: 1 columns, not 2: a line is class,category"},
        {"car,\n", "map.csv:1: the category is empty"},
        {" ,10\n", "map.csv:1: the class is empty"},
        {"class,vehicle\n", "map.csv:1: class 'class' is neither a name nor an index"},
        {"class,category\n", "map.csv: no line class,category"},
        {"car,10\nclass,category\n", "map.csv:2: class 'class' is neither"},
        {"car,10\ncar,20\n", "map.csv:2: class 'car' is mapped twice"},
        {"car,10\n0,20\n", "map.csv:2: class '0' is mapped twice, by its name and its index"},
        {"# nothing\n", "map.csv: no line class,category"}})
    EXPECT_TRUE(contains(bad_input_message([&] { mapped(text); }), message)) << text;
}

TEST(ClassMap, NumbersThatAFormatLacksAreToldOfWhereTheyCount) {
  eval::GroundTruth data = data_of({{1, "cat"}, {2, "dog"}});
  data.are_categories_by_name = true;
  const auto notes = [&](const Names& names) { return ClassMap(model_of(2, names), {}, data, "Annotations").notes(); };
  EXPECT_TRUE(notes({"cat", "dog"}).empty());
  ASSERT_EQ(notes({"dog", "cat"}).size(), 1u);  // by name
  EXPECT_FALSE(contains(notes({"dog", "cat"})[0], "in the order of their names"));
  ASSERT_FALSE(notes({}).empty());
  EXPECT_TRUE(contains(notes({}).back(), "Annotations: categories are numbered in the order of their names"));
}

TEST(CategoryMap, AByteOrderMarkIsNoPartOfIt) {
  const TestFolder folder("map");
  write_file(folder / "map.csv", std::string("\xef\xbb\xbf"
                                             "class,category\r\ncat,1\r\n"));
  const std::vector<CategoryLine> lines = read_category_map(folder / "map.csv");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].from, "cat");
}

TEST(CategoryMap, GivesResultsTheCategoriesOfTheAnnotations) {
  const TestFolder folder("category_map");
  write_file(folder / "gt.json", R"({"images": [{"id": 1}], "categories": [{"id": 10, "name": "cat"}], "annotations": [
      {"id": 1, "image_id": 1, "category_id": 10, "bbox": [0, 0, 50, 50]}]})");
  write_file(folder / "dt.json", R"([{"image_id": 1, "category_id": 0, "bbox": [0, 0, 50, 50], "score": 0.9},
                                     {"image_id": 1, "category_id": 10, "bbox": [0, 0, 9, 9], "score": 0.95}])");
  const auto evaluated = [&](std::string_view map) {
    write_file(folder / "map.csv", map);
    return evaluate_results(folder / "gt.json", folder / "dt.json", {.category_map = folder / "map.csv"});
  };
  const Evaluation evaluation = evaluated("0,cat\n");
  EXPECT_NEAR(evaluation.stats[0], 1, 1e-12);
  EXPECT_TRUE(contains(evaluation.notes.at(0), "1 of 2 results left out: of categories that the category map"));
  EXPECT_TRUE(contains(bad_input_message([&] { evaluated("cat,10\n"); }), "map.csv:1: class 'cat' is no whole number"));
  EXPECT_TRUE(contains(bad_input_message([&] { evaluated("0,dog\n"); }), "map.csv:1: category 'dog' is neither"));
}

/// As in exports with a category 0 for all of them: which one is meant is not to be guessed.
TEST(CategoryMap, ANameOfTwoCategoriesIsRefused) {
  const TestFolder folder("category_map");
  write_file(folder / "gt.json", R"({"images": [{"id": 1}], "annotations": [], "categories": [
      {"id": 0, "name": "person"}, {"id": 1, "name": "person"}]})");
  write_file(folder / "dt.json", "[]");
  const auto refused = [&](const EvaluateOptions& options) {
    return bad_input_message([&] { evaluate_results(folder / "gt.json", folder / "dt.json", options); });
  };
  EXPECT_TRUE(contains(refused({.categories = {"person"}}), "2 categories of the annotations are called 'person'"));
  write_file(folder / "map.csv", "1,person\n");
  EXPECT_TRUE(contains(refused({.category_map = folder / "map.csv"}), "give the id of one"));
}

}  // namespace
}  // namespace effdet::dataset
