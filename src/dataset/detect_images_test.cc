// Detection in the images of a list: the same whatever ended a run on its way, and however it was divided.
#include "effdet/detect_images.h"
#include "effdet/result_format.h"

#include "dataset/journal_file.h"
#include "dataset/journal_record.h"
#include "dataset/test_support.h"
#include "fetch/http_server.h"

namespace effdet::dataset {
namespace {

class DetectImages : public testing::Test {
 protected:
  DetectImages() {
    for (int i = 1; i <= 6; ++i)
      list_.push_back({(root_ / fmt::format("val2017/{:012d}.jpg", i)).string(), fmt::format("{}.jpg", i)});
  }

  DetectImagesOptions options() const { return {.results = results_, .pictures = pictures_}; }
  DetectImagesReport run(const DetectImagesOptions& options, int batch = 1) const {
    return detect_images(list_, tiny_model(batch), options, 2);
  }
  /// What one run over all writes, into the folders of the others.
  std::string whole() const {
    run(options());
    return read_file(results_);
  }
  std::vector<fs::path> run_shards(size_t count) const {
    std::vector<fs::path> files;
    for (size_t i = count; i-- > 0;) {
      files.push_back(shard_file(results_, {i, count}));
      run({.pictures = pictures_, .shard = {i, count}, .journal = files.back()});
    }
    return files;
  }
  Error refused(const DetectImagesOptions& options) const {
    return error_of([&] { run(options); });
  }

