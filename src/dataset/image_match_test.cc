// Images of a list and of annotations: which is which, and a data set whose images are in one.
#include "dataset/image_match.h"

#include "dataset/dataset.h"
#include "dataset/listed_image.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

eval::GroundTruth with_images(const std::vector<std::string>& names) {
  eval::GroundTruth truth;
  for (const std::string& name : names) {
    truth.images.push_back({});
    truth.images.back().id = static_cast<int64_t>(truth.images.size());
    truth.images.back().file_name = name;
  }
  return truth;
}

std::vector<ListedImage> files(const std::vector<std::string>& names) {
  std::vector<ListedImage> list;
  for (const std::string& name : names) list.push_back({name, ""});
  return list;
}

std::vector<ListedImage> members(const std::vector<std::string>& names) {
  std::vector<ListedImage> list;
  for (const std::string& name : names) list.push_back({"s.tar", "", name, 512, 1});
  return list;
}

/// The names that the annotated images have in the list, "-" where they have none.
std::vector<std::string> matched(const std::vector<std::string>& names, const std::vector<ListedImage>& list) {
  const eval::GroundTruth truth = with_images(names);
  const std::string annotations = "a.json";
  const ImageMatch match(truth, list, annotations);
  std::vector<std::string> found;
  for (const eval::ImageRecord& image : truth.images) {
    const ListedImage* listed = match.find(image);
    found.push_back(listed == nullptr ? "-" : listed->member.empty() ? listed->file : listed->member);
  }
  return found;
}

using Names = std::vector<std::string>;

TEST(ImageMatch, GoesByTheNameThenByFolders) {
  EXPECT_EQ(matched({"1.jpg", "2.jpg"}, files({"/x/2.jpg", "b/1.jpg", "3.jpg"})), (Names{"b/1.jpg", "/x/2.jpg"}));
  EXPECT_EQ(matched({"a/1.jpg", "b/1.jpg"}, files({"/x/b/1.jpg", "/x/a/1.jpg"})), (Names{"/x/a/1.jpg", "/x/b/1.jpg"}));
  EXPECT_EQ(matched({"x//./a/1.jpg"}, files({"y/a/1.jpg", "x/a/./1.jpg"})), (Names{"x/a/./1.jpg"}));
  EXPECT_EQ(matched({"val2017/1.jpg"}, members({"./images/1.jpg"})), (Names{"./images/1.jpg"}));
  // The image whose folder it is has it, and the other one is not there.
  EXPECT_EQ(matched({"a/1.jpg", "b/1.jpg"}, files({"a/1.jpg"})), (Names{"a/1.jpg", "-"}));
  EXPECT_EQ(matched({"b/1.jpg", "a/1.jpg"}, files({"a/1.jpg"})), (Names{"-", "a/1.jpg"}));
  EXPECT_EQ(matched({"1.jpg", "1.jpg"}, files({"1.jpg"})), (Names{"1.jpg", "1.jpg"}));  // annotated twice
  EXPECT_EQ(matched({"", "a/", "1.JPG"}, files({"1.jpg", "a"})), (Names{"-", "-", "-"}));
  EXPECT_EQ(matched({"", "b/"}, files({"a/", "b/"})), (Names{"-", "-"}));  // folders are no images
  EXPECT_EQ(matched({"/1.jpg"}, files({"x/1.jpg"})), (Names{"x/1.jpg"}));
  EXPECT_EQ(matched({"x/1.jpg"}, files({"x/1.jpg", "y/1.jpg"})), (Names{"x/1.jpg"}));
}

TEST(ImageMatch, GoesByTheKeyOfAMemberWhereNoneHasTheName) {
  EXPECT_EQ(matched({"17.jpg", "18.png"}, members({"dog/17.left.jpg", "18.jpg"})),
            (Names{"dog/17.left.jpg", "18.jpg"}));
  EXPECT_EQ(matched({"17.jpg"}, members({"17.v1.jpg", "17.jpg"})), (Names{"17.jpg"}));
  EXPECT_EQ(matched({"17.jpg"}, files({"17.png"})), (Names{"-"}));  // a file of its own has no key
}

