// Runs a model on ONNX's test data sets and compares its outputs.
#include "test_folders.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli.h"
#include "effdet/error.h"
#include "effdet/onnx_model.h"
#include "input_paths.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// folder/prefixK.pb for K = 0, 1, ... as far as there are files.
std::vector<fs::path> numbered(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> paths;
  for (;;) {
    const fs::path path = folder / fmt::format("{}{}.pb", prefix, paths.size());
    if (!is_there(path)) return paths;
    paths.push_back(path);
  }
}

std::vector<fs::path> data_sets(const fs::path& folder) {
  std::vector<fs::path> sets;
  for (;;) {
    const fs::path set = folder / fmt::format("test_data_set_{}", sets.size());
    if (!is_folder(set)) return sets;
    sets.push_back(set);
  }
}

/// ONNX's test data hold bfloat16 as its bits in uint16, since numpy has no such type.
HostTensor read_data(const fs::path& file, const std::string& dtype, const TensorInfo& like = {}) {
  HostTensor tensor = read_tensor(file, like);
  if (dtype == "bfloat16" && tensor.dtype == "uint16") tensor.dtype = dtype;
  return tensor;
}

void compare_output(const HostTensor& found, const fs::path& file, const Tolerance& tolerance, FolderResult& result) {
  // A unit in bfloat16's last place: ONNX's data were cut off where its operators round.
  constexpr double kBfloat16Step = 1.0 / 128;
  Tolerance own = tolerance;
  if (found.dtype == "bfloat16") own.relative = std::max(own.relative, kBfloat16Step);
  const TensorDifference difference = compare_tensors(found, read_data(file, found.dtype), own);
  result.largest = std::max(result.largest, difference.largest);
  if (difference.same() || !result.reason.empty()) return;
  result.verdict = Verdict::kFail;
  result.reason = !difference.mismatch.empty()
                      ? fmt::format("output '{}': {}", found.name, difference.mismatch)
                      : fmt::format("output '{}': {} elements differ, by up to {:.3g} at {}", found.name,
                                    difference.outside, difference.largest, difference.position);
}

void run_data_set(Executor& model, const fs::path& set, const Tolerance& tolerance, FolderResult& result) {
  const std::vector<TensorInfo> inputs = model.inputs();
  const std::vector<fs::path> files = numbered(set, "input_"), expected = numbered(set, "output_");
  if (files.size() != inputs.size())
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: {} inputs for a model of {}", set.string(), files.size(), inputs.size()));
  std::vector<HostTensor> given;
  for (size_t i = 0; i < files.size(); ++i) {
    given.push_back(read_data(files[i], inputs[i].dtype, inputs[i]));
    given.back().name = inputs[i].name;  // they go by position
  }
  const std::vector<HostTensor> outputs = model.run(given);
  if (expected.empty() || expected.size() > outputs.size())
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: {} outputs for a model of {}", set.string(), expected.size(), outputs.size()));
  for (size_t i = 0; i < expected.size(); ++i) compare_output(outputs[i], expected[i], tolerance, result);
}

}  // namespace

FolderResult run_test_folder(const fs::path& folder, const Executor::Options& options, const Tolerance& tolerance) {
  const fs::path file = folder / "model.onnx";
  const std::vector<fs::path> sets = data_sets(folder);
  if (!is_file(file) || sets.empty())
    throw Error(ErrorCode::kUsage,
                fmt::format("{}: no test folder: model.onnx and test_data_set_0 are expected", folder.string()));
  FolderResult result{.name = (folder.has_filename() ? folder : folder.parent_path()).filename().string()};
  try {
    for (const auto& [op, count] : OnnxModel::read(file).node_counts()) result.operators.push_back(op);
    Executor model = Executor::open(file, options);
    for (const fs::path& set : sets) run_data_set(model, set, tolerance, result);
  } catch (const Error& error) {
    result.verdict = error.code() == ErrorCode::kUnsupported ? Verdict::kRefused : Verdict::kFail;
    result.reason = one_line(error.what());
  }
  return result;
}

std::vector<fs::path> find_test_folders(const fs::path& root) {
  std::vector<fs::path> folders;
  for (const fs::path& entry : entries_of(root))
    if (is_file(entry / "model.onnx")) folders.push_back(entry);
  if (folders.empty())
    throw Error(ErrorCode::kUsage, fmt::format("{}: no folder in it holds a model.onnx", root.string()));
  return folders;
}

nlohmann::json folder_json(const FolderResult& result) {
  constexpr const char* kNames[] = {"pass", "fail", "refused"};
  nlohmann::json json = {{"name", result.name},
                         {"result", kNames[static_cast<int>(result.verdict)]},
                         {"reason", result.reason},
                         {"operators", result.operators}};
  json["largest_difference"] = result.largest;  // null where it is infinite
  return json;
}

std::string folder_line(const FolderResult& result) {
  if (result.verdict == Verdict::kPass)
    return fmt::format("PASS     {} (largest difference {:.3g})", result.name, result.largest);
  return fmt::format("{} {}: {}", result.verdict == Verdict::kFail ? "FAIL    " : "REFUSED ", result.name,
                     result.reason);
}

}  // namespace effdet::cli
