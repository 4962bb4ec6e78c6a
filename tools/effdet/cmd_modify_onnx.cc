// modify_onnx: sets a constant, or the -inf padding of max-pools, to 0.
#include <fmt/format.h>

#include <chrono>

#include "cli.h"
#include "commands.h"
#include "effdet/error.h"
#include "effdet/onnx_model.h"
#include "output_paths.h"

namespace effdet::cli {
namespace {

OnnxModel read_with_notice(const std::string& path) {
  fmt::print("[INFO] Start initializing.\n");
  const auto start = std::chrono::steady_clock::now();
  OnnxModel model = OnnxModel::read(path);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("[INFO] Initialization completed! Cost {:.3f} seconds.\n", seconds);
  return model;
}

}  // namespace

int run_modify_onnx(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Replaces an initializer of an ONNX model by a float32 scalar 0: with --node that one, without it the "
      "constant of every Pad that pads with -inf.",
      "modify_onnx --model=d7_bs1_sim.onnx --out=d7_bs1_modify.onnx\n"
      "modify_onnx --model d7_bs1_sim.onnx --node 3080 --out d7_bs1_modify.onnx");
  std::string in = "d7.onnx", node, out = "d7_modify.onnx";
  line.add_option("--model", in, "the ONNX file to read")->capture_default_str()->type_name("FILE");
  line.add_option("--node", node, "name of the initializer to replace")->type_name("NAME");
  line.add_output("--out", out, "the ONNX file to write")->capture_default_str();
  line.allow_in_place();
  if (!line.read()) return 0;

  OnnxModel model = read_with_notice(in);
  if (node.empty()) {
    const int count = model.zero_minus_infinity_pads();
    fmt::print("[INFO] {} Pad constant{} of -inf set to 0.\n", count, count == 1 ? "" : "s");
  } else if (!model.set_initializer(node, 0.0f)) {
    // A number, such as the original's 3080, names a constant of PyTorch's own exports: ours have no such fault.
    const bool is_number = node.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number || !model.metadata().contains("effdet.variant")) {
      fmt::print("[ERROR] {} not found.\n", one_line(node));
      return static_cast<int>(ErrorCode::kUsage);
    }
    warn(fmt::format("{}: no constant '{}': exports of effdet need no change; the file is copied", in, node));
  }
  model.write(out);
  fmt::print("[INFO] {} written.\n", shown_output(out));
  return 0;
}

}  // namespace effdet::cli
