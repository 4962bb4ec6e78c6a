// Reads inference requests off the wire; fields have the numbers of inference.proto.
#include "server/grpc/read_infer.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "server/grpc/wire.h"
#include "server/http_error.h"
#include "server/text.h"

namespace effdet::server::grpc_module {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied as they lie");

constexpr size_t kMostParameters = 64, kMostText = 4096;
using Type = Field::Type;

std::string short_text(const Field& field, const char* what) {
  if (field.bytes.size() > kMostText) throw HttpError(400, "{}: longer than {} bytes", what, kMostText);
  return field.text();
}

/// An entry of a map from names to InferParameter, whose value is written as text.
struct Parameter {
  std::string name, value;

  explicit Parameter(const Field& entry) {
    FieldReader reader(entry.bytes);
    for (Field field; reader.next(field);) {
      if (field.is(1, Type::kBytes)) name = short_text(field, "a parameter's name");
      if (field.is(2, Type::kBytes)) read_value(field);
    }
  }

 private:
  void read_value(const Field& parameter) {
    FieldReader reader(parameter.bytes);
    for (Field field; reader.next(field);) {
      if (field.is(1, Type::kVarint)) value = field.value != 0 ? "true" : "false";
      if (field.is(2, Type::kVarint)) value = std::to_string(static_cast<int64_t>(field.value));
      if (field.is(3, Type::kBytes)) value = short_text(field, "a parameter");
      if (field.is(4, Type::kFixed64)) read_double(field);
      if (field.is(5, Type::kVarint)) value = std::to_string(field.value);
    }
  }

  void read_double(const Field& field) {
    double number;
    std::memcpy(&number, field.bytes.data(), sizeof number);
    char digits[32];
    value.assign(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }
};

/// How the contents of a datatype are written: in which field, and in how many bytes the model has an element.
struct ContentsType {
  std::string_view datatype;
  int field;
  size_t bytes;
  bool is_signed = false;
};

constexpr ContentsType kContentsTypes[] = {
    {"BOOL", 1, 1},        {"INT8", 2, 1, true}, {"INT16", 2, 2, true}, {"INT32", 2, 4, true},
    {"INT64", 3, 8, true}, {"UINT8", 4, 1},      {"UINT16", 4, 2},      {"UINT32", 4, 4},
    {"UINT64", 5, 8},      {"FP32", 6, 4},       {"FP64", 7, 8},        {"BYTES", 8, 0},
};
constexpr int kFirstFloat = 6, kBytesField = 8;

/// The elements of InferTensorContents become the bytes that a binary tensor has.
class ContentsReader {
 public:
  ContentsReader(InferMessage::Input& input, Request& request) : input_(input), request_(request) {
    for (const ContentsType& type : kContentsTypes)
      if (type.datatype == input.label.datatype) type_ = &type;
    if (type_ == nullptr)
      throw HttpError(400, "input '{}': datatype {} has no contents: send it as raw_input_contents", input.label.name,
                      input.label.datatype);
  }

  void read(std::span<const std::byte> contents) {
    FieldReader reader(contents);
    for (Field field; reader.next(field);) take(field);
    input_.bytes = input_.own;
  }

 private:
  void take(const Field& field) {
    if (field.number != type_->field)
      throw HttpError(400, "input '{}': data of {} stand in another field of the contents", input_.label.name,
                      type_->datatype);
    if (type_->field == kBytesField) {
      expect(field.type == Type::kBytes);
      const auto length = static_cast<uint32_t>(field.bytes.size());  // a message is below 2 GiB
      return append(std::as_bytes(std::span(&length, 1)), field.bytes);
    }
    if (type_->field >= kFirstFloat) {
      const bool single = field.type == (type_->bytes == 4 ? Type::kFixed32 : Type::kFixed64);
      expect(single || (field.type == Type::kBytes && field.bytes.size() % type_->bytes == 0));
      return append({}, field.bytes);
    }
    if (field.type == Type::kVarint) return append_number(field.value);
    expect(field.type == Type::kBytes);
    request_.reservation.pay(field.bytes.size() * type_->bytes);
    for (std::span<const std::byte> left = field.bytes; !left.empty();) add(take_varint(left));
  }

  void expect(bool is_good) const {
    if (!is_good) throw HttpError(400, "input '{}': contents of another type", input_.label.name);
  }

  void append(std::span<const std::byte> first, std::span<const std::byte> second) {
    request_.reservation.pay(first.size() + second.size());
    input_.own.insert(input_.own.end(), first.begin(), first.end());
    input_.own.insert(input_.own.end(), second.begin(), second.end());
  }

  void append_number(uint64_t value) {
    request_.reservation.pay(type_->bytes);
    add(value);
  }

  void add(uint64_t value) {
    if (type_->field == 1) value = value != 0;
    const unsigned bits = static_cast<unsigned>(type_->bytes) * 8;
    const auto number = static_cast<int64_t>(value);
    const bool fits =
        bits == 64 || (type_->is_signed ? number >= -(int64_t{1} << (bits - 1)) && number < int64_t{1} << (bits - 1)
                                        : value >> bits == 0);
    if (!fits)
      throw HttpError(400, "input '{}': {} is outside the range of {}", input_.label.name, number, type_->datatype);
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    input_.own.insert(input_.own.end(), bytes, bytes + type_->bytes);
  }

