// What the tests of this layer share.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "compiler/compile.h"
#include "detection/test_support.h"
#include "detection/tiny_graph.h"
#include "effdet/dataset.h"
#include "effdet/error.h"
#include "eval/test_support.h"
#include "runtime/compiled_model_impl.h"
#include "support/test_folder.h"
#include "vision/encode.h"

namespace effdet::dataset {

namespace fs = std::filesystem;

using detection::contains;
using detection::error_of;
using eval::bad_input_message;
using eval::load_json;
using eval::noise;
using eval::shared_folder;
using test::TestFolder;

/// A data set of small scenes, with ids from 1.
inline fs::path small_data_set(const TestFolder& folder, int images = 3) {
  write_scenes(folder / "data", {.images = images, .seed = 7, .first_id = 1, .min_side = 64, .max_side = 160});
  return folder / "data";
}

inline fs::path annotations_of(const fs::path& root) { return root / "annotations/instances_val2017.json"; }

/// A picture in a file, whose folder is made where it is missing.
inline void write_picture(const fs::path& file, int width, int height) {
  make_folder(file.parent_path());
  write_file(file, vision::encode_png(vision::Image(width, height)));
}

/// A text in a file, whose folder is made where it is missing.
inline void write_at(const fs::path& file, std::string_view text) {
  make_folder(file.parent_path());
  write_file(file, text);
}

template <typename Change>
void edit_json(const fs::path& file, Change change) {
  nlohmann::json json = load_json(file);
  change(json);
  write_file(file, json.dump());
}

/// Changes the annotations of a data set.
template <typename Change>
void edit_annotations(const fs::path& root, Change change) {
  edit_json(annotations_of(root), change);
}

inline void write_floats(const fs::path& path, std::span<const float> values) {
  write_file(path, std::as_bytes(values), /*sync=*/false);
}

/// Of the tiny network, for so many images at a time.
inline CompiledModel tiny_model(int batch = 1) {
  return EngineAccess::model_of(std::make_shared<runtime::Engine>(compiler::compile(detection::tiny_graph(batch))));
}

}  // namespace effdet::dataset
