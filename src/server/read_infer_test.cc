// Inference requests off the wire, against messages that protobuf writes.
#include "server/grpc/read_infer.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "server/http_error.h"
#include "server/infer_request.h"
#include "server/inference.pb.h"

namespace effdet::server {
namespace {

using Message = ::inference::ModelInferRequest;

Message message_with(const std::string& datatype, int64_t elements) {
  Message message;
  message.set_model_name("m");
  auto& input = *message.add_inputs();
  input.set_name("x");
  input.set_datatype(datatype);
  input.add_shape(elements);
  return message;
}

/// A request and the bytes that it refers to.
struct Parsed {
  std::string bytes;
  Request request{std::make_shared<MemoryBudget>(1 << 20), std::make_shared<BodyPool>()};
  InferRequest infer;

  explicit Parsed(std::string message) : bytes(std::move(message)) {
    grpc_module::read_infer(std::as_bytes(std::span(bytes)), nullptr, request);
    infer = parse_infer_request(request);
  }
  template <typename T>
  std::vector<T> values() const {
    const std::span<const std::byte> data = infer.inputs.at(0).bytes;
    const auto* begin = reinterpret_cast<const T*>(data.data());
    return {begin, begin + data.size() / sizeof(T)};
  }
};

/// 200 and "none" for a message that is taken.
std::pair<int, std::string> outcome_of(const std::string& bytes) {
  try {
    const Parsed parsed(bytes);
    return {200, "none"};
  } catch (const HttpError& error) {
    return {error.status(), error.what()};
  }
}
int status_of(const std::string& bytes) { return outcome_of(bytes).first; }
std::string refusal_of(const std::string& bytes) { return outcome_of(bytes).second; }

TEST(ReadInfer, ReadsWhatProtobufWrites) {
  Message message = message_with("FP32", 2);
  message.set_model_version("1");
  message.set_id("17");
  (*message.mutable_parameters())["timeout"].set_int64_param(5);
  (*message.mutable_parameters())["score"].set_double_param(0.25);
  (*message.mutable_parameters())["iou"].set_double_param(0.5);
  (*message.mutable_parameters())["priority"].set_int64_param(2);
  (*message.mutable_parameters())["max"].set_uint64_param(7);
  (*message.mutable_parameters())["classes"].set_string_param("person,2");
  (*message.mutable_parameters())["anything"].set_bool_param(true);
  message.add_outputs()->set_name("y");
  message.add_raw_input_contents(std::string(8, 'a'));
  const Parsed parsed(message.SerializeAsString());
  EXPECT_EQ(parsed.request.target.path, (std::vector<std::string>{"v2", "models", "m", "versions", "1", "infer"}));
  EXPECT_EQ(parsed.request.target.query.size(), 5u);
  EXPECT_EQ(*parsed.request.target.find("iou"), "0.5");
  EXPECT_EQ(*parsed.request.target.find("priority"), "2");
  EXPECT_EQ(*parsed.request.target.find("score"), "0.25");
  EXPECT_EQ(*parsed.request.target.find("max"), "7");
  EXPECT_EQ(*parsed.request.target.find("classes"), "person,2");
  EXPECT_EQ(parsed.infer.id, "17");
  EXPECT_EQ(parsed.infer.timeout_us, 5u);
  EXPECT_EQ(parsed.infer.outputs.at(0).name, "y");
  const InferInput& input = parsed.infer.inputs.at(0);
  EXPECT_EQ(input.name, "x");
  EXPECT_EQ(input.shape, std::vector<int64_t>{2});
  // Where it lies, and not a copy.
  EXPECT_GE(reinterpret_cast<const char*>(input.bytes.data()), parsed.bytes.data());
  EXPECT_LE(reinterpret_cast<const char*>(input.bytes.data()) + 8, parsed.bytes.data() + parsed.bytes.size());
}

TEST(ReadInfer, ContentsOfEachDatatype) {
  const auto contents = [](Message& message) { return message.mutable_inputs(0)->mutable_contents(); };
  for (const auto& [datatype, low, high] :
       {std::tuple{"INT8", -128, 127}, std::tuple{"INT16", -32768, 32767}, std::tuple{"INT32", INT32_MIN, INT32_MAX}}) {
    Message message = message_with(datatype, 2);
    contents(message)->add_int_contents(low);
    contents(message)->add_int_contents(high);
    const Parsed parsed(message.SerializeAsString());
    const size_t bytes = parsed.infer.inputs[0].type->bytes;
    EXPECT_EQ(parsed.infer.inputs[0].bytes.size(), 2 * bytes);
    EXPECT_TRUE(bytes != 1 || parsed.values<int8_t>() == (std::vector<int8_t>{-128, 127}));
    EXPECT_TRUE(bytes != 4 || parsed.values<int32_t>() == (std::vector<int32_t>{INT32_MIN, INT32_MAX}));
    if (bytes == 4) continue;
    contents(message)->set_int_contents(0, low - 1);
    EXPECT_EQ(status_of(message.SerializeAsString()), 400);
  }
  Message unsigned_bytes = message_with("UINT8", 3);
  for (const unsigned value : {0u, 255u, 7u}) contents(unsigned_bytes)->add_uint_contents(value);
  EXPECT_EQ(Parsed(unsigned_bytes.SerializeAsString()).values<uint8_t>(), (std::vector<uint8_t>{0, 255, 7}));
  contents(unsigned_bytes)->set_uint_contents(1, 256);
  EXPECT_EQ(status_of(unsigned_bytes.SerializeAsString()), 400);
  Message whole = message_with("INT64", 1);
  contents(whole)->add_int64_contents(INT64_MIN);
  EXPECT_EQ(Parsed(whole.SerializeAsString()).values<int64_t>(), std::vector<int64_t>{INT64_MIN});
  Message longs = message_with("UINT64", 1);
  contents(longs)->add_uint64_contents(UINT64_MAX);
  EXPECT_EQ(Parsed(longs.SerializeAsString()).values<uint64_t>(), std::vector<uint64_t>{UINT64_MAX});
  Message flags = message_with("BOOL", 2);
  contents(flags)->add_bool_contents(true);
  contents(flags)->add_bool_contents(false);
  EXPECT_EQ(Parsed(flags.SerializeAsString()).values<uint8_t>(), (std::vector<uint8_t>{1, 0}));
  Message floats = message_with("FP32", 2);
  contents(floats)->add_fp32_contents(1.5f);
  contents(floats)->add_fp32_contents(std::numeric_limits<float>::infinity());
  EXPECT_EQ(Parsed(floats.SerializeAsString()).values<float>(),
            (std::vector<float>{1.5f, std::numeric_limits<float>::infinity()}));
  Message strings = message_with("BYTES", 2);
  contents(strings)->add_bytes_contents("abc");
  contents(strings)->add_bytes_contents("");
  const Parsed parsed(strings.SerializeAsString());
  EXPECT_EQ(bytes_elements(parsed.infer.inputs[0].bytes, 2).at(0).size(), 3u);
  // A writer that does not pack: field 6 as single numbers.
  std::string bytes("\x0a\x01m", 3);
  const std::string input = std::string(
                                "\x0a\x01x\x12\x04"
                                "FP32\x1a\x01\x01\x2a\x05",
                                14) +
                            std::string("\x35\0\0\x80\x3f", 5);
  bytes += '\x2a';
  bytes += static_cast<char>(input.size());
  EXPECT_EQ(Parsed(bytes + input).values<float>(), std::vector<float>{1.0f});
}

TEST(BadInput, Case91_MessagesWhoseShapesAndDataDisagree) {
  Message raw = message_with("FP32", 2);
  raw.add_raw_input_contents(std::string(8, 'a'));
  EXPECT_EQ(status_of(raw.SerializeAsString()), 200);
  const auto refused = [](Message message, auto change) {
    change(message);
    EXPECT_EQ(status_of(message.SerializeAsString()), 400) << message.ShortDebugString();
  };
  refused(raw, [](Message& m) { m.set_raw_input_contents(0, std::string(7, 'a')); });
  refused(raw, [](Message& m) { m.set_raw_input_contents(0, std::string(9, 'a')); });
  refused(raw, [](Message& m) { m.add_raw_input_contents("more than there are inputs"); });
  refused(raw, [](Message& m) { m.clear_raw_input_contents(); });
  refused(raw, [](Message& m) { m.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); });  // besides
  refused(raw, [](Message& m) { m.mutable_inputs(0)->set_shape(0, -2); });
  refused(raw, [](Message& m) {  // the product wraps to 2
    m.mutable_inputs(0)->set_shape(0, int64_t{1} << 62);
    for (const int64_t more : {4, 2}) m.mutable_inputs(0)->add_shape(more);
  });
  refused(raw, [](Message& m) {
    for (int i = 0; i < 40; ++i) m.mutable_inputs(0)->add_shape(1);
  });
  refused(raw, [](Message& m) { m.mutable_inputs(0)->set_datatype("float"); });
  refused(raw, [](Message& m) { m.mutable_inputs(0)->set_name(std::string(10000, 'x')); });
  refused(raw, [](Message& m) {
    for (int i = 0; i < 2000; ++i) m.add_outputs();
  });
  refused(raw, [](Message& m) {
    for (int i = 0; i < 100; ++i) (*m.mutable_parameters())[std::to_string(i)].set_bool_param(true);
  });
  refused(raw, [](Message& m) { (*m.mutable_parameters())["timeout"].set_int64_param(-1); });
  for (const char* name : {"shared_memory_region", "shared_memory_byte_size"}) {
    refused(raw, [&](Message& m) { (*m.mutable_inputs(0)->mutable_parameters())[name].set_int64_param(1); });
    refused(raw, [&](Message& m) { (*m.add_outputs()->mutable_parameters())[name].set_int64_param(1); });
  }
  Message typed = message_with("FP32", 2);
  refused(typed, [](Message& m) { m.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); });
  refused(typed, [](Message& m) { m.mutable_inputs(0)->mutable_contents()->add_int_contents(1); });
  refused(typed, [](Message& m) { m.mutable_inputs(0)->mutable_contents()->add_bytes_contents("12345678"); });
  Message half = message_with("FP16", 1);
  refused(half, [](Message& m) { m.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); });
}

