// Reads and writes the elements of tensors as JSON.
#include "server/json_tensor.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "server/http_error.h"

namespace effdet::server {
namespace {

/// Calls f with a value of the type's C++ type.
template <typename F>
void with_element_type(const DataType& type, F&& f) {
  if (type.protocol == "BOOL") return f(bool());
  if (type.protocol == "UINT8") return f(uint8_t());
  if (type.protocol == "UINT16") return f(uint16_t());
  if (type.protocol == "UINT32") return f(uint32_t());
  if (type.protocol == "UINT64") return f(uint64_t());
  if (type.protocol == "INT8") return f(int8_t());
  if (type.protocol == "INT16") return f(int16_t());
  if (type.protocol == "INT32") return f(int32_t());
  if (type.protocol == "INT64") return f(int64_t());
  if (type.protocol == "FP32") return f(float());
  if (type.protocol == "FP64") return f(double());
  throw HttpError(400, "tensors of {} have no form in JSON: send and ask for binary data", type.protocol);
}

template <typename T>
T read_element(eval::JsonReader& reader) {
  if constexpr (std::is_same_v<T, bool>) {
    return reader.read_flag();
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(reader.read_any_number());
  } else {
    const int64_t value = reader.read_integer();
    const bool below = std::is_unsigned_v<T> ? value < 0 : value < static_cast<int64_t>(std::numeric_limits<T>::min());
    const bool above = sizeof(T) < 8 && value > static_cast<int64_t>(std::numeric_limits<T>::max());
    if (below || above) reader.error("{} is outside the range of the tensor's datatype", value);
    return static_cast<T>(value);
  }
}

/// Reads nested arrays; append(reader) reads one element.
template <typename Append>
class NestedData {
 public:
  NestedData(eval::JsonReader& reader, std::span<const int64_t> shape, uint64_t count, Append append)
      : reader_(reader), shape_(shape), count_(count), append_(append) {}

  void read() {
    if (reader_.peek() != '[') reader_.error("expected an array of the tensor's elements");
    read_level(0);
    if (seen_ != count_) reader_.error("{} elements, but the shape has {}", seen_, count_);
  }

 private:
  void read_level(size_t depth) {
    uint64_t arrays = 0, elements = 0;
    reader_.read_array([&](size_t) {
      if (reader_.peek() == '[') {
        if (depth + 1 >= shape_.size()) reader_.error("nested deeper than the shape");
        ++arrays;
        return read_level(depth + 1);
      }
      if (++seen_ > count_) reader_.error("more elements than the {} of the shape", count_);
      ++elements;
      append_(reader_);
    });
    if (depth == 0 && arrays == 0) return;
    const bool is_row = depth + 1 == shape_.size();
    const auto expected = static_cast<uint64_t>(shape_[depth]);
    if ((is_row ? elements : arrays) != expected || (is_row ? arrays : elements) != 0)
      reader_.error("arrays are not nested as the shape says: dimension {} has {}", depth, expected);
  }

  eval::JsonReader& reader_;
  std::span<const int64_t> shape_;
  uint64_t count_, seen_ = 0;
  Append append_;
};

void append_bytes(std::vector<std::byte>& bytes, const void* data, size_t size) {
  const auto* begin = static_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), begin, begin + size);
}

void append_string(std::vector<std::byte>& bytes, const std::string& text) {
  const auto length = static_cast<uint32_t>(text.size());  // a body is far below 4 GiB
  append_bytes(bytes, &length, sizeof length);
  append_bytes(bytes, text.data(), text.size());
}

template <typename T>
void append_number(std::string& text, T value) {
  if constexpr (std::is_same_v<T, bool>) {
    text += value ? "true" : "false";
  } else if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) {
      text += "NaN";
    } else if (std::isinf(value)) {
      text += value < 0 ? "-Infinity" : "Infinity";
    } else {
      char digits[32];
      text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
  } else {
    char digits[32];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

}  // namespace

std::vector<std::byte> read_json_tensor(eval::JsonReader& reader, const DataType& type, std::span<const int64_t> shape,
                                        uint64_t count) {
  std::vector<std::byte> bytes;
  if (type.protocol == "BYTES") {
    NestedData(reader, shape, count, [&](eval::JsonReader& from) { append_string(bytes, from.read_string()); }).read();
    return bytes;
  }
  with_element_type(type, [&](auto zero) {
    using T = decltype(zero);
    // Each element is at least a digit and a comma.
    if (count > reader.text().size() / 2 + 1) reader.error("the shape has {} elements, more than fit here", count);
    bytes.reserve(count * sizeof(T));
    NestedData(reader, shape, count, [&](eval::JsonReader& from) {
      const T value = read_element<T>(from);
      append_bytes(bytes, &value, sizeof value);
    }).read();
  });
  return bytes;
}

void append_json_tensor(std::string& text, const DataType& type, std::span<const std::byte> bytes) {
  text += '[';
  with_element_type(type, [&](auto zero) {
    using T = decltype(zero);
    for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
      T value;
      std::memcpy(&value, bytes.data() + at, sizeof value);
      if (at > 0) text += ',';
      append_number(text, value);
    }
  });
  text += ']';
}

}  // namespace effdet::server
