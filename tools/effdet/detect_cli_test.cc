// effdet detect over many images: lists, what is kept of a run, and its shards.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "detections_text.h"
#include "effdet/error.h"
#include "effdet/video.h"
#include "scenes_fixture.h"

namespace {

namespace fs = std::filesystem;
using effdet::test::contains, effdet::test::content, effdet::test::Result;

/// With a list of the scenes, and what a run over all of them writes.
class DetectMany : public effdet::test::ScenesFixture {
 protected:
  static void SetUpTestSuite() {
    make_once("detect_cli", "ls data/val2017/*.jpg > list && effdet detect data/val2017 --model-file m.om --out found");
  }

  DetectMany() : ScenesFixture("detect_cli", {"m.om", "list"}) {}

  /// What a run over all images wrote into found/.
  static std::string expected() { return content(made_->path() / "found/detections.json"); }
  void expect_pictures() const {
    for (int id = 1; id <= 6; ++id) {
      const std::string name = "found/00000000000" + std::to_string(id) + ".jpg";
      EXPECT_TRUE(file(name) == content(made_->path() / name)) << name;
    }
  }
};

const std::string kRun = "effdet detect --model-file m.om --out found ";

TEST_F(DetectMany, TakesLists) {
  for (const char* images : {"--list list", "--list - < list", "$(head -2 list) --list - < <(tail -4 list)",
                             "--list <(head -1 list) --list <(tail -5 list)"}) {
    good("bash -c '" + kRun + images + "'");
    EXPECT_EQ(file("found/detections.json"), expected()) << images;
    fs::remove_all(folder_ / "found");
  }
  EXPECT_EQ(sh(kRun).code, 2);
  EXPECT_EQ(sh(kRun + "--list - < /dev/null").code, 2);
  EXPECT_EQ(sh(kRun + "--list none").code, 4);
  EXPECT_EQ(sh(kRun + "--list m.om").code, 3);  // no text
  EXPECT_FALSE(exists("found"));
}

TEST_F(DetectMany, PicturesOfOneIdInCocosResultsAreTold) {
  good("mkdir two && cp data/val2017/000000000001.jpg two/ && cp data/val2017/000000000002.jpg two/1.jpg");
  const Result found = sh("effdet detect two --model-file m.om --format coco");
  EXPECT_EQ(found.code, 0);
  EXPECT_TRUE(contains(found.error, "1 pictures have the image_id of another")) << found.error;
}

TEST_F(DetectMany, PicturesInTheCurrentFolderAreNotInTheWay) {
  good("cp data/val2017/000000000001.jpg here.jpg && effdet detect here.jpg --model-file m.om --score 0 > printed");
  EXPECT_NE(file("printed"), "");
}

TEST_F(DetectMany, TakesTarFiles) {
  good(
      "cd data/val2017 && tar cf ../../s-08.tar 00000000000[1-2].jpg && tar --format=pax -cf ../../s-09.tar "
      "00000000000[3-4].jpg && cp 000000000005.jpg ../x.v1.JPG && tar --format=gnu -cf ../../s-10.tar "
      "--transform 's|^|../../|' -P ../x.v1.JPG 000000000006.jpg");
  good(kRun + "'s-{08..10}.tar'");
  const auto found = nlohmann::json::parse(file("found/detections.json")), files = nlohmann::json::parse(expected());
  ASSERT_EQ(found.size(), 6u);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(found[i]["detections"], files[i]["detections"]) << i;
  EXPECT_EQ(found[0]["image"], "s-08.tar/000000000001.jpg");
  EXPECT_EQ(found[0]["key"], "000000000001");
  EXPECT_EQ(found[4]["picture"], "found/x.v1.jpg");
  EXPECT_EQ(found[5]["picture"], "found/000000000006.jpg");
  EXPECT_TRUE(file("found/x.v1.jpg") == content(made_->path() / "found/000000000005.jpg"));
  const std::string in_one = file("found/detections.json");
  good("ls s-*.tar > tars");
  for (const char* shard : {"0/2", "1/2"}) good(kRun + "--list tars --shard " + shard);
  good("effdet merge found/detections.json --results found/detections.json");
  EXPECT_EQ(file("found/detections.json"), in_one);

  fs::resize_file(folder_ / "s-09.tar", 1000);
  const Result cut = sh(kRun + "'s-{08..10}.tar'");
  EXPECT_EQ(cut.code, 3);
  EXPECT_TRUE(contains(cut.error, "detect: error: s-09.tar: offset ")) << cut.error;
  good("gzip s-08.tar");
  EXPECT_EQ(sh(kRun + "s-08.tar.gz").code, 5);
  EXPECT_EQ(sh(kRun + "'s-{11..12}.tar'").code, 4);
}

TEST_F(DetectMany, WritesNoPicturesWhereNoneAreWanted) {
  good(kRun + "--list list --no-pictures --contact-sheet sheet.png");
  auto list = nlohmann::json::parse(expected());
  for (auto& image : list) image.erase("picture");
  EXPECT_EQ(nlohmann::json::parse(file("found/detections.json")), list);
  EXPECT_FALSE(exists("found/000000000001.jpg"));
  EXPECT_TRUE(exists("sheet.png"));
  good(kRun + "--list list --contact-sheet other.png");
  EXPECT_TRUE(file("sheet.png") == file("other.png"));
}

TEST_F(DetectMany, PrintsAsItGoesWhereNoFolderIsGiven) {
  const std::string run = "effdet detect --model-file m.om --list list ";
  const auto whole = nlohmann::json::parse(expected());
  const std::string lines = good(run + "--format jsonl").out;
  std::istringstream text(lines);
  size_t count = 0;
  for (std::string line; std::getline(text, line); ++count) {
    const auto image = nlohmann::json::parse(line);
    EXPECT_EQ(image["detections"], whole[count]["detections"]);
    EXPECT_FALSE(image.contains("picture"));
  }
  EXPECT_EQ(count, 6u);
  EXPECT_TRUE(contains(good(run).out, "data/val2017/000000000001.jpg ")) << "a line for people";
  EXPECT_EQ(nlohmann::json::parse(good(run + "--json").out).size(), 6u);
  EXPECT_EQ(sh(run + "--format voc").code, 2);
  EXPECT_EQ(sh(run + "--no-pictures").code, 2);
  EXPECT_EQ(sh(run + "--score nan").code, 2);
  EXPECT_EQ(sh(run + "--soft-nms=cubic").code, 2);
  EXPECT_EQ(sh(run + "--classes nobody").code, 2);
}

TEST_F(DetectMany, TakesStandardInputAndFoldersInFolders) {
  const auto whole = nlohmann::json::parse(expected());
  const auto found =
      nlohmann::json::parse(good("effdet detect --model-file m.om --json - < data/val2017/000000000002.jpg").out);
  EXPECT_EQ(found[0]["image"], "standard input");
  EXPECT_EQ(found[0]["detections"], whole[1]["detections"]);
  EXPECT_EQ(sh("effdet detect --model-file m.om - < m.om").code, 5);
  EXPECT_EQ(sh("effdet detect --model-file m.om - --list - < list").code, 2);
  EXPECT_EQ(sh("effdet detect --model-file m.om data").code, 2);
  EXPECT_EQ(nlohmann::json::parse(good("effdet detect --model-file m.om data -r --json").out).size(), 6u);
  const Result local = sh("effdet detect --model-file m.om http://127.0.0.1:9/a.jpg?b=*");
  EXPECT_EQ(local.code, 4);
  EXPECT_TRUE(contains(local.error, "--allow-private-addresses")) << local.error;
}

TEST_F(DetectMany, LooksAtVideos) {
  try {
    effdet::VideoWriter writer(folder_ / "clip.mp4", {.width = 64, .height = 48, .rate = 10, .rate_num = 10}, 1);
    for (int i = 0; i < 6; ++i)
      writer.write({64, 48, std::vector<unsigned char>(size_t{3} * 64 * 48, static_cast<unsigned char>(30 * i))},
                   i * 0.1);
    writer.finish();
  } catch (const effdet::Error& error) {
    GTEST_SKIP() << error.what();
  }
  good("effdet detect clip.mp4 --model-file m.om --out found --every 2");
  EXPECT_TRUE(exists("found/clip.mp4"));
  const auto frames = nlohmann::json::parse(file("found/clip.json"));
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[2]["frame"], 4);
  EXPECT_NEAR(frames[2]["seconds"].get<double>(), 0.4, 1e-6);
  EXPECT_EQ(frames[2]["image"], "clip.mp4/000004");
  EXPECT_EQ(sh("effdet detect clip.mp4 --model-file m.om --out .").code, 2);  // it would be overwritten
  EXPECT_EQ(sh("effdet detect clip.mp4 data/val2017 --model-file m.om").code, 2);
  EXPECT_EQ(sh("effdet detect https://127.0.0.1:9/clip.mp4 --model-file m.om").code, 2);
  EXPECT_EQ(sh("effdet detect rtsp://127.0.0.1:9/ --timeout 1 --model-file m.om").code, 4);
  fs::resize_file(folder_ / "clip.mp4", 500);
  EXPECT_EQ(sh("effdet detect clip.mp4 --model-file m.om --out found").code, 3);
}

