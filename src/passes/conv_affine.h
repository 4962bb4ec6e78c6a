// Folding a scale and a shift per channel into the convolutions before them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/budget.h"
#include "passes/rewrite.h"

namespace effdet::passes {

/// y = x * scale[channel] + shift[channel].
struct ChannelAffine {
  std::vector<double> scale, shift;
};

/// What a BatchNormalization of so many channels computes, or nothing where its parameters are not constant float32.
std::optional<ChannelAffine> batch_norm_affine(const ir::Graph& graph, const ir::Node& norm, int64_t channels);

/// What a Mul, Add, Sub or Div by a constant of one value a channel, or one for all, computes of its input number
/// `side`, [N, channels, ...] of that rank. Nothing for other nodes.
std::optional<ChannelAffine> elementwise_affine(const ir::Graph& graph, const ir::Node& node, size_t side,
                                                int64_t channels, size_t rank);

/// What makes a value for one reader and nobody else: a Conv or ConvTranspose, or several and a Concat of their
/// channels, all with constant float32 weights and biases.
struct SoleConvs {
  std::vector<ir::Node*> convs;  ///< by their channels in the value
  ir::Node* last = nullptr;      ///< which writes the value: the Conv, or the Concat
  int64_t channels = 0;          ///< of the value
  size_t rank = 0;
};

class AffineFolder {
 public:
  AffineFolder(ir::Graph& graph, RewriteBudget& budget) : graph_(graph), budget_(budget), uses_(graph), names_(graph) {}

  /// The convolutions that make a value; nothing where something else makes it.
  std::optional<SoleConvs> sole_convs(ir::ValueId id);

  /// Makes them compute the affine of what they did and write it to `output`. Weights that others read too are copied;
  /// where the budget does not allow it, nothing changes and the answer is false.
  bool fold(const SoleConvs& convs, const ChannelAffine& affine, ir::ValueId output);

 private:
  uint64_t added_bytes(ir::ValueId id, uint64_t bytes) const;
  ir::ValueId with_content(ir::ValueId id, Tensor tensor, const std::string& new_name);
  void fold_into_conv(ir::Node& conv, const ChannelAffine& affine);

  ir::Graph& graph_;
  RewriteBudget& budget_;
  const ir::Uses uses_;
  UniqueNames names_;
};

}  // namespace effdet::passes
