// Commands over many images: what is said before the work, what fails on the way, what is kept, and what is to be
// seen on a terminal.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "scenes_fixture.h"
#include "support/terminal.h"

namespace {

namespace fs = std::filesystem;
using effdet::test::contains, effdet::test::content, effdet::test::Result, effdet::test::TerminalResult;

const std::string kShapes = EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth";
constexpr int kScenes = 6;

/// With the model for batches of two, too.
class Images : public effdet::test::ScenesFixture {
 protected:
  static void SetUpTestSuite() {
    make_once("images",
              "atc --framework=5 --model=m.onnx --output=m2 --soc_version=native --input_shape=x.1:2,3,128,128");
  }

  Images() : ScenesFixture("images", {"m.onnx", "m.om", "m2.om"}) {}

  nlohmann::json json(const std::string& name) const { return nlohmann::json::parse(file(name)); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  static std::string image(int id) { return "data/val2017/00000000000" + std::to_string(id) + ".jpg"; }
  void damage(int id) const { fs::resize_file(folder_ / image(id), 300); }

  template <typename Change>
  void edit_annotations(Change change) const {
    nlohmann::json annotations = json("data/annotations/instances_val2017.json");
    change(annotations);
    write("data/annotations/instances_val2017.json", annotations.dump());
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Shell: waits for the first image that process $pid writes into a folder, or for its end.
std::string first_of(const std::string& folder) {
  return "while kill -0 $pid && ! ls " + folder + "/*.jpg; do sleep 0.01; done >/dev/null 2>&1";
}

std::set<int> images_of(const nlohmann::json& results) {
  std::set<int> images;
  for (const auto& result : results) images.insert(result["image_id"].get<int>());
  return images;
}

// --- What fails on the way

TEST_F(Images, DetectGoesOnWithoutImagesThatItCannotUse) {
  damage(2);
  write("data/val2017/notes.png", "no image");
  const Result result = sh("effdet detect data/val2017 missing.jpg --model-file m.om --out out --contact-sheet s.jpg");
  EXPECT_EQ(result.code, 3);
  const auto lines = lines_of(result.error);
  ASSERT_EQ(lines.size(), 4u) << result.error;
  EXPECT_TRUE(lines[0].starts_with("[WARNING] " + image(2) + ": ")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("[WARNING] data/val2017/notes.png: ")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("[WARNING] missing.jpg: ")) << lines[2];
  EXPECT_EQ(lines[3],
            "effdet detect: error: 3 of 8 images could not be used: the results in out/detections.json are of the "
            "other 5");
  EXPECT_EQ(json("out/detections.json").size(), 5u);
  EXPECT_TRUE(exists("out/000000000006.jpg") && exists("s.jpg"));
  EXPECT_TRUE(contains(result.out, "000000000006.jpg"));

  const Result one = sh("effdet detect " + image(2) + " --model-file m.om --out one");
  EXPECT_EQ(one.code, 3);
  EXPECT_EQ(lines_of(one.error).size(), 1u) << one.error;
  EXPECT_FALSE(exists("one/detections.json"));
  EXPECT_EQ(sh("effdet detect missing.jpg --model-file m.om --out one").code, 4);
}

TEST_F(Images, ValidateAndPreprocessGoOnWithoutImagesThatTheyCannotUse) {
  good("validate data --checkpoint m.om --results all.json");
  damage(3);
  fs::remove(folder_ / image(4));
  edit_annotations([](auto& json) { json["images"][4]["file_name"] = "../../5.jpg"; });
  const Result validated = sh("validate data --checkpoint m.om --results some.json --pictures drawn");
  EXPECT_EQ(validated.code, 3);
  const auto lines = lines_of(validated.error);
  ASSERT_EQ(lines.size(), 4u) << validated.error;
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(lines[i].starts_with("[WARNING] data/")) << lines[i];
  EXPECT_EQ(lines[3], "validate: error: 3 of 6 images could not be used: numbers and results are of the other 3");
  EXPECT_TRUE(contains(validated.out, "on the 3 images that were run, of 6")) << validated.out;
  nlohmann::json expected = json("all.json");
  std::erase_if(*expected.get_ptr<nlohmann::json::array_t*>(), [](const auto& result) {
    const int image = result["image_id"].template get<int>();
    return image >= 3 && image <= 5;
  });
  EXPECT_EQ(json("some.json"), expected);
  EXPECT_TRUE(exists("drawn/000000000006.jpg"));
  const Result as_json = sh("validate data --checkpoint m.om --json");
  EXPECT_EQ(as_json.code, 3);
  const auto report = nlohmann::json::parse(as_json.out);
  EXPECT_EQ(report["failures"].size(), 3u);
  EXPECT_EQ(report["images"], 3);
  EXPECT_EQ(report["images_total"], 6);
  EXPECT_EQ(report["complete"], false);

  const Result preprocessed = sh("preprocess --root data --bin-save bins -m m.om");
  EXPECT_EQ(preprocessed.code, 3);
  EXPECT_TRUE(contains(preprocessed.error, "preprocess: error: 3 of 6 images could not be used")) << preprocessed.error;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "bins"), {}), 3);
}

TEST_F(Images, HiddenFilesAreLeftOut) {
  write("data/val2017/._000000000001.jpg", std::string("\0\5\26\7\0\2\0\0Mac OS X", 16));
  const Result found = sh("effdet detect data/val2017 --model-file m.om --out out");
  EXPECT_EQ(found.code, 0);
  EXPECT_EQ(found.error, "[WARNING] data/val2017/._000000000001.jpg: 1 hidden file left out\n");
  EXPECT_EQ(json("out/detections.json").size(), static_cast<size_t>(kScenes));
  good("get_info jpg data/val2017 list.txt");
  EXPECT_FALSE(contains(file("list.txt"), "._"));
  EXPECT_EQ(lines_of(file("list.txt")).size(), static_cast<size_t>(kScenes));
}

TEST_F(Images, ListsAreOfTheImagesThatCanBeRead) {
  write("data/val2017/notes.jpg", "no image");
  const Result listed = sh("get_info jpg data/val2017 list.txt");
  EXPECT_EQ(listed.code, 3);
  const auto lines = lines_of(listed.error);
  ASSERT_EQ(lines.size(), 2u) << listed.error;
  EXPECT_TRUE(lines[0].starts_with("[WARNING] data/val2017/notes.jpg: ")) << lines[0];
  EXPECT_EQ(lines[1], "get_info: error: 1 of 7 images could not be used: list.txt has the others");
  EXPECT_EQ(lines_of(file("list.txt")).size(), static_cast<size_t>(kScenes));
}

TEST_F(Images, ADataSetWithoutItsFolderOfImagesIsOneError) {
  fs::rename(folder_ / "data/val2017", folder_ / "data/elsewhere");
  for (const char* command : {"validate data --checkpoint m.om", "preprocess --root data --bin-save b -m m.om"}) {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 4) << command;
    EXPECT_EQ(lines_of(result.error).size(), 1u) << result.error;
    EXPECT_TRUE(contains(result.error, "data/val2017: no folder of that name")) << result.error;
  }
}