TEST_F(DetectMany, WritesEachFormatAndCrops) {
  good(kRun + "--list list --no-pictures --format csv --classes 1,2 --max-det 3");
  EXPECT_TRUE(file("found/detections.csv").starts_with("image,width,height,"));
  good(kRun + "--list list --no-pictures --format yolo --crops cut --soft-nms linear --agnostic");
  EXPECT_TRUE(exists("found/labels/000000000006.txt"));
  EXPECT_NE(good("effdet detect --model-file m.om --list list --slice 96 --format csv").out,
            good("effdet detect --model-file m.om --list list --format csv").out);
  EXPECT_EQ(sh("effdet detect --model-file m.om --list list --slice 8").code, 2);
  EXPECT_FALSE(exists("found/labels.journal"));
  EXPECT_FALSE(fs::is_empty(folder_ / "cut"));
}

TEST_F(DetectMany, WritesOverNothingThatItReads) {
  const std::string image = "data/val2017/000000000001.jpg", before = file(image);
  std::ofstream(folder_ / "one") << image << "\n";
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    const Result result = sh("effdet detect --model-file m.om " + arguments);
    EXPECT_EQ(result.code, 2) << arguments << result.error;
    EXPECT_TRUE(contains(result.error, part)) << result.error;
  };
  const std::string sheet = " --no-pictures --out out --contact-sheet " + image;
  for (const std::string& images :
       {image, std::string("data/val2017"), std::string("'data/val2017/*.jpg'"), std::string("--list one")})
    refused(images + sheet, " would be lost");
  EXPECT_TRUE(file(image) == before);
  refused(image + " --out out --contact-sheet out/000000000001.jpg", "is the picture of " + image);
  fs::create_directory(folder_ / "out");
  fs::rename(folder_ / "one", folder_ / "out/detections.json");
  refused("--list out/detections.json --out out", "--out: out/detections.json is the file of --list too");
  std::ofstream(folder_ / "names") << "circle\nsquare\ntriangle\nstar\nring\ncross\n";
  refused(
      image + " --names names --classes 0",
      "'0' is none of the model's classes (circle, square, triangle, star, ring, cross), and no number from 1 to 6");
  refused(image + " --names names --classes ring,trangle", "'trangle' is none of the model's classes (");
  for (const char* flag : {"--start 1", "--duration 1", "--every 2", "--timeout 5", "--video-format webm"})
    refused(image + " " + flag, "is about videos and streams, and none is given");
  EXPECT_EQ(file("out/detections.json"), image + "\n");
}

