#include "compiler/layer_choices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/tensor.h"

namespace effdet::compiler {
namespace {

bool decide(const std::map<std::string, bool>& measured, LayerChoices::Others others, const std::string& key,
            bool estimate) {
  if (const auto found = measured.find(key); found != measured.end()) return found->second;
  return others == LayerChoices::Others::kEstimate ? estimate : others == LayerChoices::Others::kYes;
}

}  // namespace

bool LayerChoices::fuses(const std::string& node, const std::string& key, bool estimate) const {
  if (on_fuse) on_fuse({node, key, estimate});
  return decide(fuse, other_fuse, key, estimate);
}

void LayerChoices::choose_product(const ir::Graph& graph, ir::Node& node) const {
  const std::string key = layer_key(graph, node.op, node, node.inputs[0], node.outputs[0]);
  if (on_product) on_product({node.name, key, false});
  if (!strassen.contains(key) && other_strassen == Others::kEstimate) return;
  node.attributes["product"] = std::string(decide(strassen, other_strassen, key, false) ? "strassen" : "direct");
}

std::string layer_key(const ir::Graph& graph, std::string_view op, const ir::Node& window, ir::ValueId input,
                      ir::ValueId output) {
  const std::vector<int64_t> ones{1, 1};
  return fmt::format("{} {} to {}, window {}, stride {}", op, shape_text(*graph.value(input).shape),
                     shape_text(*graph.value(output).shape), fmt::join(window.get_ints("kernel_shape", ones), "x"),
                     fmt::join(window.get_ints("strides", ones), "x"));
}

}  // namespace effdet::compiler