TEST_F(Images, ASignalKeepsWhatIsFinished) {
  // More than can be done before the signal comes.
  std::string many;
  for (int i = 0; i < 50; ++i) many += image(1) + " ";
  const std::string stop = " & pid=$!; " + first_of("drawn") + "; kill -TERM $pid; wait $pid";
  const Result detected =
      sh("effdet detect " + many + "--checkpoint '" + kShapes + "' --img-size 512 --out drawn >/dev/null" + stop);
  EXPECT_EQ(detected.code, 143) << detected.error;
  const size_t found = json("drawn/detections.json").size();
  EXPECT_GE(found, 1u);
  EXPECT_LT(found, 50u);
  EXPECT_TRUE(
      contains(detected.error, "effdet detect: stopped by SIGTERM: the results in drawn/detections.json are of " +
                                   std::to_string(found) + " of 50 images\n"))
      << detected.error;

  fs::remove_all(folder_ / "drawn");
  edit_annotations([](auto& json) {
    for (int id = 100; id < 150; ++id) {
      json["images"].push_back(json["images"][0]);
      json["images"].back()["id"] = id;
      json["images"].back()["file_name"] = std::to_string(id) + ".jpg";
    }
  });
  for (int id = 100; id < 150; ++id)
    fs::create_symlink("000000000001.jpg", folder_ / ("data/val2017/" + std::to_string(id) + ".jpg"));
  const Result validated = sh("validate data --checkpoint '" + kShapes +
                              "' --img-size 512 --results r.json --pictures drawn >out.txt" + stop);
  EXPECT_EQ(validated.code, 143) << validated.error;
  const size_t images = images_of(json("r.json")).size();
  EXPECT_GE(images, 1u);
  EXPECT_LT(images, 56u);
  const std::string counts = std::to_string(images) + " of 56 images\n";
  EXPECT_TRUE(contains(validated.error, "validate: stopped by SIGTERM: numbers and results are of " + counts))
      << validated.error;
  EXPECT_TRUE(contains(file("out.txt"), "on the " + std::to_string(images) + " images that were run, of 56"));
}

