#include "pipeline/dump_folder.h"

#include <limits>

#include "pipeline/test_support.h"

namespace effdet::pipeline {
namespace {

/// Three outputs of image "a_1" (the name itself looks like an output's), numbered from `first`.
fs::path three_outputs(int first = 1, const char* extension = ".bin") {
  const fs::path folder = temporary_folder();
  for (int k = 0; k < 3; ++k) {
    const fs::path path = folder / fmt::format("a_1_{}{}", first + k, extension);
    if (std::string_view(extension) == ".bin") {
      write_floats(path, std::vector<float>{k + 0.5f, -1});
    } else {
      write_file(path, fmt::format("{:.6f} -1.000000\n", k + 0.5));
    }
  }
  return folder;
}

std::string refusal(const fs::path& folder) {
  return bad_input_message([&] { DumpFolder(folder).read("a_1", 3); });
}

TEST(DumpFolder, ReadsOutputsNumberedFromOneAndFromZeroInBothFormats) {
  for (int first : {0, 1})
    for (const char* extension : {".bin", ".txt"}) {
      const Dump dump = DumpFolder(three_outputs(first, extension)).read("a_1", 3);
      ASSERT_EQ(dump.outputs().size(), 3u);
      for (size_t k = 0; k < 3; ++k) {
        EXPECT_EQ(dump.outputs()[k][0], static_cast<float>(k) + 0.5f) << first << extension;
        EXPECT_EQ(dump.outputs()[k][1], -1.0f);
      }
    }
}

TEST(DumpFolder, PassesOverOtherFiles) {
  const fs::path folder = three_outputs();
  for (const char* name : {"notes.txt", "a_1_x.bin", "a_1_01.bin", "_1.bin", "a_1_3.npy", "a_1_99999.bin", "b_1.bin"})
    write_file(folder / name, "x");
  const DumpFolder dumps(folder);
  EXPECT_EQ(dumps.read("a_1", 3).outputs().size(), 3u);
  EXPECT_TRUE(dumps.has("b"));
  EXPECT_FALSE(dumps.has("notes"));
}

TEST(DumpFolder, NamesImageAndFileOfAMissingOutput) {
  const fs::path folder = three_outputs();
  fs::remove(folder / "a_1_2.bin");
  EXPECT_TRUE(contains(refusal(folder), "image 'a_1'") && contains(refusal(folder), "a_1_2.bin is missing"));
}

TEST(DumpFolder, RefusesOutputsThatAreLeftOverAndMixedFormats) {
  const fs::path folder = three_outputs();
  write_floats(folder / "a_1_4.bin", std::vector<float>{1});
  EXPECT_TRUE(contains(refusal(folder), "4 output files"));
  fs::remove(folder / "a_1_4.bin");
  write_file(folder / "a_1_1.txt", "1.0");
  EXPECT_TRUE(contains(refusal(folder), "both "));
}

TEST(DumpFolder, RefusesAFolderThatIsNone) {
  EXPECT_EQ(error_of([] { DumpFolder(temporary_folder() / "none"); }).code(), ErrorCode::kIo);
}

TEST(BadInput, Case89_DumpOfNoWholeNumberOfValues) {
  const fs::path folder = three_outputs();
  for (const char* bytes : {"1234567", "123456789", ""}) {
    write_file(folder / "a_1_2.bin", bytes);
    EXPECT_TRUE(contains(refusal(folder), "a_1_2.bin: ") && contains(refusal(folder), "no whole number")) << bytes;
  }
}

TEST(BadInput, Case89_DumpWithNaN) {
  const fs::path folder = three_outputs();
  write_floats(folder / "a_1_3.bin", std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(contains(refusal(folder), "a_1_3.bin: 1 of 2 values are NaN, the first at offset 4"));
}

TEST(BadInput, Case89_TextDumpThatHoldsNoNumbers) {
  const fs::path folder = three_outputs(1, ".txt");
  for (const char* text : {"", "1.0 two", "0,5x", "1e999", "nan 1"}) {
    write_file(folder / "a_1_2.txt", text);
    EXPECT_TRUE(contains(refusal(folder), "a_1_2.txt: ")) << text;
  }
}

}  // namespace
}  // namespace effdet::pipeline
