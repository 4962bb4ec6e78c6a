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

/// Datumaro and CVAT put such names into quotes, others write them as they are.
TEST(Voc, NamesWithBlanksInLists) {
  const TestFolder folder("voc");
  for (const char* name : {"a", "a b", "two  words"})
    write_voc(folder, name, std::string(kVocSize) + voc_object("dog", voc_box(1, 1, 4, 4)));
  make_folder(folder / "ImageSets/Main");
  write_file(folder / "ImageSets/Main/val.txt", "a 1\n\"a b\"\ntwo  words\n");
  const Dataset source(folder.path());
  ASSERT_EQ(source.images().size(), 3u);
  EXPECT_EQ(source.truth().annotations.size(), 3u);
  for (const char* line : {"\"../x y\"", "../x y", "\"\""}) {
    write_file(folder / "ImageSets/Main/val.txt", line);
    EXPECT_NE(error_of([&] { Dataset{folder.path()}; }).code(), ErrorCode::kInternal) << line;
  }
}

/// Datumaro and CVAT write no XML file for them. Without the image as well the list is wrong.
TEST(Voc, ListedImagesWithoutAnnotationsAreBackground) {
  const TestFolder folder("voc");
  write_voc(folder.path() / "Annotations/x", folder / "JPEGImages/x", "a", std::string(kVocSize));
  write_file(folder / "JPEGImages/x/b.png", vision::encode_png(vision::Image(64, 48)));
  make_folder(folder / "ImageSets/Main");
  write_file(folder / "ImageSets/Main/val.txt", "x/a\nx/b\n");
  EXPECT_EQ(format_of(folder.path()).name, "voc") << "all files lie in folders";
  const Dataset source(folder.path());
  ASSERT_EQ(source.images().size(), 2u);
  EXPECT_NO_THROW(source.open(*source.images()[1]));
  ASSERT_EQ(source.notes().size(), 1u);
  EXPECT_TRUE(contains(source.notes()[0], "1 listed images have no file of annotations") &&
              contains(source.notes()[0], "x/b.xml)"))
      << source.notes()[0];
  fs::rename(folder / "JPEGImages/x/b.png", folder / "JPEGImages/x/b b.BMP");
  write_file(folder / "ImageSets/Main/val.txt", "x/a\nx/b b\n");
  EXPECT_EQ(Dataset(folder.path()).images().at(1)->file_name, "x/b b.BMP");
  write_file(folder / "ImageSets/Main/val.txt", "x/a\nx/c\n");
  EXPECT_EQ(error_of([&] { Dataset{folder.path()}; }).code(), ErrorCode::kIo);
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

TEST(Voc, LayoutsWithoutSplits) {
  for (const auto& [annotations, images] : {std::pair("labels", "data"),  // FiftyOne
                                            {"annotations", "images"},    // supervision
                                            {"Annotations", "images"},    // Label Studio
                                            {".", "."}}) {                // LabelImg
    const TestFolder folder("voc");
    write_voc(folder / annotations, folder / images, "x", kVocSize);
    EXPECT_EQ(format_of(folder.path()).name, "voc") << annotations;
    const Dataset source(folder.path());
    EXPECT_NO_THROW(source.open(*source.images().at(0))) << annotations;
  }
}

/// panlabel writes no lists.
TEST(Voc, AnnotationsInFoldersCountWithoutLists) {
  const TestFolder folder("voc");
  write_voc(folder / "Annotations/x/y", folder / "JPEGImages/x/y", "a", kVocSize);
  EXPECT_EQ(format_of(folder.path()).name, "voc");
  write_voc(folder, "b", kVocSize);
  const Dataset source(folder.path());
  ASSERT_EQ(source.images().size(), 2u);
  EXPECT_EQ(source.images()[0]->file_name, "b.png");
  EXPECT_EQ(source.images()[1]->file_name, "x/y/a.png");
}

/// Of Windows' code pages and others of a byte a character, and two names that Python's ElementTree writes.
TEST(Voc, NamesInOtherEncodings) {
  for (const auto& [encoding, bytes, name] : {std::tuple("windows-1252", "\xC4rger", "\u00C4rger"),
                                              {"ISO-8859-1", "\xC4rger", "\u00C4rger"},
                                              {"windows-1251", "\xEA\xEE\xF2", "\u043A\u043E\u0442"},
                                              {"KOI8-R", "\xCB\xCF\xD4", "\u043A\u043E\u0442"},
                                              {"Macintosh", "\x80rger", "\u00C4rger"},
                                              {"IBM850", "\x8Erger", "\u00C4rger"},
                                              {"ascii", "anger", "anger"},
                                              {"utf8", "\u00C4rger", "\u00C4rger"},
                                              {"UTF8", "\U0001F436", "\U0001F436"}}) {
    const TestFolder folder("voc");
    write_voc(folder, "1", "");
    write_file(folder / "Annotations/1.xml",
               fmt::format("<?xml version='1.0' encoding='{}'?><annotation>{}</annotation>", encoding,
                           voc_object(bytes, voc_box(1, 1, 4, 4))));
    EXPECT_EQ(Dataset(folder.path()).truth().categories.at(0).name, name) << encoding;
  }
  // Of several bytes a character, or such that a file need not have the C library load a module for.
  for (const char* encoding :
       {"GBK", "ISO-2022-JP", "UTF-7", "none-of-them", "windows-1252//TRANSLIT", "IBM037", "IBM1364", "", "utf8x"}) {
    const std::string found =
        refusal_of_voc(fmt::format("<?xml version='1.0' encoding='{}'?><annotation></annotation>", encoding));
    EXPECT_TRUE(contains(found, "000001.xml:1: no XML that can be read")) << found;
  }
}

TEST(Voc, SizesThatAreMissingAreTheImages) {
  const TestFolder folder("voc");
  write_voc(folder, "000001", "");
  write_voc(folder, "000002", "<size><width>0</width><height></height></size>");
  write_voc(folder, "000003", "<size><width>1e300</width><height>-48</height></size>");
  const Dataset source(folder.path());
  for (const eval::ImageRecord* image : source.images()) EXPECT_EQ(image->width, 64);
}

TEST(Voc, FoldersOfTheChallengeAreFound) {
  for (const char* base : {"VOC2012", "VOC2007", "VOCdevkit/VOC2012", "VOCdevkit/VOC2007", "."}) {
    const TestFolder folder("voc");
    write_voc(folder / base / "Annotations", folder / base / "images", "000001", kVocSize);  // and no JPEGImages
    EXPECT_EQ(format_of(folder.path()).name, "voc") << base;
    const Dataset source(folder.path());
    EXPECT_NO_THROW(source.open(*source.images().at(0))) << base;
  }
}

TEST(Voc, ListsOfAClassAndOfCvatAreSplits) {
  const TestFolder folder("voc");
  for (const char* name : {"000001", "000002"}) write_voc(folder, name, kVocSize);
  make_folder(folder / "ImageSets/Main");
  write_file(folder / "ImageSets/Main/default.txt", "000002  1\n");  // CVAT's, of any split
  EXPECT_EQ(Dataset(folder.path()).images().at(0)->id, 2);
  write_file(folder / "ImageSets/Main/val.txt", "000001 -1\n");
  EXPECT_EQ(Dataset(folder.path()).images().at(0)->id, 1);
}

TEST(Voc, ImagesAreThoseOfTheFileNameOrOfTheAnnotationsName) {
  struct Name {
    const char *filename, *there, *expected;
  };
  for (const auto& [filename, there, expected] :
       {Name{"<filename>a.png</filename>", "a.png", "a.png"}, Name{"<filename>a.png</filename>", "1.JPG", "1.JPG"},
        Name{"<filename>1</filename>", "1.jpeg", "1.jpeg"}, Name{"", "1.PNG", "1.PNG"},
        Name{"<filename>a.png</filename>", "other", "a.png"}, Name{"", "other", "1.jpg"}}) {
    const TestFolder folder("voc");
    make_folder(folder / "Annotations");
    make_folder(folder / "JPEGImages");
    write_file(folder / "Annotations/1.xml", fmt::format("<annotation>{}{}</annotation>", filename, kVocSize));
    write_file(folder / "JPEGImages" / there, vision::encode_png(vision::Image(64, 48)));
    EXPECT_EQ(Dataset(folder.path()).images().at(0)->file_name, expected) << filename << ' ' << there;
  }
}

/// The challenge's parts of people have boxes of their own.
TEST(Voc, OnlyAnObjectsOwnBoxCounts) {
  const TestFolder folder("voc");
  write_voc(
      folder, "000001",
      std::string(kVocSize) + voc_object("person", voc_box(1, 1, 30, 40) + "<zmin>7</zmin>",
                                         "<part><name>head</name><bndbox>" + voc_box(5, 5, 6, 6) + "</bndbox></part>"));
  const Dataset source(folder.path());
  ASSERT_EQ(source.truth().annotations.size(), 1u);
  EXPECT_EQ(source.truth().annotations[0].bbox, (std::array<double, 4>{0, 0, 30, 40}));
  EXPECT_EQ(source.truth().annotations[0].category_id, 15);
}

TEST(Voc, BoxesFarOutsideKeepTheirNumbers) {
  const TestFolder folder("voc");
  write_voc(folder, "000001",
            std::string(kVocSize) + voc_object("dog",
                                               "<xmin>2000000.3</xmin><ymin>1.1</ymin><xmax>3000000.5</xmax>"
                                               "<ymax>4.4</ymax>"));
  const std::array<double, 4> box = Dataset(folder.path()).truth().annotations.at(0).bbox;
  EXPECT_EQ(box[0], 2000000.3 - 1);
  EXPECT_EQ(box[1], 0.1);
  EXPECT_EQ(box[3], 4.3);  // 4.4 - (1.1 - 1) is 4.300000000000001
}

TEST(Voc, ImagesMayLieElsewhere) {
  const TestFolder folder("voc");
  write_voc(folder, "1", "");
  fs::rename(folder / "JPEGImages", folder / "pictures");
  DataSource data(folder.path());
  data.images = folder / "pictures";
  const Dataset source(data);
  EXPECT_EQ(source.images().at(0)->width, 64);
  EXPECT_NO_THROW(source.open(*source.images().at(0)));
  const DataSource file(folder / "Annotations/1.xml");  // which is no folder
  EXPECT_EQ(format_of(file).name, "coco");
}

TEST(Voc, FoldersThatCannotBeReadAreNamed) {
  const TestFolder folder("voc");
  DataSource data(folder.path());
  data.format = "voc";
  const auto refused = [&](std::string_view message) {
    const Error error = error_of([&] { Dataset{data}; });
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_TRUE(contains(error.what(), message)) << error.what();
  };
  refused("Annotations: no such folder");
  write_file(folder / "Annotations", "a file");
  refused("Annotations: no such folder");
  data.split = std::string(300, 'x');  // longer than a name may be
  refused("x: cannot read the folder: ");
  fs::remove(folder / "Annotations");
  fs::create_directory_symlink("Annotations", folder / "Annotations");
  data.format.clear();
  refused("Annotations: cannot read the folder: ");
}

TEST(Voc, ExchangedCornersAreLeftOutWithANote) {
  const TestFolder folder("voc");
  write_voc(folder, "000001",
            std::string(kVocSize) + voc_object("dog", voc_box(20, 1, 10, 2)) + voc_object("dog", voc_box(1, 9, 2, 2)));
  const auto notes = Dataset(folder.path()).notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(contains(notes[0], "2 boxes left out: the corners are exchanged") && contains(notes[0], "000001.xml:3"))
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
  refused("<kml/>", ".xml:1: the root is 'kml'");
  refused("<annotation>\n<object><name>a</name></object></annotation>", ".xml:2: an object without xmin");
  refused("<annotation>\n<object>\n</object></annotation>", ".xml:3: an object without a name");
  refused("<annotation><object><name>a</name>\n<name>b</name></object></annotation>",
          ".xml:2: an object with two names");
  refused("<annotation>" + voc_object("a", voc_box(1, 1, 4, 4), "\n<bndbox>" + voc_box(2, 2, 4, 4) + "</bndbox>") +
              "</annotation>",
          ": an object with two boxes");
  refused("<?xml version='1.0' encoding='ascii'?><annotation>\xC4</annotation>", "not well-formed");
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
