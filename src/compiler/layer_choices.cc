// What was measured about a layer, by its key.
#include "compiler/layer_choices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/tensor.h"

namespace effdet::compiler {
namespace {

/// What was measured, or is done with all others; nothing: an estimate is to decide.
std::optional<bool> decide(const std::map<std::string, bool>& measured, LayerChoices::Others others,
                           const std::string& key) {
  if (const auto found = measured.find(key); found != measured.end()) return found->second;
  if (others == LayerChoices::Others::kEstimate) return std::nullopt;
  return others == LayerChoices::Others::kYes;
}

}  // namespace

bool LayerChoices::fuses(const std::string& node, const std::string& key, bool estimate) const {
  if (on_fuse) on_fuse({node, key, estimate});
  return decide(fuse, other_fuse, key).value_or(estimate);
}

std::optional<bool> LayerChoices::takes_fewer_products(const std::string& node, const std::string& key) const {
  if (on_product) on_product({node, key});
  return decide(fewer_products, other_products, key);
}

std::string layer_key(const ir::Graph& graph, std::string_view op, const ir::Node& window, ir::ValueId input,
                      ir::ValueId output) {
  const std::vector<int64_t> ones{1, 1};
  return fmt::format("{} {} to {}, window {}, stride {}", op, shape_text(*graph.value(input).shape),
                     shape_text(*graph.value(output).shape), fmt::join(window.get_ints("kernel_shape", ones), "x"),
                     fmt::join(window.get_ints("strides", ones), "x"));
}

}  // namespace effdet::compiler
