// Parses the JSON header by events, and names the offset of what is wrong.
#include "checkpoint/safetensors_header.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "checkpoint/hints.h"
#include "checkpoint/load_tensors.h"
#include "checkpoint/quoted.h"

namespace effdet::checkpoint {
namespace {

constexpr size_t kMostShapeItems = 64;

struct TypeName {
  std::string_view name;
  std::optional<DType> dtype;  ///< none: legal in the format, but not for weights here
  uint64_t bits = 0;           ///< of an element, where there is no dtype
};
constexpr TypeName kTypes[] = {
    {"F32", DType::kF32}, {"F16", DType::kF16}, {"BF16", DType::kBF16}, {"F64", DType::kF64},   {"I64", DType::kI64},
    {"I32", DType::kI32}, {"I16", DType::kI16}, {"I8", DType::kI8},     {"U64", DType::kU64},   {"U32", DType::kU32},
    {"U16", DType::kU16}, {"U8", DType::kU8},   {"BOOL", DType::kBool}, {"C64", {}, 64},        {"F8_E4M3", {}, 8},
    {"F8_E5M2", {}, 8},   {"F8_E8M0", {}, 8},   {"F8_E4M3FNUZ", {}, 8}, {"F8_E5M2FNUZ", {}, 8}, {"F6_E2M3", {}, 6},
    {"F6_E3M2", {}, 6},   {"F4", {}, 4},
};

uint64_t bits_of(const TypeName& type) { return type.dtype ? 8 * dtype_size(*type.dtype) : type.bits; }

/// Walks the text and tells the handler how far the parser is.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* place, const char** seen) : place_(place), seen_(seen) {}
  reference operator*() const { return *place_; }
  Cursor& operator++() {
    *seen_ = ++place_;
    return *this;
  }
  Cursor operator++(int) {
    Cursor before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Cursor& other) const { return place_ == other.place_; }

 private:
  const char* place_;
  const char** seen_;
};

/// {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {"key": "text", ...}}
class HeaderParser : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderParser(std::string_view json, uint64_t base, const std::string& path, Budget& budget)
      : json_(json), base_(base), path_(path), budget_(budget), seen_(json.data()) {}

  SafetensorsHeader parse() {
    const Cursor begin(json_.data(), &seen_), end(json_.data() + json_.size(), &seen_);
    nlohmann::json::sax_parse(begin, end, this);
    return std::move(header_);
  }

  bool start_object(std::size_t) override {
    if (depth_ == 2) fail_here("an object where none belongs");  // lists are no deeper than that
    ++depth_;
    return true;
  }

  bool end_object() override {
    if (--depth_ == 1 && !in_metadata_) finish_entry();
    in_metadata_ = false;
    return true;
  }

  bool key(string_t& text) override {
    budget_.enter("header", offset());
    if (depth_ == 1) {
      start_entry(text);
    } else if (in_metadata_) {
      metadata_key_ = text;
    } else {
      start_field(text);
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (in_array_ || (field_ != Field::kShape && field_ != Field::kOffsets)) fail_here("a list where none belongs");
    in_array_ = true;
    return true;
  }

  bool end_array() override {
    in_array_ = false;
    field_ = Field::kNone;
    return true;
  }

  bool string(string_t& text) override {
    if (in_metadata_ && depth_ == 2) {
      append_hint(metadata_key_, text, header_.hints);
      return true;
    }
    if (field_ != Field::kType) fail_here("a string where none belongs");
    set_type(text);
    field_ = Field::kNone;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (!in_array_) fail_here("a number where none belongs");
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) fail_here("{} is too large", value);
    if (field_ == Field::kShape) {
      if (entry_.shape.size() == kMostShapeItems) fail_here("over {} dimensions", kMostShapeItems);
      entry_.shape.push_back(static_cast<int64_t>(value));
    } else {
      if (offsets_ == 2) fail_here("data_offsets are not two numbers");
      (offsets_++ == 0 ? entry_.begin : entry_.end) = value;
    }
    return true;
  }

