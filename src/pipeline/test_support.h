// What the tests of this layer share.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "effdet/error.h"
#include "eval/test_support.h"
#include "pipeline/dataset.h"

namespace effdet::pipeline {

namespace fs = std::filesystem;

/// An empty folder for the running test, removed when the program ends.
inline fs::path temporary_folder() {
  struct Folders {
    std::vector<fs::path> paths;
    ~Folders() {
      std::error_code ignored;
      for (const fs::path& path : paths) fs::remove_all(path, ignored);
    }
  };
  static Folders folders;
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path folder = fs::path(testing::TempDir()) /
                          fmt::format("effdet_pipeline_{}_{}.{}", ::getpid(), test->test_suite_name(), test->name());
  fs::remove_all(folder);
  fs::create_directories(folder);
  folders.paths.push_back(folder);
  return folder;
}

/// A data set of small scenes, with ids from 1.
inline fs::path small_data_set(const fs::path& folder, int images = 3) {
  pipeline::write_scenes(folder / "data",
                         {.images = images, .seed = 7, .first_id = 1, .min_side = 64, .max_side = 160});
  return folder / "data";
}

inline fs::path annotations_of(const fs::path& root) { return root / "annotations/instances_val2017.json"; }

/// Changes the annotations of a data set.
template <typename Change>
void edit_annotations(const fs::path& root, Change change) {
  nlohmann::json json = load_json(annotations_of(root));
  change(json);
  write_file(annotations_of(root), json.dump());
}

/// The error that action throws, as "code: message"; fails the test where it throws none.
template <typename Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {ErrorCode::kInternal, ""};
}

inline bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

inline void write_floats(const fs::path& path, std::span<const float> values) {
  write_file(path, std::as_bytes(values), /*sync=*/false);
}

}  // namespace effdet::pipeline
