// Reads inference requests: the Open Inference Protocol with its extension for binary tensors.
#include "server/infer_request.h"

#include <cstring>

#include "base/checked.h"
#include "eval/json_reader.h"
#include "server/http_error.h"
#include "server/json_count.h"
#include "server/json_tensor.h"

namespace effdet::server {
namespace {

[[noreturn]] void refuse_shape(const InferInput& input) {
  throw HttpError(400, "input '{}': the shape has a negative dimension, or too many elements", input.name);
}

SharedPlace shared_place(const Request& request, const SharedPart& part) {
  if (request.regions == nullptr) refuse_shared_memory();
  return request.regions->find(part);
}

/// count: of the shape's elements.
void check_bytes(const InferInput& input, uint64_t size, uint64_t count) {
  if (const std::optional<uint64_t> expected = checked_mul(count, input.type->bytes);
      input.type->bytes > 0 && expected != size)
    throw HttpError(400, "input '{}': {} bytes of data, but its shape has {} elements of {} bytes", input.name, size,
                    count, input.type->bytes);
}

/// Copies an input out of shared memory, which its client may change while the model runs. count: of the shape's
/// elements.
void take_shared(InferInput& input, const SharedPart& part, uint64_t count, Request& request) {
  check_bytes(input, part.bytes, count);
  const SharedPlace place = shared_place(request, part);
  request.reservation.pay(part.bytes);
  input.copied = std::make_unique<Body>(request.body.pool());
  input.copied->expect(part.bytes, 0);
  input.copied->append(place.memory);
  place.region->check_whole();
  input.bytes = input.copied->bytes();
}

void find_place(InferOutput& output, const Request& request) {
  if (output.shared) output.place = shared_place(request, *output.shared);
}

/// An input as it stands in the JSON, before its data are found.
struct InputText {
  InferInput input;
  std::optional<uint64_t> binary_size;
  std::optional<SharedPart> shared;
  std::optional<size_t> data_at;  ///< byte of the JSON where "data" begins
};

class InferReader {
 public:
  InferReader(Request& request, std::string_view json)
      : request_(request), json_(json), binary_(request.body.bytes().subspan(json.size())), reader_(json, "request") {}

  InferRequest read() {
    std::vector<InputText> inputs;
    MemberSet seen;
    reader_.read_object([&](std::string_view key) {
      if (key == "id") {
        seen.add(reader_, 0, key);
        result_.id = reader_.read_string();
      } else if (key == "parameters") {
        seen.add(reader_, 1, key);
        read_parameters();
      } else if (key == "inputs") {
        seen.add(reader_, 2, key);
        reader_.read_array([&](size_t index) {
          if (index >= kMostTensors) reader_.error("more than {} inputs", kMostTensors);
          inputs.push_back(read_input());
        });
      } else if (key == "outputs") {
        seen.add(reader_, 3, key);
        reader_.read_array([&](size_t index) {
          if (index >= kMostTensors) reader_.error("more than {} outputs", kMostTensors);
          read_output();
        });
      } else {
        reader_.skip();
      }
    });
    reader_.finish();
    seen.require(reader_, 2, "inputs");
    for (InputText& text : inputs) take_data(text);
    for (InferOutput& output : result_.outputs) find_place(output, request_);
    if (!binary_.empty())
      throw HttpError(400, "{} bytes follow the last binary tensor: their sizes and the body's do not agree",
                      binary_.size());
    for (InferOutput& output : result_.outputs)
      if (!named_binary_[static_cast<size_t>(&output - result_.outputs.data())]) output.binary = result_.binary_outputs;
    return std::move(result_);
  }

 private:
  using MemberSet = eval::MemberSet;

  void read_parameters() {
    reader_.read_object([&](std::string_view key) {
      if (key == "binary_data_output") {
        result_.binary_outputs = read_bool();
      } else if (key == "timeout") {
        result_.timeout_us = read_count(reader_, "microseconds");
      } else {
        reader_.skip();
      }
    });
  }

  bool read_bool() {
    if (const char first = reader_.peek(); first != 't' && first != 'f') reader_.error("expected true or false");
    return reader_.read_flag();
  }

  /// False, and nothing read, where the parameter is another.
  bool read_shared_part(std::string_view key, std::optional<SharedPart>& part) {
    const auto found = [&]() -> SharedPart& { return part ? *part : part.emplace(); };
    if (key == "shared_memory_region") {
      found().region = reader_.read_string();
    } else if (key == "shared_memory_offset") {
      found().offset = read_count(reader_, "bytes");
    } else if (key == "shared_memory_byte_size") {
      found().bytes = read_count(reader_, "bytes");
    } else {
      return false;
    }
    return true;
  }

  InputText read_input() {
    InputText text;
    MemberSet seen;
    reader_.read_object([&](std::string_view key) {
      if (key == "name") {
        seen.add(reader_, 0, key);
        text.input.name = reader_.read_string();
      } else if (key == "datatype") {
        seen.add(reader_, 1, key);
        const std::string name = reader_.read_string();
        text.input.type = find_data_type(name);
        if (text.input.type == nullptr) reader_.error("'{}' is no datatype of the protocol (FP32, UINT8, ...)", name);
      } else if (key == "shape") {
        seen.add(reader_, 2, key);
        reader_.read_array([&](size_t) {
          if (text.input.shape.size() >= kMostDimensions) reader_.error("more than {} dimensions", kMostDimensions);
          text.input.shape.push_back(reader_.read_integer());
        });
      } else if (key == "data") {
        seen.add(reader_, 3, key);
        reader_.peek();
        text.data_at = reader_.position();
        reader_.skip();
      } else if (key == "parameters") {
        seen.add(reader_, 4, key);
        read_input_parameters(text);
      } else {
        reader_.skip();
      }
    });
    seen.require(reader_, 0, "name");
    seen.require(reader_, 1, "datatype");
    seen.require(reader_, 2, "shape");
    return text;
  }