  TestFolder folder_{"detect_images"};
  fs::path root_ = small_data_set(folder_, 6), results_ = folder_ / "found/detections.json",
           pictures_ = folder_ / "found";
  fs::path journal_ = folder_ / "found/detections.json.journal";
  std::vector<ListedImage> list_;
};

TEST_F(DetectImages, AreTurnedUprightUnlessToldOtherwise) {
  const fs::path images = fs::path(EFFDET_SOURCE_DIR) / "testdata/images";
  list_ = {{(images / "exif_6.jpg").string(), "a.jpg"}, {(images / "exif_3.jpg").string(), "b.jpg"}};
  const DetectImagesReport upright = run({.pictures = pictures_});
  ASSERT_EQ(upright.images.size(), 2u);
  EXPECT_EQ(upright.images[0].width, 16);  // it is stored as 24 x 16 pixels
  EXPECT_EQ(upright.images[0].height, 24);
  EXPECT_EQ(upright.images[1].width, 24);
  EXPECT_EQ(read_image(pictures_ / "a.jpg").width, 16);
  EXPECT_EQ(run({.upright = false}).images[0].width, 24);
}

TEST_F(DetectImages, TakesThemFromTheWebAndFromMemory) {
  const std::string file = read_file(list_[0].file);
  fetch::HttpServer server([&](const fetch::HttpServer::Request& request) -> fetch::HttpServer::Response {
    if (request.path == "/a.jpg") return {.headers = "", .body = file};
    return {.status = "404 Not Found", .headers = "", .body = ""};
  });
  const auto bytes = std::as_bytes(std::span(file));
  const DetectImagesReport expected = run({});
  list_ = {{server.url("/a.jpg"), "a.jpg"}, {server.url("/b.jpg"), "b.jpg"}, {"memory", "c.jpg"}};
  list_[2].content = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  const DetectImagesReport found =
      run({.pictures = pictures_, .private_addresses = true, .journal = folder_ / "journal"});
  ASSERT_EQ(found.images.size(), 2u);
  EXPECT_EQ(found.failures.size(), 1u);
  for (const DetectedImage& image : found.images)
    EXPECT_EQ(image.detections.size(), expected.images[0].detections.size()) << image.image;
  EXPECT_EQ(run({}).images.size(), 1u);  // the web's lie on this machine
}

TEST_F(DetectImages, GoesOnFromAJournalThatIsCutAnywhere) {
  const std::string expected = whole();
  const std::string picture = read_file(pictures_ / "3.jpg");
  EXPECT_FALSE(fs::exists(journal_));
  DetectImagesOptions all = options();
  all.results.clear();
  all.journal = journal_;
  run(all);
  const std::string journal = read_file(journal_);
  const size_t header = std::string(kJournalMagic).size() + record_of(read_journal(journal_).header).size();
  for (size_t bytes = header; bytes <= journal.size(); bytes += 211) {
    write_file(journal_, journal.substr(0, bytes), /*sync=*/false);
    fs::remove(results_);
    fs::remove(pictures_ / "3.jpg");  // as if the power had gone before it was on the disk
    DetectImagesOptions resumed = options();
    resumed.journal = journal_;
    resumed.resume = true;
    const DetectImagesReport report = run(resumed);
    EXPECT_EQ(report.images.size(), 6u);
    EXPECT_EQ(read_file(results_), expected) << bytes;
    EXPECT_EQ(read_file(pictures_ / "3.jpg"), picture) << bytes;
    EXPECT_FALSE(fs::exists(journal_));
  }
}

TEST_F(DetectImages, ResumesOnlyItsOwnRun) {
  DetectImagesOptions begun = options();
  begun.results.clear();
  begun.journal = journal_;
  run(begun);
  EXPECT_TRUE(contains(refused(begun).what(), "keeps 6 finished images of an earlier run: --resume goes on"));
  begun.resume = true;
  const auto refused_with = [&](auto change) {
    DetectImagesOptions other = begun;
    change(other);
    return std::string(refused(other).what());
  };
  EXPECT_TRUE(contains(refused_with([](auto& other) { other.pictures.clear(); }), "is of other options"));
  EXPECT_TRUE(contains(refused_with([](auto& other) { other.detect.score_threshold = 0.5f; }), "is of other options"));
  EXPECT_TRUE(contains(refused_with([](auto& other) { other.class_names = {"a"}; }), "is of other options"));
  EXPECT_TRUE(contains(refused_with([](auto& other) { other.detect.categories = {1}; }), "is of other options"));
  EXPECT_TRUE(contains(refused_with([](auto& other) { other.shard = {0, 2}; }), "is of shard 0/1, this is 0/2"));
  EXPECT_TRUE(contains(error_of([&] { run(begun, /*batch=*/2); }).what(), "is of another model"));
  const std::string image = read_file(list_[1].file);
  write_file(list_[1].file, image + "x");
  EXPECT_TRUE(contains(refused(begun).what(), "000000000002.jpg has changed since it was done"));
  std::swap(list_[0], list_[1]);
  EXPECT_TRUE(contains(refused(begun).what(), "is of other images"));
}

TEST_F(DetectImages, HoldsNoJournalOfADataSetAndNothingBeyondItsClasses) {
  DetectImagesOptions begun = options();
  begun.journal = journal_;
  begun.resume = true;
  fs::create_directory(pictures_);
  validate_dataset(root_, tiny_model(), {.journal = journal_}, 1);
  EXPECT_TRUE(contains(refused(begun).what(), "is of a run over a data set"));
  fs::remove(journal_);
  run({.pictures = pictures_, .journal = journal_});
  const JournalContent content = read_journal(journal_);
  JournalEntry entry = content.entries.front();
  entry.found->detections = {{0, 0, 1, 1, 0.5f, 1 << 20}};
  const std::string header = std::string(kJournalMagic) + record_of(content.header);
  write_file(journal_, header + record_of(entry));
  EXPECT_TRUE(contains(refused(begun).what(), "images or categories that the run has not"));
  entry.found.reset();
  write_file(journal_, header + record_of(entry));
  EXPECT_TRUE(contains(refused(begun).what(), "images or categories that the run has not"));
}

TEST_F(DetectImages, AreTheSameInAnyNumberOfStreamsAndBatches) {
  const std::string expected = whole(), picture = read_file(pictures_ / "4.jpg");
  list_.insert(list_.begin() + 2, {"no such file", "none.jpg"});
  for (const int streams : {1, 2, 5, 9})
    for (const int batch : {1, 2, 4, 16}) {
      DetectImagesOptions some = options();
      some.streams = streams;
      some.batch = batch;
      std::vector<std::string> names;
      some.on_found = [&](const DetectedImage& image) { names.push_back(image.image); };
      const DetectImagesReport report = run(some, batch);
      EXPECT_EQ(report.failures.size(), 1u);
      EXPECT_EQ(read_file(results_), expected) << streams << " streams, batch " << batch;
      EXPECT_EQ(read_file(pictures_ / "4.jpg"), picture);
      EXPECT_EQ(names.size(), 6u);
      EXPECT_TRUE(std::ranges::is_sorted(names));
    }
  EXPECT_EQ(refused({.streams = 0}).code(), ErrorCode::kUsage);
  EXPECT_EQ(refused({.batch = 3}).code(), ErrorCode::kUsage);  // which the model does not take
}

TEST_F(DetectImages, ShardsTogetherAreOneRun) {
  const std::string expected = whole();
  for (const size_t count : {1, 2, 4, 9}) {  // of nine, three have no images
    fs::remove(results_);
    const std::vector<fs::path> shards = run_shards(count);
    EXPECT_TRUE(is_shard_of_list(shards[0]));
    EXPECT_EQ(merge_detections(shards, results_).images.size(), 6u);
    EXPECT_EQ(read_file(results_), expected) << count;
  }
}

TEST_F(DetectImages, MergeNeedsAllShardsWholeAndOfOneKind) {
  const std::vector<fs::path> shards = run_shards(2);
  const auto refused_merge = [&](const std::vector<fs::path>& files) {
    return bad_input_message([&] { merge_detections(files, results_); });
  };
  EXPECT_TRUE(contains(refused_merge({shards[0]}), "1 of 2 shards missing: 0/2; run them"));
  EXPECT_TRUE(contains(bad_input_message([&] { merge_shards(shards, {}); }), "is a shard of a list of images"));
  std::string cut = read_file(shards[0]);
  cut.resize(cut.size() - 10);
  write_file(shards[0], cut);
  EXPECT_TRUE(contains(refused_merge(shards), "shard-1-of-2 lacks 1 of 3 images; finish with --resume"));
  JournalHeader header = read_journal_header(shards[0]);
  header.total = uint64_t{1} << 40;  // memory is not taken for what is not there
  write_file(shards[0], std::string(kJournalMagic) + record_of(header));
  EXPECT_FALSE(refused_merge({shards[0]}).empty());
  header.total = 0;  // which no run has
  header.shard = {0, 1};
  write_file(shards[0], std::string(kJournalMagic) + record_of(header));
  EXPECT_TRUE(merge_detections({shards[0]}, results_).images.empty());
  EXPECT_FALSE(fs::exists(results_));
  const fs::path other = folder_ / "r.json.shard-0-of-2";
  validate_dataset(root_, tiny_model(), {.shard = {0, 2}, .journal = other}, 1);
  EXPECT_FALSE(is_shard_of_list(other));
  EXPECT_TRUE(contains(refused_merge({shards[1], other}), "one is of a data set, the other one of a list"));
}

TEST_F(DetectImages, LeavesOutImagesThatCannotBeUsedInTheirOrder) {
  write_file(list_[1].file, "no image");
  fs::remove(list_[4].file);
  std::vector<std::string> told;
  DetectImagesOptions some = options();
  some.journal = journal_;
  some.on_failure = [&](const ImageFailure& failure) { told.push_back(failure.message); };
  const DetectImagesReport report = run(some);
  EXPECT_EQ(report.images.size(), 4u);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(contains(told[0], "000000000002.jpg") && contains(told[1], "000000000005.jpg"));
  EXPECT_FALSE(fs::exists(journal_));
  some.strict = true;
  const Error error = refused(some);
  EXPECT_TRUE(contains(error.what(), "000000000002.jpg")) << error.what();
  EXPECT_TRUE(contains(error.what(), "--resume goes on with the others")) << error.what();
  EXPECT_TRUE(fs::exists(journal_));
}

TEST_F(DetectImages, ListsWithoutPictures) {
  DetectImagesOptions plain = options();
  plain.pictures.clear();
  fs::create_directory(pictures_);
  run(plain);
  const nlohmann::json list = load_json(results_);
  ASSERT_EQ(list.size(), 6u);
  EXPECT_FALSE(list[0].contains("picture"));
  EXPECT_EQ(list[5]["image"], list_[5].file);
  EXPECT_FALSE(fs::exists(pictures_ / "1.jpg"));
}

TEST_F(DetectImages, StopsWithWhatIsDone) {
  std::atomic<bool> stop = false;
  DetectImagesOptions stopped = options();
  stopped.journal = journal_;
  stopped.stop = &stop;
  stopped.progress = [&](size_t, size_t) { stop = true; };
  EXPECT_LT(run(stopped).images.size(), 6u);
  stopped.stop = nullptr;
  stopped.resume = true;
  EXPECT_EQ(run(stopped).images.size(), 6u);
  const std::string resumed = read_file(results_);
  EXPECT_EQ(resumed, whole());
}

TEST(DetectionsText, IsOneListHoweverMany) {
  const auto text_of = [](const std::vector<DetectedImage>& images) {
    std::string text;
    ResultText json("json", {"cat"}, [&](std::string_view part) { text += part; });
    for (const DetectedImage& image : images) json.add(image);
    json.end();
    return text;
  };
  EXPECT_EQ(text_of({}), "[]\n");
  const std::vector<DetectedImage> images{{"a\n\xff.jpg", "", 4, 3, {{1, 2, 3, 4, 0.5f, 1}, {0, 0, 1, 1, 0.25f, 2}}},
                                          {"b.jpg", "out/b.jpg", 1, 2, {}}};
  const std::string text = text_of(images);
  const nlohmann::json list = nlohmann::json::parse(text);
  EXPECT_EQ(text, list.dump(2) + "\n");
  EXPECT_EQ(list[0]["detections"][1]["category"], "class 2");
  EXPECT_EQ(list[1]["picture"], "out/b.jpg");
}

}  // namespace
}  // namespace effdet::dataset
