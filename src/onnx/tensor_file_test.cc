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
}

}  // namespace
}  // namespace effdet::onnx
