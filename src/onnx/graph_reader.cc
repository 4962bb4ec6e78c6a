// Reads inputs, initializers and nodes of a GraphProto, and the shapes that it declares.
#include "onnx/graph_reader.h"

#include <unordered_map>

#include "base/error.h"
#include "onnx/subgraph.h"

namespace effdet::onnx {
namespace {

ir::Message kept(const google::protobuf::Message& message) {
  return std::make_shared<const std::string>(message.SerializeAsString());
}

/// Whether a type says more than an element type and numbers.
bool says_more(const pb::TypeProto& type) {
  if (!type.has_tensor_type() || !type.denotation().empty() || !known_dtype(type.tensor_type().elem_type()))
    return true;
  const auto& dims = type.tensor_type().shape().dim();
  return std::any_of(dims.begin(), dims.end(),
                     [](const auto& dim) { return dim.has_dim_param() || !dim.denotation().empty(); });
}

/// Turns one GraphProto into a graph; tensors move out of the message as they are read.
class GraphReader {
 public:
  GraphReader(pb::GraphProto& proto, std::shared_ptr<const Origin> origin, const ExternalData& external, bool inner)
      : proto_(proto), origin_(std::move(origin)), file_(origin_->file), external_(external), inner_(inner) {}

  ir::Graph read() {
    graph_.name = proto_.name();
    graph_.opset = origin_->opset == 0 ? kPlainOpset : origin_->opset;
    if (proto_.sparse_initializer_size() > 0)
      fail(ErrorCode::kUnsupported, "{}: sparse initializers are not supported", file_);
    for (auto& tensor : *proto_.mutable_initializer()) add_initializer(tensor);
    for (const auto& input : proto_.input()) add_input(input);
    for (const auto& node : proto_.node()) declare_outputs(node);
    for (auto& node : *proto_.mutable_node()) add_node(node);
    for (const auto& output : proto_.output()) {
      graph_.outputs.push_back(find(output.name(), "the graph's output"));
      set_type(output, graph_.outputs.back());
      keep_type(output, graph_.outputs.back());
    }
    for (const auto& value : proto_.value_info())
      if (const auto found = ids_.find(value.name()); found != ids_.end()) set_type(value, found->second);
    name_errors([&] {
      ir::sort_nodes(graph_);
      ir::verify(graph_);
    });
    return std::move(graph_);
  }

 private:
  /// Errors of the graph's own checks know nodes but not the file.
  template <typename F>
  void name_errors(F&& check) const {
    try {
      check();
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("{}: {}", file_, error.what()));
    }
  }

  void declare(const std::string& name, ir::ValueId id, std::string_view what) {
    if (name.empty()) bad_input("{}: {} has no name", file_, what);
    if (name.find('\0') != std::string::npos) bad_input("{}: the name of {} holds a NUL", file_, what);
    if (!ids_.emplace(name, id).second) bad_input("{}: {} '{}' is defined twice", file_, what, name);
  }

  void add_initializer(pb::TensorProto& tensor) {
    const std::string where = fmt::format("{}: initializer '{}'", file_, tensor.name());
    const bool other = is_other_type(tensor.data_type());
    declare(tensor.name(),
            other ? keep_initializer(tensor, where)
                  : graph_.add_constant(tensor.name(), take_tensor(tensor, external_, where)),
            "initializer");
  }

  /// One of a type that tensors do not have: only operators that are not known either can read it.
  ir::ValueId keep_initializer(const pb::TensorProto& tensor, const std::string& where) {
    if (tensor.data_location() == pb::TensorProto::EXTERNAL)
      fail(ErrorCode::kUnsupported, "{}: element type {} is not supported in external data", where,
           type_name(tensor.data_type()));
    ir::Value value{tensor.name(), DType::kUnknown};
    value.shape = Shape(tensor.dims().begin(), tensor.dims().end());
    value.initializer = kept(tensor);
    return graph_.add_value(std::move(value));
  }

  /// What the file declares of a value that a node makes; shape inference has the last word.
  void set_type(const pb::ValueInfoProto& declared, ir::ValueId id) {
    ir::Value& value = graph_.value(id);
    if (graph_.is_given(id) || !declared.has_type()) return;
    if (says_more(declared.type())) value.declared = kept(declared.type());
    if (!declared.type().has_tensor_type()) return;
    const auto& type = declared.type().tensor_type();
    if (type.elem_type() == pb::TensorProto::UNDEFINED)
      bad_input("{}: value '{}' has no element type", file_, value.name);
    value.dtype = known_dtype(type.elem_type()).value_or(DType::kUnknown);
    if (type.has_shape()) value.shape = shape_of(type);
  }

  /// What inference cannot tell of an output is written as it was declared.
  void keep_type(const pb::ValueInfoProto& output, ir::ValueId id) {
    if (!graph_.is_given(id) && output.has_type()) graph_.value(id).declared = kept(output.type());
  }

  /// Before IR version 4 initializers were listed among the inputs too.
  void add_input(const pb::ValueInfoProto& input) {
    const auto known = ids_.find(input.name());
    if (known != ids_.end() && graph_.is_given(known->second)) return;
    const ir::ValueId id = graph_.add_value({input.name(), DType::kUnknown});
    graph_.inputs.push_back(id);
    declare(input.name(), id, "input");
    set_type(input, id);
  }

