// MatMul and Gemm with constant weights become ai.effdet::MatMul, with the sums after them.
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/fused/packing.h"
#include "ops/matmul.h"
#include "ops/util.h"
#include "passes/budget.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

bool is_float(const Tensor* tensor) { return tensor != nullptr && tensor->dtype() == DType::kF32; }

/// How a node multiplies rows of k values by a constant: to rows of n.
struct Product {
  int64_t k, n;
  ir::ValueId weights, bias;  ///< the bias: kNoValue for none
  bool transposed;            ///< the weights are [n, k], not [k, n]
  float alpha, beta;          ///< factors of the product and of the bias
};

/// Whether a constant adds the same to each row of n values.
bool is_row(const Tensor* constant, int64_t n) {
  if (!is_float(constant) || (constant->numel() != n && constant->numel() != 1)) return false;
  return constant->numel() == 1 || constant->shape().back() == n;
}

std::optional<Product> product_of(const ir::Graph& graph, const ir::Node& node) {
  if (!node.is("MatMul") && !node.is("Gemm")) return std::nullopt;
  const ir::Value& x = graph.value(node.inputs[0]);
  const Tensor* w = graph.constant(node.inputs[1]);
  if (x.dtype != DType::kF32 || !passes::is_static(x.shape) || x.shape->size() < 2 || !is_float(w) || w->rank() < 2)
    return std::nullopt;
  const Shape& y = *graph.value(node.outputs[0]).shape;
  Product product{x.shape->back(), y.back(), node.inputs[1], ir::kNoValue, false, 1, 1};
  const int64_t rows = ops::dims_product(*x.shape, 0, x.shape->size() - 1);
  if (std::min({product.k, product.n, rows}) < 1 || std::max(product.k, rows) > ops::kMaxExtent ||
      product.n > ops::kMaxOutChannels || w->numel() != product.k * product.n || y.size() != x.shape->size())
    return std::nullopt;  // of several matrices, or larger than kernels count
  if (node.is("MatMul")) return product;
  const auto gemm = ops::GemmAttributes::of(node);
  if (gemm.transposed_a) return std::nullopt;
  product.transposed = gemm.transposed_b;
  product.alpha = gemm.alpha;
  product.beta = gemm.beta;
  if (!std::isfinite(product.alpha)) return std::nullopt;  // no key
  if (node.inputs.size() > 2) product.bias = node.inputs[2];
  if (product.bias != ir::kNoValue && !is_row(graph.constant(product.bias), product.n)) return std::nullopt;
  return product;
}

/// The Add that is the only reader of a value, gives the same shape, and adds what `takes` says; -1 for none.
template <typename F>
int sum_behind(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId value, F&& takes) {
  const int reader = uses.sole_reader(value);
  if (reader < 0) return -1;
  const ir::Node& sum = graph.nodes[static_cast<size_t>(reader)];
  if (!sum.is("Add") || graph.value(sum.outputs[0]).shape != graph.value(value).shape) return -1;
  return takes(sum.inputs[sum.inputs[0] == value ? 1 : 0]) ? reader : -1;
}

class MatMulFuser {
 public:
  MatMulFuser(ir::Graph& graph, passes::RewriteBudget& budget)
      : graph_(graph), uses_(graph), budget_(budget), drop_(graph.nodes.size(), false) {}

  void run() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      if (const auto product = product_of(graph_, graph_.nodes[i])) fuse(i, *product);
    passes::erase_nodes(graph_, drop_);
    graph_.compact();
  }

 private:
  void fuse(size_t index, const Product& product) {
    const ir::ValueId weights = packed_weights(product);
    if (weights == ir::kNoValue) return;
    ir::Node& node = graph_.nodes[index];
    std::vector<float> bias(static_cast<size_t>(ops::padded_to_panels(product.n)), 0.0f);
    if (product.bias != ir::kNoValue) add_row(bias, product.bias, product.n, product.beta);
    const auto is_constant_row = [&](ir::ValueId id) { return is_row(graph_.constant(id), product.n); };
    if (const int sum = sum_behind(graph_, uses_, node.outputs[0], is_constant_row); sum >= 0)
      add_row(bias, absorb(node, sum), product.n, 1);
    std::vector<ir::ValueId> inputs{
        node.inputs[0], weights,
        graph_.add_constant(node.name + "_bias", Tensor::from<float>({ops::padded_to_panels(product.n)}, bias))};
    const auto is_before = [&](ir::ValueId id) {
      const ir::Value& other = graph_.value(id);
      return other.dtype == DType::kF32 && other.shape == graph_.value(node.outputs[0]).shape && !other.constant &&
             id != node.outputs[0] && uses_.producer(id) < static_cast<int>(index);
    };
    if (const int sum = sum_behind(graph_, uses_, node.outputs[0], is_before); sum >= 0)
      inputs.push_back(absorb(node, sum));
    become_fused(node, "MatMul", inputs, {{"out_channels", product.n}});
  }

  /// The node makes the sum after it; what that adds.
  ir::ValueId absorb(ir::Node& node, int sum) {
    const ir::Node& add = graph_.nodes[static_cast<size_t>(sum)];
    const ir::ValueId other = add.inputs[add.inputs[0] == node.outputs[0] ? 1 : 0];
    drop_[static_cast<size_t>(sum)] = true;
    node.outputs[0] = add.outputs[0];
    return other;
  }

  void add_row(std::vector<float>& bias, ir::ValueId id, int64_t n, float factor) const {
    const auto row = graph_.constant(id)->data<float>();
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) bias[i] += factor * row[row.size() == 1 ? 0 : i];
  }

  /// Once for all products by the same constant; kNoValue where the budget does not allow it.
  ir::ValueId packed_weights(const Product& product) {
    const Tensor& weights = *graph_.constant(product.weights);
    auto [entry, is_new] = packed_.try_emplace({product.weights, product.transposed, product.alpha}, ir::kNoValue);
    if (!is_new) return entry->second;
    const auto bytes = static_cast<uint64_t>(product.k * ops::padded_to_panels(product.n)) * sizeof(float);
    const uint64_t removed = uses_.sole_reader(product.weights) >= 0 ? weights.byte_size() : 0;
    if (budget_.change(bytes, removed))
      entry->second = graph_.add_constant(graph_.value(product.weights).name + "_packed",
                                          ops::pack_conv_weights(as_rows(weights, product)));
    return entry->second;
  }

  /// As a pointwise convolution has them: [n, k, 1, 1].
  static Tensor as_rows(const Tensor& w, const Product& product) {
    const int64_t k = product.k, n = product.n;
    Tensor rows(DType::kF32, {n, k, 1, 1});
    const auto from = w.data<float>();
    const auto to = rows.mutable_data<float>();
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < k; ++j)
        to[static_cast<size_t>(i * k + j)] =
            product.alpha * from[static_cast<size_t>(product.transposed ? i * k + j : j * n + i)];
    return rows;
  }

  ir::Graph& graph_;
  const ir::Uses uses_;
  passes::RewriteBudget& budget_;
  std::vector<bool> drop_;
  std::map<std::tuple<ir::ValueId, bool, float>, ir::ValueId> packed_;
};

}  // namespace

void fuse_matmul(ir::Graph& graph, passes::RewriteBudget& budget) { MatMulFuser(graph, budget).run(); }

}  // namespace effdet::compiler