  bool number_integer(number_integer_t value) override { fail_here("{} is negative", value); }
  bool number_float(number_float_t, const string_t& text) override {
    fail_here("{} is not a whole number of 63 bits", quote_text(text));
  }
  bool null() override { fail_here("null where it does not belong"); }
  bool boolean(bool) override { fail_here("a boolean where none belongs"); }
  bool binary(binary_t&) override { fail_here("binary data"); }  // cannot be in JSON text

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ...": the place is ours to say.
    const std::string_view text = error.what();
    const size_t colon = text.find(": ");
    fail_here("not JSON: {}", quote_text(colon == text.npos ? text : text.substr(colon + 2)));
  }

 private:
  enum class Field { kNone, kType, kShape, kOffsets };

  uint64_t offset() const { return base_ + static_cast<uint64_t>(seen_ - json_.data()); }

  template <typename... Args>
  [[noreturn]] void fail_here(fmt::format_string<Args...> format, Args&&... args) const {
    const std::string tensor = entry_.name.empty() ? "" : fmt::format("tensor {}: ", quote_text(entry_.name));
    bad_input("{}: safetensors header at byte {}: {}{}", path_, offset(), tensor,
              fmt::format(format, std::forward<Args>(args)...));
  }

  void start_entry(const std::string& name) {
    in_metadata_ = name == "__metadata__";
    entry_ = SafetensorsEntry{.name = name, .shape = {}, .offset = offset()};
    offsets_ = 0;
    has_type_ = has_shape_ = false;
    if (in_metadata_ && std::exchange(had_metadata_, true)) fail_here("__metadata__ is there twice");
    if (name.empty() || !is_clean_utf8(name)) fail_here("a name is empty or holds NUL");
  }

  void start_field(const std::string& name) {
    const auto take = [&](Field field, bool& seen) {
      if (std::exchange(seen, true)) fail_here("{} is there twice", name);
      field_ = field;
    };
    bool had_offsets = offsets_ > 0;
    if (name == "dtype") return take(Field::kType, has_type_);
    if (name == "shape") return take(Field::kShape, has_shape_);
    if (name == "data_offsets") return take(Field::kOffsets, had_offsets);
    fail_here("the unknown field {}", quote_text(name));
  }

  void set_type(const std::string& name) {
    for (size_t i = 0; i < std::size(kTypes); ++i) {
      const TypeName& type = kTypes[i];
      if (type.name != name) continue;
      entry_.dtype = type.dtype.value_or(DType::kU8);
      entry_.foreign = !type.dtype;
      entry_.type = static_cast<uint8_t>(i);
      return;
    }
    fail_here("the unknown type {}", quote_text(name));
  }

  void finish_entry() {
    if (!has_type_ || !has_shape_ || offsets_ != 2) fail_here("dtype, shape or data_offsets is missing");
    const auto count = checked_numel(entry_.shape);
    const auto bits = count ? checked_mul(*count, bits_of(kTypes[entry_.type])) : std::nullopt;
    if (entry_.begin > entry_.end) fail_here("its data begin at {} and end at {}", entry_.begin, entry_.end);
    if (!bits || *bits % 8 != 0 || *bits / 8 != entry_.end - entry_.begin)
      fail_here("{} x {} does not have the {} bytes that data_offsets say", shape_text(entry_.shape),
                safetensors_type(entry_), entry_.end - entry_.begin);
    budget_.charge(sizeof(SafetensorsEntry) + tensor_cost(entry_.shape.size(), entry_.name));
    check_tensor_count(header_.entries.size() + 1, path_);
    header_.entries.push_back(std::move(entry_));
    entry_ = {};
  }

  std::string_view json_;
  uint64_t base_;
  const std::string& path_;
  Budget& budget_;
  const char* seen_;

  SafetensorsHeader header_;
  SafetensorsEntry entry_;
  std::string metadata_key_;
  int depth_ = 0, offsets_ = 0;
  Field field_ = Field::kNone;
  bool in_array_ = false, in_metadata_ = false, had_metadata_ = false, has_type_ = false, has_shape_ = false;
};

}  // namespace

std::string_view safetensors_type(const SafetensorsEntry& entry) { return kTypes[entry.type].name; }

SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t base, const std::string& path,
                                           Budget& budget) {
  return HeaderParser(json, base, path, budget).parse();
}

}  // namespace effdet::checkpoint
