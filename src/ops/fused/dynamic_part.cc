// ai.effdet::DynamicPart: how attributes say a graph, inference, reference kernel, card.
#include "ops/fused/dynamic_part.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ops/operators.h"
#include "ops/strided.h"

namespace effdet::ops {
namespace {

using Ints = std::vector<int64_t>;
using Texts = std::vector<std::string>;

constexpr int64_t kMostOutputs = 4096;

/// Takes lists out of one: each stands behind its length.
class Lists {
 public:
  Lists(const ir::Node& node, std::string_view attribute)
      : node_(node), attribute_(attribute), numbers_(node.get_ints(attribute, {})) {}

  Ints next() {
    if (at_ >= numbers_.size()) refuse();
    const int64_t length = numbers_[at_++];
    if (length < 0 || static_cast<uint64_t>(length) > numbers_.size() - at_) refuse();
    const auto begin = numbers_.begin() + static_cast<std::ptrdiff_t>(at_);
    at_ += static_cast<size_t>(length);
    return {begin, begin + length};
  }
  bool at_end() const { return at_ == numbers_.size(); }
  [[noreturn]] void refuse() const { node_error(node_, "attribute '{}' is not the lists of a part", attribute_); }

 private:
  const ir::Node& node_;
  std::string_view attribute_;
  Ints numbers_;
  size_t at_ = 0;
};

void append(Ints& lists, std::span<const int64_t> list) {
  lists.push_back(static_cast<int64_t>(list.size()));
  lists.insert(lists.end(), list.begin(), list.end());
}

Texts texts_of(const ir::Node& node, std::string_view attribute) {
  const ir::Attribute* found = node.find(attribute);
  const Texts* texts = found != nullptr ? std::get_if<Texts>(found) : nullptr;
  if (texts == nullptr) node_error(node, "attribute '{}' is no list of names", attribute);
  return *texts;
}

/// The shapes that the outputs have.
std::vector<Shape> limits_of(const ir::Node& node) {
  std::vector<Shape> limits;
  for (Lists lists(node, "limits"); !lists.at_end();) {
    limits.push_back(lists.next());
    if (std::ranges::any_of(limits.back(), [](int64_t dim) { return dim < 0; })) lists.refuse();
  }
  return limits;
}

/// Names of operators in a part say which domain's they are.
std::string_view domain_of(std::string_view op) { return op == "Choose" ? ir::kFusedDomain : std::string_view(); }

/// "3.axis" is the attribute `axis` of node 3.
std::string inner_name(size_t node, std::string_view attribute) { return fmt::format("{}.{}", node, attribute); }

std::map<std::string, ir::Attribute> inner_attributes(const ir::Node& node, size_t index) {
  const std::string prefix = inner_name(index, "");
  std::map<std::string, ir::Attribute> attributes;
  for (auto i = node.attributes.lower_bound(prefix); i != node.attributes.end() && i->first.starts_with(prefix); ++i)
    attributes.emplace(i->first.substr(prefix.size()), i->second);
  return attributes;
}

/// Node `index`, which reads values that are there and makes the next ones.
void append_node(ir::Graph& part, const ir::Node& node, size_t index, ir::Node inner, const Ints& inputs,
                 const Ints& outputs) {
  for (const int64_t id : inputs) {
    if (id < ir::kNoValue || id >= static_cast<int64_t>(part.value_count()))
      node_error(node, "node {} of the part reads value {} of {}", index, id, part.value_count());
    inner.inputs.push_back(static_cast<ir::ValueId>(id));
  }
  for (const int64_t id : outputs) {
    if (id != ir::kNoValue && id != static_cast<int64_t>(part.value_count()))
      node_error(node, "node {} of the part makes value {}, not {}", index, id, part.value_count());
    inner.outputs.push_back(id == ir::kNoValue ? ir::kNoValue : part.add_value({.name = std::to_string(id)}));
  }
  if (!fits_dynamic_part(inner)) node_error(node, "node {} of the part, {}, cannot be in one", index, inner.op);
  part.nodes.push_back(std::move(inner));
}

std::vector<Inferred> infer_dynamic_part(const InferContext& c) {
  ir::Graph part = dynamic_part_of(c.node, c.opset);
  const std::vector<Shape> limits = limits_of(c.node);
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    ir::Value& value = part.value(part.inputs[i]);
    value.dtype = c.dtype(i);
    value.shape = c.shape(i);
  }
  require_supported(part);
  infer_shapes(part);
  std::vector<Inferred> outputs;
  for (size_t i = 0; i < part.outputs.size(); ++i) {
    const ir::Value& value = part.value(part.outputs[i]);
    if (value.shape && !std::ranges::equal(*value.shape, limits[i], std::less_equal()))
      node_error(c.node, "output {} has the shape {}, and room for {}", i, shape_text(*value.shape),
                 shape_text(limits[i]));
    outputs.push_back({value.dtype, limits[i]});
  }
  return outputs;
}

/// Puts what was computed at the beginning of the output, whose other elements are zeros.
void place(const EvalContext& c, size_t i, const Tensor& result) {
  Tensor& out = c.output(i);
  const bool fits = result.dtype() == out.dtype() && std::ranges::equal(result.shape(), out.shape(), std::less_equal());
  if (!fits)
    node_error(c.node, "output {} is {} of shape {} for this image, and has room for {} of {}", i,
               dtype_name(result.dtype()), shape_text(result.shape()), dtype_name(out.dtype()),
               shape_text(out.shape()));
  if (result.shape() == out.shape()) {
    out = result;
    return;
  }
  const size_t size = dtype_size(out.dtype());
  const StridedLoop loop = merge_loop(result.shape(), dense_strides(out.shape()), dense_strides(result.shape()));
  const int64_t count = loop.shape.back(), step = loop.a.back();
  std::byte* to = out.mutable_bytes().data();
  for_each_row(loop, [&](int64_t a, int64_t b, int64_t) {
    const std::byte* from = result.bytes().data() + static_cast<size_t>(b) * size;
    if (step == 1) {
      std::memcpy(to + static_cast<size_t>(a) * size, from, static_cast<size_t>(count) * size);
    } else {
      for (int64_t k = 0; k < count; ++k)
        std::memcpy(to + static_cast<size_t>(a + k * step) * size, from + static_cast<size_t>(k) * size, size);
    }
  });
}

void evaluate_dynamic_part(const EvalContext& c) {
  ir::Graph part = dynamic_part_of(c.node, c.opset);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    part.value(part.inputs[i]).dtype = c.input(i).dtype();
    inputs.push_back(c.input(i));
  }
  const std::vector<Tensor> results = run_reference(part, inputs, c.threads);
  for (size_t i = 0; i < results.size(); ++i)
    if (!c.output(i).empty()) place(c, i, results[i]);
}

}  // namespace

