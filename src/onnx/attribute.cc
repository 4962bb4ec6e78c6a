// Reads attributes of nodes; those that graphs have no type for stay messages.
#include "onnx/attribute.h"

#include "base/error.h"
#include "onnx/graph_reader.h"
#include "onnx/subgraph.h"

namespace effdet::onnx {

namespace {

/// An attribute that stays a message. Its graph, if it is one, is read when somebody asks for it.
class KeptAttribute : public ir::OpaqueAttribute {
 public:
  KeptAttribute(const pb::AttributeProto& proto, std::shared_ptr<const Origin> origin) : origin_(std::move(origin)) {
    message_ = proto.SerializeAsString();
  }

  ir::Graph graph() const override {
    pb::AttributeProto proto;
    if (!proto.ParseFromString(message_)) fail(ErrorCode::kInternal, "an attribute does not parse any more");
    if (!proto.has_g()) fail(ErrorCode::kUnsupported, "{}: attribute '{}' is no graph", origin_->file, proto.name());
    return read_inner_graph(*proto.mutable_g(), origin_);
  }

 private:
  std::shared_ptr<const Origin> origin_;
};

/// Puts external data inside: what is kept as a message goes to another place than its file.
void embed(pb::TensorProto& tensor, const ExternalData& external, const std::string& where) {
  if (tensor.data_location() != pb::TensorProto::EXTERNAL) return;
  const Tensor read = take_tensor(tensor, external, where);
  external.count_copy(read.byte_size(), where);
  tensor.clear_data_location();
  tensor.clear_external_data();
  tensor.set_raw_data(read.bytes().data(), read.byte_size());
}

void embed(pb::SparseTensorProto& tensor, const ExternalData& external, const std::string& where) {
  if (tensor.has_values()) embed(*tensor.mutable_values(), external, where);
  if (tensor.has_indices()) embed(*tensor.mutable_indices(), external, where);
}

void embed(pb::AttributeProto& attribute, const ExternalData& external, const std::string& where) {
  if (attribute.has_t()) embed(*attribute.mutable_t(), external, where);
  if (attribute.has_sparse_tensor()) embed(*attribute.mutable_sparse_tensor(), external, where);
  for (auto& tensor : *attribute.mutable_tensors()) embed(tensor, external, where);
  for (auto& tensor : *attribute.mutable_sparse_tensors()) embed(tensor, external, where);
  for_each_graph(attribute, [&](pb::GraphProto& graph) {
    for (auto& tensor : *graph.mutable_initializer()) embed(tensor, external, where);
    for (auto& tensor : *graph.mutable_sparse_initializer()) embed(tensor, external, where);
    for (auto& node : *graph.mutable_node())
      for (auto& inner : *node.mutable_attribute()) embed(inner, external, where);
  });
}

}  // namespace

ir::Attribute take_attribute(pb::AttributeProto& proto, const ExternalData& external,
                             const std::shared_ptr<const Origin>& origin, const std::string& where) {
  if (!proto.ref_attr_name().empty()) bad_input("{} refers to a function's attribute outside of a function", where);
  switch (proto.type()) {
    case pb::AttributeProto::INT:
      return static_cast<int64_t>(proto.i());
    case pb::AttributeProto::FLOAT:
      return proto.f();
    case pb::AttributeProto::STRING:
      return proto.s();
    case pb::AttributeProto::INTS:
      return std::vector<int64_t>(proto.ints().begin(), proto.ints().end());
    case pb::AttributeProto::FLOATS:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case pb::AttributeProto::STRINGS:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case pb::AttributeProto::TENSOR:
      if (known_dtype(proto.t().data_type())) return take_tensor(*proto.mutable_t(), external, where);
      break;
    case pb::AttributeProto::UNDEFINED:
      bad_input("{} has no type", where);
    default:
      break;
  }
  embed(proto, external, where);
  return std::make_shared<const KeptAttribute>(proto, origin);
}

void put_tensor_header(const std::string& name, const Tensor& tensor, pb::TensorProto& proto) {
  if (!name.empty()) proto.set_name(name);
  proto.set_data_type(proto_of_dtype(tensor.dtype()));
  for (int64_t dim : tensor.shape()) proto.add_dims(dim);
}

namespace {

/// Fills an AttributeProto from each of the alternatives.
struct AttributeWriter {
  pb::AttributeProto& proto;

  void operator()(int64_t value) const {
    proto.set_type(pb::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(pb::AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(pb::AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const std::vector<int64_t>& values) const {
    proto.set_type(pb::AttributeProto::INTS);
    proto.mutable_ints()->Assign(values.begin(), values.end());
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(pb::AttributeProto::FLOATS);
    proto.mutable_floats()->Assign(values.begin(), values.end());
  }
  void operator()(const std::vector<std::string>& values) const {
    proto.set_type(pb::AttributeProto::STRINGS);
    for (const std::string& value : values) proto.add_strings(value);
  }
  void operator()(const Tensor& tensor) const {
    proto.set_type(pb::AttributeProto::TENSOR);
    put_tensor_header("", tensor, *proto.mutable_t());
    proto.mutable_t()->set_raw_data(tensor.bytes().data(), tensor.byte_size());
  }
  void operator()(const std::shared_ptr<const ir::OpaqueAttribute>& kept) const {
    if (!proto.ParseFromString(kept->message())) fail(ErrorCode::kInternal, "an attribute does not parse any more");
  }
};

}  // namespace

void put_attribute(const std::string& name, const ir::Attribute& attribute, pb::AttributeProto& proto) {
  std::visit(AttributeWriter{proto}, attribute);
  proto.set_name(name);
}

}  // namespace effdet::onnx
