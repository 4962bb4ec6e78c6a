// validate with images in tar files and lists: the numbers and bytes of a run over the folder.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "scenes_fixture.h"

namespace {

namespace fs = std::filesystem;
using effdet::test::contains, effdet::test::content, effdet::test::Result;

class ValidateListed : public effdet::test::ScenesFixture {
 protected:
  static void SetUpTestSuite() {
    make_once("validate_cli",
              "validate data --checkpoint m.om --results r.json --json > numbers && "
              "for i in 0 1 2; do tar cf s-00$i.tar -C data/val2017 $(cd data/val2017 && ls | "
              "sed -n $((2 * i + 1)),$((2 * i + 2))p); done && ls $PWD/data/val2017/*.jpg > list");
  }

  ValidateListed() : ScenesFixture("validate_cli", {"m.om", "list", "s-000.tar", "s-001.tar", "s-002.tar"}) {
    fs::remove_all(folder_ / "data/val2017");
  }

  static std::string made(const std::string& name) { return content(made_->path() / name); }
  static nlohmann::json numbers(const std::string& text) {
    nlohmann::json json = nlohmann::json::parse(text);
    for (const char* time : {"seconds", "inference_seconds"}) json.erase(time);
    return json;
  }
  void expect_results() const { EXPECT_TRUE(file("r.json") == made("r.json")); }
};

const std::string kListedRun =
    "validate --annotations data/annotations/instances_val2017.json --checkpoint m.om --results r.json ";
const std::string kShardsOfTar = "--images 's-{000..002}.tar' ";

TEST_F(ValidateListed, GivesTheNumbersAndBytesOfTheFolder) {
  for (const std::string& images :
       {kShardsOfTar, std::string("--images s-002.tar --images 's-00[01].tar' "), std::string("--list list "),
        std::string("--list - < list "), std::string("--list <(ls s-*.tar) ")}) {
    const Result result = good("bash -c \"" + kListedRun + "--json " + images + "\"");
    EXPECT_EQ(numbers(result.out), numbers(made("numbers"))) << images;
    expect_results();
  }
  good("validate data " + kShardsOfTar + "--checkpoint m.om --results r.json");  // annotations of a folder
  expect_results();
}

TEST_F(ValidateListed, GoesOnAndIsDivided) {
  for (const char* shard : {"0/2", "1/2"}) good(kListedRun + kShardsOfTar + "--shard " + shard);
  good("effdet merge r.json --results r.json");
  expect_results();

  const Result again =
      good(kListedRun + "--images s-000.tar --images s-001.tar --images s-002.tar --shard 0/2 --resume");
  EXPECT_TRUE(contains(again.out, "3 of them done before")) << again.out;
  fs::remove(folder_ / "r.json");
  good(kListedRun + kShardsOfTar + "--shard 0/1");
  fs::rename(folder_ / "r.json.shard-0-of-1", folder_ / "r.json.journal");
  fs::resize_file(folder_ / "r.json.journal", fs::file_size(folder_ / "r.json.journal") - 10);  // as kill -9 leaves it
  EXPECT_TRUE(contains(good(kListedRun + kShardsOfTar + "--resume").out, "5 of them done before"));
  expect_results();
}

TEST_F(ValidateListed, WhatCannotBeUsedIsNamedAndCounted) {
  const Result missing = sh(kListedRun + "--images s-000.tar --images s-002.tar");
  EXPECT_EQ(missing.code, 3);
  for (const char* id : {"3", "4"})
    EXPECT_TRUE(contains(missing.error, std::string("image with id ") + id + ": '00000000000" + id +
                                            ".jpg' is in none of the tar files"))
        << missing.error;
  EXPECT_TRUE(contains(missing.error, "2 of 6 images could not be used")) << missing.error;

  fs::remove(folder_ / "s-001.tar");
  good(
      "mkdir d && cp $(sed -n 3,4p list) d && truncate -s 300 d/000000000004.jpg && cp d/000000000003.jpg d/9.jpg && "
      "tar cf s-001.tar -C d .");
  const Result damaged = sh(kListedRun + kShardsOfTar);
  EXPECT_EQ(damaged.code, 3);
  EXPECT_TRUE(contains(damaged.error, "[WARNING] s-001.tar/./000000000004.jpg: ")) << damaged.error;
  EXPECT_TRUE(contains(damaged.error, "1 of 7 listed images are not annotated")) << damaged.error;
  EXPECT_TRUE(contains(damaged.error, "1 of 6 images could not be used")) << damaged.error;
  EXPECT_EQ(sh(kListedRun + kShardsOfTar + "--strict --resume").code, 3);

  fs::resize_file(folder_ / "s-001.tar", 1000);
  const Result cut = sh("rm r.json*; " + kListedRun + kShardsOfTar);
  EXPECT_EQ(cut.code, 3);
  EXPECT_TRUE(contains(cut.error, "validate: error: s-001.tar: offset ")) << cut.error;
  EXPECT_FALSE(exists("r.json"));
}

TEST_F(ValidateListed, SaysWhatIsMissing) {
  const auto refused = [&](const std::string& arguments, int code, const std::string& part) {
    const Result result = sh("validate --checkpoint m.om " + arguments);
    EXPECT_EQ(result.code, code) << arguments;
    EXPECT_TRUE(contains(result.error, part)) << result.error;
  };
  refused("s-000.tar", 2, "a tar file has images, and no annotations");
  refused(kShardsOfTar, 2, "root is required");
  refused("data --images none.tar", 4, "none.tar: cannot open");
  refused("data --images nowhere", 4, "nowhere: no folder of that name");
  refused("data --list nowhere", 4, "nowhere: cannot read the list");
  refused("data --images s-000.tar --images s-000.tar", 3, "may be s-000.tar/000000000001.jpg or s-000.tar/");
  refused("data --list list --results list", 2, "--results");
  refused("data " + kShardsOfTar + "--results s-000.tar", 2, "s-000.tar");
  EXPECT_TRUE(file("s-000.tar") == made("s-000.tar"));
}

TEST_F(ValidateListed, OtherCommandsOnDataSetsTakeThemToo) {
  good("preprocess --root data " + kShardsOfTar + "--model m.om --bin-save bins");
  EXPECT_TRUE(exists("bins/000000000006.bin"));
  good("effdet convert data " + kShardsOfTar +
       "--to yolo --out yolo && validate yolo --checkpoint m.om --results r.json");
  EXPECT_EQ(sh("effdet convert data " + kShardsOfTar + "--to yolo --out links --link").code, 2);
  good("validate data " + kShardsOfTar + "--checkpoint m.om --report report");
  EXPECT_TRUE(contains(file("report/index.html"), "data:image/jpeg"));
}

TEST_F(ValidateListed, ListsMayHaveBracesAndAByteOrderMark) {
  good("printf '\\357\\273\\277s-{000..002}.tar\\n' > shards && " + kListedRun + "--list shards");
  expect_results();
}

TEST_F(ValidateListed, LinksInTarFilesAreFollowedOrTold) {
  good(
      "mkdir d && cp $(cat list) d && ln d/000000000001.jpg d/other.jpg && ln -s 000000000001.jpg d/soft.jpg && "
      "mv d/000000000001.jpg d/z.jpg && ln d/z.jpg d/000000000001.jpg && rm d/other.jpg && tar cf l.tar -C d .");
  const Result result = good(kListedRun + "--images l.tar");
  EXPECT_TRUE(contains(result.error, "l.tar: 1 link to images left out")) << result.error;
  expect_results();
}

TEST_F(ValidateListed, WaitsForOthersOnlyWhereThereAreSome) {
  EXPECT_EQ(sh(kListedRun + kShardsOfTar + "--lost-after 5").code, 2);
  EXPECT_EQ(sh(kListedRun + kShardsOfTar + "--lost-after 5 --shard 0/2").code, 2);
}

/// A new folder is whole or absent, and named as it was given.
TEST_F(ValidateListed, AConvertedDataSetHasAFolderOfItsOwn) {
  const std::string convert = "effdet convert data " + kShardsOfTar + "--to coco --out ";
  const auto refused = [&](const std::string& arguments, int code, const std::string& part) {
    const Result result = sh(convert + arguments);
    EXPECT_EQ(result.code, code) << arguments;
    EXPECT_TRUE(contains(result.error, part)) << result.error;
  };
  refused("list", 4, "list: it is no folder");
  refused("data", 2, "--out: data is not empty (it has 'annotations')");
  refused("new --to-split ../x", 2, "cannot be the name of a split");
  EXPECT_FALSE(exists("new"));
  good("mkdir new && cd new && " +
       std::string("effdet convert ../data --list ../list --to coco --out . --to-split train"));
  EXPECT_TRUE(exists("new/annotations/instances_train2017.json"));
  EXPECT_TRUE(exists("new/train2017/000000000006.jpg"));
  good("mkdir -p half/effdet_run_AAAAAA linked && ln -s linked link && " + convert + "half && " + convert + "link");
  EXPECT_FALSE(exists("half/effdet_run_AAAAAA"));
  EXPECT_TRUE(exists("linked/val2017/000000000006.jpg"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
}

}  // namespace
