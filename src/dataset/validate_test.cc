// Validation in memory against the way over files, at every batch and number of threads.
#include <atomic>
#include <set>

#include "compiler/compile.h"
#include "dataset/dataset.h"
#include "dataset/test_support.h"
#include "detection/candidates_graph.h"
#include "detection/detection_model.h"
#include "detection/tiny_graph.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/host_api.h"
#include "model/metadata.h"
#include "runtime/compiled_model_impl.h"

namespace effdet::dataset {
namespace {

constexpr int kImageSide = detection::kTinySide;

/// The way over files: preprocess, run, dump, postprocess.
Evaluation by_files(const fs::path& root, const TestFolder& folder, const fs::path& results) {
  const InputOptions input{"tf_efficientdet_d0", kImageSide, kImageSide};
  preprocess_dataset(root, folder / "bins", input);
  make_folder(folder / "dump");
  const auto engine = EngineAccess::first(tiny_model(1));
  runtime::Session session(engine, 1);
  detection::OutputBuffers outputs(*engine);
  for (const auto& entry : fs::directory_iterator(folder / "bins")) {
    const MappedFile file(entry.path());
    const std::byte* tensor = file.bytes().data();
    session.run({&tensor, 1}, outputs.pointers());
    const auto values = outputs.values();
    for (size_t k = 0; k < values.size(); ++k)
      write_floats(folder / "dump" / fmt::format("{}_{}.bin", entry.path().stem().string(), k + 1), values[k]);
  }
  return postprocess_dumps(root, folder / "dump", {input, 0, {}, {}, results});
}

TEST(Validate, EqualsTheWayOverFilesAtEveryBatchAndThreadCount) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 7);
  const Evaluation expected = by_files(root, folder, folder / "files.json");
  EXPECT_GT(expected.detections, 100u);
  for (const int batch : {1, 2, 4, 16})  // the last batch is partial
    for (const int threads : {1, 3}) {
      std::vector<size_t> done;
      ValidateOptions options{.results = folder / "direct.json"};
      options.progress = [&](size_t number, size_t total, double seconds) {
        done.push_back(number);
        EXPECT_EQ(total, 7u);
        EXPECT_GT(seconds, 0);
      };
      const ValidateReport report = validate_dataset(root, tiny_model(batch), options, threads);
      EXPECT_EQ(report.evaluation.stats, expected.stats);
      EXPECT_EQ(report.evaluation.images, 7u);
      EXPECT_LE(report.inference_seconds, report.seconds);
      EXPECT_EQ(done, (std::vector<size_t>{1, 2, 3, 4, 5, 6, 7}));
      EXPECT_EQ(read_file(folder / "direct.json"), read_file(folder / "files.json")) << batch << ' ' << threads;
    }
}

TEST(Validate, SeveralStreamsGiveTheSame) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 11);
  ValidateOptions options{.results = folder / "one.json"};
  const Evaluation one = validate_dataset(root, tiny_model(2), options, 2).evaluation;
  for (const int streams : {2, 3, 8}) {  // of 8 some get no batch
    std::vector<size_t> done;
    options = {.results = folder / "several.json", .streams = streams};
    options.progress = [&](size_t number, size_t, double) { done.push_back(number); };
    const ValidateReport report = validate_dataset(root, tiny_model(2), options, 2);
    EXPECT_EQ(report.evaluation.stats, one.stats);
    EXPECT_EQ(read_file(folder / "several.json"), read_file(folder / "one.json")) << streams;
    EXPECT_EQ(done.size(), 11u);
    EXPECT_TRUE(std::ranges::is_sorted(done));
  }
  EXPECT_EQ(error_of([&] { validate_dataset(root, tiny_model(1), {.streams = 0}); }).code(), ErrorCode::kUsage);
}

/// A GPU's twin prepares pictures for both models, and selects the boxes of one; of the other the host decodes the
/// heads.
TEST(Validate, ADeviceThatSelectsBoxesFindsWhatTheHostFinds) {
  const auto device = kernels::cuda::make_device("cuda-validate", 0, kernels::cuda::host_api);
  const kernels::RegisteredDevice registered(*device);
  const auto model_of = [&](int batch, bool selects) {
    ir::Graph graph = detection::tiny_graph(batch);
    if (selects) detection::append_candidates(graph, DetectOptions().max_candidates);
    return EngineAccess::model_of(
        std::make_shared<runtime::Engine>(compiler::compile(graph, {.target = device->target()})));
  };
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 7);
  const fs::path by_host = folder / "host.json", by_device = folder / "device.json";
  EXPECT_GT(validate_dataset(root, model_of(1, false), {.results = by_host}, 1).evaluation.detections, 100u);
  for (const int batch : {1, 4}) {  // the last batch is partial
    const CompiledModel model = model_of(batch, true);
    ASSERT_EQ(EngineAccess::first(model)->output_count(), 2U) << "candidates";
    validate_dataset(root, model, {.results = by_device, .streams = 2}, 2);
    EXPECT_EQ(read_file(by_device), read_file(by_host)) << batch;
  }
}

TEST(Validate, StopsAfterTheLimitAndWritesImages) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 5);
  ValidateOptions options{.limit = 3, .pictures = folder / "images", .picture_threshold = 0.9f};
  EXPECT_EQ(validate_dataset(root, tiny_model(2), options).evaluation.images, 3u);
  for (int id = 1; id <= 5; ++id)
    EXPECT_EQ(fs::exists(folder / "images" / fmt::format("{:012}.jpg", id)), id <= 3) << id;
}

