// The kept corpora once more, by any compiler: what was found stays mended.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <random>

#include "support/test_folder.h"
#include "target.h"

namespace effdet::fuzz {

/// For reports, where a target would be bytes.
static void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

namespace {

class Corpus : public testing::TestWithParam<Target> {};

TEST_P(Corpus, EndsWell) {
  const std::string name(GetParam().name);
  const test::TestFolder folder("corpus");
  const std::string command =
      "tar -xf '" EFFDET_SOURCE_DIR "/fuzz/corpus/" + name + ".tar' -C '" + folder.path().string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  size_t inputs = 0;
  std::mt19937 random(7);  // for mutators, which must take whatever the fuzzer made
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input(std::istreambuf_iterator<char>(file), {});
    SCOPED_TRACE(entry.path().filename().string());
    const Bytes bytes = std::as_bytes(std::span(input));
    GetParam().run(bytes);
    if (GetParam().mutate != nullptr) GetParam().mutate(bytes, random);
    ++inputs;
  }
  EXPECT_GT(inputs, 0u);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, testing::ValuesIn(kTargets.begin(), kTargets.end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace effdet::fuzz
