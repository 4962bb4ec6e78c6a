// What the operators of a graph mean: for each one shape inference and a naive kernel. The kernels fold constants,
// check rewrites and are the oracle of the fast ones; they favour clarity, and know no device and no memory plan.
#pragma once

#include <algorithm>
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

using ir::Layout;

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
  Layout layout = Layout::kPlain;
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
  /// The shape that a list asks for, -1 for what is not known (and where it says -1 itself); nothing where its length
  /// is not known. kBadInput for a number below -1.
  std::optional<Shape> listed_dims(size_t i) const;
  /// The same for operators to which -1 means nothing: kBadInput for a list that is known and has a negative number.
  std::optional<Shape> listed_shape(size_t i) const;
};

/// Type and shape of an output, and its layout, which infer_node() takes from the operator's card. Nothing there: it
/// lies as it is declared.
struct Inferred {
  DType dtype = DType::kF32;
  std::optional<Shape> shape;
  std::optional<Layout> layout = std::nullopt;
};

class Speller;
struct SpelledOut;

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

/// How an operator treats the images of a batch, which is the first dimension of what it reads and makes.
enum class Batch : uint8_t {
  kUnset,      ///< not said: treated as kMixes, and a test fails
  kByImage,    ///< each image by itself
  kByElement,  ///< each element by itself, with broadcasting
  kAlongAxis,  ///< along the attribute `axis`: each image by itself where that is another dimension
  kMixes,      ///< what it makes of an image may depend on the others
};

/// What an input is to its operator.
enum class Slot : uint8_t {
  kOther,          ///< anything else: shapes, indices, parameters, means
  kMap,            ///< a map; several of them have one element type
  kAnyMap,         ///< a map of any of the operator's types, whatever the others have
  kResidual,       ///< is added to the sums: has layout and type of the output
  kGate,           ///< factors of a map's channels
  kWeights,        ///< in float32
  kPackedWeights,  ///< for the maps' type (ops/fused/packing.h)
  kBias,           ///< is added to the sums, in their type
  kScale,          ///< of quantized maps or weights
  kZeroPoint,      ///< of quantized maps or weights, in their type
};

/// How the maps lie that an operator reads and makes.
enum class LayoutRule : uint8_t {
  kNone,        ///< knows dimensions alone, in ONNX's order
  kFollows,     ///< knows dimensions alone, and may be rewritten for maps that lie otherwise: makes what it reads
  kAttributes,  ///< as the attributes `layout` and `output_layout` say
  kDeclared,    ///< changes layouts: what it makes lies as the graph says
};

/// What a fusion may put into an operator's attribute `activation`.
enum class Absorbs : uint8_t { kNothing, kActivation, kSteps };

/// What the number of products of a node is computed from; the shape of an absent input is empty.
struct CostContext {
  const ir::Node& node;
  std::span<const Shape> inputs, outputs;

  /// Elements of such a shape, at most kMaxElements.
  static int64_t elements(const Shape& shape);
};

/// What the rest of the program wants to know of an operator. Functions are pure.
struct Card {
  Batch batch = Batch::kUnset;
  /// Where `batch` holds for some nodes alone: whether for this one. Null: for all.
  bool (*keeps_batch)(const ir::Node&) = nullptr;
  int64_t default_axis = 0;               ///< of the attribute `axis`, for Batch::kAlongAxis
  std::span<const Slot> slots = {};       ///< of the inputs; the last stands for all further ones
  std::span<const DType> map_types = {};  ///< element types that maps may have; none: it has no maps
  LayoutRule layout = LayoutRule::kNone;
  /// With LayoutRule::kAttributes: whether a node that works on NHWC maps may read, or make, an NCHW one. Null: never.
  bool (*reads_plain)(const ir::Node&) = nullptr;
  bool (*writes_plain)(const ir::Node&) = nullptr;
  Absorbs absorbs = Absorbs::kNothing;
  /// Whether the work may be out of proportion to the sizes of inputs and outputs. No exporter leaves such nodes on
  /// constants, and a hostile file might.
  bool heavy = false;
  /// How many products are summed up for all outputs together. Null, or 0: it sums nothing, and works once an output
  /// element.
  int64_t (*products)(const CostContext&) = nullptr;

  Slot slot(size_t input) const { return slots.empty() ? Slot::kOther : slots[std::min(input, slots.size() - 1)]; }
  /// The first input in such a slot, where there is one.
  std::optional<size_t> find_slot(Slot wanted) const;
  bool takes(DType map_type) const;
};

/// Cards that say no more than that.
inline constexpr Card kByImage{.batch = Batch::kByImage}, kByElement{.batch = Batch::kByElement},
    kMixes{.batch = Batch::kMixes};

/// One operator. Both functions are pure; errors are Error(kBadInput) or Error(kUnsupported) that name the node.
struct Operator {
  std::string_view domain;  ///< "" or ir::kFusedDomain
  std::string_view type;
  int min_inputs = 1;
  int max_inputs = 1;
  std::vector<Inferred> (*infer)(const InferContext&) = nullptr;
  void (*evaluate)(const EvalContext&) = nullptr;
  Card card;
  int min_opset = 1;
  int max_outputs = 1;
  /// Kernels of other operators get float32 for 16-bit floats, and what they make is rounded once.
  bool takes_halves = false;
  /// For operators that stand for several others: writes these (ops/speller.h). Nothing where they depend on sizes that
  /// are not known yet.
  std::optional<SpelledOut> (*spell)(Speller&) = nullptr;
};

/// The element type that an input in a slot has where an operator reads maps of the type `maps` and makes one of the
/// type `output`; nothing: its own.
std::optional<DType> type_in_slot(Slot slot, DType maps, DType output);

/// The operator, or null. The table is in registry.cc.
const Operator* find_operator(std::string_view domain, std::string_view type);
std::span<const Operator> all_operators();

/// The card of a node's operator; one that says nothing where there is no such operator.
const Card& card_of(const ir::Node& node);

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
