// Tensors of a data set, the same at any thread count.
#include <algorithm>
#include <cstdio>
#include <fstream>

#include "dataset/dataset.h"
#include "dataset/input_options.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

constexpr char kModel[] = "tf_efficientdet_d0";

std::string bytes_of(const fs::path& path) { return read_file(path); }

/// "hash  stem" of every file, as coreutils' sha256sum gives them; empty where that is not installed.
std::vector<std::string> hashes_of(const fs::path& folder) {
  std::vector<std::string> lines;
  const std::string command = "cd '" + folder.string() + "' && sha256sum *.bin 2>/dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return lines;
  char line[512];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    const std::string text(line);
    lines.push_back(text.substr(0, text.rfind(".bin")));
  }
  ::pclose(pipe);
  return lines;
}

TEST(Preprocess, WritesWhatLetterboxToTensorGivesAtAnyThreadCount) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 5);
  const InputOptions options{kModel, 128, 256};
  size_t calls = 0, total = 0;
  const PreprocessReport report = preprocess_dataset(root, folder / "one", options, 1, [&](size_t done, size_t all) {
    EXPECT_EQ(done, ++calls);
    total = all;
  });
  EXPECT_EQ(report.written, 5u);
  EXPECT_EQ(calls, 5u);
  EXPECT_EQ(total, 5u);
  preprocess_dataset(root, folder / "three", options, 3);

  const Dataset source(root);
  for (const eval::ImageRecord* image : source.images()) {
    std::vector<float> expected(3 * 128 * 256);
    vision::letterbox_to_tensor(*source.open(*image), preprocessing_of(options), expected);
    const std::string name = stem_of(*image) + ".bin", bytes = bytes_of(folder / "one" / name);
    ASSERT_EQ(bytes.size(), expected.size() * sizeof(float));
    EXPECT_EQ(std::memcmp(bytes.data(), expected.data(), bytes.size()), 0) << name;
    EXPECT_EQ(bytes, bytes_of(folder / "three" / name));
  }
}

TEST(Preprocess, TakesSizeAndColoursFromTheModel) {
  const vision::Preprocessing d7 = preprocessing_of(InputOptions{});
  EXPECT_EQ(d7.height, 1536);
  EXPECT_EQ(d7.mean[0], 0.485);
  const vision::Preprocessing lite = preprocessing_of({"tf_efficientdet_lite0", 0, 0});
  EXPECT_EQ(lite.width, 320);
  EXPECT_NE(lite.std[0], d7.std[0]);
  EXPECT_EQ(preprocessing_of({kModel, 256, 0}).width, 256);
}

TEST(Preprocess, NamesTheModelsWhereThereIsNoneOfTheName) {
  const Error error = error_of([] { preprocessing_of({"d0", 0, 0}); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_TRUE(contains(error.what(), "'d0'") && contains(error.what(), kModel));
  EXPECT_EQ(error_of([] { preprocessing_of({kModel, 100, 100}); }).code(), ErrorCode::kUsage);
}

TEST(Preprocess, GoesOnWithoutImagesThatCannotBeUsed) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 5), out = folder / "out";
  fs::resize_file(root / "val2017/000000000003.jpg", 300);
  fs::remove(root / "val2017/000000000004.jpg");
  edit_annotations(root, [](auto& json) { json["images"][4]["width"] = 5000; });
  size_t calls = 0;
  const PreprocessReport report =
      preprocess_dataset(root, out, {kModel, 128, 128}, 2, {}, [&](const ImageFailure&) { ++calls; });
  EXPECT_EQ(report.written, 2u);
  ASSERT_EQ(report.failures.size(), 3u);
  EXPECT_EQ(calls, 3u);
  for (int id = 3; id <= 5; ++id) {
    const std::string name = fmt::format("{:012}.jpg: ", id);
    EXPECT_TRUE(std::ranges::any_of(report.failures, [&](const auto& f) { return contains(f.message, name); })) << name;
  }
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(out)) {
    ++files;
    EXPECT_EQ(entry.file_size(), 3u * 128 * 128 * sizeof(float)) << entry.path();
  }
  EXPECT_EQ(files, 2u);
}

TEST(Preprocess, FailsWhereNoImageCanBeUsed) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2);
  for (const auto& entry : fs::directory_iterator(root / "val2017")) fs::resize_file(entry.path(), 300);
  const Error error = error_of([&] { preprocess_dataset(root, folder / "out", {kModel, 128, 128}, 1); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_TRUE(contains(error.what(), "000000000001.jpg")) << error.what();
}

TEST(Preprocess, NamesAnImageThatIsTooNarrow) {
  const vision::Image thin(1000, 1);
  vision::PixelRows rows(thin, "thin.png");
  std::vector<float> tensor(3 * 128 * 128);
  const Error error = error_of([&] {
    vision::letterbox_to_tensor(rows, preprocessing_of({kModel, 128, 128}), tensor);
  });
  EXPECT_TRUE(std::string_view(error.what()).starts_with("thin.png: ")) << error.what();
}

TEST(Preprocess, EqualsTheReferencesFiles) {
  const fs::path root = shared_folder() / "coco_data",
                 golden_file = shared_folder() / "reference/golden/d0_256_coco/preprocess.sha256";
  if (!fs::exists(root) || !fs::exists(golden_file)) GTEST_SKIP() << "needs " << root << " and " << golden_file;
  const TestFolder folder("pipeline");
  EXPECT_EQ(preprocess_dataset(root, folder.path(), {kModel, 256, 256}).written, 79u);
  std::vector<std::string> expected;
  std::ifstream file(golden_file);
  for (std::string line; std::getline(file, line);) expected.push_back(line.substr(0, line.rfind(".jpg")));
  const std::vector<std::string> hashes = hashes_of(folder.path());
  if (hashes.empty()) GTEST_SKIP() << "needs sha256sum";
  EXPECT_EQ(hashes, expected);
}

}  // namespace
}  // namespace effdet::dataset
