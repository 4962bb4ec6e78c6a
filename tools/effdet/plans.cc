// Finds the plan with a given batch, size or shapes, or lists those that there are.
#include "plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "cli.h"
#include "effdet/error.h"

namespace effdet::cli {
namespace {

std::string plan_text(const CompiledModel& plan) {
  const InputSize size = input_size(plan);
  return fmt::format("batch {}, {} x {}", batch_of(plan), size.width, size.height);
}

std::string all_plans(const CompiledModel& model) {
  std::string text;
  for (size_t i = 0; i < model.plan_count(); ++i) text += (i == 0 ? "" : "; ") + plan_text(model.plan(i));
  return text;
}

bool fits(const CompiledModel& plan, const PlanWish& wish) {
  const InputSize size = input_size(plan);
  return (wish.batch == 0 || wish.batch == batch_of(plan)) && (wish.size.width == 0 || wish.size.width == size.width) &&
         (wish.size.height == 0 || wish.size.height == size.height);
}

std::string wish_text(const PlanWish& wish) {
  std::string text = wish.batch > 0 ? fmt::format("batch {}", wish.batch) : "";
  if (wish.size.width > 0 || wish.size.height > 0)
    text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", wish.size.width, wish.size.height);
  return text;
}

}  // namespace

InputSize input_size(const CompiledModel& model) {
  if (const auto aipp = model.aipp()) return {aipp->width, aipp->height};
  if (model.inputs().empty()) return {};
  const std::vector<int64_t> shape = model.inputs()[0].shape;
  return shape.size() == 4 ? InputSize{shape[3], shape[2]} : InputSize{};
}

int64_t batch_of(const CompiledModel& model) {
  const std::vector<TensorInfo> inputs = model.inputs();
  const auto first = [](const TensorInfo& input) { return input.shape.empty() ? 1 : input.shape[0]; };
  const int64_t batch = inputs.empty() ? 1 : first(inputs[0]);
  return std::ranges::all_of(inputs, [&](const TensorInfo& input) { return first(input) == batch; }) ? batch : 1;
}

size_t find_plan(const CompiledModel& model, const PlanWish& wish, const std::string& file) {
  for (size_t i = 0; i < model.plan_count(); ++i)
    if (fits(model.plan(i), wish)) return i;
  throw Error(ErrorCode::kUsage, fmt::format("{} is wanted, but {} was compiled for {} (width x height)",
                                             wish_text(wish), file, all_plans(model)));
}

std::vector<std::pair<std::string, std::string>> split_named_shapes(const std::string& flag, const std::string& text,
                                                                    const std::string& form) {
  std::vector<std::pair<std::string, std::string>> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(';', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const size_t colon = part.rfind(':');  // names may have one
    if (colon == std::string::npos || colon == 0)
      throw Error(ErrorCode::kUsage, fmt::format("{}: '{}' is not of the form {}", flag, part, form));
    parts.emplace_back(part.substr(0, colon), part.substr(colon + 1));
    begin = end + 1;
  }
  return parts;
}

NamedShapes parse_named_shapes(const std::string& flag, const std::string& text) {
  NamedShapes shapes;
  for (const auto& [name, dims] : split_named_shapes(flag, text, "name:1,3,512,512"))
    shapes[name] = parse_shape(flag, dims);
  return shapes;
}

std::optional<size_t> plan_of_shapes(const CompiledModel& model, const NamedShapes& shapes) {
  for (size_t i = 0; i < model.plan_count(); ++i) {
    const std::vector<TensorInfo> inputs = model.plan(i).inputs();
    const auto fits = [&](const auto& wish) {
      const auto input = std::ranges::find(inputs, wish.first, &TensorInfo::name);
      return input != inputs.end() && input->shape == wish.second;
    };
    if (!shapes.empty() && std::ranges::all_of(shapes, fits)) return i;
  }
  return std::nullopt;
}

size_t find_plan_of_shapes(const CompiledModel& model, const std::string& flag, const std::string& shapes,
                           const std::string& file) {
  if (const auto plan = plan_of_shapes(model, parse_named_shapes(flag, shapes))) return *plan;
  throw Error(ErrorCode::kUsage,
              fmt::format("{}: {} has no plan for '{}', but for {}", flag, file, shapes, shapes_of_plans(model)));
}

std::string shapes_of_plans(const CompiledModel& model) {
  std::string known;
  for (size_t i = 0; i < model.plan_count(); ++i)
    for (const TensorInfo& input : model.plan(i).inputs())
      known += fmt::format("{}{}:{}", known.empty() ? "" : "; ", input.name, fmt::join(input.shape, ","));
  return known;
}

size_t largest_plan(const CompiledModel& model) {
  size_t best = 0;
  const auto rank = [&](size_t i) {
    const CompiledModel plan = model.plan(i);
    const InputSize size = input_size(plan);
    return std::tuple(size.width * size.height, batch_of(plan));
  };
  for (size_t i = 1; i < model.plan_count(); ++i)
    if (rank(i) > rank(best)) best = i;
  return best;
}

size_t choose_plan(const CompiledModel& model, const ModelOptions& options, bool batch_given, const std::string& file) {
  const bool size_given = model.plan_count() > 1 && options.height > 0;
  if (!batch_given && !size_given) return largest_plan(model);
  return find_plan(model, {.batch = batch_given ? options.batch : 0, .size = {options.width, options.height}}, file);
}

InputSize parse_size(const std::string& flag, const std::string& text) {
  InputSize size;
  const char *begin = text.data(), *end = begin + text.size();
  const auto [comma, error] = std::from_chars(begin, end, size.height);
  if (error == std::errc() && comma != end && *comma == ',') {
    const auto [stop, second] = std::from_chars(comma + 1, end, size.width);
    if (second == std::errc() && stop == end && size.height > 0 && size.width > 0) return size;
  }
  throw Error(ErrorCode::kUsage, fmt::format("{}: '{}' is not of the form height,width", flag, text));
}

}  // namespace effdet::cli
