// What the operators of a graph mean: for each one shape inference and a naive kernel. The kernels fold constants,
// check rewrites and are the oracle of the fast ones; they favour clarity, and know no device and no memory plan.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/tensor.h"
#include "base/thread_pool.h"
#include "ir/graph.h"

namespace effdet::ops {

/// Limits on what a node may make: far above any detector, far below what would take a machine down.
inline constexpr int64_t kMaxElements = int64_t{1} << 32;
inline constexpr size_t kMaxRank = 32;

/// "node 'stem/conv' (Conv)": how errors name a node; without a name its first output stands for it.
std::string node_label(const ir::Node& node);

/// Throws Error(kBadInput) "node 'x' (Op): message".
template <typename... Args>
[[noreturn]] void node_error(const ir::Node& node, fmt::format_string<Args...> format, Args&&... args) {
  bad_input("{}: {}", node_label(node), fmt::format(format, std::forward<Args>(args)...));
}

/// What is known of one input before anything runs.
struct InputInfo {
  bool present = false;
  DType dtype = DType::kF32;
  std::optional<Shape> shape;     ///< nothing: unknown rank; -1: unknown dimension
  const Tensor* value = nullptr;  ///< the content, where that is known (constants, shape arithmetic)
  /// An int64 list of which some elements are known; the others are dim_symbol()s.
  const Tensor* partial = nullptr;
};

/// What shape inference may look at.
struct InferContext {
  const ir::Node& node;
  int64_t opset;  ///< of ONNX's own domain
  std::span<const InputInfo> inputs;

  bool has(size_t i) const { return i < inputs.size() && inputs[i].present; }
  /// Type of an input; kBadInput where it is absent.
  DType dtype(size_t i) const;
  /// Shape of an input: nothing where it is unknown or the input is absent.
  const std::optional<Shape>& shape(size_t i) const;
  /// Content of an input, or null where it is absent or not known.
  const Tensor* value(size_t i) const { return has(i) ? inputs[i].value : nullptr; }
  /// A known int32 or int64 vector (or scalar) of at most 2 * kMaxRank values, or nothing; kBadInput for another type.
  std::optional<std::vector<int64_t>> ints(size_t i) const;
  /// The same where some elements are known only: the others are nothing.
  std::optional<std::vector<std::optional<int64_t>>> some_ints(size_t i) const;
};

/// Type and shape of an output.
struct Inferred {
  DType dtype = DType::kF32;
  std::optional<Shape> shape;
};

/// What a kernel works on. Outputs are allocated (zero-filled) with the inferred types and shapes, so a kernel may rely
/// on everything that its infer function checked. Where a shape depends on the inputs' content and inference left it
/// open, the kernel makes all of the node's outputs itself. Kernels see no 16-bit floats among their inputs unless
/// their operator asks for them.
struct EvalContext {
  const ir::Node& node;
  int64_t opset;
  std::span<const Tensor* const> inputs;  ///< null: absent
  std::span<Tensor> outputs;              ///< empty(): nobody wants this optional output
  ThreadPool* threads = nullptr;          ///< may be null

  bool has(size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
  const Tensor& input(size_t i) const { return *inputs[i]; }
  Tensor& output(size_t i = 0) const { return outputs[i]; }
};

/// `max_inputs` of operators that take any number of inputs.
inline constexpr int kVariadic = std::numeric_limits<int>::max();

/// One operator. Both functions are pure; errors are Error(kBadInput) or Error(kUnsupported) that name the node.
struct Operator {
  std::string_view domain;  ///< "" or ir::kFusedDomain
  std::string_view type;
  int min_inputs = 1;
  int max_inputs = 1;
  std::vector<Inferred> (*infer)(const InferContext&) = nullptr;
  void (*evaluate)(const EvalContext&) = nullptr;
  int min_opset = 1;
  int max_outputs = 1;
  /// Kernels of other operators get float32 for 16-bit floats, and what they make is rounded once.
  bool takes_halves = false;
};

/// The operator, or null. The table is in registry.cc.
const Operator* find_operator(std::string_view domain, std::string_view type);
std::span<const Operator> all_operators();

/// The operator of a node, with the number of inputs and outputs checked. Throws Error(kUnsupported)
/// "unsupported operator X (domain, opset Y), node N" where there is none.
const Operator& operator_of(const ir::Node& node, int64_t opset);

/// Type and shape of each of a node's outputs, with limits checked: sizes above kMaxElements are refused.
std::vector<Inferred> infer_node(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs);

/// Runs one node: checks, allocates the outputs and calls the kernel. Throws Error(kOutOfMemory) naming the node where
/// outputs and what it needs to make them exceed a MemoryBudget, or memory.
std::vector<Tensor> evaluate_node(const ir::Node& node, int64_t opset, std::span<const Tensor* const> inputs,
                                  ThreadPool* threads = nullptr);

/// What stands for an unknown dimension of a value in shape arithmetic: a number that no real dimension has.
int64_t dim_symbol(ir::ValueId value, int64_t axis);
bool is_dim_symbol(int64_t number);

/// The small tensors that nodes compute and that do not depend on the graph's inputs but through their shapes.
struct KnownValues {
  std::map<ir::ValueId, Tensor> whole;
  std::map<ir::ValueId, Tensor> partial;  ///< int64, with a dim_symbol() for each dimension that is unknown
};

/// Fills type and shape of every node's outputs, from the inputs' shapes. Follows shape arithmetic (Shape, Gather,
/// Concat...), so that shapes that a file computes are known, also where some dimensions (a dynamic batch) are not.
/// Dimensions that stay unknown are -1. Puts what the arithmetic found into `values`, where that is given. Nodes whose
/// operator, or the type of what they read, is not known or not supported become opaque (ir::Node), and what they make
/// stays as it is declared.
void infer_shapes(ir::Graph& graph, KnownValues* values = nullptr);

/// Throws Error(kUnsupported) that names the first node that cannot be run, and why.
void require_supported(const ir::Graph& graph);

/// Runs a graph with the reference kernels; inputs in the order of graph.inputs. Intermediate tensors are freed after
/// their last use. Throws Error(kBadInput) for inputs of another type or shape and Error(kOutOfMemory) where the
/// tensors that are alive at a time exceed the caller's MemoryBudget, or memory_left() at the beginning. on_value is
/// called with each tensor that a node makes, where set.
std::vector<Tensor> run_reference(const ir::Graph& graph, std::span<const Tensor> inputs, ThreadPool* threads = nullptr,
                                  const std::function<void(ir::ValueId, const Tensor&)>& on_value = {});

}  // namespace effdet::ops
