// Pascal VOC's files: layouts, VOC's way of counting pixels, and files that are refused.
#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

constexpr std::string_view kVocSize = "<size><width>64</width><height>48</height><depth>3</depth></size>";

std::string voc_object(std::string_view name, std::string_view box, std::string_view more = "") {
  return fmt::format("<object><name>{}</name>{}<bndbox>{}</bndbox></object>", name, more, box);
}

std::string voc_box(int xmin, int ymin, int xmax, int ymax) {
  return fmt::format("<xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax>", xmin, ymin, xmax, ymax);
}

/// Annotations of <name>.png, and the image.
void write_voc(const fs::path& annotations, const fs::path& images, const std::string& name, std::string_view content) {
  make_folder(annotations);
  make_folder(images);
  write_file(annotations / (name + ".xml"),
             fmt::format("<annotation>\n<filename>{}.png</filename>\n{}</annotation>\n", name, content));
  write_file(images / (name + ".png"), vision::encode_png(vision::Image(64, 48)));
}

void write_voc(const TestFolder& folder, const std::string& name, std::string_view content) {
  write_voc(folder / "Annotations", folder / "JPEGImages", name, content);
}

std::string refusal_of_voc(std::string_view xml) {
  const TestFolder folder("voc");
  write_voc(folder, "000001", "");
  write_file(folder / "Annotations/000001.xml", xml);
  return bad_input_message([&] { Dataset{folder.path()}; });
}

TEST(Voc, PixelsAreCountedFromOneAndBothCornersBelongToTheBox) {
  const TestFolder folder("voc");
  write_voc(folder, "000012",
            std::string(kVocSize) + voc_object("dog", voc_box(1, 1, 64, 48)) +
                voc_object("cat", voc_box(11, 21, 20, 22), "<difficult>1</difficult>"));
  write_voc(folder, "000007", kVocSize);
  const Dataset source(folder.path());
  EXPECT_EQ(format_of(folder.path()).name, "voc");
  const eval::GroundTruth& truth = source.truth();
  ASSERT_EQ(truth.annotations.size(), 2u);
  EXPECT_EQ(truth.annotations[0].bbox, (std::array<double, 4>{0, 0, 64, 48}));
  EXPECT_EQ(truth.annotations[1].bbox, (std::array<double, 4>{10, 20, 10, 2}));
  EXPECT_EQ(truth.annotations[1].area, 20);
  EXPECT_FALSE(truth.annotations[0].is_crowd);
  EXPECT_TRUE(truth.annotations[1].is_crowd) << "what is difficult does not count";
  EXPECT_EQ(truth.annotations[0].image_id, 12);
  ASSERT_EQ(truth.categories.size(), 20u) << "the challenge's classes";
  EXPECT_EQ(truth.annotations[0].category_id, 12);
  EXPECT_EQ(source.images()[0]->id, 7);
  EXPECT_NO_THROW(source.open(*source.images()[0]));
}

TEST(Voc, OwnClassesHaveTheOrderOfTheirNamesAndOwnImageNamesAreIds) {
  const TestFolder folder("voc");
  write_voc(folder, "b_1", std::string(kVocSize) + voc_object("vest", voc_box(1, 1, 2, 2)));
  write_voc(folder, "a_1", std::string(kVocSize) + voc_object("helmet", voc_box(1, 1, 2, 2)));
  const Dataset source(folder.path());
  ASSERT_EQ(source.truth().categories.size(), 2u);
  EXPECT_EQ(source.truth().categories[0].name, "helmet");
  EXPECT_EQ(source.truth().categories[1].id, 2);
  EXPECT_EQ(source.truth().image_ids.json_of(source.images()[0]->id), "\"a_1\"");
}