  void read_input_parameters(InputText& text) {
    reader_.read_object([&](std::string_view key) {
      if (key == "binary_data_size") {
        text.binary_size = read_count(reader_, "bytes");
      } else if (!read_shared_part(key, text.shared)) {
        reader_.skip();
      }
    });
  }

  void read_output() {
    InferOutput output;
    bool has_binary = false;
    MemberSet seen;
    reader_.read_object([&](std::string_view key) {
      if (key == "name") {
        seen.add(reader_, 0, key);
        output.name = reader_.read_string();
      } else if (key == "parameters") {
        seen.add(reader_, 1, key);
        reader_.read_object([&](std::string_view parameter) {
          if (parameter == "binary_data") {
            output.binary = read_bool();
            has_binary = true;
          } else if (parameter == "classification") {
            reader_.error("classification is not offered");
          } else if (!read_shared_part(parameter, output.shared)) {
            reader_.skip();
          }
        });
      } else {
        reader_.skip();
      }
    });
    seen.require(reader_, 0, "name");
    result_.outputs.push_back(std::move(output));
    named_binary_.push_back(has_binary);
  }

  void take_data(InputText& text) {
    InferInput& input = text.input;
    const std::optional<uint64_t> count = checked_numel(input.shape);
    if (!count) refuse_shape(input);
    if (text.binary_size.has_value() + text.data_at.has_value() + text.shared.has_value() != 1)
      throw HttpError(
          400,
          "input '{}': expected one of data, and binary_data_size or a region of shared memory among its parameters",
          input.name);
    if (text.shared) {
      take_shared(input, *text.shared, *count, request_);
    } else if (text.binary_size) {
      take_binary(input, *text.binary_size, *count);
    } else {
      // What numbers and strings become is smaller than twice their text, but for short numbers of 64 bits.
      request_.reservation.pay(std::min<uint64_t>(*count, json_.size()) * std::max<size_t>(input.type->bytes, 8));
      eval::JsonReader data(json_, "request: data of input '" + input.name + "'");
      data.move_to(*text.data_at);
      input.own = read_json_tensor(data, *input.type, input.shape, *count);
      input.bytes = input.own;
    }
    result_.inputs.push_back(std::move(input));
  }

  void take_binary(InferInput& input, uint64_t size, uint64_t count) {
    if (size > binary_.size())
      throw HttpError(400, "input '{}': binary_data_size is {}, but {} bytes are left in the body", input.name, size,
                      binary_.size());
    check_bytes(input, size, count);
    input.bytes = binary_.first(size);
    binary_ = binary_.subspan(size);
  }

  Request& request_;
  std::string_view json_;
  std::span<const std::byte> binary_;
  eval::JsonReader reader_;
  InferRequest result_;
  std::vector<bool> named_binary_;
};

InferInput input_of(InferMessage::Input& from, Request& request) {
  InferInput input;
  input.name = from.label.name;
  input.type = find_data_type(from.label.datatype);
  if (input.type == nullptr)
    throw HttpError(400, "input '{}': there is no datatype '{}'", input.name, from.label.datatype);
  input.shape = std::move(from.label.shape);
  const std::optional<uint64_t> count = checked_numel(input.shape);
  if (!count) refuse_shape(input);
  if (from.shared) {
    take_shared(input, *from.shared, *count, request);
    return input;
  }
  check_bytes(input, from.bytes.size(), *count);
  input.own = std::move(from.own);
  input.bytes = from.bytes;
  return input;
}

InferRequest request_of(Request& from) {
  InferMessage& message = *from.message;
  InferRequest request;
  request.as_message = true;
  request.id = message.id;
  request.timeout_us = message.timeout_us;
  for (InferMessage::Input& input : message.inputs) request.inputs.push_back(input_of(input, from));
  for (InferMessage::Output& output : message.outputs)
    find_place(request.outputs.emplace_back(output.name, true, std::move(output.shared)), from);
  return request;
}

}  // namespace

InferRequest parse_infer_request(Request& request) {
  if (request.message) return request_of(request);
  const uint64_t length = request.header_length.value_or(request.body.size());
  if (length > request.body.size())
    throw HttpError(400, "Inference-Header-Content-Length is {}, but the body has {} bytes", length,
                    request.body.size());
  if (request.header_length && length == 0) {
    InferRequest raw;
    raw.raw = raw.binary_outputs = true;
    raw.inputs.emplace_back().bytes = request.body.bytes();
    return raw;
  }
  return InferReader(request, request.body.text().substr(0, length)).read();
}

std::vector<std::span<const std::byte>> bytes_elements(std::span<const std::byte> data, uint64_t count) {
  std::vector<std::span<const std::byte>> elements;
  while (!data.empty()) {
    uint32_t length = 0;
    if (data.size() < sizeof length)
      throw HttpError(400, "BYTES: {} bytes are left, too few for a length", data.size());
    std::memcpy(&length, data.data(), sizeof length);
    data = data.subspan(sizeof length);
    if (length > data.size())
      throw HttpError(400, "BYTES: element {} has {} bytes, but {} are left", elements.size(), length, data.size());
    if (elements.size() == count) throw HttpError(400, "BYTES: more elements than the {} of the shape", count);
    elements.push_back(data.first(length));
    data = data.subspan(length);
  }
  if (elements.size() != count)
    throw HttpError(400, "BYTES: {} elements, but the shape has {}", elements.size(), count);
  return elements;
}

}  // namespace effdet::server
