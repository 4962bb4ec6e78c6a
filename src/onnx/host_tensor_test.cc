// Tensors in host memory: files of three kinds, and comparison.
#include "onnx/host_tensor.h"

#include <cmath>
#include <cstring>

#include "effdet/host_tensor.h"
#include "onnx/test_util.h"

namespace effdet::onnx {
namespace {

HostTensor floats(const std::vector<float>& values) {
  HostTensor tensor{.name = "x", .shape = {static_cast<int64_t>(values.size())}};
  tensor.bytes.resize(values.size() * sizeof(float));
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(HostTensor, FilesByTheirExtension) {
  const TestFolder folder("onnx");
  const HostTensor tensor = floats({1, 2, 3, 4});
  effdet::write_npy(tensor, folder / "a.npy");
  const HostTensor npy = read_tensor(folder / "a.npy", {.name = "y"});
  EXPECT_EQ(npy.name, "y");
  EXPECT_EQ(npy.bytes, tensor.bytes);
  write_file(folder / "a.bin", tensor.bytes, false);
  const TensorInfo open{.name = "y", .dtype = "float32", .shape = {2, -1}};
  const HostTensor bin = read_tensor(folder / "a.bin", open);
  EXPECT_EQ(bin.shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(bin.bytes, tensor.bytes);
  pb::TensorProto proto;
  proto.set_data_type(pb::TensorProto::FLOAT);
  proto.add_dims(4);
  for (const float value : {1, 2, 3, 4}) proto.add_float_data(value);
  write_file(folder / "a.pb", proto.SerializeAsString(), false);
  EXPECT_EQ(read_tensor(folder / "a.pb", open).name, "y");
  proto.set_name("own");
  write_file(folder / "a.pb", proto.SerializeAsString(), false);
  EXPECT_EQ(read_tensor(folder / "a.pb", open).name, "own");
  EXPECT_EQ(code_of([&] { read_tensor(folder / "a.txt", open); }), ErrorCode::kUsage);
}

TEST(BadInput, RawFilesThatDoNotFit) {
  const TestFolder folder("onnx");
  write_file(folder / "a.bin", std::string(12, 'x'), false);
  const auto code = [&](const std::string& dtype, const std::vector<int64_t>& shape) {
    return code_of([&] { read_tensor(folder / "a.bin", {.name = "x", .dtype = dtype, .shape = shape}); });
  };
  EXPECT_EQ(code("float32", {2}), ErrorCode::kBadInput);
  EXPECT_EQ(code("float32", {-1, 2}), ErrorCode::kBadInput);
  EXPECT_EQ(code("float32", {0, -1}), ErrorCode::kBadInput);
  EXPECT_EQ(code("float32", {int64_t{1} << 62, 4}), ErrorCode::kBadInput);
  EXPECT_EQ(code("float32", {int64_t{1} << 62, 4, -1}), ErrorCode::kBadInput);
  EXPECT_EQ(code("float32", {-1, -1}), ErrorCode::kUsage);
  EXPECT_EQ(code("", {3}), ErrorCode::kUsage);
  EXPECT_EQ(code("float32", {3}), ErrorCode::kInternal) << "an error";
}

TEST(HostTensor, WhatIsNoneIsRefused) {
  HostTensor tensor = floats({1, 2});
  tensor.shape = {3};
  EXPECT_EQ(code_of([&] { to_tensor(tensor); }), ErrorCode::kUsage);
  tensor.shape = {int64_t{1} << 62, 4};
  EXPECT_EQ(code_of([&] { to_tensor(tensor); }), ErrorCode::kUsage);
  tensor.shape = {-1};
  EXPECT_EQ(code_of([&] { to_tensor(tensor); }), ErrorCode::kUsage);
  tensor.dtype = "float";
  EXPECT_EQ(code_of([&] { to_tensor(tensor); }), ErrorCode::kUsage);
  const HostTensor flag{.name = "x", .dtype = "bool", .shape = {1}, .bytes = {std::byte{2}}};
  EXPECT_EQ(code_of([&] { to_tensor(flag); }), ErrorCode::kUsage);
}

TEST(HostTensor, OfNothing) {
  const TestFolder folder("onnx");
  write_file(folder / "a.bin", std::string(), false);
  const HostTensor tensor = read_tensor(folder / "a.bin", {.name = "x", .dtype = "float32", .shape = {0, 4}});
  EXPECT_EQ(tensor.shape, (std::vector<int64_t>{0, 4}));
  EXPECT_TRUE(tensor.bytes.empty());
  EXPECT_EQ(to_tensor(tensor).numel(), 0);
  const TensorInfo open{.name = "x", .dtype = "float32", .shape = {-1, 4}};
  EXPECT_EQ(read_tensor(folder / "a.bin", open).shape, (std::vector<int64_t>{0, 4}));
  EXPECT_TRUE(compare_tensors(tensor, tensor).same());
  const HostTensor flags{.name = "x", .dtype = "bool", .shape = {2}, .bytes = {std::byte{0}, std::byte{1}}};
  EXPECT_EQ(to_tensor(flags).dtype(), DType::kBool);
}

TEST(HostTensor, ComparedAsNumpyDoes) {
  constexpr float kInfinity = INFINITY;
  const TensorDifference same = compare_tensors(floats({NAN, kInfinity, 1}), floats({NAN, kInfinity, 1}));
  EXPECT_TRUE(same.same());
  EXPECT_EQ(same.position, -1);
  const TensorDifference apart = compare_tensors(floats({1, 2, 3}), floats({1, 2.5f, 4}));
  EXPECT_EQ(apart.outside, 2);
  EXPECT_EQ(apart.position, 2);
  EXPECT_EQ(apart.largest, 1);
  EXPECT_EQ(apart.relative, 0.25);
  EXPECT_EQ(compare_tensors(floats({1, 2, 3}), floats({1, 2.5f, 4}), {.relative = 0, .absolute = 0.5}).outside, 1);
  EXPECT_EQ(compare_tensors(floats({NAN}), floats({1})).largest, kInfinity);
  EXPECT_EQ(compare_tensors(floats({-kInfinity}), floats({kInfinity})).outside, 1);
  EXPECT_EQ(compare_tensors(floats({1}), floats({0})).relative, 1);  // of nothing
  EXPECT_EQ(compare_tensors(floats({1}), floats({1, 2})).mismatch, "float32 1 against float32 2");
  HostTensor whole = floats({1});
  whole.dtype = "int32";
  EXPECT_EQ(compare_tensors(whole, floats({1})).mismatch, "int32 1 against float32 1");
}

}  // namespace
}  // namespace effdet::onnx
