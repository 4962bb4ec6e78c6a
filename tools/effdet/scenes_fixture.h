// What tests of commands on images share: a data set of small scenes, and the shipped model for 128 pixels.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

#include "support/shell.h"
#include "support/test_folder.h"

namespace effdet::test {

/// Each test has a folder of its own, with a copy of the scenes and links to what its suite made once.
class ScenesFixture : public testing::Test {
 protected:
  /// Makes data/ with six scenes, m.onnx and m.om, and what a further command makes of them.
  static void make_once(const std::string& name, const std::string& command) {
    made_ = new TestFolder(name);
    const Result made = run_in(made_->path(),
                               "effdet scenes --out data --images 6 --seed 5 --min-side 64 --max-side 160 && "
                               "pth2onnx --checkpoint '" EFFDET_SOURCE_DIR
                               "/models/tf_efficientdet_d0_shapes.pth' --img-size 128 --out m.onnx && "
                               "atc --framework=5 --model=m.onnx --output=m --soc_version=native && " +
                                   command);
    ASSERT_EQ(made.code, 0) << made.out << made.error;
  }
  static void TearDownTestSuite() {
    delete made_;
    made_ = nullptr;
  }

  /// links: names of files that make_once() made.
  ScenesFixture(const std::string& name, std::initializer_list<const char*> links) : folder_(name) {
    for (const char* link : links) std::filesystem::create_symlink(made_->path() / link, folder_ / link);
    std::filesystem::copy(made_->path() / "data", folder_ / "data", std::filesystem::copy_options::recursive);
  }

  Result sh(const std::string& command) const { return run_in(folder_.path(), command); }
  Result good(const std::string& command) const {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 0) << command << ": " << result.error;
    return result;
  }
  bool exists(const std::string& name) const { return std::filesystem::exists(folder_ / name); }
  std::string file(const std::string& name) const { return content(folder_ / name); }

  static inline TestFolder* made_ = nullptr;
  const TestFolder folder_;
};

}  // namespace effdet::test
