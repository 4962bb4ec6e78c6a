// Lists of images, and names for what is drawn of them.
#include "image_arguments.h"

#include <gtest/gtest.h>

#include <fstream>

#include "brace_list.h"
#include "effdet/error.h"
#include "support/test_folder.h"

namespace effdet::cli {
namespace {

using Names = std::vector<std::string>;

Names names_of(const std::vector<ListedImage>& images) {
  Names names;
  for (const ListedImage& image : images) names.push_back(image.name());
  return names;
}

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
  EXPECT_EQ(read_list(list_of("\xef\xbb\xbf"
                              "a.jpg\n\xef\xbb\xbf"
                              "b.jpg")),
            (Names{"a.jpg",
                   "\xef\xbb\xbf"
                   "b.jpg"}));
  std::ofstream(folder_ / "c{1,2}.jpg") << "x";
  const std::string there = (folder_ / "c{1,2}.jpg").string();
  EXPECT_EQ(names_of(listed_images({}, {list_of("a-{08..10}.jpg\nb{}\n" + there + "\n")})),
            (Names{"a-08.jpg", "a-09.jpg", "a-10.jpg", "b{}", there}));
  EXPECT_EQ(names_of(listed_images({"x.jpg"}, {list_of("a\nb\n"), list_of("a\nb\n")})),
            (Names{"x.jpg", "a", "b", "a", "b"}));
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
  std::vector<ListedImage> images = listed_images({"a/1.jpg", "b/1.png", "1_2.jpg", "c/1.jpg", "2.x.png"}, {});
  images.push_back({"a.tar", "", "../../etc/..jpg", 512, 1});
  images.push_back({"a.tar", "", "/1.JPG", 512, 1});
  name_pictures(images, "out");
  Names pictures;
  for (const ListedImage& image : images) pictures.push_back(image.picture);
  EXPECT_EQ(pictures, (Names{"1.jpg", "1_2.jpg", "1_2_2.jpg", "1_3.jpg", "2.x.jpg", "..jpg", "1_4.jpg"}));
  std::ofstream(folder_ / "1.jpg") << "x";
  images = listed_images({(folder_ / "1.jpg").string()}, {});
  EXPECT_THROW(name_pictures(images, folder_.path()), Error);
}

TEST_F(ImageArguments, NamesThatGetTooLongAreCut) {
  const auto pictures_of = [](const Names& names) {
    std::vector<ListedImage> images;
    for (const std::string& name : names) images.push_back({name, ""});
    name_pictures(images, "out");
    Names pictures;
    for (const ListedImage& image : images) pictures.push_back(image.picture);
    return pictures;
  };
  const std::string x(249, 'x');
  EXPECT_EQ(pictures_of({"a/" + x + "yz.jpg", "b/" + x + "yz.jpg", "c/" + x + "yzz.png", "d/" + x + "_2.jpg"}),
            (Names{x + "yz.jpg", x + "_2.jpg", x + "_3.jpg", x + "_4.jpg"}));
  const std::string umlauts = std::string(249, 'x') + "\u00e4\u00e4";  // no half of a character stays
  EXPECT_EQ(pictures_of({umlauts + ".png", umlauts + ".jpg"}), (Names{x + "\u00e4.jpg", x + "_2.jpg"}));
}

TEST_F(ImageArguments, ManyImagesOfOneNameTakeNoTimeLikeTheirSquare) {
  std::vector<ListedImage> images(100000, ListedImage{"image.jpg", ""});
  name_pictures(images, "out");
  EXPECT_EQ(images.back().picture, "image_100000.jpg");
}

TEST(BraceList, StandsForNames) {
  EXPECT_EQ(brace_expansion("s-{098..101}.tar"), (Names{"s-098.tar", "s-099.tar", "s-100.tar", "s-101.tar"}));
  EXPECT_EQ(brace_expansion("{9..11}"), (Names{"9", "10", "11"}));
  EXPECT_EQ(brace_expansion("{2..0}x{a,b{1..2},}"),
            (Names{"2xa", "2xb1", "2xb2", "2x", "1xa", "1xb1", "1xb2", "1x", "0xa", "0xb1", "0xb2", "0x"}));
  for (const char* plain : {"", "a", "{}", "{a}", "a{b", "}a{", "{a..b}", "{1..}", "{{}}", "{1..2"})
    EXPECT_EQ(brace_expansion(plain), Names{plain});
  for (const char* many : {"{1..1000001}", "{1..1000}{1..1000}{1..2}", "{-999999999999..999999999999}"})
    EXPECT_THROW(brace_expansion(many), Error) << many;
}

}  // namespace
}  // namespace effdet::cli
