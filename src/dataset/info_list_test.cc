// Lists of images and tensors: what is written, and what is refused.
#include "dataset/test_support.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

std::vector<InfoEntry> read_text(std::string_view text) {
  const TestFolder folder("pipeline");
  const fs::path list = folder / "list.info";
  write_file(list, text);
  return read_info(list);
}

/// The message for a list that is refused, without the list's path.
std::string refusal(std::string_view text) {
  const std::string message = bad_input_message([&] { read_text(text); });
  EXPECT_TRUE(contains(message, "list.info: ")) << message;
  return message.substr(message.find("list.info: ") + 11);
}

TEST(InfoList, ListsTensorsSortedByName) {
  const TestFolder parent("pipeline");
  const fs::path folder = parent / "bins", list = parent / "list.info";
  make_folder(folder);
  for (const char* name : {"b.bin", "a c.bin", "ignored.txt", "0.bin", "._0.bin", ".hidden.bin"})
    write_file(folder / name, "x");
  EXPECT_EQ(write_bin_info(folder, list, 1536, 768), 3u);
  const std::string f = folder.string();
  EXPECT_EQ(read_file(list), "0 " + f + "/0.bin 1536 768\n1 " + f + "/a c.bin 1536 768\n2 " + f + "/b.bin 1536 768\n");
  EXPECT_EQ(read_info(list)[1].path, f + "/a c.bin");
}

TEST(InfoList, ListsImagesWithTheirOwnSizes) {
  const TestFolder parent("pipeline");
  const fs::path folder = parent / "images", list = parent / "list.info";
  make_folder(folder);
  write_file(folder / "b.JPEG", vision::encode_jpeg(vision::Image(40, 30)));
  write_file(folder / "a.jpg", vision::encode_jpeg(vision::Image(20, 50)));
  write_file(folder / "c.png", vision::encode_png(vision::Image(4, 4)));
  EXPECT_EQ(write_image_info(folder, list), 2u);
  const auto entries = read_info(list);
  EXPECT_EQ(entries[0].width, 20);
  EXPECT_EQ(entries[0].height, 50);
  EXPECT_EQ(entries[1].path, folder / "b.JPEG");
}

TEST(InfoList, GoesOnWithoutImagesThatCannotBeRead) {
  const TestFolder parent("pipeline");
  const fs::path folder = parent / "images", list = parent / "list.info";
  make_folder(folder);
  for (const char* name : {"a.jpg", "c.jpg"}) write_file(folder / name, "no image");
  std::vector<std::string> told;
  const auto note = [&](const ImageFailure& failure) { told.push_back(failure.message); };
  EXPECT_EQ(error_of([&] { write_image_info(folder, list, note); }).code(), ErrorCode::kBadInput);
  EXPECT_FALSE(fs::exists(list));
  told.clear();
  write_file(folder / "b.jpg", vision::encode_jpeg(vision::Image(40, 30)));
  EXPECT_EQ(write_image_info(folder, list, note), 1u);
  EXPECT_EQ(read_file(list), "0 " + (folder / "b.jpg").string() + " 40 30\n");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(contains(told[0], "a.jpg: ")) << told[0];
}

TEST(InfoList, OnlyFilesAreListedAndTheirNamesFitALine) {
  const TestFolder parent("pipeline");
  const fs::path folder = parent / "bins";
  make_folder(folder / "folder.bin");
  fs::create_symlink("nowhere", folder / "link.bin");
  write_file(folder / "a.bin", "x");
  EXPECT_EQ(write_bin_info(folder, parent / "list.info", 1, 1), 1u);
  write_file(folder / "b\n0 c.bin", "x");
  const std::string message = bad_input_message([&] { write_bin_info(folder, parent / "list.info", 1, 1); });
  EXPECT_TRUE(contains(message, "b\\x0a0 c.bin: a list cannot hold a file name with a line break")) << message;
}

TEST(InfoList, RefusesFoldersWithoutInputs) {
  const TestFolder folder("pipeline");
  EXPECT_TRUE(
      contains(bad_input_message([&] { write_bin_info(folder.path(), folder / "list", 1, 1); }), "no .bin files"));
  EXPECT_EQ(error_of([&] { write_bin_info(folder / "none", folder / "list", 1, 1); }).code(), ErrorCode::kIo);
  EXPECT_EQ(error_of([&] { write_bin_info(folder.path(), folder / "list", 0, 1); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { write_bin_info(folder.path(), folder / "list", 1, 0); }).code(), ErrorCode::kUsage);
}

TEST(BadInput, Case88_CrLfAndNoLastNewlineAreRead) {
  const auto entries = read_text("0 a.bin 10 20\r\n\r\n1 b.bin 30 40");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].path, "a.bin");
  EXPECT_EQ(entries[0].height, 20);
  EXPECT_EQ(entries[1].index, 1);
  EXPECT_EQ(entries[1].width, 30);
  EXPECT_EQ(entries[1].height, 40);
}

TEST(BadInput, Case88_SpacesInThePathBelongToIt) {
  const auto entries = read_text("7\t./my bins/a 1 2.bin  64   32 \n");
  EXPECT_EQ(entries[0].path, "./my bins/a 1 2.bin");
  EXPECT_EQ(entries[0].index, 7);
  EXPECT_EQ(entries[0].width, 64);
}

TEST(BadInput, Case88_MissingColumns) {
  for (const char* line : {"1", "1 2", "1 2 3", "0 10 20"})
    EXPECT_TRUE(contains(refusal(line), "line 1 has fewer than four columns")) << line;
  EXPECT_TRUE(contains(refusal("0 a.bin 1 1\n1 b.bin 10\n"), "line 2 has 'b.bin' as width"));
  EXPECT_TRUE(contains(refusal(""), "the list is empty"));
}

TEST(BadInput, Case88_RepeatedIndex) {
  EXPECT_EQ(refusal("0 a.bin 1 1\n1 b.bin 1 1\n0 c.bin 1 1\n"), "line 3 repeats index 0 of line 1");
}

TEST(BadInput, Case88_SizesAndIndicesThatAreNone) {
  EXPECT_TRUE(contains(refusal("0 a.bin 0 1"), "line 1 has '0' as width"));
  EXPECT_TRUE(contains(refusal("0 a.bin 1 -4"), "'-4' as height"));
  EXPECT_TRUE(contains(refusal("0 a.bin 1 1e3"), "'1e3' as height"));
  for (const char* width : {"99999999999999999999", "2147483648"})
    EXPECT_TRUE(contains(refusal(fmt::format("0 a.bin {} 1", width)), "as width"));
  EXPECT_TRUE(contains(refusal("x a.bin 1 1"), "'x' as index"));
  EXPECT_TRUE(contains(refusal("-1 a.bin 1 1"), "'-1' as index"));
  EXPECT_TRUE(contains(refusal(std::string_view("0 a\0b 1 1", 9)), "NUL"));
}

}  // namespace
}  // namespace effdet::dataset
