// Lists of images, and names for what is drawn of them.
#include "image_arguments.h"

#include <gtest/gtest.h>

#include <fstream>

#include "effdet/error.h"
#include "support/test_folder.h"

namespace effdet::cli {
namespace {

using Names = std::vector<std::string>;

class ImageArguments : public testing::Test {
 protected:
  std::string list_of(const std::string& content) const {
    std::ofstream(folder_ / "list.txt") << content;
    return (folder_ / "list.txt").string();
  }
  std::string message(const std::string& list, ErrorCode code) const try {
    read_list(list);
    return "nothing was wrong";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }

  effdet::test::TestFolder folder_{"image_arguments"};
};

TEST_F(ImageArguments, AListHasAPathALine) {
  EXPECT_EQ(read_list(list_of("a.jpg\n b c.png \r\n\n\r\n#1.jpg\nlast")),
            (Names{"a.jpg", " b c.png ", "#1.jpg", "last"}));
  EXPECT_EQ(listed_files({"x.jpg"}, {list_of("a\nb\n"), list_of("a\nb\n")}), (Names{"x.jpg", "a", "b", "a", "b"}));
}

TEST_F(ImageArguments, AListThatIsNoneIsNamed) {
  EXPECT_NE(
      message(list_of("a\n\nb" + std::string(1, '\0') + "c\n"), ErrorCode::kBadInput).find("list.txt: line 3: a path"),
      std::string::npos);
  EXPECT_NE(message(list_of("\n\n"), ErrorCode::kUsage).find("no paths in this list"), std::string::npos);
  EXPECT_NE(message((folder_ / "none").string(), ErrorCode::kIo).find("cannot read the list"), std::string::npos);
  EXPECT_NE(message((folder_ / "").string(), ErrorCode::kIo).find("cannot read the list"), std::string::npos);
}

TEST_F(ImageArguments, PicturesHaveNamesOfTheirOwn) {
  const std::vector<ListedImage> images = name_pictures({"a/1.jpg", "b/1.png", "1_2.jpg", "c/1.jpg", "2.x.png"}, "out");
  Names pictures;
  for (const ListedImage& image : images) pictures.push_back(image.picture);
  EXPECT_EQ(pictures, (Names{"1.jpg", "1_2.jpg", "1_2_2.jpg", "1_3.jpg", "2.x.jpg"}));
  EXPECT_EQ(name_pictures({"a/1.jpg"}, "")[0].picture, "");
  list_of("x");
  std::ofstream(folder_ / "1.jpg") << "x";
  EXPECT_THROW(name_pictures({(folder_ / "1.jpg").string()}, folder_ / ""), Error);
}

TEST_F(ImageArguments, ManyImagesOfOneNameTakeNoTimeLikeTheirSquare) {
  const std::vector<ListedImage> images = name_pictures(Names(200000, "image.jpg"), "out");
  EXPECT_EQ(images.back().picture, "image_200000.jpg");
}

}  // namespace
}  // namespace effdet::cli