TEST_F(DetectMany, TheSheetMayLieBesideThePicturesInANewFolder) {
  for (int round = 0; round < 2; ++round)
    good("effdet detect data/val2017 --model-file m.om --out new --contact-sheet new/sheet.jpg");
  EXPECT_TRUE(exists("new/sheet.jpg"));
}

TEST_F(DetectMany, MergeSaysWhereThereAreNoShards) {
  good("effdet detect --list list --model-file m.om --out found");
  const Result result = sh("effdet merge found/detections.json");
  EXPECT_EQ(result.code, 3);
  EXPECT_TRUE(contains(result.error, "no detections.json.shard-* lies beside it")) << result.error;
}

TEST(DetectionsText, OfManyImagesIsTheirNumber) {
  effdet::DetectImagesReport report;
  report.images.resize(1001, {"a.jpg", "", 1, 1, {{0, 0, 1, 1, 0.5f, 1}, {0, 0, 1, 1, 0.5f, 2}}});
  testing::internal::CaptureStdout();
  effdet::cli::print_detections(report, "found/detections.json");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "2002 detections in 1001 images: found/detections.json\n");
}

TEST_F(DetectMany, GoesOnAfterKillAnyNumberOfTimes) {
  good("for i in 1 2 3 4 5 6 7 8 9 10; do cat list; done > many");
  const std::string run = kRun + "--list many --threads 1 --contact-sheet sheet.png ";
  good(run);
  const std::string whole = file("found/detections.json"), sheet = file("sheet.png");
  const std::string picture = file("found/000000000001_10.jpg");
  fs::remove_all(folder_ / "found");
  const auto kill_at = [&](int bytes, const std::string& flags) {
    return sh(run + flags +
              ">out.txt & while [ $(stat -c %s found/detections.json.journal 2>/dev/null || echo 0) -lt " +
              std::to_string(bytes) + " ] && kill -0 $!; do sleep 0.002; done; kill -9 $!; wait $!");
  };
  EXPECT_EQ(kill_at(1000, "").code, 137);
  EXPECT_EQ(sh(run).code, 2);  // the finished images would be lost
  kill_at(5000, "--resume ");
  fs::remove(folder_ / "found/000000000001.jpg");  // a loss of power may do so
  good(run + "--resume");
  EXPECT_EQ(file("found/detections.json"), whole);
  EXPECT_TRUE(file("found/000000000001.jpg") == content(made_->path() / "found/000000000001.jpg"));
  EXPECT_TRUE(file("found/000000000001_10.jpg") == picture);
  EXPECT_TRUE(sheet == file("sheet.png"));
  EXPECT_FALSE(exists("found/detections.json.journal"));
}