/// A field of bytes, of fewer than 128.
std::string field(int number, const std::string& bytes) {
  return std::string({static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())}) + bytes;
}

TEST(ReadInfer, NumbersThatAreNotPacked) {
  // shape: 3 by single numbers; INT32 contents: 7, -1 (ten bytes), 300.
  const std::string shape("\x18\x03", 2);
  const std::string numbers("\x10\x07\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\xac\x02", 16);
  const std::string input = field(1, "x") + field(2, "INT32") + shape + field(5, numbers);
  EXPECT_EQ(Parsed(field(1, "m") + field(5, input)).values<int32_t>(), (std::vector<int32_t>{7, -1, 300}));
  const std::string wrong = field(1, "x") + field(2, "INT32") + shape;
  EXPECT_EQ(refusal_of(field(5, wrong + field(5,
                                              "\x15"
                                              "abcd"))),
            "input 'x': contents of another type");
  const std::string text = field(1, "x") + field(2, "BYTES") + shape;
  EXPECT_EQ(refusal_of(field(5, text + field(5, "\x40\x01"))), "input 'x': contents of another type");
  const std::string real = field(1, "x") + field(2, "FP64") + shape;
  EXPECT_EQ(refusal_of(field(5, real + field(5, field(7, "1234567")))), "input 'x': contents of another type");
  // A field of an unknown number, and a known one of another type, say nothing.
  EXPECT_EQ(Parsed(std::string("\x08\x01\x78\x01", 4) + field(1, "m") + field(5, input)).infer.inputs.size(), 1u);
}

