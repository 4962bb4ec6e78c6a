// Tensor files: values are read, and hostile ones refused.
#include "onnx/tensor_file.h"

#include <gtest/gtest.h>

#include "onnx/test_util.h"

namespace effdet::onnx {
namespace {

pb::TensorProto small_tensor() {
  pb::TensorProto proto;
  proto.set_name("x");
  proto.set_data_type(pb::TensorProto::FLOAT);
  proto.add_dims(2);
  proto.add_float_data(1);
  proto.add_float_data(2);
  return proto;
}

TensorFile read(const std::string& bytes) {
  const TestFolder folder("onnx");
  const auto path = folder / "input_0.pb";
  write_file(path, bytes, false);
  return read_tensor_file(path);
}

ErrorCode refusal_of(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const Error& error) {
    EXPECT_CONTAINS(std::string(error.what()), "input_0.pb");
    return error.code();
  }
  ADD_FAILURE() << "the tensor was accepted";
  return ErrorCode::kInternal;
}

TEST(TensorFile, NameAndValues) {
  const TensorFile file = read(small_tensor().SerializeAsString());
  EXPECT_EQ(file.name, "x");
  EXPECT_EQ(file.tensor.shape(), Shape{2});
  EXPECT_EQ(file.tensor.data<float>()[1], 2);
}

/// Where values are not raw bytes, a type's values lie in the field that the format has for it.
TEST(TensorFile, EveryTypeHasItsField) {
  const auto values_of = [](int type, const std::function<void(pb::TensorProto&, int)>& add) {
    pb::TensorProto proto;
    proto.set_data_type(type);
    proto.add_dims(3);
    for (const int value : {0, 1, 100}) add(proto, value);
    const Tensor tensor = read(proto.SerializeAsString()).tensor.to(DType::kF64);
    return std::vector<double>(tensor.data<double>().begin(), tensor.data<double>().end());
  };
  const std::vector<double> numbers = {0, 1, 100};
  for (const int type : {pb::TensorProto::INT8, pb::TensorProto::UINT8, pb::TensorProto::INT16, pb::TensorProto::UINT16,
                         pb::TensorProto::INT32})
    EXPECT_EQ(values_of(type, [](auto& proto, int value) { proto.add_int32_data(value); }), numbers) << type;
  for (const int type : {pb::TensorProto::UINT32, pb::TensorProto::UINT64})
    EXPECT_EQ(values_of(type, [](auto& proto, int value) { proto.add_uint64_data(static_cast<uint64_t>(value)); }),
              numbers)
        << type;
  EXPECT_EQ(values_of(pb::TensorProto::INT64, [](auto& proto, int value) { proto.add_int64_data(value); }), numbers);
  EXPECT_EQ(values_of(pb::TensorProto::FLOAT,
                      [](auto& proto, int value) { proto.add_float_data(static_cast<float>(value)); }),
            numbers);
  EXPECT_EQ(values_of(pb::TensorProto::DOUBLE, [](auto& proto, int value) { proto.add_double_data(value); }), numbers);
  EXPECT_EQ(values_of(pb::TensorProto::BOOL, [](auto& proto, int value) { proto.add_int32_data(value != 0); }),
            (std::vector<double>{0, 1, 1}));
  // 16-bit floats by their bits.
  EXPECT_EQ(values_of(pb::TensorProto::FLOAT16,
                      [](auto& proto, int value) {
                        proto.add_int32_data(value == 0 ? 0 : value == 1 ? 0x3C00 : 0x5640);
                      }),
            numbers);
  EXPECT_EQ(values_of(pb::TensorProto::BFLOAT16,
                      [](auto& proto, int value) {
                        proto.add_int32_data(value == 0 ? 0 : value == 1 ? 0x3F80 : 0x42C8);
                      }),
            numbers);
}

TEST(BadInput, Case55_TensorFilesCutAndFlipped) {
  const std::string whole = small_tensor().SerializeAsString();
  const size_t data_end = whole.size() - 3;  // the name comes last, and may be absent
  for (size_t size = 0; size < data_end; ++size) EXPECT_NE(refusal_of(whole.substr(0, size)), ErrorCode::kInternal);
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(~flipped[i]);
    try {
      read(flipped);  // some flips change a value or the name: legal
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
    }
  }
}

TEST(BadInput, Case55_TensorFilesAboveTwoGiB) {
  const TestFolder folder("onnx");
  write_file(folder / "input_0.pb", small_tensor().SerializeAsString(), false);
  std::filesystem::resize_file(folder / "input_0.pb", (uint64_t{1} << 31) + 7);  // a hole
  try {
    read_tensor_file(folder / "input_0.pb");
    ADD_FAILURE() << "the tensor was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_CONTAINS(std::string(error.what()), "input_0.pb: 2147483655 bytes; a protobuf message has at most 2 GiB");
  }
}

TEST(BadInput, Case58_TensorFilesWhoseShapeContradictsTheData) {
  auto proto = small_tensor();
  proto.set_dims(0, 3);
  EXPECT_EQ(refusal_of(proto.SerializeAsString()), ErrorCode::kBadInput);
  proto.set_dims(0, -1);
  EXPECT_EQ(refusal_of(proto.SerializeAsString()), ErrorCode::kBadInput);
  proto = small_tensor();
  proto.set_raw_data("12345678");
  EXPECT_EQ(refusal_of(proto.SerializeAsString()), ErrorCode::kBadInput);
  proto = small_tensor();
  proto.set_data_type(pb::TensorProto::STRING);
  EXPECT_EQ(refusal_of(proto.SerializeAsString()), ErrorCode::kUnsupported);
  proto = small_tensor();
  proto.mutable_segment()->set_begin(0);
  EXPECT_EQ(refusal_of(proto.SerializeAsString()), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace effdet::onnx
