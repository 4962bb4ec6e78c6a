// Dumps in every order, numbering and format give the same detections.
#include "dataset/dataset.h"
#include "dataset/test_support.h"
#include "detection/nms_graph.h"

namespace effdet::dataset {
namespace {

constexpr int kSide = 128, kClasses = 6, kAnchors = 9;
constexpr int kCells[] = {16, 8, 4, 2, 1};  // of levels 3..7

/// Class outputs of every level, then box outputs: nothing is found but one box of class 2 in the centre of level 5.
std::vector<std::vector<float>> one_object() {
  std::vector<std::vector<float>> outputs;
  for (int cells : kCells) outputs.emplace_back(kAnchors * kClasses * cells * cells, -12.0f);
  for (int cells : kCells) outputs.emplace_back(kAnchors * 4 * cells * cells, 0.0f);
  outputs[2][static_cast<size_t>(1 * 16 + 1 * 4 + 2)] = 3.0f;  // anchor 0, class 1, row 1, column 2
  return outputs;
}

/// Writes the outputs in the order given as <stem>_<first + i>.
void dump(const fs::path& folder, const std::string& stem, const std::vector<std::vector<float>>& outputs,
          const std::vector<size_t>& order, int first = 1, bool text = false) {
  make_folder(folder);
  for (size_t i = 0; i < order.size(); ++i) {
    const auto& values = outputs[order[i]];
    const std::string name = fmt::format("{}_{}", stem, first + static_cast<int>(i));
    if (text) {
      write_file(folder / (name + ".txt"), fmt::format("{:.6f}", fmt::join(values, " ")));
    } else {
      write_floats(folder / (name + ".bin"), values);
    }
  }
}

const std::vector<size_t> kModelOrder{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, kInterleaved{5, 0, 6, 1, 7, 2, 8, 3, 9, 4};

PostprocessOptions options_for(const TestFolder& folder) {
  return {.input = {"tf_efficientdet_d0", kSide, kSide},
          .num_classes = 0,
          .detect = {},
          .results = folder / "results.json"};
}

TEST(Postprocess, FindsTheSameInEveryOrderNumberingAndFormat) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 3);
  const auto outputs = one_object();
  std::string first_results;
  for (const bool interleaved : {false, true})
    for (const int first : {0, 1})
      for (const bool text : {false, true}) {
        const fs::path dumps = folder / fmt::format("dump{}{}{}", interleaved, first, text);
        const auto& order = interleaved ? kInterleaved : kModelOrder;
        for (const char* stem : {"000000000001", "000000000003"}) dump(dumps, stem, outputs, order, first, text);
        const Evaluation evaluation = postprocess_dumps(root, dumps, options_for(folder), 2);
        EXPECT_EQ(evaluation.images, 2u) << "image 2 was not dumped";
        EXPECT_EQ(evaluation.detections, 2u);
        EXPECT_EQ(evaluation.summary.size(), 12u);
        EXPECT_EQ(evaluation.categories.at(1).name, "square");
        const std::string results = read_file(folder / "results.json");
        if (first_results.empty()) first_results = results;
        EXPECT_EQ(results, first_results) << interleaved << first << text;
      }
  EXPECT_TRUE(contains(first_results, "\"category_id\":2") || contains(first_results, "\"category_id\": 2"));
}

TEST(Postprocess, ScalesWithTheAnnotatedSize) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1);
  edit_annotations(root, [](auto& json) {
    json["images"][0]["width"] = 1280;
    json["images"][0]["height"] = 640;
  });
  dump(folder / "dump", "000000000001", one_object(), kModelOrder);
  postprocess_dumps(root, folder / "dump", options_for(folder));
  // Anchor 0 of level 5 is a square of 4 * 32 pixels around (80, 48) of the input; an input pixel is 10 of the image.
  const auto results = load_json(folder / "results.json");
  EXPECT_EQ(results[0]["bbox"], (std::vector<double>{160, 0, 1120, 640}));
}