TEST_F(Images, ValidateGoesOnAfterKill) {
  good("validate data --checkpoint m.om --results one.json --json > one.txt");
  const std::string run = "validate data --checkpoint m.om --threads 1 --results r.json --json ";
  const Result killed =
      sh(run +
         ">out.txt & while [ $(stat -c %s r.json.journal 2>/dev/null || echo 0) -lt 600 ] && kill -0 $!; "
         "do sleep 0.005; done; kill -9 $!; wait $!");
  if (exists("r.json")) GTEST_SKIP() << "it was done before it was killed: " << killed.error;
  EXPECT_EQ(killed.code, 137);
  EXPECT_EQ(sh(run).code, 2);  // the finished images would be lost
  const Result resumed = good(run + "--resume");
  EXPECT_TRUE(contains(resumed.error, " of them done before")) << resumed.error;
  EXPECT_EQ(file("r.json"), file("one.json"));
  EXPECT_EQ(nlohmann::json::parse(resumed.out)["stats"], json("one.txt")["stats"]);
  EXPECT_FALSE(exists("r.json.journal"));
}

TEST_F(Images, ShardsAreMerged) {
  const auto numbers = [](const Result& result) { return nlohmann::json::parse(result.out)["stats"]; };
  const auto one = numbers(good("validate data --checkpoint m.om --results one.json --json"));
  for (const char* shard : {"0/2", "1/2"})
    good("validate data --checkpoint m.om --results r.json --shard " + std::string(shard));
  EXPECT_FALSE(exists("r.json"));
  EXPECT_EQ(numbers(good("effdet merge r.json --results r.json --json")), one);
  EXPECT_EQ(file("r.json"), file("one.json"));
  EXPECT_EQ(sh("effdet merge r.json.shard-0-of-2").code, 3);
  EXPECT_EQ(sh("effdet merge r.json --results r.json.shard-0-of-2").code, 2);

  const std::string by_rank = " validate data --checkpoint m.om --results ranks.json --shard auto";
  for (const char* rank : {"0", "1"})
    good("OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=" + std::string(rank) + by_rank);
  good("effdet merge ranks.json.shard-* --results ranks.json --root data");
  EXPECT_EQ(file("ranks.json"), file("one.json"));

  for (const char* flags : {"--shard 2/2", "--shard -1/2", "--shard 0/0", "--shard 1", "--shard auto/x", "--shard ''"})
    EXPECT_EQ(sh("validate data --checkpoint m.om --results r.json " + std::string(flags)).code, 2) << flags;
  EXPECT_EQ(sh("validate data --checkpoint m.om --shard 0/2").code, 2);
  EXPECT_EQ(sh("validate data --checkpoint m.om --results /dev/null --resume").code, 2);
}

TEST_F(Images, RanksOfOneRunJoinTheirShards) {
  const std::string run = " effdet validate data --checkpoint m.om ";
  const auto rank = [](int number) { return "OMPI_COMM_WORLD_SIZE=3 OMPI_COMM_WORLD_RANK=" + std::to_string(number); };
  const auto ranks = [&](const std::string& flags) {
    return sh(rank(1) + run + flags + " & one=$!; " + rank(2) + run + flags + " & two=$!; " + rank(0) + run + flags +
              " > r.txt; code=$?; wait $one && wait $two && exit $code");
  };
  good(run + "--results one.json --threads 1 | tail -12 > one.txt");
  const Result joined = ranks("--results r.json");
  EXPECT_EQ(joined.code, 0) << joined.error;
  EXPECT_EQ(joined.out, "");  // the others print nothing
  EXPECT_EQ(file("r.json"), file("one.json"));
  EXPECT_TRUE(file("r.txt").ends_with(file("one.txt"))) << file("r.txt");
  EXPECT_EQ(good("ls r.json*").out, "r.json\n");

  damage(2);
  damage(5);  // all images of the second rank would be the third and the fourth
  const Result some = ranks("--results some.json --json");
  EXPECT_EQ(some.code, 3) << some.error;
  EXPECT_EQ(json("r.txt")["images"], 4);
  EXPECT_TRUE(contains(some.error, "2 of 6 images could not be used")) << some.error;

  const Result alone = sh(rank(0) + run + "--results r.json --lost-after 0.3");
  EXPECT_EQ(alone.code, 4);
  EXPECT_TRUE(contains(alone.error, "rank 1, 2 of 3 was lost: 2 of 3 shards missing: 1/3, 2/3, with 4 images (ids 3, "))
      << alone.error;
  EXPECT_EQ(sh(rank(0) + run).code, 2);  // nowhere to keep the parts
  EXPECT_EQ(sh(rank(0) + run + "--results all.json --shard 0/1").code, 3);
}

