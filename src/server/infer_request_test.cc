// Bodies of inference requests, right and hostile.
#include "server/infer_request.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "effdet/error.h"
#include "server/data_types.h"
#include "server/http_error.h"
#include "server/json_tensor.h"

namespace effdet::server {
namespace {

struct Parsed {
  Request request{std::make_shared<MemoryBudget>(64 << 20), std::make_shared<BodyPool>()};
  InferRequest infer;

  explicit Parsed(std::string_view body, std::optional<uint64_t> header_length = {}) {
    request.body.append(std::as_bytes(std::span(body)));
    request.header_length = header_length;
    infer = parse_infer_request(request);
  }

  template <typename T>
  std::vector<T> values(size_t input = 0) const {
    std::vector<T> all(infer.inputs.at(input).bytes.size() / sizeof(T));
    std::memcpy(all.data(), infer.inputs[input].bytes.data(), all.size() * sizeof(T));
    return all;
  }
};

std::string input(const std::string& type, const std::string& shape, const std::string& rest) {
  return R"({"inputs":[{"name":"x","datatype":")" + type + R"(","shape":)" + shape + "," + rest + "}]}";
}

TEST(DataTypes, AreTheProtocolsAndNumpys) {
  EXPECT_EQ(data_type_of("bfloat16")->protocol, "BF16");
  EXPECT_EQ(find_data_type("BYTES")->bytes, 0u);
  EXPECT_EQ(data_type_of(""), nullptr);  // BYTES has no name in numpy
  EXPECT_EQ(data_type_of("int4"), nullptr);
  EXPECT_EQ(find_data_type("int8"), nullptr);
}

TEST(InferRequest, ReadsJson) {
  const Parsed parsed(
      R"({"inputs":[{"data":[1,2.5,NaN,-Infinity,null,1e-9],"name":"x","shape":[2,3],"datatype":"FP32"}],)"
      R"("id":"a\u00e9","parameters":{"binary_data_output":true,"timeout":"500","other":{"x":[1]}},)"
      R"("outputs":[{"name":"p"},{"name":"q","parameters":{"binary_data":false}}],"unknown":[]})");
  EXPECT_EQ(parsed.infer.id, "aé");
  EXPECT_EQ(parsed.infer.timeout_us, 500u);
  ASSERT_EQ(parsed.infer.outputs.size(), 2u);
  EXPECT_TRUE(parsed.infer.outputs[0].binary);
  EXPECT_FALSE(parsed.infer.outputs[1].binary);
  const std::vector<float> values = parsed.values<float>();
  ASSERT_EQ(values.size(), 6u);
  EXPECT_EQ(values[1], 2.5f);
  EXPECT_TRUE(std::isnan(values[2]) && std::isnan(values[4]) && std::isinf(values[3]));
  EXPECT_EQ(values[5], 1e-9f);
}

TEST(InferRequest, ReadsNestedData) {
  EXPECT_EQ(Parsed(input("INT16", "[2,2]", R"("data":[[1,-2],[3,4]])")).values<int16_t>(),
            (std::vector<int16_t>{1, -2, 3, 4}));
  EXPECT_TRUE(Parsed(input("UINT8", "[0,4]", R"("data":[])")).infer.inputs[0].bytes.empty());
}

TEST(InferRequest, ReadsBinaryData) {
  const std::string json =
      R"({"inputs":[{"name":"a","datatype":"UINT8","shape":[2],"parameters":{"binary_data_size":2}},)"
      R"({"name":"b","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":9}}]})";
  const std::string data("\1\2\1\0\0\0x\0\0\0\0", 11);
  const Parsed parsed(json + data, json.size());
  EXPECT_EQ(parsed.values<uint8_t>(), (std::vector<uint8_t>{1, 2}));
  const auto elements = bytes_elements(parsed.infer.inputs[1].bytes, 2);
  EXPECT_EQ(elements[0].size(), 1u);
  EXPECT_EQ(elements[1].size(), 0u);
}

TEST(InferRequest, RawBodyIsTheOnlyInput) {
  const Parsed parsed("abc", 0);
  EXPECT_TRUE(parsed.infer.raw && parsed.infer.binary_outputs);
  EXPECT_EQ(parsed.infer.inputs[0].bytes.size(), 3u);
}

template <typename Action>
void expect_refused(Action action, const std::string& what) {
  try {
    action();
    ADD_FAILURE() << "accepted: " << what.substr(0, 200);
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status(), 400) << what.substr(0, 200);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput) << what.substr(0, 200);
  }
}

