// effdet.h is the whole public API for C++; effdet_c.h is that for C.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace effdet {
namespace {

namespace fs = std::filesystem;

TEST(Headers, EffdetHIncludesAllOthers) {
  const fs::path folder = fs::path(EFFDET_SOURCE_DIR) / "include/effdet";
  std::set<std::string> included, present;
  std::ifstream whole(folder / "effdet.h");
  constexpr std::string_view kStart = "#include \"effdet/";
  for (std::string line; std::getline(whole, line);)
    if (line.starts_with(kStart)) included.insert(line.substr(kStart.size(), line.size() - kStart.size() - 1));
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename() != "effdet.h" && entry.path().filename() != "effdet_c.h")
      present.insert(entry.path().filename());
  EXPECT_GT(present.size(), 10u);
  EXPECT_EQ(included, present);
}

}  // namespace
}  // namespace effdet
