// The graph that everything between the ONNX reader and the compiler works on: ONNX-level operators on typed values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/tensor.h"
#include "ir/layout.h"

namespace effdet::ir {

/// Index of a value in its graph; kNoValue stands for an optional input that is absent.
using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;

class Graph;

/// What a file says and this library has no words for: an ONNX message's bytes, which the writer puts back.
using Message = std::shared_ptr<const std::string>;

/// A tensor that flows: a graph input, a node's output, or a constant.
struct Value {
  std::string name;
  DType dtype = DType::kF32;
  /// Nothing: the rank is unknown. A dimension of -1 is unknown.
  std::optional<Shape> shape;
  /// Set for constants (ONNX initializers); shared between copies of the graph.
  std::optional<Tensor> constant;
  /// The type that the file declares (TypeProto), where it says more than dtype and shape do: a sequence, dimensions
  /// with names.
  Message declared;
  /// An initializer (TensorProto) of a type that tensors do not have: strings, 4-bit integers. It is no constant, for
  /// nobody could read it.
  Message initializer;
  /// Set by ops::infer_shapes(), but for what a Transpose makes: that lies as the compiler says.
  Layout layout = Layout::kPlain;
};

/// An attribute that only its operator understands: graphs, types, tensors of strings.
class OpaqueAttribute {
 public:
  virtual ~OpaqueAttribute() = default;
  /// The bytes of its AttributeProto.
  const std::string& message() const { return message_; }
  /// The graph that it is. Its inputs are the graph's own, then the values around the node that it reads, by the names
  /// that these had in the file. Throws Error(kUnsupported) where it is no graph, and Error(kBadInput) for a graph that
  /// contradicts itself.
  virtual Graph graph() const = 0;

 protected:
  std::string message_;
};

/// An attribute's value; the alternatives are ONNX's.
using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor, std::shared_ptr<const OpaqueAttribute>>;

/// One operator. Attributes that are absent have the operator's default.
struct Node {
  std::string op;               ///< "Conv", "Add", ...
  std::string domain;           ///< "" is ONNX's own; kFusedDomain holds our fused operators
  std::string name;             ///< tells where the node comes from
  std::vector<ValueId> inputs;  ///< kNoValue for an absent optional one
  std::vector<ValueId> outputs;
  std::map<std::string, Attribute> attributes;
  /// The last so many inputs are no operands: the graphs among the attributes read them, by these names.
  std::vector<std::string> captures;
  /// What else the file says of the node (NodeProto): a doc string, metadata.
  Message extra;

  /// Set by ops::infer_shapes: what the node makes is not known, since its operator or the type of an input is not. No
  /// rewrite may look into it.
  bool opaque = false;
  /// Set by passes::join_branches: stood in a branch of an If, and is to be run only where a Choose takes what follows
  /// from it.
  bool conditional = false;

  bool is(std::string_view type) const { return !opaque && op == type && domain.empty(); }
  const Attribute* find(std::string_view attribute) const;
  /// The attribute, or a default where it is absent; Error(kBadInput) where it has another type.
  int64_t get_int(std::string_view attribute, int64_t otherwise) const;
  float get_float(std::string_view attribute, float otherwise) const;
  std::string get_string(std::string_view attribute, std::string_view otherwise) const;
  std::vector<int64_t> get_ints(std::string_view attribute, std::vector<int64_t> otherwise) const;
};

/// Domain of operators that fusion makes (src/ops/fused); they have reference kernels like all others.
inline constexpr std::string_view kFusedDomain = "ai.effdet";

/// Nodes in topological order over values in an arena. Removed values stay as unused entries until compact().
class Graph {
 public:
  std::string name = "efficientdet";
  int64_t opset = 11;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;  ///< without constants
  std::vector<ValueId> outputs;
  std::map<std::string, std::string> metadata;  ///< ONNX metadata_props; docs/onnx-metadata.md names ours

