// Where tests put their files, so that none of them stays.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace effdet::test {

/// A new, empty folder among the temporary ones. It goes with the object, and all that is in it: whichever way a test
/// ends, nothing stays.
class TestFolder {
 public:
  /// The name tells people whose folder it is; mkdtemp makes it one that no other test has.
  explicit TestFolder(const std::string& name) {
    std::string path = std::filesystem::path(testing::TempDir()) / ("effdet_" + name + "_XXXXXX");
    if (::mkdtemp(path.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path);
    path_ = path;
  }
  ~TestFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    EXPECT_FALSE(error) << path_ << ": " << error.message();
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace effdet::test