// --- What is said before the work

TEST_F(Images, OutputsAreLookedAtBeforeTheWork) {
  write("file", "");
  for (const char* command :
       {"validate data --checkpoint m.om --results none/r.json", "validate data --checkpoint m.om --pictures file/p",
        "effdet detect data/val2017 --model-file m.om --out file/o",
        "effdet detect data/val2017 --model-file m.om --out o --contact-sheet none/s.jpg",
        "preprocess --root data --bin-save file/b -m m.om",
        "postprocess --root data --omfile . -m m.om --results none/r.json",
        "benchmark.x86_64 -round=1 -om_path=m.om -result=file/r",
        "benchmark.x86_64 -om_path=m.om -input_imgFiles_path=data/val2017 -result=file/r",
        "ais_bench --model m.om --output file/o", "effdet profile m.om --trace none/t.json",
        "effdet run m.om --input x.1=none.npy --out file/o",
        "effdet compare m.om m.onnx --input " EFFDET_SOURCE_DIR "/x.npy --dump file/d"}) {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 4) << command << result.error;
    EXPECT_EQ(result.out, "") << command;
    EXPECT_EQ(lines_of(result.error).size(), 1u) << command << result.error;
    EXPECT_TRUE(contains(result.error, "none/") || contains(result.error, "file")) << result.error;
  }
  EXPECT_EQ(sh("effdet detect data/val2017 --model-file m.om --out o --contact-sheet s.gif").code, 2);
}

TEST_F(Images, FlagsThatTheModelContradictsAreRefused) {
  const auto expect_refused = [&](const std::string& command, const std::string& model, const std::string& flags) {
    const Result result = sh(command + " " + model + " " + flags);
    EXPECT_EQ(result.code, 2) << command << model << flags << result.error;
    EXPECT_EQ(lines_of(result.error).size(), 1u) << result.error;
    EXPECT_TRUE(contains(result.error, model) && contains(result.error, flags.substr(0, flags.find(' '))))
        << result.error;
  };
  for (const char* model : {"m.om", "m.onnx"}) {
    for (const char* flags : {"--img-size 512", "--model tf_efficientdet_d4", "--num-classes 90", "--use-ema",
                              "--scales 4", "--aspect-ratios 1:1", "--anchor-scale 5"})
      expect_refused("validate data --checkpoint", model, flags);
    for (const char* command :
         {"effdet detect data/val2017 --out o --model-file", "effdet bench --runs 1", "effdet profile --runs 1"})
      expect_refused(command, model, "--img-size 512");
  }
  good("validate data --checkpoint m.om --img-size 128 --model tf_efficientdet_d0 --num-classes 6 --scales 3");
  EXPECT_EQ(sh("preprocess --root data --bin-save b -m m.om --img-size 256").code, 2);
  EXPECT_EQ(sh("effdet detect data/val2017 --model-file m.om --out o --score nan").code, 2);
  EXPECT_EQ(sh("validate data --checkpoint m.om --picture-threshold 7").code, 2);
}