TEST(Voc, SplitsAreLists) {
  const TestFolder folder("voc");
  for (const char* name : {"000001", "000002", "000003"}) write_voc(folder, name, kVocSize);
  make_folder(folder / "ImageSets/Main");
  write_file(folder / "ImageSets/Main/val.txt", "000003\r\n\n000001 \n");
  write_file(folder / "ImageSets/Main/train.txt", "000002");
  EXPECT_EQ(Dataset(folder.path()).images().size(), 2u);
  DataSource data(folder.path());
  data.split = "train";
  EXPECT_EQ(Dataset(data).images().at(0)->id, 2);
  data.split = "test";
  EXPECT_EQ(error_of([&] { Dataset{data}; }).code(), ErrorCode::kIo);
  write_file(folder / "ImageSets/Main/val.txt", "000001\n../../x\n");
  EXPECT_TRUE(contains(bad_input_message([&] { Dataset{folder.path()}; }), "val.txt:2: '../../x' leads out"));
}

TEST(Voc, LayoutsOfOthers) {
  const TestFolder roboflow("voc"), devkit("voc");
  write_voc(roboflow / "valid", roboflow / "valid", "x", kVocSize);
  EXPECT_NO_THROW(Dataset(roboflow.path()).open(*Dataset(roboflow.path()).images().at(0)));
  write_voc(devkit / "VOCdevkit/VOC2007/Annotations", devkit / "VOCdevkit/VOC2007/JPEGImages", "000001", kVocSize);
  const Dataset source(devkit.path());
  EXPECT_NO_THROW(source.open(*source.images().at(0)));
}

TEST(Voc, SizesThatAreMissingAreTheImages) {
  const TestFolder folder("voc");
  write_voc(folder, "000001", "");
  write_voc(folder, "000002", "<size><width>0</width><height></height></size>");
  const Dataset source(folder.path());
  for (const eval::ImageRecord* image : source.images()) EXPECT_EQ(image->width, 64);
}

TEST(Voc, ExchangedCornersAreLeftOutWithANote) {
  const TestFolder folder("voc");
  write_voc(folder, "000001", std::string(kVocSize) + voc_object("dog", voc_box(20, 1, 10, 2)));
  const auto notes = Dataset(folder.path()).notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(contains(notes[0], "1 boxes left out: the corners are exchanged") && contains(notes[0], "000001.xml:3"))
      << notes[0];
}

TEST(BadInput, VocFilesAreRefusedWithFileAndLine) {
  const auto refused = [](std::string_view xml, std::string_view message) {
    const std::string found = refusal_of_voc(xml);
    EXPECT_TRUE(contains(found, "000001.xml:") && contains(found, message)) << found;
  };
  refused("<annotation>\n<object>", ".xml:2: no XML that can be read: no element found");
  refused("", "no element found");
  refused("{}", "not well-formed");
  refused("<kml>\n</kml>", ".xml:1: the root is 'kml'");
  refused("<annotation>\n<object><name>a</name></object></annotation>", ".xml:2: an object without xmin");
  refused("<annotation>\n<object>\n</object></annotation>", ".xml:3: an object without a name");
  refused("<annotation>" + voc_object("a", "<xmin>a</xmin>") + "</annotation>", "xmin 'a' is no number");
  refused("<annotation>" + voc_object("a", "<xmin>nan</xmin>") + "</annotation>", "xmin 'nan' is no number");
  refused("<annotation><size><width>many</width></size></annotation>", "width 'many' is no number");
  std::string bomb = "<!DOCTYPE a [\n<!ENTITY a0 \"ha\">\n";
  for (int i = 1; i < 30; ++i) bomb += fmt::format("<!ENTITY a{} \"&a{};&a{};\">\n", i, i - 1, i - 1);
  refused(bomb + "]>\n<annotation>&a29;</annotation>", ".xml:2: entities are declared");
  refused("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><annotation>&x;</annotation>", "entities");
  std::string deep = "<annotation>";
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  refused(deep, "more than 32 deep");
}

TEST(BadInput, Case87_VocFileNameThatLeadsOutOfTheFolder) {
  const TestFolder folder("voc");
  write_voc(folder, "000001", "<filename>../../x.jpg</filename>" + std::string(kVocSize));
  const Dataset source(folder.path());
  EXPECT_TRUE(contains(bad_input_message([&] { source.open(*source.images().at(0)); }), "leads out of"));
}

}  // namespace
}  // namespace effdet::dataset
