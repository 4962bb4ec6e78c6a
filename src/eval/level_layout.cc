// Finds which dumped output holds which level, by sizes, and by known orders where sizes coincide.
#include "eval/level_layout.h"

#include <algorithm>
#include <optional>

#include "base/checked.h"
#include "base/error.h"

namespace effdet::eval {
namespace {

/// Output i of the model's order is in file order[i].
using Order = std::vector<size_t>;

Order model_order(size_t levels) {
  Order order(2 * levels);
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  return order;
}

/// Box, class, box, class, ...: what older tools wrote.
Order interleaved_order(size_t levels) {
  Order order(2 * levels);
  for (size_t i = 0; i < levels; ++i) {
    order[i] = 2 * i + 1;
    order[levels + i] = 2 * i;
  }
  return order;
}

bool fits_sizes(const Order& order, std::span<const uint64_t> expected, std::span<const uint64_t> sizes) {
  for (size_t i = 0; i < order.size(); ++i) {
    if (expected[i] != sizes[order[i]]) return false;
  }
  return true;
}

/// The order that the sizes alone give, or nothing where two outputs have the same size.
std::optional<Order> order_by_size(std::span<const uint64_t> expected, std::span<const uint64_t> sizes) {
  Order order;
  for (uint64_t size : expected) {
    if (std::count(expected.begin(), expected.end(), size) > 1) return std::nullopt;
    order.push_back(static_cast<size_t>(std::find(sizes.begin(), sizes.end(), size) - sizes.begin()));
  }
  return order;
}

/// Every expected size must be there as often as expected; together with equal counts nothing is left over then.
void check_sizes(std::span<const uint64_t> expected, std::span<const uint64_t> sizes) {
  if (sizes.size() != expected.size()) {
    bad_input("{} output files for an image, but the model has {} outputs", sizes.size(), expected.size());
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto there = std::count(sizes.begin(), sizes.end(), sizes[i]);
    const auto wanted = std::count(expected.begin(), expected.end(), sizes[i]);
    if (wanted == 0) {
      bad_input(
          "output file {} has {} bytes, which fits no output of the model (its outputs take {}); check --model, "
          "--num-classes and --img-size",
          i + 1, sizes[i], fmt::join(expected, ", "));
    }
    if (there > wanted)
      bad_input("{} output files have {} bytes (file {} is one), not {}", there, sizes[i], i + 1, wanted);
  }
}

LevelLayout to_layout(const Order& order, std::string note) {
  LevelLayout layout;
  layout.note = std::move(note);
  const size_t levels = order.size() / 2;
  for (size_t i = 0; i < levels; ++i) layout.levels.push_back({order[i], order[levels + i]});
  return layout;
}

}  // namespace

std::vector<uint64_t> output_value_counts(std::span<const FeatureSize> levels, int num_classes, int anchors_per_cell) {
  std::vector<uint64_t> counts;
  for (int channels : {num_classes, 4}) {
    for (const auto& level : levels) {
      const auto count = checked_numel(std::vector<int64_t>{anchors_per_cell, channels, level.height, level.width});
      if (!count) bad_input("head outputs: {} classes and {} anchors a cell", num_classes, anchors_per_cell);
      counts.push_back(*count);
    }
  }
  return counts;
}

LevelLayout match_levels(std::span<const uint64_t> file_sizes, std::span<const FeatureSize> levels, int num_classes,
                         int anchors_per_cell, size_t element_size) {
  auto expected = output_value_counts(levels, num_classes, anchors_per_cell);
  for (auto& count : expected) {
    const auto bytes = checked_mul(count, element_size);
    if (!bytes) bad_input("head outputs: {} values of {} bytes", count, element_size);
    count = *bytes;
  }
  check_sizes(expected, file_sizes);
  if (auto order = order_by_size(expected, file_sizes)) return to_layout(*order, "");
  if (const auto order = model_order(levels.size()); fits_sizes(order, expected, file_sizes)) {
    return to_layout(order,
                     "class and box files cannot be told apart by size; taken in the model's order, classes first");
  }
  if (const auto order = interleaved_order(levels.size()); fits_sizes(order, expected, file_sizes)) {
    return to_layout(order, "class and box files cannot be told apart by size; taken as box, class, box, class, ...");
  }
  bad_input("the {} output files cannot be told apart by size and are in neither known order", file_sizes.size());
}

}  // namespace effdet::eval
