// Choices between ways to compute a layer that give the same result at different speeds.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace effdet::compiler {

/// For each choice that the compiler has: what was measured (src/tuning), else what it estimates.
class LayerChoices {
 public:
  enum class Others { kEstimate, kYes, kNo };

  /// By key (key_of()): whether the two layers of an ExpandDepthwise or a DepthwisePointwise become one.
  std::map<std::string, bool> fuse;
  /// By key: whether a convolution takes fewer products and more sums: Strassen's scheme, or Winograd's.
  std::map<std::string, bool> fewer_products;
  /// What is done with layers that are in neither.
  Others other_fuse = Others::kEstimate, other_products = Others::kEstimate;

  /// A layer that has the choice; of a pair, what the compiler would do.
  struct Candidate {
    std::string node, key;
    bool estimate = false;
  };
  std::function<void(const Candidate&)> on_fuse, on_product;

  bool fuses(const std::string& node, const std::string& key, bool estimate) const;
  /// Nothing where the kernel is to choose.
  std::optional<bool> takes_fewer_products(const std::string& node, const std::string& key) const;
};

/// What makes a layer as fast as it is: operator, shapes, window.
std::string layer_key(const ir::Graph& graph, std::string_view op, const ir::Node& window, ir::ValueId input,
                      ir::ValueId output);

}  // namespace effdet::compiler