TEST(BadInput, Case91_ParametersOfTensors) {
  Message shared = message_with("FP32", 2);
  auto& parameters = *shared.mutable_inputs(0)->mutable_parameters();
  parameters["shared_memory_region"].set_string_param("r");
  parameters["shared_memory_byte_size"].set_int64_param(8);
  Message both = shared;
  both.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  EXPECT_EQ(refusal_of(both.SerializeAsString()), "input 'x': contents, and shared memory besides");
  Message text = shared;
  (*text.mutable_inputs(0)->mutable_parameters())["shared_memory_offset"].set_bool_param(false);
  EXPECT_EQ(refusal_of(text.SerializeAsString()), "shared_memory_offset: expected a number of bytes");
  Message classes = message_with("FP32", 2);
  classes.add_raw_input_contents(std::string(8, 'a'));
  (*classes.add_outputs()->mutable_parameters())["classification"].set_int64_param(3);
  EXPECT_EQ(refusal_of(classes.SerializeAsString()), "classification is not offered");
  Message input = message_with("FP32", 2), output = input;
  auto& outputs = *output.add_outputs()->mutable_parameters();
  for (int i = 0; i < 100; ++i) {
    (*input.mutable_inputs(0)->mutable_parameters())[std::to_string(i)].set_bool_param(true);
    outputs[std::to_string(i)].set_bool_param(false);
  }
  EXPECT_TRUE(refusal_of(input.SerializeAsString()).ends_with(" parameters"));
  EXPECT_TRUE(refusal_of(output.SerializeAsString()).ends_with(" parameters"));
}

