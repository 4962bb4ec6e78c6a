// Turns atc's lists of sizes into one shape of every input for each plan.
#include "dynamic_shapes.h"

#include <fmt/format.h>

#include <algorithm>

#include "atc_options.h"

namespace effdet::cli {
namespace {

/// "1,2;3,4" as rows; --dynamic_batch_size's "1,2" are two rows of one.
std::vector<std::vector<int64_t>> rows_of(const DynamicList& list) {
  std::vector<std::vector<int64_t>> rows;
  if (list.flag == "--dynamic_batch_size") {
    for (const std::string& number : split(list.value, ','))
      rows.push_back({parse_side(list.flag, list.value, number)});
  } else {
    for (const std::string& row : split(list.value, ';')) {
      rows.emplace_back();
      for (const std::string& number : split(row, ','))
        rows.back().push_back(parse_side(list.flag, list.value, number));
    }
  }
  if (rows.empty()) fail_value(ErrorCode::kUsage, list.flag, list.value, "it is empty");
  for (size_t i = 0; i < rows.size(); ++i)
    if (std::find(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(i), rows[i]) !=
        rows.begin() + static_cast<ptrdiff_t>(i))
      fail_value(ErrorCode::kUsage, list.flag, list.value, fmt::format("{} is there twice", fmt::join(rows[i], ",")));
  return rows;
}

std::vector<size_t> open_axes(const std::vector<int64_t>& shape) {
  std::vector<size_t> axes;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] == -1) axes.push_back(axis);
  return axes;
}

/// The only input with -1 in its shape; "" for none.
std::string open_input(const DynamicList& list, const Shapes& shapes) {
  std::string found;
  for (const auto& [name, shape] : shapes) {
    if (open_axes(shape).empty()) continue;
    if (!found.empty())
      fail_value(ErrorCode::kUnsupported, list.flag, list.value, "more than one input of --input_shape has -1 in it");
    found = name;
  }
  return found;
}

void check_axes(const DynamicList& list, const std::vector<size_t>& axes) {
  const auto refuse = [&](std::string_view form) {
    fail_value(ErrorCode::kUsage, list.flag, list.value, fmt::format("it goes with --input_shape=\"{}\"", form));
  };
  if (list.flag == "--dynamic_batch_size" && axes != std::vector<size_t>{0}) refuse("name:-1,3,512,512");
  if (list.flag == "--dynamic_image_size" && axes != std::vector<size_t>{2, 3}) refuse("name:1,3,-1,-1");
  if (axes.empty()) refuse("name:-1,3,-1,-1");
}

}  // namespace

std::vector<Shapes> plan_shapes(const DynamicList& list, Shapes& shapes) {
  const std::string name = open_input(list, shapes);
  if (list.flag.empty()) {
    if (!name.empty())
      fail_atc(
          ErrorCode::kUsage, "E10011",
          fmt::format("Value [{}] for parameter [--input_shape] is invalid. Reason: -1 needs --dynamic_batch_size, "
                      "--dynamic_image_size or --dynamic_dims.",
                      fmt::join(shapes.at(name), ",")));
    return {};
  }
  const std::vector<int64_t> open = name.empty() ? std::vector<int64_t>() : shapes.at(name);
  const std::vector<size_t> axes = open_axes(open);
  check_axes(list, axes);
  std::vector<Shapes> plans;
  for (const auto& row : rows_of(list)) {
    if (row.size() != axes.size())
      fail_value(ErrorCode::kUsage, list.flag, list.value,
                 fmt::format("{} has {} numbers for {} times -1", fmt::join(row, ","), row.size(), axes.size()));
    std::vector<int64_t> shape = open;
    for (size_t i = 0; i < row.size(); ++i) shape[axes[i]] = row[i];
    plans.push_back({{name, shape}});
  }
  shapes.erase(name);
  return plans;
}

}  // namespace effdet::cli