TEST_F(Images, ClassesOfModelAndDataAreComparedFirst) {
  const Result original = good("validate data --checkpoint m.om");
  EXPECT_EQ(original.error, "");
  const auto lines = lines_of(original.out);
  ASSERT_GT(lines.size(), 4u);
  EXPECT_TRUE(
      lines[2].starts_with("[INFO] model m.om: tf_efficientdet_d0, 6 classes, 128 x 128, batch 1, float32, on "));
  EXPECT_EQ(lines[3], "[INFO] data data/annotations/instances_val2017.json: 6 of 6 images, 6 categories");
  edit_annotations([](auto& json) {
    for (auto& category : json["categories"]) category["id"] = 10 * category["id"].template get<int>();
    for (auto& object : json["annotations"]) object["category_id"] = 10 * object["category_id"].template get<int>();
  });
  const auto ap = [](const Result& result) { return result.out.substr(result.out.find(" Average Precision"), 78); };
  const Result in_order = good("validate data --checkpoint m.om --results r.json");
  EXPECT_EQ(ap(in_order), ap(original));
  EXPECT_TRUE(contains(in_order.error, "category ids 10 to 60")) << in_order.error;
  EXPECT_EQ(json("r.json")[0]["category_id"].get<int>() % 10, 0);
  const std::string names = " --class-names " EFFDET_SOURCE_DIR "/models/shapes.names";
  const Result by_name = good("validate data --checkpoint m.om" + names);
  EXPECT_EQ(ap(by_name), ap(original));
  EXPECT_TRUE(contains(by_name.error, "by name: 6 of 6")) << by_name.error;
  good(
      "preprocess --root data --bin-save b -m m.om && get_info bin b b.info 128 128 && "
      "benchmark.x86_64 -om_path=m.om -input_text_path=b.info -output_binary=true");
  const Result dumped = good("postprocess --root data --omfile result/dumpOutput_device0 -m m.om" + names);
  EXPECT_EQ(ap(dumped), ap(original));
  EXPECT_TRUE(contains(dumped.error, "by name: 6 of 6")) << dumped.error;

  edit_annotations([](auto& json) { json["categories"].push_back({{"id", 70}, {"name", "pentagon"}}); });
  const Result refused = sh("validate data --checkpoint m.om");
  EXPECT_EQ(refused.code, 3);
  EXPECT_FALSE(contains(refused.out, "Test: [")) << refused.out;
  EXPECT_EQ(lines_of(refused.error).size(), 1u) << refused.error;
  good("validate data --checkpoint m.om --category-map names" + names);
}

// --- Files of whole batches, arrays, lists

TEST_F(Images, FilesMayHoldAWholeBatch) {
  good(
      "preprocess --root data --bin-save bins -m m.om && mkdir pairs && for i in 1 3 5; do cat "
      "bins/00000000000$i.bin bins/00000000000$((i + 1)).bin > pairs/$i.bin; done");
  good("ais_bench --model m.om --input bins --output out --output_dirname one");
  good("ais_bench --model m2.om --input pairs --output out --output_dirname two");
  good(
      "get_info bin pairs pairs.info 128 128 && "
      "benchmark.x86_64 -batch_size=2 -om_path=m2.om -input_text_path=pairs.info -output_binary=true -result=out");
  for (const int first : {1, 3, 5})
    for (int k = 0; k < 10; ++k) {
      std::string both;
      for (const int id : {first, first + 1})
        both += file("out/one/00000000000" + std::to_string(id) + "_" + std::to_string(k) + ".bin");
      EXPECT_EQ(file("out/two/" + std::to_string(first) + "_" + std::to_string(k) + ".bin"), both);
      EXPECT_EQ(file("out/dumpOutput_device0/" + std::to_string(first) + "_" + std::to_string(k + 1) + ".bin"), both);
    }
  const auto summary = json("out/two_summary.json");
  EXPECT_EQ(summary["filesinfo"].size(), 3u);
  EXPECT_EQ(summary["filesinfo"]["2"]["infile"], nlohmann::json::array({"pairs/5.bin"}));
  good("ais_bench --model m2.om --input bins --output out --output_dirname single --outfmt NPY");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "out/single"), {}), 60);

  write("odd.bin", "0123456789ab");
  const Result odd = sh("ais_bench --model m2.om --input odd.bin");
  EXPECT_EQ(odd.code, 3);
  EXPECT_TRUE(contains(odd.error, "odd.bin: arg0 tensorsize: 393216 filesize: 12 not match")) << odd.error;
  EXPECT_TRUE(contains(sh("ais_bench --model m2.om --input pairs/1.bin,bins/000000000001.bin").error,
                       "000000000001.bin: holds 196608 bytes, and the files before it 393216"));
}

TEST_F(Images, PostprocessReadsTheArraysOfAisBench) {
  good("preprocess --root data --bin-save bins -m m.om");
  for (const char* format : {"BIN", "NPY", "TXT"})
    good(std::string("ais_bench --model m.om --input bins --output out --output_dirname ") + format + " --outfmt " +
         format + " && postprocess --root data --omfile out/" + format + " -m m.om --results " + format + ".json");
  EXPECT_EQ(file("NPY.json"), file("BIN.json"));
  EXPECT_FALSE(json("BIN.json").empty());
}

