#include "onnx/attribute.h"

#include "base/error.h"

namespace effdet::onnx_io {

ir::Attribute take_attribute(pb::AttributeProto& proto, const ExternalData& external, const std::string& where) {
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
      return take_tensor(*proto.mutable_t(), external, where);
    case pb::AttributeProto::UNDEFINED:
      bad_input("{} has no type", where);
    case pb::AttributeProto::GRAPH:
    case pb::AttributeProto::GRAPHS:
      fail(ErrorCode::kUnsupported, "{}: subgraphs are not supported", where);
    default:
      fail(ErrorCode::kUnsupported, "{}: attribute type {} is not supported", where, proto.type());
  }
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
};

}  // namespace

void put_attribute(const std::string& name, const ir::Attribute& attribute, pb::AttributeProto& proto) {
  proto.set_name(name);
  std::visit(AttributeWriter{proto}, attribute);
}

}  // namespace effdet::onnx_io
