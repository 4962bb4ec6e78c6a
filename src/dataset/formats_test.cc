// What every format of data sets must do.
#include <set>

#include "dataset/format.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

TEST(Formats, AreWhole) {
  std::set<std::string_view> names;
  for (const Format* format : formats()) {
    EXPECT_TRUE(names.insert(format->name).second) << format->name;
    EXPECT_FALSE(format->layout.empty()) << format->name;
    EXPECT_TRUE(format->recognises && format->image_folder && format->annotations && format->read) << format->name;
    EXPECT_TRUE(contains(dataset_layouts(), format->layout));
  }
  EXPECT_NE(formats().front()->write, nullptr) << "synthetic data sets are written in it";
}

TEST(Formats, ReadWhatTheyWrote) {
  for (const Format* format : formats()) {
    if (format->write == nullptr) continue;
    const TestFolder folder("dataset");
    EXPECT_FALSE(format->recognises(folder.path())) << format->name;
    eval::GroundTruth truth;
    truth.images = {{1, "a.jpg", 64, 48}, {7, "b c.jpg", 40, 50}};
    truth.categories = {{3, "star"}, {4, "ring"}};
    truth.annotations = {
        {.id = 5, .image_id = 7, .category_id = 4, .bbox = {1.5, 2, 10, 20.25}, .area = 100.5, .is_crowd = true}};
    format->write(folder.path(), truth, {"two images", "shape"});
    EXPECT_EQ(&format_of(folder.path()), format) << format->name;
    const eval::GroundTruth read = format->read(folder.path());
    ASSERT_EQ(read.images.size(), 2u);
    EXPECT_EQ(read.images[1].file_name, "b c.jpg");
    EXPECT_EQ(read.images[1].width, 40);
    ASSERT_EQ(read.categories.size(), 2u);
    EXPECT_EQ(read.categories[1].name, "ring");
    ASSERT_EQ(read.annotations.size(), 1u);
    EXPECT_EQ(read.annotations[0].bbox, truth.annotations[0].bbox);
    EXPECT_EQ(read.annotations[0].area, 100.5);
    EXPECT_TRUE(read.annotations[0].is_crowd);
    EXPECT_EQ(read.annotations[0].image_id, 7);
  }
}

}  // namespace
}  // namespace effdet::dataset
