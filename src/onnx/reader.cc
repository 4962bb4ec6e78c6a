#include "onnx/reader.h"

#include <unordered_map>

#include "base/error.h"
#include "onnx/attribute.h"

namespace effdet::onnx_io {
namespace {

/// Turns one GraphProto into a graph; tensors move out of the message as they are read.
class GraphReader {
 public:
  GraphReader(pb::ModelProto& model, const std::filesystem::path& path)
      : model_(model), proto_(*model.mutable_graph()), file_(path.string()), external_(path) {}

  ir::Graph read() {
    graph_.name = proto_.name();
    graph_.opset = own_opset(model_);
    if (proto_.sparse_initializer_size() > 0)
      fail(ErrorCode::kUnsupported, "{}: sparse initializers are not supported", file_);
    read_metadata();
    for (auto& tensor : *proto_.mutable_initializer()) add_initializer(tensor);
    for (const auto& input : proto_.input()) add_input(input);
    for (const auto& node : proto_.node()) declare_outputs(node);
    for (auto& node : *proto_.mutable_node()) add_node(node);
    for (const auto& output : proto_.output()) {
      graph_.outputs.push_back(find(output.name(), "the graph's output"));
      set_type(output, graph_.outputs.back());
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

  void read_metadata() {
    for (const auto& entry : model_.metadata_props())
      if (!graph_.metadata.emplace(entry.key(), entry.value()).second)
        bad_input("{}: metadata_props holds '{}' twice", file_, entry.key());
  }

  void declare(const std::string& name, ir::ValueId id, std::string_view what) {
    if (name.empty()) bad_input("{}: {} has no name", file_, what);
    if (name.find('\0') != std::string::npos) bad_input("{}: the name of {} holds a NUL", file_, what);
    if (!ids_.emplace(name, id).second) bad_input("{}: {} '{}' is defined twice", file_, what, name);
  }

  void add_initializer(pb::TensorProto& tensor) {
    const std::string where = fmt::format("{}: initializer '{}'", file_, tensor.name());
    const ir::ValueId id = graph_.add_constant(tensor.name(), take_tensor(tensor, external_, where));
    declare(tensor.name(), id, "initializer");
  }

  /// What the file declares of a value that a node makes; shape inference has the last word.
  void set_type(const pb::ValueInfoProto& declared, ir::ValueId id) {
    ir::Value& value = graph_.value(id);
    if (value.constant || !declared.type().has_tensor_type()) return;
    const std::string where = fmt::format("{}: value '{}'", file_, value.name);
    const auto& type = declared.type().tensor_type();
    value.dtype = dtype_of_proto(type.elem_type(), where);
    if (type.has_shape()) value.shape = shape_of(type);
  }

  /// Before IR version 4 initializers were listed among the inputs too.
  void add_input(const pb::ValueInfoProto& input) {
    const auto known = ids_.find(input.name());
    if (known != ids_.end() && graph_.constant(known->second) != nullptr) return;
    if (!input.type().has_tensor_type())
      fail(ErrorCode::kUnsupported, "{}: input '{}' is no tensor", file_, input.name());
    const ir::ValueId id = graph_.add_value({input.name()});
    graph_.inputs.push_back(id);
    declare(input.name(), id, "input");
    set_type(input, id);
  }

  /// Files need not be in order, so all values exist before the first node is read.
  void declare_outputs(const pb::NodeProto& node) {
    for (const std::string& name : node.output())
      if (!name.empty()) declare(name, graph_.add_value({name}), fmt::format("output of node '{}'", label(node)));
  }

  void add_node(pb::NodeProto& proto) {
    ir::Node node{proto.op_type(), canonical_domain(proto.domain()), label(proto)};
    const std::string where = fmt::format("{}: node '{}' ({})", file_, node.name, node.op);
    for (const std::string& name : proto.input())
      node.inputs.push_back(name.empty() ? ir::kNoValue : find(name, fmt::format("input of node '{}'", node.name)));
    for (const std::string& name : proto.output()) node.outputs.push_back(name.empty() ? ir::kNoValue : ids_.at(name));
    for (auto& attribute : *proto.mutable_attribute()) {
      const std::string at = fmt::format("{}: attribute '{}'", where, attribute.name());
      if (!node.attributes.emplace(attribute.name(), take_attribute(attribute, external_, at)).second)
        bad_input("{} appears twice", at);
    }
    graph_.nodes.push_back(std::move(node));
  }

  static std::string label(const pb::NodeProto& node) {
    return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  }

  ir::ValueId find(const std::string& name, const std::string& what) const {
    const auto found = ids_.find(name);
    if (found == ids_.end()) bad_input("{}: {}: nothing makes '{}'", file_, what, name);
    return found->second;
  }

  pb::ModelProto& model_;
  pb::GraphProto& proto_;
  std::string file_;
  ExternalData external_;
  ir::Graph graph_;
  std::unordered_map<std::string, ir::ValueId> ids_;
};

}  // namespace

ir::Graph read_onnx(const std::filesystem::path& path) {
  const auto model = load_model(path);
  return GraphReader(*model, path).read();
}

}  // namespace effdet::onnx_io
