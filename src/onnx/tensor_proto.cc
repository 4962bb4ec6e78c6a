// Checks shape, type and byte count of a TensorProto, and takes its values over.
#include "onnx/tensor_proto.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "ir/messages.h"

namespace effdet::onnx {
namespace {

constexpr int kMaxRank = 32;

Shape checked_shape(const pb::TensorProto& proto, DType dtype, const std::string& where) {
  if (proto.dims_size() > kMaxRank) bad_input("{} has {} dimensions", where, proto.dims_size());
  Shape shape(proto.dims().begin(), proto.dims().end());
  for (int64_t dim : shape)
    if (dim < 0) bad_input("{} has dimension {}", where, dim);
  const auto count = checked_numel(shape);
  if (!count || !checked_mul(*count, dtype_size(dtype))) bad_input("{}: its shape {} wraps", where, shape_text(shape));
  return shape;
}

int filled_fields(const pb::TensorProto& proto) {
  return (proto.raw_data().empty() ? 0 : 1) + (proto.float_data_size() > 0) + (proto.double_data_size() > 0) +
         (proto.int32_data_size() > 0) + (proto.int64_data_size() > 0) + (proto.uint64_data_size() > 0) +
         (proto.string_data_size() > 0);
}

/// A bool that is neither 0 nor 1 is undefined behaviour as soon as it is read as one.
void check_bools(const Tensor& tensor, const std::string& where) {
  if (tensor.dtype() != DType::kBool) return;
  for (std::byte b : tensor.bytes())
    if (b > std::byte{1}) bad_input("{} holds {} as a bool", where, static_cast<int>(b));
}

void check_size(uint64_t found, const Shape& shape, DType dtype, const std::string& where) {
  const uint64_t expected = *checked_numel(shape) * dtype_size(dtype);
  if (found != expected)
    bad_input("{} has {} bytes of data, its type {} and shape {} need {}", where, found, dtype_name(dtype),
              shape_text(shape), expected);
}

Tensor take_raw(pb::TensorProto& proto, DType dtype, const Shape& shape, const std::string& where) {
  check_size(proto.raw_data().size(), shape, dtype, where);
  const auto owner = std::make_shared<std::string>(std::move(*proto.mutable_raw_data()));
  const auto* bytes = reinterpret_cast<const std::byte*>(owner->data());
  if (reinterpret_cast<uintptr_t>(bytes) % dtype_size(dtype) != 0) {  // a short string lies inside its object
    Tensor copy(dtype, shape);
    std::memcpy(copy.mutable_bytes().data(), bytes, owner->size());
    return copy;
  }
  return Tensor(dtype, shape, {owner, bytes});
}

/// Values of one of the typed fields, stored as Stored (16-bit floats travel as their bits in int32_data).
template <typename Stored, typename Field>
Tensor from_field(const Field& field, DType dtype, const Shape& shape, const std::string& where) {
  check_size(static_cast<uint64_t>(field.size()) * sizeof(Stored), shape, dtype, where);
  Tensor tensor(dtype, shape);
  auto* out = reinterpret_cast<Stored*>(tensor.mutable_bytes().data());
  for (int i = 0; i < field.size(); ++i) {
    out[i] = static_cast<Stored>(field.Get(i));
    if constexpr (std::is_integral_v<Stored>)  // fields are wider than some types
      if (!std::in_range<Stored>(field.Get(i))) bad_input("{} holds {} as {}", where, field.Get(i), dtype_name(dtype));
  }
  return tensor;
}

Tensor from_typed_field(const pb::TensorProto& proto, DType dtype, const Shape& shape, const std::string& where) {
  switch (dtype) {
    case DType::kF32:
      return from_field<float>(proto.float_data(), dtype, shape, where);
    case DType::kF64:
      return from_field<double>(proto.double_data(), dtype, shape, where);
    case DType::kI64:
      return from_field<int64_t>(proto.int64_data(), dtype, shape, where);
    case DType::kU64:
      return from_field<uint64_t>(proto.uint64_data(), dtype, shape, where);
    case DType::kU32:
      return from_field<uint32_t>(proto.uint64_data(), dtype, shape, where);
    case DType::kI32:
      return from_field<int32_t>(proto.int32_data(), dtype, shape, where);
    case DType::kI16:
      return from_field<int16_t>(proto.int32_data(), dtype, shape, where);
    case DType::kU16:
    case DType::kF16:
    case DType::kBF16:
      return from_field<uint16_t>(proto.int32_data(), dtype, shape, where);
    case DType::kI8:
      return from_field<int8_t>(proto.int32_data(), dtype, shape, where);
    case DType::kU8:
    case DType::kBool:
      return from_field<uint8_t>(proto.int32_data(), dtype, shape, where);
    case DType::kUnknown:
      break;
  }
  fail(ErrorCode::kInternal, "{}: unexpected element type", where);
}

}  // namespace

bool is_other_type(int32_t type) { return !ir::other_type_name(type).empty(); }

std::optional<DType> known_dtype(int32_t type) {
  switch (type) {
    case pb::TensorProto::FLOAT:
      return DType::kF32;
    case pb::TensorProto::UINT8:
      return DType::kU8;
    case pb::TensorProto::INT8:
      return DType::kI8;
    case pb::TensorProto::UINT16:
      return DType::kU16;
    case pb::TensorProto::INT16:
      return DType::kI16;
    case pb::TensorProto::INT32:
      return DType::kI32;
    case pb::TensorProto::INT64:
      return DType::kI64;
    case pb::TensorProto::BOOL:
      return DType::kBool;
    case pb::TensorProto::FLOAT16:
      return DType::kF16;
    case pb::TensorProto::DOUBLE:
      return DType::kF64;
    case pb::TensorProto::UINT32:
      return DType::kU32;
    case pb::TensorProto::UINT64:
      return DType::kU64;
    case pb::TensorProto::BFLOAT16:
      return DType::kBF16;
    default:
      return std::nullopt;
  }
}

std::string type_name(int32_t type) {
  if (const auto dtype = known_dtype(type)) return std::string(dtype_name(*dtype));
  const std::string_view other = ir::other_type_name(type);
  return other.empty() ? std::to_string(type) : std::string(other);
}

DType dtype_of_proto(int32_t type, const std::string& where) {
  if (type == pb::TensorProto::UNDEFINED) bad_input("{} has no element type", where);
  const auto dtype = known_dtype(type);
  if (!dtype) fail(ErrorCode::kUnsupported, "{}: element type {} is not supported", where, type_name(type));
  return *dtype;
}

int32_t proto_of_dtype(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return pb::TensorProto::FLOAT;
    case DType::kU8:
      return pb::TensorProto::UINT8;
    case DType::kI8:
      return pb::TensorProto::INT8;
    case DType::kU16:
      return pb::TensorProto::UINT16;
    case DType::kI16:
      return pb::TensorProto::INT16;
    case DType::kI32:
      return pb::TensorProto::INT32;
    case DType::kI64:
      return pb::TensorProto::INT64;
    case DType::kBool:
      return pb::TensorProto::BOOL;
    case DType::kF16:
      return pb::TensorProto::FLOAT16;
    case DType::kF64:
      return pb::TensorProto::DOUBLE;
    case DType::kU32:
      return pb::TensorProto::UINT32;
    case DType::kU64:
      return pb::TensorProto::UINT64;
    case DType::kBF16:
      return pb::TensorProto::BFLOAT16;
    case DType::kUnknown:
      break;
  }
  fail(ErrorCode::kInternal, "unknown element type {}", static_cast<int>(dtype));
}

Tensor take_tensor(pb::TensorProto& proto, const ExternalData& external, const std::string& where) {
  const DType dtype = dtype_of_proto(proto.data_type(), where);
  const Shape shape = checked_shape(proto, dtype, where);
  if (proto.has_segment()) fail(ErrorCode::kUnsupported, "{}: data in segments is not supported", where);
  const int fields = filled_fields(proto);
  const bool is_external = proto.data_location() == pb::TensorProto::EXTERNAL;
  if (fields > 1) bad_input("{} has data in {} fields", where, fields);
  if (is_external && fields > 0) bad_input("{} has data in the file and outside", where);
  if (!is_external && proto.external_data_size() > 0) bad_input("{} names external data but is not external", where);
  Tensor tensor = is_external            ? external.read(proto, dtype, shape, where)
                  : proto.has_raw_data() ? take_raw(proto, dtype, shape, where)
                                         : from_typed_field(proto, dtype, shape, where);
  check_bools(tensor, where);
  return tensor;
}

}  // namespace effdet::onnx