bool fits_dynamic_part(const ir::Node& node) {
  const auto is_plain = [](const auto& attribute) {
    return !std::holds_alternative<Tensor>(attribute.second) &&
           !std::holds_alternative<std::shared_ptr<const ir::OpaqueAttribute>>(attribute.second);
  };
  return node.domain == domain_of(node.op) && find_operator(node.domain, node.op) != nullptr &&
         std::ranges::all_of(node.attributes, is_plain);
}

std::map<std::string, ir::Attribute> dynamic_part_attributes(const ir::Graph& part, std::span<const Shape> limits) {
  Texts operators, names;
  Ints inputs, outputs, sizes;
  std::map<std::string, ir::Attribute> attributes;
  for (size_t n = 0; n < part.nodes.size(); ++n) {
    const ir::Node& node = part.nodes[n];
    operators.push_back(node.op);
    names.push_back(node.name);
    append(inputs, Ints(node.inputs.begin(), node.inputs.end()));
    append(outputs, Ints(node.outputs.begin(), node.outputs.end()));
    for (const auto& [name, attribute] : node.attributes) attributes.emplace(inner_name(n, name), attribute);
  }
  for (const Shape& shape : limits) append(sizes, shape);
  attributes.emplace("operators", std::move(operators));
  attributes.emplace("names", std::move(names));
  attributes.emplace("inputs", std::move(inputs));
  attributes.emplace("outputs", std::move(outputs));
  attributes.emplace("results", Ints(part.outputs.begin(), part.outputs.end()));
  attributes.emplace("limits", std::move(sizes));
  return attributes;
}

ir::Graph dynamic_part_of(const ir::Node& node, int64_t opset) {
  const Texts operators = texts_of(node, "operators"), names = texts_of(node, "names");
  if (operators.empty() || operators.size() > kMostPartNodes || names.size() != operators.size())
    node_error(node, "a part of {} operators and {} names", operators.size(), names.size());
  ir::Graph part;
  part.opset = opset;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ir::kNoValue) node_error(node, "input {} is missing", i);
    part.inputs.push_back(part.add_value({.name = std::to_string(i), .dtype = DType::kUnknown}));
  }
  Lists inputs(node, "inputs"), outputs(node, "outputs");
  for (size_t n = 0; n < operators.size(); ++n) {
    ir::Node inner{operators[n], std::string(domain_of(operators[n])), names[n], {}, {}, inner_attributes(node, n)};
    append_node(part, node, n, std::move(inner), inputs.next(), outputs.next());
  }
  if (!inputs.at_end()) inputs.refuse();
  if (!outputs.at_end()) outputs.refuse();
  for (const int64_t id : node.get_ints("results", {})) {
    if (id < 0 || id >= static_cast<int64_t>(part.value_count()))
      node_error(node, "output {} is value {} of {}", part.outputs.size(), id, part.value_count());
    part.outputs.push_back(static_cast<ir::ValueId>(id));
  }
  if (part.outputs.empty() || part.outputs.size() != limits_of(node).size())
    node_error(node, "attributes 'results' and 'limits' name {} and {} outputs", part.outputs.size(),
               limits_of(node).size());
  return part;
}

std::span<const Operator> fused_dynamic_part_operators() {
  static constexpr Card kCard{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {{ir::kFusedDomain, "DynamicPart", 1, kVariadic, infer_dynamic_part,
                                             evaluate_dynamic_part, kCard, 1, kMostOutputs, true}};
  return kOperators;
}

}  // namespace effdet::ops
