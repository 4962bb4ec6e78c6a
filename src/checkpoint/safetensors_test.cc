// safetensors files, good and hostile ("safetensors", 42 to 50 of the project's list of bad inputs).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "base/sanitizer.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/test_files.h"

namespace effdet::checkpoint {
namespace {

using namespace std::string_view_literals;

std::string with_length(uint64_t length, std::string_view rest) {
  std::string file;
  append_le(file, length);
  return file.append(rest);
}

std::string safetensors(std::string_view header, std::string_view data = {}) {
  return with_length(header.size(), header).append(data);
}

/// One tensor "w" with these fields, and its 24 bytes.
std::string with_fields(std::string_view fields) {
  return safetensors(fmt::format("{{\"w\":{{{}}}}}", fields), small_storage());
}

TEST(Safetensors, GoldenFile) {
  const Checkpoint checkpoint = read(read_file(EFFDET_SOURCE_DIR "/testdata/checkpoint/small.safetensors"));
  ASSERT_EQ(checkpoint.tensors.size(), 3u);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const float first = tensor.to(DType::kF32).data<float>()[0];
    if (name == "flags") {
      EXPECT_EQ(tensor.dtype(), DType::kBool);
      EXPECT_EQ(first, 1.0f);
    } else {
      EXPECT_EQ(tensor.shape(), name == "a" ? (Shape{2, 3}) : (Shape{3}));
      EXPECT_EQ(tensor.dtype(), name == "a" ? DType::kF32 : DType::kF16);
      EXPECT_EQ(first, -0.75f);
    }
  }
}

TEST(Safetensors, MetadataAndPaddingArePassedOver) {
  const auto checkpoint = read(safetensors(
      R"({"__metadata__":{"format":"pt"},"module.w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   )",
      small_storage()));
  ASSERT_EQ(checkpoint.tensors.size(), 1u);
  EXPECT_EQ(checkpoint.tensors[0].name, "w");
  EXPECT_EQ(checkpoint.tensors[0].tensor.data<float>()[5], 5.0f);
}

TEST(Safetensors, UnalignedDataAreCopied) {
  const auto checkpoint = read(safetensors(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[6],"data_offsets":[1,25]}})",
      "x" + small_storage()));
  EXPECT_EQ(checkpoint.tensors.at(1).tensor.data<float>()[5], 5.0f);
}

TEST(BadInput, Case42_SafetensorsLength) {
  const auto expect_cut = [](const std::string& content, const std::string& part) {
    const TempFile file(content, ".safetensors");
    try {
      read_checkpoint(file.path());
      ADD_FAILURE() << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_cut("", "empty");
  for (size_t size = 1; size < 8; ++size) expect_cut(std::string(size, '\1'), "cut off");
  expect_cut(with_length(0, ""), "does not begin with '{'");
  expect_error(with_length(0, "{}"), {"does not begin with '{'"});
  expect_error(with_length(~uint64_t{0}, "{}"), {"18446744073709551615"});
  expect_error(with_length(100'000'001, "{}"), {"100000000 is the most"});
  expect_error(with_length(3, "{}"), {"only 2 bytes follow"});
}

TEST(BadInput, Case43_SafetensorsHeaderText) {
  const TempFile file(safetensors("[]"), ".safetensors");
  EXPECT_THROW(read_checkpoint(file.path()), Error);
  expect_error(safetensors("{\"\xff\":{}}"), {"at byte", "UTF-8"});
  expect_error(safetensors("{}x"), {"not JSON"});
  expect_error(safetensors("{\"a\\u0000b\":{}}"), {"NUL"});
  expect_error(safetensors("{\"a\":"), {"not JSON"});
  expect_error(safetensors("{/* a comment */}"), {"not JSON"});
  expect_error(safetensors("{}"), {"no tensors"});
  expect_error(safetensors(R"({"":{}})"), {"header at byte", "a name is empty or holds NUL"});
  expect_error(safetensors(R"({"__metadata__":"pt"})"), {"a string where none belongs"});
  expect_error(safetensors(R"({"__metadata__":{"a":{}}})"), {"an object where none belongs"});
  expect_error(safetensors(R"({"__metadata__":{"a":1}})"), {"a number where none belongs"});
  expect_error(safetensors(R"({"w":3})"), {"tensor 'w': a number where none belongs"});
}

TEST(BadInput, Case44_SafetensorsDuplicateKey) {
  constexpr auto kTensor = R"("w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]})"sv;
  constexpr auto kSecond = R"("w":{"dtype":"F32","shape":[3],"data_offsets":[12,24]})"sv;
  expect_error(safetensors(fmt::format("{{{},{}}}", kTensor, kSecond), small_storage()), {"'w' is there twice"});
  expect_error(with_fields(R"("dtype":"F32","dtype":"F32","shape":[6],"data_offsets":[0,24])"), {"dtype", "twice"});
  expect_error(with_fields(R"("dtype":"F32","shape":[6],"shape":[6],"data_offsets":[0,24])"), {"shape", "twice"});
  expect_error(safetensors(R"({"__metadata__":{},"__metadata__":{}})"), {"twice"});
}