TEST_F(Images, Case88_ListedFilesMustBeThereAndOthersAreNotRead) {
  good(
      "preprocess --root data --bin-save bins -m m.om && get_info bin bins all.info 128 128 && "
      "head -2 all.info > two.info");
  good("benchmark.x86_64 -om_path=m.om -input_text_path=two.info -output_binary=true");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "result/dumpOutput_device0"), {}), 20);
  for (const int missing : {1, 2}) {  // the first is looked at before the run
    fs::rename(folder_ / ("bins/00000000000" + std::to_string(missing) + ".bin"), folder_ / "elsewhere");
    const Result result = sh("benchmark.x86_64 -om_path=m.om -input_text_path=two.info");
    EXPECT_EQ(result.code, 4);
    EXPECT_EQ(lines_of(result.error).size(), 1u) << result.error;
    EXPECT_TRUE(contains(result.error, "bins/00000000000" + std::to_string(missing) + ".bin: cannot read"))
        << result.error;
    fs::rename(folder_ / "elsewhere", folder_ / ("bins/00000000000" + std::to_string(missing) + ".bin"));
  }
}

// --- What is to be seen on a terminal

class Bars : public Images {
 protected:
  /// Runs a command and expects that a bar was drawn, is gone, and shared no line with anything.
  TerminalResult watch(const std::string& command, const std::string& label, unsigned short columns = 100) const {
    const TerminalResult result = effdet::test::run_on_terminal(folder_.path(), command, columns);
    EXPECT_TRUE(contains(result.raw, "\r" + label + " [")) << command << ": " << result.raw;
    for (const std::string& line : result.lines) EXPECT_FALSE(contains(line, label + " [")) << command << ": " << line;
    return result;
  }
};

TEST_F(Bars, LeaveNothingBehindAndShareNoLine) {
  damage(3);
  const TerminalResult found = watch("effdet detect data/val2017 --model-file m.om --out out", "detect");
  EXPECT_EQ(found.code, 3);
  EXPECT_TRUE(std::ranges::any_of(found.lines, [](const std::string& line) {
    return line.starts_with("[WARNING] " + image(3) + ": ");
  })) << found.raw;
  const TerminalResult written = watch("preprocess --root data --bin-save bins -m m.om", "preprocess");
  EXPECT_TRUE(std::ranges::any_of(written.lines, [](const std::string& line) {
    return line.starts_with("[INFO] 5 images written to bins");
  })) << written.raw;
  watch("benchmark.x86_64 -om_path=m.om -input_imgFiles_path=bins", "benchmark");
  const TerminalResult validated = watch("validate data --checkpoint m.om", "validate");
  EXPECT_FALSE(contains(validated.raw, "Test: [")) << validated.raw;
  EXPECT_TRUE(contains(validated.raw, " Average Precision  (AP) @[")) << validated.raw;
  EXPECT_TRUE(contains(
      effdet::test::run_on_terminal(folder_.path(), "validate data --checkpoint m.om --plain", 100).raw, "Test: ["));
  watch("effdet scenes --out more --images 3", "scenes");
}

TEST_F(Bars, FitIntoNarrowTerminals) {
  for (const unsigned short columns : {20, 40})
    watch("preprocess --root data --bin-save bins -m m.om", "preprocess", columns);
}

TEST_F(Bars, GoWithARunThatIsEnded) {
  // The second signal ends the run at once.
  const std::string many = "'" + kShapes + "' --img-size 512 --out out >/dev/null & pid=$!; " + first_of("out") +
                           "; kill -TERM $pid; "
                           "sleep 0.01; kill -TERM $pid; wait $pid";
  std::string images;
  for (int i = 0; i < 50; ++i) images += image(1) + " ";
  EXPECT_EQ(watch("effdet detect " + images + "--checkpoint " + many, "detect").code, 143);
}

TEST_F(Bars, AreNotDrawnWhereStandardErrorIsNoTerminal) {
  EXPECT_EQ(good("effdet detect data/val2017 --model-file m.om --out out").error, "");
  EXPECT_EQ(good("preprocess --root data --bin-save bins -m m.om").error, "");
}

}  // namespace
