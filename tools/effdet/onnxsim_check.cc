// Compares a simplified model with the original as onnxsim's options ask.
#include "onnxsim_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli.h"
#include "effdet/error.h"

namespace effdet::cli {
namespace {

/// Throws Error(kUsage) where an input has a dimension that nobody said.
void require_static(const OnnxModel& model) {
  for (const TensorInfo& input : model.inputs())
    if (std::ranges::any_of(input.shape, [](int64_t side) { return side < 0; }))
      throw Error(
          ErrorCode::kUsage,
          fmt::format("input '{}' has shape {}, so that the check cannot run: give --test-input-shape, or --no-check",
                      input.name, shape_text(input.shape)));
}

/// The model with other input shapes and nothing else changed; nothing where there are no others.
std::optional<OnnxModel> with_shapes(const OnnxModel& model, const InputShapes& shapes) {
  if (shapes.empty()) return std::nullopt;
  OnnxModel copy = model;
  const auto passes = OnnxModel::simplify_passes();
  copy.simplify({.skip_passes = {passes.begin(), passes.end()}, .input_shapes = shapes});
  return copy;
}

/// Shapes to check with: those given, and 1 for a batch that nobody said.
InputShapes shapes_for_check(const OnnxModel& model, InputShapes shapes) {
  for (const TensorInfo& input : model.inputs()) {
    if (shapes.contains(input.name) || shapes.contains("") || input.shape.empty() || input.shape[0] > 0) continue;
    std::vector<int64_t> shape = input.shape;
    shape[0] = 1;
    if (std::ranges::all_of(shape, [](int64_t side) { return side > 0; })) shapes[input.name] = shape;
  }
  return shapes;
}

/// What the check says; nothing, said on standard error, where it takes too much memory.
std::optional<ModelCheck> compared(const OnnxModel& original, const OnnxModel& simplified,
                                   const CheckOptions& options) {
  try {
    return simplified.check(original, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory) throw;
    warn(
        fmt::format("the simplified model was not checked, since that takes more than {}: {}; --test-input-shape takes "
                    "a smaller input, --check-memory SIZE allows more",
                    bytes_text(options.memory_limit), error.what()));
    return std::nullopt;
  }
}

/// How the check was done, a line.
std::string way_of(const ModelCheck& check) {
  switch (check.whole) {
    case ModelCheck::Whole::kFull:
      return "Both models were run from end to end.\n";
    case ModelCheck::Whole::kReduced:
      return "Both models were run from end to end, on images of 128 x 128.\n";
    case ModelCheck::Whole::kNot:
      break;
  }
  const std::string reduced = check.reduced == 0
                                  ? ""
                                  : fmt::format(" ({} of them on smaller maps)",
                                                check.reduced == check.parts ? "all" : std::to_string(check.reduced));
  return fmt::format("{} of {} nodes are the original's; {} parts were run beside what they replace{}.\n",
                     check.unchanged, check.nodes, check.parts, reduced);
}

/// Names, the first few of many.
std::string list_text(const std::vector<std::string>& names) {
  constexpr size_t kMost = 8;
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMost; ++i) text += (i == 0 ? "" : ", ") + one_line(names[i]);
  return names.size() > kMost ? fmt::format("{} and {} more", text, names.size() - kMost) : text;
}

/// What was not checked.
std::string gaps_of(const ModelCheck& check) {
  if (check.opaque == 0) return "";
  const bool one = check.opaque == 1;
  std::string text = fmt::format("{} node{} of {} cannot be run and stay{} as {}.\n", check.opaque, one ? "" : "s",
                                 list_text(check.operators), one ? "s" : "", one ? "it is" : "they are");
  if (!check.unchecked.empty())
    text += fmt::format("Not compared, since they are computed from what such nodes make: {}.\n",
                        list_text(check.unchecked));
  return text;
}

}  // namespace

void check_simplified(const OnnxModel& original, const OnnxModel& simplified, const InputShapes& shapes,
                      const CheckOptions& options) {
  const auto other_left = with_shapes(original, shapes_for_check(original, shapes)),
             other_right = with_shapes(simplified, shapes_for_check(simplified, shapes));
  const OnnxModel &left = other_left ? *other_left : original, &right = other_right ? *other_right : simplified;
  require_static(left);
  require_static(right);
  const auto result = compared(left, right, options);
  if (!result) return;
  if (!result->same)
    throw Error(
        ErrorCode::kMismatch,
        fmt::format("the simplified model's values differ by {:.3g} of their largest magnitude (at most {:g} is "
                    "accepted); nothing was written",
                    result->difference, options.tolerance));
  fmt::print("Check ok: {} random input{}, largest relative difference {:.3g}\n{}{}", options.runs,
             options.runs == 1 ? "" : "s", result->difference, way_of(*result), gaps_of(*result));
}

}  // namespace effdet::cli