TEST(Validate, KeepsTheResultsOfFinishedImagesWhereItIsStopped) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 12), results = folder / "r.json";
  for (const int streams : {1, 2}) {
    std::atomic<bool> stop = false;
    ValidateOptions options{.results = results, .streams = streams, .stop = &stop};
    options.progress = [&](size_t done, size_t, double) { stop = stop || done == 3; };
    const ValidateReport report = validate_dataset(root, tiny_model(1), options, 2);
    EXPECT_EQ(report.total, 12u);
    EXPECT_GE(report.evaluation.images, 3u);
    EXPECT_LE(report.evaluation.images, 4u);
    std::set<int> images;
    const nlohmann::json written = load_json(results);
    for (const auto& result : written) images.insert(result["image_id"].get<int>());
    EXPECT_EQ(images.size(), report.evaluation.images);
  }
}

TEST(Validate, MapsClassesToCategoriesBeforeTheFirstImage) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 4);
  const Evaluation expected = validate_dataset(root, tiny_model(1), {.results = folder / "r.json"}).evaluation;
  const std::string original = read_file(folder / "r.json");
  edit_annotations(root, [](auto& json) {
    for (auto& category : json["categories"]) category["id"] = category["id"].template get<int>() - 1;
    for (auto& object : json["annotations"]) object["category_id"] = object["category_id"].template get<int>() - 1;
  });
  std::vector<std::string> notes;
  ValidateOptions options{.results = folder / "zero.json"};
  options.on_note = [&](const std::string& note) { notes.push_back(note); };
  options.progress = [&](size_t, size_t, double) { EXPECT_EQ(notes.size(), 1u); };
  const Evaluation zero_based = validate_dataset(root, tiny_model(1), options).evaluation;
  EXPECT_EQ(zero_based.stats, expected.stats);
  EXPECT_EQ(zero_based.notes, notes);
  EXPECT_EQ(evaluate_results(annotations_of(root), folder / "zero.json").stats, expected.stats);

  edit_annotations(root, [](auto& json) { json["categories"].erase(5); });  // ids 0 to 4 for 6 classes
  bool began = false;
  options.progress = [&](size_t, size_t, double) { began = true; };
  EXPECT_EQ(error_of([&] { validate_dataset(root, tiny_model(1), options); }).code(), ErrorCode::kBadInput);
  EXPECT_FALSE(began);
}

TEST(Validate, DoesNotReplaceTheAnnotationsByResults) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2);
  const std::string before = read_file(annotations_of(root));
  by_files(root, folder, folder / "files.json");
  fs::create_symlink(annotations_of(root), folder / "link.json");
  const InputOptions input{"tf_efficientdet_d0", kImageSide, kImageSide};
  for (const fs::path& results : {annotations_of(root), folder / "link.json"}) {
    const Error refused = error_of([&] { validate_dataset(root, tiny_model(), {.results = results}); });
    EXPECT_EQ(refused.code(), ErrorCode::kUsage);
    EXPECT_TRUE(contains(refused.what(), "a file of the data set, which would be lost")) << refused.what();
    EXPECT_EQ(error_of([&] {
                postprocess_dumps(root, folder / "dump", {input, 0, {}, {}, results});
              }).code(),
              ErrorCode::kUsage);
  }
  EXPECT_EQ(read_file(annotations_of(root)), before);
}

/// On pictures a class is called as its category is, and by its number where that has no name.
TEST(Validate, ClassesWithoutNamesAreDrawnWithTheirNumbers) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1);
  const auto picture_with = [&](auto name_of) {
    edit_annotations(root, [&](auto& json) {
      for (auto& category : json["categories"]) category["name"] = name_of(category["id"].template get<int>());
    });
    validate_dataset(root, tiny_model(1), {.pictures = folder / "images", .picture_threshold = 0});
    return read_file(folder / "images/000000000001.jpg");
  };
  const std::string numbered = picture_with([](int id) { return fmt::format("class {}", id); });
  EXPECT_EQ(picture_with([](int) { return std::string(); }), numbered);
  EXPECT_NE(picture_with([](int id) { return fmt::format("k {}", id); }), numbered);
}

TEST(Validate, TellsWhatTheNumbersAreMadeOf) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 3);
  ValidateOptions options{.error_analysis = true, .analysis = AnalysisOptions{}};
  options.on_running_map = [](double, size_t) {};
  const Evaluation evaluation = validate_dataset(root, tiny_model(1), options).evaluation;
  EXPECT_EQ(evaluation.errors.kinds.size(), 6u);
  ASSERT_TRUE(evaluation.analysis.has_value());
  EXPECT_EQ(evaluation.analysis->categories.size(), evaluation.categories.size());
  EXPECT_EQ(validate_dataset(root, tiny_model(1), {}).evaluation.stats, evaluation.stats);
}

TEST(BadInput, Case84_ValidateRefusesAnotherSizeThanAnnotated) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2);
  edit_annotations(root, [](auto& json) { std::swap(json["images"][1]["width"], json["images"][1]["height"]); });
  const auto image = load_json(annotations_of(root))["images"][1];
  if (image["width"] == image["height"]) GTEST_SKIP() << "a square image";
  const ValidateReport report = validate_dataset(root, tiny_model(1), {});
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_TRUE(contains(report.failures[0].message, "turned after it was annotated")) << report.failures[0].message;
}

}  // namespace
}  // namespace effdet::dataset
