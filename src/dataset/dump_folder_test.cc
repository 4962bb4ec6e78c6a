// Dumps of every format and numbering, and incomplete ones.
#include "dataset/dump_folder.h"

#include <limits>

#include "base/npy.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

/// Three outputs of image "a_1" (the name itself looks like an output's), numbered from `first`.
struct ThreeOutputs : TestFolder {
  explicit ThreeOutputs(int first = 1, std::string_view extension = ".bin") : TestFolder("dataset") {
    for (int k = 0; k < 3; ++k) {
      const fs::path path = *this / fmt::format("a_1_{}{}", first + k, extension);
      if (extension == ".bin") {
        write_floats(path, std::vector<float>{k + 0.5f, -1});
      } else if (extension == ".npy") {
        write_npy(Tensor::from<float>({1, 2}, std::vector<float>{k + 0.5f, -1}), path);
      } else {
        write_file(path, fmt::format("{:.6f} -1.000000\n", k + 0.5));
      }
    }
  }
};

std::string refusal(const TestFolder& folder) {
  return bad_input_message([&] { DumpFolder(folder.path()).read("a_1", 3); });
}

TEST(DumpFolder, ReadsOutputsNumberedFromOneAndFromZeroInAllFormats) {
  for (int first : {0, 1})
    for (const char* extension : {".bin", ".npy", ".txt"}) {
      const ThreeOutputs folder(first, extension);
      const Dump dump = DumpFolder(folder.path()).read("a_1", 3);
      ASSERT_EQ(dump.outputs().size(), 3u);
      for (size_t k = 0; k < 3; ++k) {
        EXPECT_EQ(dump.outputs()[k][0], static_cast<float>(k) + 0.5f) << first << extension;
        EXPECT_EQ(dump.outputs()[k][1], -1.0f);
      }
    }
}

TEST(DumpFolder, NumbersOfATextLieBetweenAnyBlanks) {
  const ThreeOutputs folder(1, ".txt");
  write_file(folder / "a_1_2.txt", "\r\n 1.5,\t-2\r\n3e1 ,4");
  const Dump dump = DumpFolder(folder.path()).read("a_1", 3);
  EXPECT_TRUE(std::ranges::equal(dump.outputs()[1], std::vector<float>{1.5f, -2, 30, 4}));
}

TEST(DumpFolder, PassesOverOtherFiles) {
  const ThreeOutputs folder;
  for (const char* name : {"notes.txt", "a_1_x.bin", "a_1_01.bin", "_1.bin", "a_1_3.png", "a_1_99999.bin", "a_1_2x.bin",
                           "a_1_-1.bin", "a_1_.bin", "a.bin", "b_1.bin"})
    write_file(folder / name, "x");
  const DumpFolder dumps(folder.path());
  EXPECT_EQ(dumps.read("a_1", 3).outputs().size(), 3u);
  EXPECT_TRUE(dumps.has("b"));
  EXPECT_FALSE(dumps.has("notes"));
  EXPECT_EQ(dumps.file_count("a_1"), 3u);
  EXPECT_EQ(dumps.file_count("c"), 0u);
  EXPECT_TRUE(contains(bad_input_message([&] { dumps.read("c", 3); }), ": no outputs of image 'c'"));
}

TEST(DumpFolder, NamesImageAndFileOfAMissingOutput) {
  const ThreeOutputs folder;
  fs::remove(folder / "a_1_2.bin");
  EXPECT_TRUE(contains(refusal(folder), "image 'a_1'") && contains(refusal(folder), "a_1_2.bin is missing"));
}

TEST(DumpFolder, RefusesOutputsThatAreLeftOverAndMixedFormats) {
  const ThreeOutputs folder;
  write_floats(folder / "a_1_4.bin", std::vector<float>{1});
  EXPECT_TRUE(contains(refusal(folder), "4 output files"));
  fs::remove(folder / "a_1_4.bin");
  write_file(folder / "a_1_1.txt", "1.0");
  EXPECT_TRUE(contains(refusal(folder), "both "));
}

TEST(DumpFolder, RefusesAFolderThatIsNone) {
  const TestFolder folder("dataset");
  EXPECT_EQ(error_of([&] { DumpFolder(folder / "none"); }).code(), ErrorCode::kIo);
}

TEST(BadInput, Case89_DumpOfNoWholeNumberOfValues) {
  const ThreeOutputs folder;
  for (const char* bytes : {"1234567", "123456789", ""}) {
    write_file(folder / "a_1_2.bin", bytes);
    EXPECT_TRUE(contains(refusal(folder), "a_1_2.bin: ") && contains(refusal(folder), "no whole number")) << bytes;
  }
}

TEST(DumpFolder, RefusesArraysThatAreNoOutputs) {
  const ThreeOutputs folder(1, ".npy");
  write_npy(Tensor::from<int32_t>({2}, std::vector<int32_t>{1, 2}), folder / "a_1_2.npy");
  const Error error = error_of([&] { DumpFolder(folder.path()).read("a_1", 3); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_TRUE(contains(error.what(), "a_1_2.npy: holds int32")) << error.what();
  write_npy(Tensor::from<float>({0}, std::vector<float>{}), folder / "a_1_2.npy");
  EXPECT_TRUE(contains(refusal(folder), "a_1_2.npy: holds no values"));
  write_file(folder / "a_1_2.npy", "no array");
  EXPECT_TRUE(contains(refusal(folder), "a_1_2.npy: "));
}

TEST(BadInput, Case89_DumpWithNaN) {
  const ThreeOutputs folder;
  write_floats(folder / "a_1_3.bin", std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(contains(refusal(folder), "a_1_3.bin: 1 of 2 values are NaN, the first at offset 4"));
}

TEST(BadInput, Case89_TextDumpThatHoldsNoNumbers) {
  const ThreeOutputs folder(1, ".txt");
  for (const char* text : {"", "1.0 two", "0,5x", "1e999", "nan 1"}) {
    write_file(folder / "a_1_2.txt", text);
    EXPECT_TRUE(contains(refusal(folder), "a_1_2.txt: ")) << text;
  }
}

}  // namespace
}  // namespace effdet::dataset