TEST(BadInput, Case91_ShapesAndDataThatDisagree) {
  for (const std::string& body : {input("FP32", "[4294967296,4294967296]", R"("data":[1])"),
                                  input("FP32", "[2]", R"("data":[1])"),
                                  input("FP32", "[2]", R"("data":[1,2,3])"),
                                  input("FP32", "[-1]", R"("data":[1])"),
                                  input("FP32", "[1099511627776]", R"("data":[1])"),
                                  input("fp32", "[1]", R"("data":[1])"),
                                  input("FP16", "[1]", R"("data":[1])"),
                                  input("FP32", "[2,2]", R"("data":[[1,2],[3]])"),
                                  input("FP32", "[2,2]", R"("data":[[1,2],3])"),
                                  input("FP32", "[2,2]", R"("data":[[1,2,3],[4]])"),
                                  input("FP32", "[2]", R"("data":[[1],[2]])"),
                                  input("FP32", "[2]", R"("data":{"a":1})"),
                                  input("FP32", "[2]", R"("data":["1","2"])"),
                                  input("UINT8", "[1]", R"("data":[256])"),
                                  input("UINT8", "[1]", R"("data":[-1])"),
                                  input("INT32", "[1]", R"("data":[1.5])"),
                                  input("FP32", "[1]", R"("data":[1],"parameters":{"binary_data_size":4})"),
                                  input("FP32", "[1]", R"("parameters":{"shared_memory_region":"a"})"),
                                  input("FP32", "[1]", R"("x":1)"),
                                  std::string(R"({"inputs":[{}]})"),
                                  std::string(R"({"inputs":{}})"),
                                  std::string("{}"),
                                  std::string("[]"),
                                  std::string(""),
                                  std::string("{"),
                                  std::string("{\"inputs\":[]} x")})
    expect_refused([&] { Parsed{body}; }, body);
}

TEST(BadInput, Case91_AMillionInputs) {
  std::string body = R"({"inputs":[)";
  for (int i = 0; i < 1000000; ++i) body += R"({"name":"x","datatype":"FP32","shape":[0],"data":[]},)";
  body.back() = ']';
  expect_refused([&] { Parsed{body + "}"}; }, body);
}

TEST(BadInput, Case96_DeepNesting) {
  const std::string deep(1000000, '[');
  expect_refused([&] { Parsed{deep}; }, deep);
  const std::string data = input("FP32", "[1]", "\"data\":" + deep);
  expect_refused([&] { Parsed{data}; }, data);
  const std::string unknown = "{\"a\":" + deep;
  expect_refused([&] { Parsed{unknown}; }, unknown);
}

TEST(BadInput, Case96_BinarySizesPastTheBody) {
  const auto body = [](const std::string& shape, const std::string& size) {
    return input("UINT8", shape, "\"parameters\":{\"binary_data_size\":" + size + "}");
  };
  for (const auto& [shape, size] : {std::pair("[5]", "5"),
                                    {"[4]", "5"},
                                    {"[4]", "-4"},
                                    {"[4]", "3"},
                                    {"[4]", "18446744073709551616"},
                                    {"[4]", "1e300"},
                                    {"[4]", "\"x\""}}) {
    const std::string json = body(shape, size);
    expect_refused([&] { Parsed(json + "abcd", json.size()); }, json);
  }
  const std::string json = body("[4]", "4");
  EXPECT_NO_THROW(Parsed(json + "abcd", json.size()));
  expect_refused([&] { Parsed(json + "abcde", json.size()); }, "a byte too many");
  expect_refused([&] { Parsed(json, json.size() + 1); }, "header longer than the body");
}

TEST(BadInput, Case96_LengthsOfBytesElements) {
  const auto elements = [](const std::string& text, uint64_t count) {
    return bytes_elements(std::as_bytes(std::span(text)), count);
  };
  EXPECT_THROW(elements(std::string("\1\0\0", 3), 1), HttpError);
  EXPECT_THROW(elements(std::string("\2\0\0\0x", 5), 1), HttpError);
  EXPECT_THROW(elements(std::string("\xff\xff\xff\xffx", 5), 1), HttpError);
  EXPECT_THROW(elements(std::string("\0\0\0\0\0\0\0\0", 8), 1), HttpError);
  EXPECT_THROW(elements("", 1), HttpError);
}

TEST(JsonTensor, WritesWhatItReads) {
  const float values[] = {0.1f, -1e-30f, 16777216.0f, std::nanf(""), INFINITY};
  std::string text;
  append_json_tensor(text, *find_data_type("FP32"), std::as_bytes(std::span(values)));
  EXPECT_EQ(text, "[0.1,-1e-30,16777216,NaN,Infinity]");
  eval::JsonReader reader(text, "text");
  const int64_t shape[] = {5};
  const std::vector<std::byte> back = read_json_tensor(reader, *find_data_type("FP32"), shape, 5);
  EXPECT_EQ(std::memcmp(back.data(), values, 12), 0);
}

}  // namespace
}  // namespace effdet::server