TEST(BadInput, Case91_AMessageOfAMillionInputs) {
  std::string bytes;
  for (int i = 0; i < 1'000'000; ++i) bytes += std::string("\x2a\0", 2);
  EXPECT_EQ(status_of(bytes), 400);
  bytes.clear();
  for (int i = 0; i < 1'000'000; ++i) bytes += std::string("\x3a\0", 2);
  EXPECT_EQ(status_of(bytes), 400);
}

TEST(BadInput, Case96_MessagesThatAreNone) {
  Message raw = message_with("INT64", 3);
  for (int i = 0; i < 3; ++i) raw.mutable_inputs(0)->mutable_contents()->add_int64_contents(-i);
  (*raw.mutable_parameters())["score"].set_double_param(0.5);
  const std::string good = raw.SerializeAsString();
  ASSERT_EQ(status_of(good), 200);
  for (size_t length = 0; length < good.size(); ++length) status_of(good.substr(0, length));  // throws nothing else
  for (size_t at = 0; at < good.size(); ++at)
    for (const char value : {'\0', '\x01', '\x7f', '\x80', '\xff'}) {
      std::string changed = good;
      changed[at] = value;
      status_of(changed);
    }
  EXPECT_EQ(status_of(std::string(100, '\xff')), 400);  // a number without an end
  EXPECT_EQ(status_of(std::string("\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)), 400);  // 2^64 - 1 bytes
  EXPECT_EQ(status_of(std::string("\x2b", 1)), 400);                                           // a group
  EXPECT_EQ(status_of(std::string("\x02\x00", 2)), 400);                                       // field 0
}

TEST(BadInput, NumbersAreUnpackedAtTheExpenseOfTheBudget) {
  Message message = message_with("INT64", 1'000'000);
  auto& contents = *message.mutable_inputs(0)->mutable_contents();
  for (int i = 0; i < 1'000'000; ++i) contents.add_int64_contents(1);
  EXPECT_EQ(status_of(message.SerializeAsString()), 503);  // 1 MB would become 8
}

}  // namespace
}  // namespace effdet::server
