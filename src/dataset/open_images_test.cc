// Open Images' CSV files, and those that are refused.
#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

constexpr std::string_view kOpenImagesHeader =
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n";

void write_open_images(const TestFolder& folder, std::string_view boxes) {
  make_folder(folder / "validation");
  for (const char* id : {"0001eeaf4aed83f9", "000595fe6fee6369"})
    write_file(folder / "validation" / (std::string(id) + ".jpg"), vision::encode_png(vision::Image(200, 100)));
  write_file(folder / "class-descriptions-boxable.csv", "/m/011k07,Tortoise\n/m/01,\"Saucer, \"\"flying\"\"\"\n");
  write_file(folder / "validation-annotations-bbox.csv", fmt::format("{}{}", kOpenImagesHeader, boxes));
}

TEST(OpenImages, BoxesArePartsAndGroupsAreCrowds) {
  const TestFolder folder("openimages");
  write_open_images(folder,
                    "000595fe6fee6369,xclick,/m/01,1,0.25,0.5,0.1,0.2,0,0,1,0,0\r\n"
                    "0001eeaf4aed83f9,xclick,/m/011k07,1,0,1,0,1,0,0,0,0,0\n"
                    "00gone,xclick,/m/011k07,1,0,1,0,1,0,0,0,0,0\n");
  EXPECT_EQ(format_of(folder.path()).name, "openimages");
  const Dataset source(folder.path());
  const eval::GroundTruth& truth = source.truth();
  ASSERT_EQ(truth.annotations.size(), 2u);
  EXPECT_EQ(truth.annotations[0].bbox, (std::array<double, 4>{50, 10, 50, 10}));
  EXPECT_TRUE(truth.annotations[0].is_crowd);
  EXPECT_EQ(truth.annotations[1].category_id, 1);
  EXPECT_EQ(truth.categories.at(1).name, "Saucer, \"flying\"");
  EXPECT_EQ(truth.image_ids.json_of(source.images().at(0)->id), "\"0001eeaf4aed83f9\"");
  EXPECT_NO_THROW(source.open(*source.images()[0]));
  EXPECT_TRUE(contains(source.notes().at(0), "1 images are not in "));
}

TEST(BadInput, OpenImagesAreRefusedWithFileAndLine) {
  const auto refused = [](std::string_view boxes, std::string_view message) {
    const TestFolder folder("openimages");
    write_open_images(folder, boxes);
    const std::string found = bad_input_message([&] { Dataset{folder.path()}; });
    EXPECT_TRUE(contains(found, "bbox.csv:2: ") && contains(found, message)) << found;
  };
  refused("000595fe6fee6369,x,/m/02,1,0,1,0,1,0,0,0,0,0\n", "class '/m/02' is none of ");
  refused("000595fe6fee6369,x,/m/01,1,0,1.5,0,1,0,0,0,0,0\n", "XMax 1.5 is not between 0 and 1");
  refused("000595fe6fee6369,x,/m/01,1,0,nan,0,1,0,0,0,0,0\n", "XMax 'nan' is no number");
  refused("000595fe6fee6369,x,/m/01\n", "3 columns, not 13");
  refused("../../x,x,/m/01,1,0,1,0,1,0,0,0,0,0\n", "'../../x' is no id of an image");
}

}  // namespace
}  // namespace effdet::dataset
