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

namespace effdet::cli {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Relative to an output's largest magnitude. Deep networks amplify the rounding of folded weights: on noise, random
/// weights reach 1e-3 (D7x) and trained ones 2e-5 (D0), while a wrong rewrite changes an output by its own size.
constexpr double kTolerance = 1e-2;
constexpr int kMostChecks = 1000;

struct Arguments {
  std::vector<std::string> positionals, shapes, overwrite_shapes;
  int checks = 1;
  int threads = 0;
  bool dynamic = false, keep_batch_norm = false, keep_constants = false, skip_inference = false, no_check = false;
};

/// "1,3,512,512" for the only input, or "name:1,3,512,512"; a name may hold colons itself.
bool is_shape(const std::string& text) {
  const size_t colon = text.rfind(':');
  const std::string sides = colon == std::string::npos ? text : text.substr(colon + 1);
  return sides.find_first_not_of("0123456789,-") == std::string::npos &&
         (colon != std::string::npos || sides.find(',') != std::string::npos);
}

Shapes parse_shapes(const std::vector<std::string>& texts) {
  Shapes shapes;
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
void sort_positionals(Arguments& arguments) {
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

bool is_static(const OnnxModel& model) {
  return std::ranges::all_of(model.inputs(), [](const TensorInfo& input) {
    return std::ranges::all_of(input.shape, [](int64_t side) { return side > 0; });
  });
}

/// The model with other input shapes and nothing else changed.
OnnxModel with_shapes(const OnnxModel& model, const Shapes& shapes) {
  OnnxModel copy = model;
  if (!shapes.empty()) copy.simplify({.fuse_batch_norm = false, .fold_constants = false, .input_shapes = shapes});
  return copy;
}

/// Throws Error(kMismatch) where the models differ.
void check(const OnnxModel& original, const OnnxModel& simplified, const Shapes& shapes, int runs) {
  const OnnxModel left = with_shapes(original, shapes), right = with_shapes(simplified, shapes);
  if (!is_static(left) || !is_static(right))
    throw Error(ErrorCode::kUsage,
                "an input has no static shape, so that the check cannot run: give --input-shape, or --no-check");
  const double difference = left.difference(right, runs);
  if (!(difference <= kTolerance))
    throw Error(
        ErrorCode::kMismatch,
        fmt::format("the simplified model's outputs differ by {:.3g} of their largest magnitude (at most {:g} is "
                    "accepted); nothing was written",
                    difference, kTolerance));
  fmt::print("Check ok: {} random input{}, largest relative difference {:.3g}\n", runs, runs == 1 ? "" : "s",
             difference);
}

void print_comparison(const OnnxModel& before, const OnnxModel& after, const std::string& in, const std::string& out) {
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
  table.add({"Model Size", bytes_text(std::filesystem::file_size(in)), bytes_text(std::filesystem::file_size(out))});
  table.print();
}

void add_options(CommandLine& line, Arguments& arguments) {
  line.add_option("files", arguments.positionals, "INPUT OUTPUT [CHECK_N]: ONNX files and the number of random checks")
      ->required()
      ->type_name("");
  line.add_option("--input-shape", arguments.shapes, "new shape of the only input, or \"name:1,3,512,512\"; repeatable")
      ->allow_extra_args(false)
      ->type_name("SHAPE");
  line.add_option("--overwrite-input-shape", arguments.overwrite_shapes, "the same")
      ->allow_extra_args(false)
      ->type_name("SHAPE");
  line.add_flag("--dynamic-input-shape", arguments.dynamic,
                "leave the inputs' shapes as they are; --input-shape is for the check only");
  line.add_flag("--skip-fuse-bn", arguments.keep_batch_norm, "leave batch norms as they are");
  line.add_flag("--skip-constant-folding", arguments.keep_constants, "compute nothing ahead");
  line.add_flag("--skip-shape-inference", arguments.skip_inference, "accepted; shapes are always known here");
  line.add_option("--check-n", arguments.checks, "compare on so many random inputs")
      ->capture_default_str()
      ->check(between(0, kMostChecks))
      ->type_name("N");
  line.add_flag("--no-check,--skip-check", arguments.no_check, "do not compare");
  line.add_threads(arguments.threads);
}

}  // namespace

int run_onnxsim(int argc, char** argv) {
  CommandLine line(argc, argv, "Simplifies an ONNX model and checks on random input that it computes the same.",
                   "onnxsim --input-shape=\"1,3,1536,1536\" --dynamic-input-shape d7.onnx d7_sim.onnx\n"
                   "onnxsim d0.onnx d0_sim.onnx 3\n"
                   "onnxsim d0.onnx d0_sim.onnx --overwrite-input-shape x.1:4,3,512,512");
  Arguments arguments;
  add_options(line, arguments);
  if (!line.read()) return 0;
  sort_positionals(arguments);
  set_default_threads(arguments.threads);
  const std::string &in = arguments.positionals[0], &out = arguments.positionals[1];
  std::ranges::move(arguments.overwrite_shapes, std::back_inserter(arguments.shapes));
  const Shapes shapes = parse_shapes(arguments.shapes);

  const OnnxModel original = OnnxModel::read(in);
  fmt::print("Simplifying...\n");
  OnnxModel simplified = original;
  simplified.simplify({.fuse_batch_norm = !arguments.keep_batch_norm,
                       .fold_constants = !arguments.keep_constants,
                       .input_shapes = arguments.dynamic ? Shapes{} : shapes});
  if (!arguments.no_check && arguments.checks > 0) check(original, simplified, shapes, arguments.checks);
  simplified.write(out);
  fmt::print("Finish! Here is the difference:\n");
  print_comparison(original, simplified, in, out);
  return 0;
}

}  // namespace effdet::cli