TEST(ImageMatch, WhatMayBeTwoIsRefusedByName) {
  const auto refused = [](const Names& names, const std::vector<ListedImage>& list) {
    return bad_input_message([&] { matched(names, list); });
  };
  EXPECT_TRUE(contains(refused({"1.jpg"}, files({"a/1.jpg", "b/1.jpg"})),
                       "a.json: image with id 1: '1.jpg' may be a/1.jpg or b/1.jpg; list one of them"));
  EXPECT_TRUE(contains(refused({"1.jpg"}, members({"1.a.jpg", "1.b.jpg"})), "may be s.tar/1.a.jpg or s.tar/1.b.jpg"));
  EXPECT_TRUE(contains(refused({"a/1.jpg", "b/1.jpg"}, files({"1.jpg"})), "1.jpg may be 'a/1.jpg' or 'b/1.jpg'"));
}

TEST(ImageMatch, TheBestOfAListIsTheOneWhoseFoldersAgree) {
  const std::vector<ListedImage> list = files({"y/1.jpg", "/z/x/1.jpg", "x/1.jpg", "2.jpg"});
  EXPECT_EQ(best_match(list, "x/1.jpg"), &list[1]);  // the first of those
  EXPECT_EQ(best_match(list, "z/x/1.jpg"), &list[1]);
  EXPECT_EQ(best_match(list, "1.jpg"), &list[0]);
  EXPECT_EQ(best_match(list, "x/"), nullptr);
  for (const Names& names : {Names{"18.jpg", "17.left.jpg", "17.jpg"}, {"17.jpg", "17.left.jpg"}}) {
    const std::vector<ListedImage> of_tar = members(names);
    EXPECT_EQ(best_match(of_tar, "a/17.jpg")->member, "17.jpg");
  }
  const std::string shared = bad_input_message([] {
    matched({"x/1.jpg"}, files({"y/1.jpg", "x/1.jpg", "/z/x/1.jpg"}));
  });
  EXPECT_TRUE(contains(shared, "'x/1.jpg' may be x/1.jpg or /z/x/1.jpg")) << shared;
}

TEST(ImageMatch, TellsOfImagesThatAreNotAnnotated) {
  const eval::GroundTruth truth = with_images({"1.jpg"});
  const std::vector<ListedImage> list = files({"1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"});
  const std::string annotations = "a.json";
  const ImageMatch match(truth, list, annotations);
  EXPECT_EQ(match.notes(), (Names{"a.json: 4 of 5 listed images are not annotated, and left out ('2.jpg', '3.jpg', "
                                  "'4.jpg' and 1 more)"}));
  EXPECT_EQ(ImageMatch(truth, std::span(list).first(1), annotations).notes(), Names{});
  EXPECT_EQ(ImageMatch(truth, std::span(list).first(2), annotations).notes(),
            Names{"a.json: 1 of 2 listed images are not annotated, and left out ('2.jpg')"});
  EXPECT_EQ(best_match(list, "x/3.jpg"), &list[2]);
  EXPECT_EQ(best_match(list, "6.jpg"), nullptr);
}

TEST(Dataset, ImagesOfAListGiveTheSameRun) {
  const TestFolder folder("listed");
  const fs::path root = small_data_set(folder, 6), results = folder / "r.json";
  const Evaluation expected = validate_dataset(root, tiny_model(2), {.results = results}).evaluation;
  const std::string bytes = read_file(results);
  fs::rename(root / "val2017", folder / "elsewhere");
  DataSource data(root);
  for (int id = 6; id >= 1; --id)
    data.listed.push_back({(folder / "elsewhere" / fmt::format("{:012}.jpg", id)).string(), ""});
  EXPECT_EQ(validate_dataset(data, tiny_model(2), {.results = results}).evaluation.stats, expected.stats);
  EXPECT_EQ(read_file(results), bytes);

  // Where sizes are not annotated, they are those of the images, and shards are joined by them.
  edit_annotations(root, [](auto& json) {
    for (auto& image : json["images"]) image.erase("width");
  });
  std::vector<fs::path> shards;
  for (const size_t index : {0, 1}) {
    shards.push_back(folder / std::to_string(index));
    validate_dataset(data, tiny_model(2), {.shard = {index, 2}, .journal = shards.back()});
  }
  EXPECT_TRUE(contains(bad_input_message([&] { merge_shards(shards, {.results = results}); }),
                       "and with --images or --list the images, whose sizes they do not tell"));
  merge_shards(shards, {.results = results, .listed = data.listed});
  EXPECT_EQ(read_file(results), bytes);
}