TEST(BadInput, Case45_SafetensorsLayout) {
  const auto two = [](int b1, int e1, int b2, int e2) {
    return safetensors(fmt::format(R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}},)"
                                   R"("b":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}}}})",
                                   e1 - b1, b1, e1, e2 - b2, b2, e2),
                       small_storage());
  };
  EXPECT_EQ(read(two(12, 24, 0, 12)).tensors.size(), 2u) << "any order is legal";
  expect_error(two(0, 12, 11, 24), {"tensor 'b'", "overlaps"});
  expect_error(two(0, 12, 13, 24), {"tensor 'b'", "a hole"});
  expect_error(two(1, 12, 12, 24), {"tensor 'a'", "a hole"});
  expect_error(two(0, 12, 12, 25), {"tensor 'b'", "cut off"});
  expect_error(two(0, 12, 12, 23), {"1 bytes follow"});
  expect_error(with_fields(R"("dtype":"U8","shape":[0],"data_offsets":[24,0])"), {"begin at 24 and end at 0"});
}

TEST(BadInput, Case46_SafetensorsShapeThatWraps) {
  expect_error(with_fields(R"("dtype":"U8","shape":[4194305,4194305,211106198978564],"data_offsets":[0,4])"),
               {"tensor 'w'", "bytes"});
  expect_error(with_fields(R"("dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0])"), {"bytes"});
  expect_error(with_fields(R"("dtype":"F32","shape":[5],"data_offsets":[0,24])"), {"24 bytes"});
}

TEST(BadInput, Case47_SafetensorsDimensions) {
  for (const char* dim :
       {"1.0", "-1", "1e3", "\"3\"", "null", "true", "[6]", "{}", "9223372036854775808", "18446744073709551616", "06"})
    expect_error(with_fields(fmt::format(R"("dtype":"F32","shape":[{}],"data_offsets":[0,24])", dim)), {"at byte"});
  std::string many = "1";
  for (int i = 0; i < 64; ++i) many += ",1";
  expect_error(with_fields(fmt::format(R"("dtype":"U8","shape":[{}],"data_offsets":[0,1])", many)), {"64 dimensions"});
  for (const char* offsets : {"[0]", "[0,24,24]", "[]", "24", "[0,-1]"})
    expect_error(with_fields(fmt::format(R"("dtype":"F32","shape":[6],"data_offsets":{})", offsets)), {"'w'"});
  for (const char* fields :
       {R"("dtype":"F32","shape":[6])", R"("shape":[6],"data_offsets":[0,24])",
        R"("dtype":"F32","data_offsets":[0,24])", R"("dtype":"F32","shape":[6],"data_offsets":[0])", ""})
    expect_error(with_fields(fields), {"tensor 'w': dtype, shape or data_offsets is missing"});
  expect_error(with_fields(R"("dtype":"F4","shape":[3],"data_offsets":[0,2])"), {"3 x F4 does not have the 2 bytes"});
  expect_error(with_fields(R"("dtype":"F4","shape":[2,{"a":1}],"data_offsets":[0,2])"),
               {"an object where none belongs"});
  expect_error(with_fields(R"("dtype":"U8","shape":[4611686018427387904,4],"data_offsets":[0,0])"),
               {"does not have the 0 bytes"});
  expect_error(with_fields(R"("dtype":"F31","shape":[6],"data_offsets":[0,24])"), {"unknown type 'F31'"});
  expect_error(with_fields(R"("dtype":3,"shape":[6],"data_offsets":[0,24])"), {"'w'"});
  expect_error(with_fields(R"("dtype":"F32","size":[6],"data_offsets":[0,24])"), {"unknown field 'size'"});
  expect_error(with_fields(R"("dtype":"F8_E4M3","shape":[24],"data_offsets":[0,24])"), {"F8_E4M3"},
               ErrorCode::kUnsupported);
}

TEST(BadInput, Case48_SafetensorsZeroSize) {
  const auto checkpoint = read(safetensors(
      R"({"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},"b":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},)"
      R"("c":{"dtype":"F32","shape":[0],"data_offsets":[24,24]}})",
      small_storage()));
  ASSERT_EQ(checkpoint.tensors.size(), 3u);
  EXPECT_EQ(checkpoint.tensors[1].tensor.shape(), (Shape{0, 7}));
  expect_error(
      safetensors(
          R"({"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},"b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})",
          small_storage()),
      {"tensor 'b'", "overlaps"});
}

TEST(BadInput, Case49_SafetensorsDepthAndCount) {
  expect_error(safetensors("{\"w\":" + std::string(100'000, '[')), {"a list where none belongs"});
  std::string deep = "{\"w\":";
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  expect_error(safetensors(deep), {"at byte"});

  std::string header = "{", data;
  constexpr int kTensors = kSanitized ? 100'000 : 1'000'000;
  for (int i = 0; i < kTensors; ++i)
    header += fmt::format("{}\"t{}\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{},{}]}}", i == 0 ? "" : ",", i,
                          i, i + 1);
  data.assign(kTensors, '\7');
  EXPECT_EQ(read(safetensors(header + "}", data)).tensors.size(), static_cast<size_t>(kTensors));
}

TEST(BadInput, Case50_SafetensorsNotFinite) {
  std::string data;
  for (const float value : {NAN, INFINITY, 1.0f}) append_le(data, value);
  const auto checkpoint = read(safetensors(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", data));
  EXPECT_TRUE(std::isnan(checkpoint.tensors.at(0).tensor.data<float>()[0]));
}

TEST(BadInput, SafetensorsCutAnywhereAndEveryByteChanged) {
  const std::string file = read_file(EFFDET_SOURCE_DIR "/testdata/checkpoint/small.safetensors");
  for (size_t size = 9; size < file.size(); ++size) expect_error(file.substr(0, size), {});
  for (size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 0x55);
    try {
      read(changed);
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::kBadInput || error.code() == ErrorCode::kUnsupported) << error.what();
    }
  }
}

}  // namespace
}  // namespace effdet::checkpoint
