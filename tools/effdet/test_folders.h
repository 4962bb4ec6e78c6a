// ONNX's test folders: model.onnx beside test_data_set_N/input_K.pb and output_K.pb.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "effdet/executor.h"

namespace effdet::cli {

enum class Verdict { kPass, kFail, kRefused };

struct FolderResult {
  std::string name;
  Verdict verdict = Verdict::kPass;
  std::string reason;                  ///< why not passed, one line
  double largest = 0;                  ///< difference of any output of any data set
  std::vector<std::string> operators;  ///< of the model, where it could be read
};

/// Runs the model on each data set and compares. What this version does not support is kRefused; wrong values and
/// every other error of the model are kFail. Throws Error where the folder is no test folder.
FolderResult run_test_folder(const std::filesystem::path& folder, const Executor::Options& options,
                             const Tolerance& tolerance);

/// Folders directly below root that hold a model.onnx, by name. Throws Error(kIo), and Error(kUsage) where there is
/// none.
std::vector<std::filesystem::path> find_test_folders(const std::filesystem::path& root);

nlohmann::json folder_json(const FolderResult& result);
/// "PASS name (largest difference 1e-07)".
std::string folder_line(const FolderResult& result);

}  // namespace effdet::cli