  /// Versions of the operator sets of other domains, where the graph comes from a file.
  std::map<std::string, int64_t> imports;
  /// Functions of the model (FunctionProto) that nodes call.
  std::vector<Message> functions;
  /// Names that the graphs inside nodes define: no new value may have one of them, since it would be hidden there.
  std::set<std::string, std::less<>> inner_names;
  /// Version of ONNX's format of the file whose messages nodes hold; 0: they hold none.
  int64_t ir_version = 0;

  ValueId add_value(Value value);
  ValueId add_input(std::string name, DType dtype, Shape shape);
  ValueId add_constant(std::string name, Tensor tensor);
  /// Appends a node with one output (of unknown shape until infer_shapes) and returns that output.
  ValueId add_node(std::string op, std::string node_name, std::vector<ValueId> node_inputs,
                   std::map<std::string, Attribute> attributes = {}, std::string domain = "");

  size_t value_count() const { return values_.size(); }
  Value& value(ValueId id) { return values_.at(static_cast<size_t>(id)); }
  const Value& value(ValueId id) const { return values_.at(static_cast<size_t>(id)); }
  /// The constant that an input is, or nothing where the id is absent or not constant.
  const Tensor* constant(ValueId id) const;
  /// Whether the value is there from the beginning: a constant, or an initializer that nobody can read.
  bool is_given(ValueId id) const { return value(id).constant || value(id).initializer; }
  /// The value of that name, or kNoValue.
  ValueId find_value(std::string_view value_name) const;
  /// Whether a new value may not have that name.
  bool is_taken(std::string_view value_name) const {
    return inner_names.contains(value_name) || find_value(value_name) != kNoValue;
  }

  /// Makes every reader of `from` (nodes and graph outputs) read `to`.
  void replace_uses(ValueId from, ValueId to);
  /// Drops nodes whose outputs nobody reads, values nobody refers to, and renumbers the values.
  void compact();

 private:
  std::vector<Value> values_;
};

/// Who makes and who reads each value; valid until the graph changes, but for changes that it is told of.
class Uses {
 public:
  explicit Uses(const Graph& graph);
  /// Index of the producing node, or -1.
  int producer(ValueId id) const { return producer_.at(static_cast<size_t>(id)); }
  /// Indices of reading nodes, once for each input that reads.
  const std::vector<int>& readers(ValueId id) const { return readers_.at(static_cast<size_t>(id)); }
  bool is_output(ValueId id) const { return is_output_.at(static_cast<size_t>(id)); }
  /// The only reader of a value that is no graph output, or -1.
  int sole_reader(ValueId id) const;

  /// Node `node` makes the value now.
  void set_producer(ValueId id, int node) { producer_.at(static_cast<size_t>(id)) = node; }
  /// Node `node` reads the value once more, or once less.
  void add_reader(ValueId id, int node) { readers_.at(static_cast<size_t>(id)).push_back(node); }
  void remove_reader(ValueId id, int node);

 private:
  std::vector<int> producer_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> is_output_;
};

/// The node that makes a value for one reader and nobody else; null where there is none, and for kNoValue.
Node* sole_producer(Graph& graph, const Uses& uses, ValueId id);

/// The nodes whose values `last` writes: itself, or of a Concat the sole producers of its parts (null for other parts).
std::vector<Node*> producers_before(Graph& graph, const Uses& uses, Node& last);

/// Brings nodes into topological order. Throws Error(kBadInput) that names a node of a cycle.
void sort_nodes(Graph& graph);

/// Checks the structure: ids in range, topological order, each value made once, constants not overwritten, names unique
/// and not empty. Throws Error(kBadInput) naming the node and value; passes call it through the pipeline after each
/// rewrite.
void verify(const Graph& graph);

/// One line a node, for tests, logs and dumps: `%y:f32[1x8x4x4] = Conv(%x, %w) {group=1} // name`.
std::string to_text(const Graph& graph);

}  // namespace effdet::ir