  /// Files need not be in order, so all values exist before the first node is read.
  void declare_outputs(const pb::NodeProto& node) {
    for (const std::string& name : node.output())
      if (!name.empty())
        declare(name, graph_.add_value({name, DType::kUnknown}), fmt::format("output of node '{}'", label_of(node)));
  }

  void add_node(pb::NodeProto& proto) {
    ir::Node node{proto.op_type(), canonical_domain(proto.domain()), label_of(proto)};
    const std::string where = fmt::format("{}: node '{}' ({})", file_, node.name, node.op);
    if (node.domain.empty() && origin_->opset == 0)
      bad_input("{}: opset_import does not name ONNX's own domain, of which this operator is", where);
    const auto read = [&](const std::string& name) { return find(name, fmt::format("input of node '{}'", node.name)); };
    for (const std::string& name : proto.input()) node.inputs.push_back(name.empty() ? ir::kNoValue : read(name));
    for (const std::string& name : proto.output()) node.outputs.push_back(name.empty() ? ir::kNoValue : ids_.at(name));
    name_first_output(node);
    InnerNames inner;
    for (const auto& attribute : proto.attribute()) collect_names(attribute, inner);
    for (const std::string& name : inner.captured) node.inputs.push_back(read(name));
    node.captures.assign(inner.captured.begin(), inner.captured.end());
    graph_.inner_names.merge(inner.defined);
    for (auto& attribute : *proto.mutable_attribute()) {
      const std::string at = fmt::format("{}: attribute '{}'", where, attribute.name());
      if (!node.attributes.emplace(attribute.name(), take_attribute(attribute, external_, origin_, at)).second)
        bad_input("{} appears twice", at);
    }
    spread_stride(node);
    node.extra = extra_of(proto);
    graph_.nodes.push_back(std::move(node));
  }

  /// PyTorch takes one stride for all axes, and exports it as one number, which ONNX does not allow. Exports of
  /// Yet-Another-EfficientDet-Pytorch have it.
  static void spread_stride(ir::Node& node) {
    const auto stride = node.attributes.find("strides"), kernel = node.attributes.find("kernel_shape");
    if (!node.is("Conv") || stride == node.attributes.end() || kernel == node.attributes.end()) return;
    auto* of_axes = std::get_if<std::vector<int64_t>>(&stride->second);
    const auto* sides = std::get_if<std::vector<int64_t>>(&kernel->second);
    if (of_axes == nullptr || sides == nullptr || of_axes->size() != 1 || sides->size() > 3) return;
    of_axes->resize(sides->size(), of_axes->front());
  }

  /// Files may leave out each output of these; here every node has a first one.
  void name_first_output(ir::Node& node) {
    if (!node.is("LSTM") && !node.is("GRU") && !node.is("RNN")) return;
    if (node.outputs.empty() || node.outputs[0] != ir::kNoValue) return;
    std::string name = node.name + "_output_0";
    while (ids_.contains(name)) name = fmt::format("{}_output_0_{}", node.name, unnamed_++);
    node.outputs[0] = graph_.add_value({name, DType::kUnknown});
    declare(name, node.outputs[0], "output");
  }

  /// What a node's message says beside what a node has: comments, and the order of its attributes. Precondition: these
  /// have been taken.
  static ir::Message extra_of(pb::NodeProto& proto) {
    for (auto* list : {proto.mutable_input(), proto.mutable_output()}) list->Clear();
    proto.clear_op_type();
    proto.clear_domain();
    proto.clear_name();
    google::protobuf::RepeatedPtrField<pb::AttributeProto> comments;
    bool says_more = false;
    for (const auto& attribute : proto.attribute()) {
      auto& comment = *comments.Add();
      comment.set_name(attribute.name());
      if (!attribute.doc_string().empty()) comment.set_doc_string(attribute.doc_string());
      says_more = says_more || comment.has_doc_string();
    }
    says_more = says_more || !std::ranges::is_sorted(comments, {}, &pb::AttributeProto::name);
    proto.mutable_attribute()->Swap(&comments);
    if (!says_more) proto.clear_attribute();
    return proto.ByteSizeLong() == 0 ? nullptr : kept(proto);
  }

  /// The value of that name; a graph inside a node may read those around it.
  ir::ValueId find(const std::string& name, const std::string& what) {
    if (const auto found = ids_.find(name); found != ids_.end()) return found->second;
    if (!inner_ || name.empty()) bad_input("{}: {}: nothing makes '{}'", file_, what, name);
    const ir::ValueId id = graph_.add_value({name, DType::kUnknown});
    graph_.inputs.push_back(id);
    declare(name, id, what);
    return id;
  }

  pb::GraphProto& proto_;
  std::shared_ptr<const Origin> origin_;
  const std::string& file_;
  const ExternalData& external_;
  bool inner_;
  size_t unnamed_ = 0;  ///< outputs that got a number: it goes on, so that many take no longer
  ir::Graph graph_;
  std::unordered_map<std::string, ir::ValueId> ids_;
};

}  // namespace

ir::Graph read_graph(pb::GraphProto& proto, const std::shared_ptr<const Origin>& origin, const ExternalData& external) {
  return GraphReader(proto, origin, external, false).read();
}

ir::Graph read_inner_graph(pb::GraphProto& proto, const std::shared_ptr<const Origin>& origin) {
  return GraphReader(proto, origin, ExternalData(origin->file), true).read();
}

}  // namespace effdet::onnx