TEST_F(DetectMany, StrictStopsAtTheFirstImageThatCannotBeUsed) {
  fs::resize_file(folder_ / "data/val2017/000000000003.jpg", 300);
  const Result result = sh(kRun + "--list list --strict");
  EXPECT_EQ(result.code, 3);
  EXPECT_TRUE(contains(result.error, "detect: error: data/val2017/000000000003.jpg: ")) << result.error;
  EXPECT_TRUE(contains(result.error, "in 2 of 6 images; --resume goes on with the others")) << result.error;
  EXPECT_EQ(nlohmann::json::parse(file("found/detections.json")).size(), 2u);
  fs::copy_file(made_->path() / "data/val2017/000000000003.jpg", folder_ / "data/val2017/000000000003.jpg",
                fs::copy_options::overwrite_existing);
  good(kRun + "--list list --strict --resume");
  EXPECT_EQ(file("found/detections.json"), expected());
  expect_pictures();
}

TEST_F(DetectMany, ShardsAreMerged) {
  for (const char* shard : {"0/4", "1/4", "2/4", "3/4"}) good(kRun + "--list list --shard " + shard);
  EXPECT_FALSE(exists("found/detections.json"));
  const Result merged = good("effdet merge found/detections.json --results found/detections.json --json");
  EXPECT_EQ(file("found/detections.json"), expected());
  EXPECT_EQ(merged.out, expected());
  expect_pictures();
  EXPECT_EQ(sh("effdet merge found/detections.json --root data").code, 2);
  const Result some = sh("effdet merge found/detections.json.shard-0-of-4");
  EXPECT_EQ(some.code, 3);
  EXPECT_TRUE(contains(some.error, "3 of 4 shards missing: 1/4, 2/4, 3/4")) << some.error;
  for (const char* flags : {"--shard 4/4", "--shard x", "--shard auto"})
    EXPECT_EQ(sh(kRun + "--list list " + flags).code, 2) << flags;
}

TEST_F(DetectMany, ProcessesOfOneLauncherJoin) {
  const auto rank = [](int number) {
    return "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=" + std::to_string(number) + " " + kRun + "--list list";
  };
  const Result first = good(rank(1) + " & " + rank(0) + "; code=$?; wait; exit $code");
  EXPECT_EQ(file("found/detections.json"), expected());
  expect_pictures();
  EXPECT_FALSE(exists("found/detections.json.shard-0-of-2") || exists("found/detections.json.shard-1-of-2"));
  EXPECT_TRUE(contains(first.out, "000000000006.jpg")) << first.out;
  const Result standard = sh(rank(1) + " --list - < list");  // mpirun gives it to the first process alone
  EXPECT_EQ(standard.code, 2);
  EXPECT_TRUE(contains(standard.error, "-: the processes of mpirun do not all get")) << standard.error;
}

/// A file that may not grow stands for a full disk.
TEST_F(DetectMany, AFullDiskIsToldWithWhatIsDone) {
  const Result full = sh("bash -c 'ulimit -f 1; " + kRun + "--list list --no-pictures'");
  EXPECT_EQ(full.code, 4);
  EXPECT_TRUE(contains(full.error, "; found/detections.json.journal has what was found in ")) << full.error;
  EXPECT_TRUE(contains(full.error, " of 6 images; --resume goes on with the others")) << full.error;
  good(kRun + "--list list --no-pictures --resume");
  auto list = nlohmann::json::parse(expected());
  for (auto& image : list) image.erase("picture");
  EXPECT_EQ(nlohmann::json::parse(file("found/detections.json")), list);
}

}  // namespace
