// Each format of results on the same detections, and files for each image.
#include "effdet/result_format.h"

#include <algorithm>

#include "dataset/detections_file.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

const std::vector<DetectedImage> kFound{
    {"a/000000000139.jpg", "", 200, 100, {{10, 20, 60, 70, 0.75f, 1}, {0, 0, 100, 50, 0.5f, 3}}},
    {"b/a \"b\",<c>.png", "", 50, 50, {}},
    {"c/a \"b\",<c>.png", "", 50, 50, {{1, 2, 3, 4, 0.25f, 2}}},
};
const std::vector<std::string> kNames{"person", "bicycle, \"old\""};

std::string text_in(const std::string& format, const std::vector<DetectedImage>& images) {
  std::string whole;
  ResultText text(format, kNames, [&](std::string_view part) { whole += part; });
  for (const DetectedImage& image : images) text.add(image);
  text.end();
  return whole;
}

TEST(ResultFormats, JsonLinesAreWholeObjects) {
  const std::string text = text_in("jsonl", kFound);
  ASSERT_EQ(std::ranges::count(text, '\n'), 3);
  const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(first, nlohmann::json::parse(text_in("json", kFound))[0]);
  EXPECT_EQ(text_in("jsonl", {}), "");
}

TEST(ResultFormats, CocoIsWhatEvaluatorsTake) {
  const auto list = nlohmann::json::parse(text_in("coco", kFound));
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0]["image_id"], 139);
  EXPECT_EQ(list[0]["bbox"], (std::vector<int>{10, 20, 50, 50}));
  EXPECT_EQ(list[1]["category_id"], 3);
  EXPECT_EQ(list[2]["image_id"], "a \"b\",<c>");
  EXPECT_EQ(text_in("coco", {kFound[1]}), "[]\n");
}

TEST(ResultFormats, CsvQuotesWhatItMust) {
  EXPECT_EQ(text_in("csv", kFound),
            "image,width,height,category_id,category,score,x1,y1,x2,y2\n"
            "a/000000000139.jpg,200,100,1,person,0.75,10,20,60,70\n"
            "a/000000000139.jpg,200,100,3,class 3,0.5,0,0,100,50\n"
            "\"c/a \"\"b\"\",<c>.png\",50,50,2,\"bicycle, \"\"old\"\"\",0.25,1,2,3,4\n");
  EXPECT_EQ(text_in("csv", {}), "image,width,height,category_id,category,score,x1,y1,x2,y2\n");
}

TEST(ResultFormats, YoloAndVocHaveAFileForEachImage) {
  const TestFolder folder("result_formats");
  write_detections_file(folder / "labels", kFound, kNames, "yolo");
  EXPECT_EQ(read_file(folder / "labels/000000000139.txt"),
            "0 0.175000 0.450000 0.250000 0.500000 0.750000\n2 0.250000 0.250000 0.500000 0.500000 0.500000\n");
  EXPECT_EQ(read_file(folder / "labels/a \"b\",<c>.txt"), "");
  EXPECT_EQ(read_file(folder / "labels/a \"b\",<c>_2.txt"), "1 0.040000 0.060000 0.040000 0.040000 0.250000\n");
  write_detections_file(folder / "annotations", kFound, kNames, "voc");
  const std::string voc = read_file(folder / "annotations/000000000139.xml");
  EXPECT_NE(voc.find("<name>person</name>\n    <score>0.75</score>\n    <bndbox>\n      <xmin>11.00</xmin>"), voc.npos)
      << voc;
  EXPECT_NE(read_file(folder / "annotations/a \"b\",<c>.xml").find("<filename>a \"b\",&lt;c&gt;.png</filename>"),
            voc.npos);
}

TEST(ResultFormats, VocIsXmlWhateverANameHolds) {
  const test::TestFolder folder("voc_names");
  write_detections_file(folder / "annotations",
                        std::vector<DetectedImage>{{"n\xFF\xEF\xBF\xBE.jpg", "", 9, 9, {{1, 2, 3, 4, 0.5f, 1}}}},
                        kNames, "voc");
  const auto file = std::filesystem::directory_iterator(folder / "annotations")->path();
  EXPECT_NE(read_file(file).find("<filename>n\xEF\xBF\xBD?.jpg</filename>"), std::string::npos) << read_file(file);
}

TEST(ResultFormats, VocHasAQuestionMarkForWhatXmlHasNoWordFor) {
  const test::TestFolder folder("voc_names");
  write_detections_file(folder.path(),
                        std::vector<DetectedImage>{{"a\x01\xEF\xBF\xBF\xEF\xBF\xBD&b.jpg", "x.jpg", 9, 9, {}}}, kNames,
                        "voc");
  EXPECT_NE(read_file(folder / "x.xml").find("<filename>a??\xEF\xBF\xBD&amp;b.jpg</filename>"), std::string::npos)
      << "the file is called as the picture is";
}

TEST(ResultFormats, FramesOfVideosHaveNumberAndTime) {
  DetectedImage frame = kFound[0];
  frame.frame = 25;
  frame.seconds = 1.5;
  const nlohmann::json with = nlohmann::json::parse(text_in("json", {frame}))[0];
  EXPECT_EQ(with["frame"], 25);
  EXPECT_EQ(with["seconds"], 1.5);
  EXPECT_FALSE(nlohmann::json::parse(text_in("json", kFound))[0].contains("frame"));
}

TEST(ResultFormats, CocoIdsAreNumbersWhereTheyFit) {
  EXPECT_EQ(coco_image_id("val2017/000000000139.jpg"), "139");
  EXPECT_EQ(coco_image_id("999999999999999999.jpg"), "999999999999999999");
  EXPECT_EQ(coco_image_id("9999999999999999999.jpg"), "\"9999999999999999999\"");  // beyond 64 bits
  EXPECT_EQ(coco_image_id("a1.jpg"), "\"a1\"");
  EXPECT_EQ(coco_image_id("-1.jpg"), "\"-1\"");
  EXPECT_EQ(coco_image_id(""), "\"\"");
}

TEST(ResultFormats, UnknownOnesAndThoseWithoutATextAreRefused) {
  const Error unknown = error_of([] { result_file("xls"); });
  EXPECT_EQ(unknown.code(), ErrorCode::kUsage);
  EXPECT_NE(std::string(unknown.what()).find("json, jsonl, coco, csv, yolo, voc"), std::string::npos) << unknown.what();
  EXPECT_EQ(error_of([] { ResultText("yolo", {}, [](std::string_view) {}); }).code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace effdet::dataset