TEST(Postprocess, RefusesDumpsOfAnotherModelOrSize) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2);
  dump(folder / "dump", "000000000001", one_object(), kModelOrder);
  PostprocessOptions options = options_for(folder);
  options.input.height = options.input.width = 256;
  const std::string message = bad_input_message([&] { postprocess_dumps(root, folder / "dump", options); });
  EXPECT_TRUE(contains(message, "000000000001_1.bin") && contains(message, "--img-size")) << message;
  options = options_for(folder);
  options.num_classes = 90;
  EXPECT_TRUE(
      contains(bad_input_message([&] { postprocess_dumps(root, folder / "dump", options); }), "image '000000000001'"));
  options = options_for(folder);
  options.input = {"tf_efficientdet_d7x", 256, 256};
  EXPECT_TRUE(contains(bad_input_message([&] { postprocess_dumps(root, folder / "dump", options); }), "is missing"));
}

/// Four values an anchor are boxes without any class.
TEST(Postprocess, RefusesOutputsThatLeaveNoClass) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1);
  auto outputs = one_object();
  for (size_t level = 0; level < 5; ++level)
    outputs[level].resize(outputs[5 + level].size() / 2), outputs[5 + level].resize(outputs[5 + level].size() / 2);
  dump(folder / "dump", "000000000001", outputs, kModelOrder);
  EXPECT_TRUE(contains(bad_input_message([&] { postprocess_dumps(root, folder / "dump", options_for(folder)); }),
                       "which fit no number of classes of tf_efficientdet_d0"));
}

TEST(Postprocess, RefusesAFolderWithoutOutputsOfTheDataSet) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1);
  dump(folder / "dump", "something", one_object(), kModelOrder);
  const std::string message = bad_input_message([&] { postprocess_dumps(root, folder / "dump", options_for(folder)); });
  EXPECT_TRUE(contains(message, "000000000001_1.bin would be one")) << message;
}

/// Of a model that detects itself: rows of a box, a score and a category, in pixels of the input.
TEST(Postprocess, TakesRowsOfAModelThatDetectsItself) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2);
  edit_annotations(root, [](auto& json) {
    for (auto& image : json["images"]) image.update({{"width", 64}, {"height", 48}});
  });
  make_folder(folder / "dump");
  PostprocessOptions options = options_for(folder);
  options.input.metadata = detection::tiny_graph(1).metadata;
  detection::tell_rows(options.input.metadata);
  write_floats(folder / "dump/000000000001_0.bin",
               std::vector<float>{10, 20, 50, 60, 0.75f, 2, -4, 0, 400, 90, 0.5f, 1, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(postprocess_dumps(root, folder / "dump", options).detections, 2u);
  const nlohmann::json results = load_json(folder / "results.json");
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0]["bbox"], (std::vector<double>{5, 10, 20, 20}));  // a pixel of the input is half one of the image
  EXPECT_EQ(results[0]["category_id"], 2);
  EXPECT_EQ(results[1]["bbox"], (std::vector<double>{0, 0, 64, 45}));  // cut to the image
  const auto refused = [&](std::string_view message) {
    const std::string found = bad_input_message([&] { postprocess_dumps(root, folder / "dump", options); });
    EXPECT_TRUE(contains(found, message)) << found;
  };
  write_floats(folder / "dump/000000000001_0.bin", std::vector<float>(7, 1.0f));
  refused("000000000001_0.bin: 7 values are no rows of 6");
  options.input.metadata.clear();  // as if the model's file had not been given
  refused("one output of image '000000000001', as a model writes it that detects itself");
  options.input.metadata = {{"author", "somebody"}};
  const Error other = error_of([&] { postprocess_dumps(root, folder / "dump", options); });
  EXPECT_EQ(other.code(), ErrorCode::kUnsupported);
  EXPECT_TRUE(contains(other.what(), "has no effdet metadata; export the checkpoint with pth2onnx")) << other.what();
}

