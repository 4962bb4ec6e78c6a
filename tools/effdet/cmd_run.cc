// run: any model on tensors, and ONNX's test folders.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "cli.h"
#include "commands.h"
#include "device_option.h"
#include "effdet/error.h"
#include "effdet/executor.h"
#include "effdet/host_tensor.h"
#include "log.h"
#include "tensor_files.h"
#include "test_folders.h"

namespace effdet::cli {
namespace {

struct RunArguments {
  std::string model, out, engine = "auto", test_folder, test_root;
  std::vector<std::string> inputs;
  Tolerance tolerance;
  bool json = false;
  Executor::Options options;
};

/// Outputs are told, and written where there is a folder for them.
int run_on_tensors(const RunArguments& arguments) {
  std::optional<NpyFolder> folder;
  if (!arguments.out.empty()) folder.emplace(arguments.out);
  Executor model = Executor::open(arguments.model, arguments.options);
  const std::vector<HostTensor> outputs = model.run(read_or_make_inputs(arguments.inputs, model.inputs()));
  nlohmann::json list = nlohmann::json::array();
  for (const HostTensor& output : outputs) {
    const std::string path = folder ? folder->write(output).string() : "";
    list.push_back({{"name", output.name}, {"dtype", output.dtype}, {"shape", output.shape}});
    if (folder) list.back()["file"] = path;
    if (!arguments.json)
      fmt::print("{}: {} {}{}{}\n", one_line(output.name), output.dtype, shape_text(output.shape), folder ? " -> " : "",
                 path);
  }
  if (arguments.json) fmt::print("{}\n", nlohmann::json{{"outputs", list}}.dump(2));
  return 0;
}

int run_one_folder(const RunArguments& arguments) {
  const FolderResult result = run_test_folder(arguments.test_folder, arguments.options, arguments.tolerance);
  if (arguments.json) {
    fmt::print("{}\n", folder_json(result).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}\n", folder_line(result));
  }
  if (result.verdict == Verdict::kPass) return 0;
  return static_cast<int>(result.verdict == Verdict::kFail ? ErrorCode::kMismatch : ErrorCode::kUnsupported);
}

int run_all_folders(const RunArguments& arguments) {
  nlohmann::json list = nlohmann::json::array();
  size_t counts[3] = {};
  for (const auto& folder : find_test_folders(arguments.test_root)) {
    const FolderResult result = run_test_folder(folder, arguments.options, arguments.tolerance);
    ++counts[static_cast<size_t>(result.verdict)];
    list.push_back(folder_json(result));
    const bool shown = !arguments.json && !(is_quiet() && result.verdict == Verdict::kPass);
    if (shown) fmt::print("{}\n", folder_line(result));
  }
  const auto [passed, failed, refused] = counts;
  if (arguments.json) {
    const nlohmann::json json = {{"passed", passed}, {"failed", failed}, {"refused", refused}, {"folders", list}};
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{} folders: {} passed, {} failed, {} refused\n", list.size(), passed, failed, refused);
  }
  return failed == 0 ? 0 : static_cast<int>(ErrorCode::kMismatch);
}

}  // namespace

int run_run(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Runs an ONNX file, a compiled model or a checkpoint on tensors and writes each output as .npy, or "
                   "runs ONNX's test folders (model.onnx beside test_data_set_N/input_K.pb and output_K.pb) and "
                   "compares.",
                   "effdet run m.onnx --input x=x.npy --out results\n"
                   "effdet run d0.om --input image.bin --out results\n"
                   "effdet run --test-folder test_relu\n"
                   "effdet run --test-root onnx/backend/test/data/node --quiet");
  RunArguments arguments;
  auto* model =
      line.add_option("file,-c,--checkpoint,--model-file", arguments.model, "the model to run")->type_name("FILE");
  line.add_option("-i,--input", arguments.inputs,
                  "NAME=FILE, or FILE for the only input: .npy, .pb (TensorProto) or "
                  ".bin (bytes of the input's type and shape); default: made-up numbers")
      ->type_name("NAME=FILE");
  line.add_option("-o,--out", arguments.out, "folder for the outputs, NAME.npy each; default: they are only listed")
      ->type_name("DIR");
  line.add_option("--engine", arguments.engine, kEngineHelp)->capture_default_str()->type_name("NAME");
  auto* folder = line.add_option("--test-folder", arguments.test_folder, "run a test folder and compare");
  auto* root = line.add_option("--test-root", arguments.test_root,
                               "run every test folder below this one; with --quiet only those that fail are listed");
  for (CLI::Option* option : {folder, root}) option->type_name("DIR");
  line.add_option("--rtol", arguments.tolerance.relative, "test folders: relative tolerance")
      ->capture_default_str()
      ->check(real_above(0))
      ->type_name("R");
  line.add_option("--atol", arguments.tolerance.absolute, "test folders: absolute tolerance")
      ->capture_default_str()
      ->check(real_above(0))
      ->type_name("R");
  add_device(line, arguments.options.model);
  line.add_threads(arguments.options.threads);
  line.add_json(arguments.json);
  if (!line.read()) return 0;

  if (model->count() > 0)
    arguments.options.model.on_note = [&](const std::string& note) { warn_of(line.program(), note); };
  if (model->count() + folder->count() + root->count() != 1)
    throw Error(ErrorCode::kUsage, "one of MODEL, --test-folder and --test-root is expected");
  // Test folders hold ONNX files: auto is the reference there.
  if (model->count() > 0 || arguments.engine != "auto")
    arguments.options.engine = parse_engine(arguments.engine, arguments.model);
  if (folder->count() > 0) return run_one_folder(arguments);
  if (root->count() > 0) return run_all_folders(arguments);
  return run_on_tensors(arguments);
}

}  // namespace effdet::cli