TEST(Dataset, AListedImageThatIsMissingIsNamed) {
  const TestFolder folder("listed");
  DataSource data(small_data_set(folder, 3));
  for (const int id : {1, 3})
    data.listed.push_back({(data.root / "val2017" / fmt::format("{:012}.jpg", id)).string(), ""});
  fs::resize_file(data.listed[1].file, 300);
  const ValidateReport report = validate_dataset(data, tiny_model(), {});
  EXPECT_EQ(report.evaluation.images, 1u);
  ASSERT_EQ(report.failures.size(), 2u);
  const std::string told = report.failures[0].message + report.failures[1].message;
  EXPECT_TRUE(contains(told, "image with id 2: '000000000002.jpg' is in none of the tar files and lists")) << told;
  EXPECT_TRUE(contains(told, "000000000003.jpg: ")) << told;
}

TEST(Dataset, AListAndItsImagesAreNotWrittenOver) {
  const TestFolder folder("listed");
  DataSource data(small_data_set(folder, 2));
  data.listed = {{(data.root / "val2017/000000000001.jpg").string(), ""}, {(folder / "s.tar").string(), "", "2.jpg"}};
  write_file(folder / "s.tar", std::string("x"));
  fs::create_symlink(folder / "s.tar", folder / "link");
  for (const fs::path& output : {folder / "s.tar", folder / "link", data.root / "val2017/000000000001.jpg"})
    EXPECT_EQ(error_of([&] { Dataset(data).require_other_file(output); }).code(), ErrorCode::kUsage) << output;
  Dataset(data).require_other_file(data.root / "val2017/000000000002.jpg");  // not of this data set
}

TEST(Dataset, SizesOfMembersAreReadFromTheTarFile) {
  const TestFolder folder("listed");
  DataSource data(small_data_set(folder, 3));
  const nlohmann::json before = load_json(annotations_of(data.root));
  const std::string image = read_file(data.root / "val2017/000000000001.jpg");
  write_file(folder / "s.tar", "header" + image);  // only the place in the file counts
  data.listed = {{(folder / "s.tar").string(), "", "000000000001.jpg", 6, image.size()},
                 {(folder / "s.tar").string(), "", "x.jpg", 6, 100},
                 {(folder / "none.tar").string(), "", "000000000002.jpg", 6, 100}};
  edit_annotations(data.root, [](auto& json) {
    for (auto& record : json["images"]) record.erase("width");
    json["images"][2]["file_name"] = "../x.jpg";
  });
  const Dataset source(data);
  EXPECT_EQ(source.images().at(0)->width, before["images"][0]["width"]);
  const auto message = [&](size_t i) {
    return std::string(error_of([&] { source.open(*source.images().at(i)); }).what());
  };
  EXPECT_TRUE(contains(message(1), "none.tar: cannot open: ")) << message(1);
  EXPECT_TRUE(contains(message(2), "file_name '../x.jpg' leads out of the folder of the images")) << message(2);
  EXPECT_EQ(error_of([&] { source.require_other_file(folder / "s.tar"); }).code(), ErrorCode::kUsage);
  write_file(folder / "other", "x");
  EXPECT_NO_THROW(source.require_other_file(folder / "other"));
}

TEST(Dataset, AListNeedsAnnotationsInOneFile) {
  const TestFolder folder("listed");
  const fs::path root = small_data_set(folder, 2);
  convert_dataset(root, folder / "yolo", {.format = "yolo"});
  DataSource data(folder / "yolo");
  data.listed = {{(root / "val2017/000000000001.jpg").string(), ""}};
  const Error other = error_of([&] { const Dataset of_yolo(data); });
  EXPECT_EQ(other.code(), ErrorCode::kUsage);
  EXPECT_TRUE(contains(other.what(), "only with annotations of COCO's format, and these are of yolo")) << other.what();
  data.root = root;
  data.images = root / "val2017";
  EXPECT_EQ(error_of([&] { const Dataset both(data); }).code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace effdet::dataset