  InferMessage::Input& input_;
  Request& request_;
  const ContentsType* type_ = nullptr;
};

void take_shared_part(const Parameter& parameter, std::optional<SharedPart>& part) {
  const auto& [name, value] = parameter;
  const auto count = [&] {
    const auto bytes = whole_number<uint64_t>(value);
    if (!bytes) throw HttpError(400, "{}: expected a number of bytes", name);
    return *bytes;
  };
  const auto found = [&]() -> SharedPart& { return part ? *part : part.emplace(); };
  if (name == "shared_memory_region") found().region = value;
  if (name == "shared_memory_offset") found().offset = count();
  if (name == "shared_memory_byte_size") found().bytes = count();
}

class InferReader {
 public:
  explicit InferReader(Request& request) : request_(request), message_(request.message.emplace()) {}

  void read(std::span<const std::byte> bytes) {
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
      if (field.type != Type::kBytes) continue;
      if (field.number == 1) model_ = short_text(field, "the model's name");
      if (field.number == 2) version_ = short_text(field, "the model's version");
      if (field.number == 3) message_.id = short_text(field, "the request's id");
      if (field.number == 4) take_parameter(Parameter(field));
      if (field.number == 5) read_input(field.bytes);
      if (field.number == 6) read_output(field.bytes);
      if (field.number == 7) added(raw_, "raw_input_contents") = field.bytes;
    }
    take_raw();
    request_.target.path = {"v2", "models", model_};
    if (!version_.empty()) request_.target.path.insert(request_.target.path.end(), {"versions", version_});
    request_.target.path.emplace_back("infer");
  }

 private:
  template <typename T>
  static T& added(std::vector<T>& list, const char* what) {
    if (list.size() >= kMostTensors) throw HttpError(400, "more than {} {}", kMostTensors, what);
    return list.emplace_back();
  }

  void take_parameter(const Parameter& parameter) {
    if (++parameters_ > kMostParameters) throw HttpError(400, "more than {} parameters", kMostParameters);
    const auto& [name, value] = parameter;
    if (name == "timeout") {
      message_.timeout_us = whole_number<uint64_t>(value);
      if (!message_.timeout_us) throw HttpError(400, "timeout: expected a number of microseconds");
    } else if (name == "priority" || name == "score" || name == "iou" || name == "max" || name == "classes") {
      request_.target.query.emplace_back(name, value);
    }
  }

  void read_input(std::span<const std::byte> bytes) {
    InferMessage::Input& input = added(message_.inputs, "inputs");
    std::span<const std::byte> contents;
    size_t parameters = 0;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
      if (field.number == 3) read_dimensions(field, input.label.shape);
      if (field.type != Type::kBytes) continue;
      if (field.number == 1) input.label.name = short_text(field, "an input's name");
      if (field.number == 2) input.label.datatype = short_text(field, "a datatype");
      if (field.number == 4 && ++parameters <= kMostParameters) take_shared_part(Parameter(field), input.shared);
      if (field.number == 5) contents = field.bytes;
    }
    if (parameters > kMostParameters) throw HttpError(400, "more than {} parameters", kMostParameters);
    if (input.shared && !contents.empty())
      throw HttpError(400, "input '{}': contents, and shared memory besides", input.label.name);
    has_contents_.push_back(!contents.empty());
    if (!contents.empty()) ContentsReader(input, request_).read(contents);
  }

  static void read_dimensions(const Field& field, std::vector<int64_t>& shape) {
    std::span<const std::byte> packed = field.bytes;
    if (field.type == Type::kVarint) shape.push_back(static_cast<int64_t>(field.value));
    while (field.type == Type::kBytes && !packed.empty() && shape.size() <= kMostDimensions)
      shape.push_back(static_cast<int64_t>(take_varint(packed)));
    if (shape.size() > kMostDimensions) throw HttpError(400, "a shape has more than {} dimensions", kMostDimensions);
  }

  void read_output(std::span<const std::byte> bytes) {
    InferMessage::Output& output = added(message_.outputs, "outputs");
    size_t parameters = 0;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
      if (field.is(1, Type::kBytes)) output.name = short_text(field, "an output's name");
      if (!field.is(2, Type::kBytes)) continue;
      if (++parameters > kMostParameters) throw HttpError(400, "more than {} parameters", kMostParameters);
      const Parameter parameter(field);
      take_shared_part(parameter, output.shared);
      if (parameter.name == "classification") throw HttpError(400, "classification is not offered");
    }
  }

  void take_raw() {
    if (raw_.empty()) return;
    // Of those in shared memory there are none.
    const auto expected = std::ranges::count_if(message_.inputs, [](const auto& input) { return !input.shared; });
    if (raw_.size() != static_cast<size_t>(expected))
      throw HttpError(400, "{} raw_input_contents, but {} inputs", raw_.size(), expected);
    size_t next = 0;
    for (size_t i = 0; i < message_.inputs.size(); ++i) {
      InferMessage::Input& input = message_.inputs[i];
      if (has_contents_[i])
        throw HttpError(400, "input '{}': contents, and raw_input_contents besides", input.label.name);
      if (!input.shared) input.bytes = raw_[next++];
    }
  }

  Request& request_;
  InferMessage& message_;
  std::string model_, version_;
  std::vector<std::span<const std::byte>> raw_;
  std::vector<bool> has_contents_;
  size_t parameters_ = 0;
};

}  // namespace

void read_infer(std::span<const std::byte> message, std::shared_ptr<const void> owner, Request& request) {
  InferReader(request).read(message);
  request.message->owner = std::move(owner);
}

}  // namespace effdet::server::grpc_module
