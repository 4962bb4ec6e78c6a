// onnxsim: simplifies an ONNX model and checks that it computes the same.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "cli.h"
#include "commands.h"
#include "effdet/error.h"
#include "effdet/onnx_model.h"
#include "onnxsim_check.h"
#include "output_paths.h"

namespace effdet::cli {
namespace {

/// Relative to a value's largest magnitude, where the values before it are the same. Rounding of folded weights reaches
/// 2e-6, while a wrong rewrite changes a value by its own size.
constexpr double kTolerance = 1e-4;
constexpr int kMostChecks = 1000;

/// Our name for the optimizations that onnxsim's users leave out by name.
const std::map<std::string, std::string> kOptimizerNames = {
    {"eliminate_common_subexpression", "merge_equal_nodes"},
    {"eliminate_duplicate_initializer", "merge_equal_constants"},
    {"eliminate_nop_pad", "eliminate_identity"},
    {"eliminate_nop_dropout", "eliminate_identity"},
    {"fuse_bn_into_conv", "fold_batch_norm"},
    {"fuse_add_bias_into_conv", "fold_affine"},
    {"fuse_pad_into_conv", "fold_pad"},
    {"fuse_pad_into_pool", "fold_pad"},
};

/// Flags of onnxsim that are not offered, and why: a script that gives one learns it from the message.
const std::map<std::string, std::string> kRefused = {
    {"--enable-onnxruntime-optimization", "ONNX Runtime is not part of this program; atc optimizes for this processor"},
    {"--custom-lib", "operators of other libraries cannot be loaded"},
    {"--include-subgraph", "graphs inside nodes stay as they are, but for the branch of an If that is always taken"},
    {"--mutable-initializer", "initializers are constants here"},
    {"--initializers-as-non-constants", "initializers are constants here"},
    {"--target-opset", "the model keeps its opset"},
};

struct OnnxsimArguments {
  std::vector<std::string> positionals, shapes, overwrite_shapes, test_shapes, unused_outputs;
  std::string skipped, large_tensor, external_threshold, check_memory;
  int checks = 1;
  int threads = 0;
  double tolerance = kTolerance;
  bool dynamic = false, keep_batch_norm = false, keep_constants = false, accepted = false, no_check = false;
  bool external = false, list = false;
};

/// "1,3,512,512" for the only input, or "name:1,3,512,512"; a name may hold colons itself.
bool is_shape(const std::string& text) {
  const size_t colon = text.rfind(':');
  const std::string sides = colon == std::string::npos ? text : text.substr(colon + 1);
  return sides.find_first_not_of("0123456789,-") == std::string::npos &&
         (colon != std::string::npos || sides.find(',') != std::string::npos);
}

InputShapes parse_shapes(const std::vector<std::string>& texts) {
  InputShapes shapes;
  for (const std::string& text : texts) {
    const size_t colon = text.rfind(':');
    const std::string name = colon == std::string::npos ? "" : text.substr(0, colon);
    const std::string sides = colon == std::string::npos ? text : text.substr(colon + 1);
    if (!shapes.emplace(name, parse_shape("--input-shape", sides)).second)
      throw Error(ErrorCode::kUsage, fmt::format("--input-shape: '{}' is given twice", name.empty() ? text : name));
  }
  return shapes;
}

/// Moves shapes and the number of checks, which onnxsim takes after its files, from the positionals to their places.
void sort_positionals(OnnxsimArguments& arguments) {
  auto& rest = arguments.positionals;
  const auto shapes = std::stable_partition(rest.begin(), rest.end(), [](const auto& text) { return !is_shape(text); });
  std::move(shapes, rest.end(), std::back_inserter(arguments.shapes));
  rest.erase(shapes, rest.end());
  if (rest.size() == 3) {
    if (!CLI::detail::lexical_cast(rest[2], arguments.checks) || arguments.checks < 0 || arguments.checks > kMostChecks)
      throw Error(ErrorCode::kUsage, fmt::format("check_n: '{}' is not a number from 0 to {}", rest[2], kMostChecks));
    rest.pop_back();
  }
  if (rest.size() != 2)
    throw Error(ErrorCode::kUsage, fmt::format("an input and an output file are required, {} given", rest.size()));
}

/// The process may have twice the model's bytes and some for the check, whatever the model makes of it.
CheckOptions check_options(const OnnxModel& model, const OnnxsimArguments& arguments) {
  constexpr uint64_t kBeside = uint64_t{192} << 20;  // of 256, with what threads and the program itself need
  return {.runs = arguments.checks,
          .tolerance = arguments.tolerance,
          .memory_limit = arguments.check_memory.empty() ? 2 * model.weight_bytes() + kBeside
                                                         : parse_bytes("--check-memory", arguments.check_memory)};
}

/// Says why the weights take more room than before, where they do.
void print_added_weights(const OnnxModel& before, const OnnxModel& after) {
  const uint64_t old_bytes = before.weight_bytes(), new_bytes = after.weight_bytes();
  if (new_bytes <= old_bytes + old_bytes / 1000) return;
  const auto norms = [](const OnnxModel& model) {
    const auto counts = model.node_counts();
    const auto found = counts.find("BatchNormalization");
    return found == counts.end() ? 0 : found->second;
  };
  const size_t folded = norms(before) - std::min(norms(before), norms(after));
  fmt::print("Weights take {} more: {}\n", bytes_text(new_bytes - old_bytes),
             folded > 0
                 ? fmt::format("{} batch norms became part of convolutions, and those that shared their weights have "
                               "their own now (--skip-fuse-bn leaves them)",
                               folded)
                 : "constants were computed (--no-large-tensor limits that)");
}

void print_comparison(const OnnxModel& before, const OnnxModel& after, const std::string& in,
                      const std::vector<std::filesystem::path>& out) {
  const auto old_counts = before.node_counts(), new_counts = after.node_counts();
  std::set<std::string> operators;
  for (const auto* counts : {&old_counts, &new_counts})
    for (const auto& [op, count] : *counts) operators.insert(op);
  const auto count_in = [](const auto& counts, const std::string& op) {
    const auto found = counts.find(op);
    return std::to_string(found == counts.end() ? 0 : found->second);
  };
  Table table;
  table.add({"", "Original Model", "Simplified Model"});
  for (const std::string& op : operators) table.add({one_line(op), count_in(old_counts, op), count_in(new_counts, op)});
  std::optional<uint64_t> written = 0;
  for (const auto& file : out) {
    const auto bytes = written_bytes(file);
    written = written && bytes ? std::optional(*written + *bytes) : std::nullopt;
  }
  table.add({"Weights", bytes_text(before.weight_bytes()), bytes_text(after.weight_bytes())});
  table.add({"Model Size", written_text(in), written ? bytes_text(*written) : "unknown"});
  table.print();
}

void add_options(CommandLine& line, OnnxsimArguments& arguments) {
  line.add_option("files", arguments.positionals, "INPUT OUTPUT [CHECK_N]: ONNX files and the number of random checks")
      ->type_name("");
  const auto add_shape = [&](const std::string& flag, std::vector<std::string>& shapes, const std::string& help) {
    line.add_option(flag, shapes, help)->allow_extra_args(false)->type_name("SHAPE");
  };
  add_shape("--input-shape", arguments.shapes, "new shape of the only input, or \"name:1,3,512,512\"; repeatable");
  add_shape("--overwrite-input-shape", arguments.overwrite_shapes, "the same");
  add_shape("--test-input-shape", arguments.test_shapes, "shape to check with; the model keeps its own");
  line.add_flag("--dynamic-input-shape", arguments.dynamic,
                "leave the inputs' shapes as they are; --input-shape is for the check only");
  line.add_flag("--skip-fuse-bn", arguments.keep_batch_norm, "leave batch norms as they are");
  line.add_flag("--skip-constant-folding", arguments.keep_constants, "do not fold constants");
  line.add_option("--skip-optimization,--skip-optimizer", arguments.skipped,
                  "passes to skip, \"a,b\"; without names all but constant folding")
      ->expected(0, 1)
      ->type_name("PASSES");
  line.add_flag("--list-default-optimizers", arguments.list, "print the names of the passes");
  line.add_flag("--skip-shape-inference,--enable-fuse-bn,--inline-functions", arguments.accepted,
                "accepted; shapes are always known here, batch norms fold unless --skip-fuse-bn, and functions are "
                "always inlined");
  line.add_option("--unused-output", arguments.unused_outputs, "drop this output; repeatable")
      ->allow_extra_args(false)
      ->type_name("NAME");
  line.add_option("--no-large-tensor", arguments.large_tensor,
                  "most bytes that folding one node may add to the file; default: 1MB, or 1KB if the flag has no value")
      ->expected(0, 1)
      ->type_name("SIZE");
  line.add_flag("--save-as-external-data", arguments.external, "write weights to OUTPUT.data");
  line.add_option("--external-data-threshold", arguments.external_threshold,
                  "write OUTPUT.data only if the weights exceed this size; above 2GB it is always written")
      ->type_name("SIZE");
  line.add_option("--check-n", arguments.checks, "number of random inputs to compare on")
      ->capture_default_str()
      ->transform(between(0, kMostChecks))
      ->type_name("N");
  line.add_option(
          "--check-rtol", arguments.tolerance,
          "largest accepted difference, relative to a tensor's largest magnitude; at least 0.01 for 16-bit floats")
      ->capture_default_str()
      ->check(real_above(0))
      ->type_name("R");
  line.add_option("--check-memory", arguments.check_memory,
                  "most memory for the comparison; default: twice the weights and 192MB")
      ->type_name("SIZE");
  line.add_flag("--no-check,--skip-check", arguments.no_check, "do not compare");
  for (const auto& [flag, reason] : kRefused) line.add_flag(flag)->group("");  // hidden from --help
  line.add_threads(arguments.threads);
}

void refuse_unsupported(const CommandLine& line) {
  for (const auto& [flag, reason] : kRefused)
    if (line.count(flag) > 0) throw Error(ErrorCode::kUnsupported, fmt::format("{} is not offered: {}", flag, reason));
}

std::set<std::string> skipped_passes(const CommandLine& line, const OnnxsimArguments& arguments) {
  std::set<std::string> names;
  for (const std::string& name : CLI::detail::split(arguments.skipped, ',')) {
    const auto ours = kOptimizerNames.find(name);
    if (!name.empty()) names.insert(ours == kOptimizerNames.end() ? name : ours->second);
  }
  if (line.count("--skip-optimization") > 0 && names.empty()) {
    const auto all = OnnxModel::simplify_passes();
    names = {all.begin(), all.end()};
    names.erase("fold_constants");
  }
  return names;
}

/// The outputs without those that --unused-output names.
void drop_outputs(OnnxModel& model, const std::vector<std::string>& unused) {
  if (unused.empty()) return;
  GraphEdits edits;
  for (const TensorInfo& output : model.outputs())
    if (std::ranges::find(unused, output.name) == unused.end()) edits.outputs.push_back(output.name);
  if (edits.outputs.size() + unused.size() != model.outputs().size() || edits.outputs.empty())
    throw Error(ErrorCode::kUsage, "--unused-output: each must be one of the model's outputs, and one must stay");
  model.edit(edits);
}

/// Says what was left because the file would have grown, the largest first.
void print_growth(const std::map<std::string, uint64_t>& growth) {
  if (growth.empty()) return;
  const auto largest = std::ranges::max_element(growth, {}, [](const auto& entry) { return entry.second; });
  fmt::print("{} node{} not folded, to keep the file small: '{}' alone would add {}\n", growth.size(),
             growth.size() == 1 ? " was" : "s were", one_line(largest->first), bytes_text(largest->second));
}

OnnxModel::Weights place_of_weights(const CommandLine& line, const OnnxsimArguments& arguments,
                                    const OnnxModel& model) {
  const bool beside = arguments.external ||
                      (line.count("--external-data-threshold") > 0 &&
                       model.weight_bytes() > parse_bytes("--external-data-threshold", arguments.external_threshold));
  return beside ? OnnxModel::Weights::kBeside : OnnxModel::Weights::kInside;
}

}  // namespace

int run_onnxsim(int argc, char** argv) {
  CommandLine line(argc, argv, "Simplifies an ONNX model and checks on random input that it computes the same.",
                   "onnxsim --input-shape=\"1,3,1536,1536\" --dynamic-input-shape d7.onnx d7_sim.onnx\n"
                   "onnxsim d0.onnx d0_sim.onnx 3\n"
                   "onnxsim d0.onnx d0_sim.onnx --overwrite-input-shape x.1:4,3,512,512");
  OnnxsimArguments arguments;
  add_options(line, arguments);
  if (!line.read()) return 0;
  if (arguments.list) {
    for (const std::string& name : OnnxModel::simplify_passes()) fmt::print("{}\n", name);
    return 0;
  }
  refuse_unsupported(line);
  sort_positionals(arguments);
  set_default_threads(arguments.threads);
  const std::string& in = arguments.positionals[0];
  std::string& out = arguments.positionals[1];
  prepare_output(out);
  std::ranges::move(arguments.overwrite_shapes, std::back_inserter(arguments.shapes));
  const InputShapes shapes = parse_shapes(arguments.shapes);
  std::map<std::string, uint64_t> growth;
  SimplifyOptions options{.fuse_batch_norm = !arguments.keep_batch_norm,
                          .fold_constants = !arguments.keep_constants,
                          .skip_passes = skipped_passes(line, arguments),
                          .on_growth = [&](const std::string& node, uint64_t bytes) { growth[node] = bytes; },
                          .input_shapes = arguments.dynamic ? InputShapes{} : shapes};
  if (line.count("--no-large-tensor") > 0)
    options.largest_growth =
        arguments.large_tensor.empty() ? 1024 : parse_bytes("--no-large-tensor", arguments.large_tensor);

  OnnxModel original = OnnxModel::read(in);
  warn_of(line.program(), in, original.weights_warning());
  drop_outputs(original, arguments.unused_outputs);
  fmt::print("Simplifying...\n");
  OnnxModel simplified = original;
  simplified.simplify(options);
  print_growth(growth);
  InputShapes test_shapes = shapes;
  for (const auto& [name, shape] : parse_shapes(arguments.test_shapes)) test_shapes[name] = shape;
  if (!arguments.no_check && arguments.checks > 0)
    check_simplified(original, simplified, test_shapes, check_options(original, arguments));
  const auto files = simplified.write(out, place_of_weights(line, arguments, simplified));
  fmt::print("Finish! Here is the difference:\n");
  print_comparison(original, simplified, in, files);
  print_added_weights(original, simplified);
  if (files.size() > 1) fmt::print("The weights are in {}; keep it beside {}.\n", files[1].string(), out);
  return 0;
}

}  // namespace effdet::cli
