// Walks from the image forwards, and from the boxes backwards.
#include "quantize/sensitive_layers.h"

#include <algorithm>
#include <map>
#include <set>

namespace effdet::quantize {
namespace {

/// Layers of boxes that stay float32: how many pairs before the outputs, and their largest share of all products.
constexpr int kBoxPairs = 2;
constexpr double kLargestShare = 0.04;

class Walk {
 public:
  explicit Walk(const LayerGraph& layers) : layers_(layers) {
    for (const LayerNode& one : layers.layers()) {
      by_output_[one.layer.output] = &one;
      for (const std::string& input : one.layer.inputs) readers_[input].push_back(&one);
    }
  }

  std::vector<std::string> run() {
    const ir::Graph& graph = layers_.graph();
    for (const LayerNode* stem : readers_[graph.value(graph.inputs.at(0)).name]) {
      keep(*stem);
      for (const LayerNode* next : readers_[stem->layer.output])
        if (next->layer.op == kDepthwiseConv) keep_to_convolution(*next);
    }
    keep_boxes();
    std::vector<std::string> names;
    for (const LayerNode& one : layers_.layers())
      if (kept_.contains(one.layer.name)) names.push_back(one.layer.name);
    return names;
  }

 private:
  void keep(const LayerNode& one) { kept_.insert(one.layer.name); }

  /// A depthwise layer and those after it, up to the convolution that mixes channels.
  void keep_to_convolution(const LayerNode& first) {
    std::vector<const LayerNode*> open{&first};
    while (!open.empty()) {
      const LayerNode& one = *open.back();
      open.pop_back();
      keep(one);
      if (one.layer.op == kConv) continue;
      for (const LayerNode* next : readers_[one.layer.output])
        if (next->layer.op != kSum) open.push_back(next);
    }
  }

  bool makes_boxes(const LayerNode& one) const { return is_of_boxes(one.layer.name) || is_of_boxes(one.layer.output); }

  /// From the outputs backwards: the last pair of layers on all levels, then the pairs before them.
  void keep_boxes() {
    std::vector<const LayerNode*> ends;
    int64_t all = 0, kept = 0;
    for (const LayerNode& one : layers_.layers()) {
      all += one.layer.products;
      if (one.layer.op == kConv && !readers_.contains(one.layer.output) && makes_boxes(one)) ends.push_back(&one);
    }
    for (int i = 0; i < kBoxPairs && !ends.empty(); ++i) {
      std::vector<const LayerNode*> pairs, before;
      for (const LayerNode* end : ends) {
        pairs.push_back(end);
        const LayerNode* previous = sole_before(*end);
        if (previous != nullptr && previous->layer.op == kDepthwiseConv) {
          pairs.push_back(previous);
          previous = sole_before(*previous);
        }
        if (previous != nullptr && previous->layer.op == kConv) before.push_back(previous);
      }
      for (const LayerNode* one : pairs) kept += one->layer.products;
      if (kept > kLargestShare * static_cast<double>(all)) return;
      for (const LayerNode* one : pairs) keep(*one);
      ends = std::move(before);
    }
  }

  /// The layer that a layer's only input comes from, where nobody else reads that.
  const LayerNode* sole_before(const LayerNode& one) const {
    const std::string& input = one.layer.inputs.front();
    const auto found = by_output_.find(input);
    return found != by_output_.end() && readers_.at(input).size() == 1 ? found->second : nullptr;
  }

  const LayerGraph& layers_;
  std::map<std::string, const LayerNode*> by_output_;
  std::map<std::string, std::vector<const LayerNode*>> readers_;
  std::set<std::string> kept_;
};

}  // namespace

bool is_of_boxes(std::string_view name) {
  return name.find("box") != std::string_view::npos || name.find("regressor") != std::string_view::npos;
}

std::vector<std::string> sensitive_layers(const LayerGraph& layers) { return Walk(layers).run(); }

}  // namespace effdet::quantize