TEST(Postprocess, NeedsTheSizesOfImages) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2);
  edit_annotations(root, [](auto& json) { json["images"][0].erase("width"); });
  fs::remove(root / "val2017/000000000001.jpg");
  dump(folder / "dump", "000000000001", one_object(), kModelOrder);
  EXPECT_TRUE(contains(bad_input_message([&] { postprocess_dumps(root, folder / "dump", options_for(folder)); }),
                       "image '000000000001': neither the annotations nor the image tell its size"));
}

TEST(BadInput, Case89_DumpOneValueShort) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2);
  auto outputs = one_object();
  dump(folder / "dump", "000000000001", outputs, kModelOrder);
  outputs[3].pop_back();
  dump(folder / "dump", "000000000002", outputs, kModelOrder);
  const std::string message = bad_input_message([&] { postprocess_dumps(root, folder / "dump", options_for(folder)); });
  EXPECT_TRUE(contains(message, "image '000000000002'") && contains(message, "output file 4")) << message;
}

/// Results that repeat a data set's objects, but for those of one image.
void write_all_but(const fs::path& annotations, int64_t image, const fs::path& results) {
  const nlohmann::json dataset = load_json(annotations);
  nlohmann::json list = nlohmann::json::array();
  for (const auto& object : dataset["annotations"])
    if (object["image_id"] != image)
      list.push_back({{"image_id", object["image_id"]},
                      {"bbox", object["bbox"]},
                      {"score", 0.9},
                      {"category_id", object["category_id"]}});
  write_file(results, list.dump());
}

TEST(Evaluate, CountsAllImagesOfTheAnnotations) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 3), results = folder / "results.json";
  write_all_but(annotations_of(root), 2, results);
  std::string stage;
  size_t images = 0;
  const Evaluation all = evaluate_results(annotations_of(root), results,
                                          {.progress = [&](std::string_view name, size_t done, size_t total) {
                                            stage = name;
                                            images = done;
                                            EXPECT_LE(done, total);
                                          }});
  EXPECT_EQ(stage, "images");
  EXPECT_EQ(images, all.images);
  EXPECT_EQ(all.images, 3u);
  EXPECT_LT(all.stats[0], 1.0);
  const Evaluation two = evaluate_results(annotations_of(root), results, {.only_images_with_results = true});
  EXPECT_EQ(two.images, 2u);
  EXPECT_DOUBLE_EQ(two.stats[0], 1.0);
  write_file(results, "[]");
  EXPECT_EQ(evaluate_results(annotations_of(root), results).stats[0], 0);
}

TEST(Evaluate, SaysWhatIsLeftOutOrRefusesIt) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2), results = folder / "results.json";
  write_all_but(annotations_of(root), 2, results);
  edit_annotations(root, [](auto& json) { json["annotations"].push_back(json["annotations"][0]); });
  edit_annotations(root, [](auto& json) { json["annotations"].back().update({{"id", 999}, {"category_id", 77}}); });
  const Evaluation evaluation = evaluate_results(annotations_of(root), results);
  ASSERT_EQ(evaluation.notes.size(), 1u);
  EXPECT_TRUE(contains(evaluation.notes[0], "of categories that are not listed")) << evaluation.notes[0];
  EXPECT_EQ(error_of([&] { evaluate_results(annotations_of(root), results, {.strict = true}); }).code(),
            ErrorCode::kBadInput);
}

TEST(Evaluate, SaysThatTheFilesAreTheOtherWayRound) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1), results = folder / "results.json";
  write_all_but(annotations_of(root), 2, results);
  const Error swapped = error_of([&] { evaluate_results(results, annotations_of(root)); });
  EXPECT_EQ(swapped.code(), ErrorCode::kUsage);
  EXPECT_TRUE(contains(swapped.what(), "give the annotation file first")) << swapped.what();
  EXPECT_TRUE(contains(error_of([&] { evaluate_results(results, results); }).what(), "as result files are"));
  EXPECT_TRUE(contains(error_of([&] { evaluate_results(annotations_of(root), annotations_of(root)); }).what(),
                       "as annotation files are"));
}

}  // namespace
}  // namespace effdet::dataset
