// Parses and writes .npy headers; elements of column-major files are reordered.
#include "base/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/checked.h"
#include "base/error.h"
#include "base/file.h"

namespace effdet::inline base {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxRank = 32, kAlignment = 64;

struct TypeName {
  std::string_view code;  ///< numpy's, without the byte order
  DType dtype;
};
constexpr TypeName kTypes[] = {
    {"f4", DType::kF32}, {"f8", DType::kF64}, {"f2", DType::kF16}, {"i1", DType::kI8},
    {"u1", DType::kU8},  {"i2", DType::kI16}, {"u2", DType::kU16}, {"i4", DType::kI32},
    {"u4", DType::kU32}, {"i8", DType::kI64}, {"u8", DType::kU64}, {"b1", DType::kBool},
};

struct Header {
  std::optional<DType> dtype;
  std::optional<bool> column_major;
  std::optional<Shape> shape;
};

/// Parses the header: a Python dictionary of three known keys, of which nothing but literals is understood.
class HeaderParser {
 public:
  HeaderParser(const std::string& file, std::string_view text, size_t offset)
      : file_(file), text_(text), offset_(offset) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      read_entry(header);
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_space();
    if (at_ != text_.size()) error("bytes after the header");
    if (!header.dtype || !header.column_major || !header.shape)
      error("a key of descr, fortran_order, shape is missing");
    return header;
  }

 private:
  [[noreturn]] void error(std::string_view what) const {
    bad_input("{}: .npy header, offset {}: {}", file_, offset_ + at_, what);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }

  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) error(fmt::format("'{}' expected", c));
  }

  std::string_view read_string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const size_t begin = at_;
    at_ = std::min(text_.find(quote, begin), text_.size());
    const std::string_view value = text_.substr(begin, at_ - begin);
    if (at_ == text_.size()) error("a string has no end");
    ++at_;
    return value;
  }

  void read_entry(Header& header) {
    const std::string_view key = read_string();
    expect(':');
    if (key == "descr" && !header.dtype) {
      header.dtype = read_type();
    } else if (key == "fortran_order" && !header.column_major) {
      header.column_major = read_bool();
    } else if (key == "shape" && !header.shape) {
      header.shape = read_shape();
    } else {
      error("a key is unknown or repeated");
    }
  }

  DType read_type() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[')
      fail(ErrorCode::kUnsupported, "{}: structured arrays are not supported", file_);
    const std::string_view text = read_string();
    const char order = text.empty() ? '\0' : text[0];
    const auto known = std::ranges::find(kTypes, text.substr(text.empty() ? 0 : 1), &TypeName::code);
    const bool little = order == '<' || order == '=' || order == '|';
    if (known == std::end(kTypes) || (!little && dtype_size(known->dtype) > 1))
      fail(ErrorCode::kUnsupported, "{}: element type '{}' is not supported; numpy's x.astype('<f4') changes it", file_,
           text);
    return known->dtype;
  }

  bool read_bool() {
    skip_space();
    for (const auto& [word, value] : {std::pair(std::string_view("True"), true), {std::string_view("False"), false}})
      if (text_.substr(at_).starts_with(word)) return at_ += word.size(), value;
    error("True or False expected");
  }

  Shape read_shape() {
    expect('(');
    Shape shape;
    while (!accept(')')) {
      skip_space();
      int64_t dim = -1;
      const char *begin = text_.data() + at_, *end = text_.data() + text_.size();
      const auto [stop, code] = std::from_chars(begin, end, dim);
      if (code != std::errc() || dim < 0) error("a dimension is no number in range");
      at_ += static_cast<size_t>(stop - begin);
      shape.push_back(dim);
      if (shape.size() > kMaxRank) error("too many dimensions");
      if (accept(',')) continue;
      expect(')');
      break;
    }
    return shape;
  }

  const std::string& file_;
  std::string_view text_;
  size_t offset_, at_ = 0;
};

/// Elements in the order of the last dimension first become elements in the order of the first one first.
Tensor from_column_major(const Tensor& source) {
  Tensor result(source.dtype(), source.shape());
  const size_t size = dtype_size(source.dtype());
  auto* out = result.mutable_bytes().data();
  std::vector<int64_t> index(source.rank(), 0);
  for (int64_t i = 0; i < source.numel(); ++i, out += size) {
    int64_t position = 0;
    for (size_t axis = source.rank(); axis-- > 0;) position = position * source.dim(axis) + index[axis];
    std::memcpy(out, source.bytes().data() + static_cast<size_t>(position) * size, size);
    for (size_t axis = source.rank(); axis-- > 0;) {
      if (++index[axis] < source.dim(axis)) break;
      index[axis] = 0;
    }
  }
  return result;
}

uint32_t little_endian(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint32_t>(bytes[i]);
  return value;
}

}  // namespace

Tensor read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  const std::string& name = file.path();
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    bad_input("{}: not a .npy file", name);
  const int version = static_cast<int>(bytes[6]);
  if (version < 1 || version > 3) fail(ErrorCode::kUnsupported, "{}: .npy version {} is not supported", name, version);
  const size_t begin = version == 1 ? 10 : 12;
  if (bytes.size() < begin) bad_input("{}: the .npy header is cut off", name);
  const uint32_t length = little_endian(bytes.subspan(8, begin - 8));
  if (!fits(begin, length, bytes.size())) bad_input("{}: the .npy header of {} bytes is cut off", name, length);
  const Header header =
      HeaderParser(name, {reinterpret_cast<const char*>(bytes.data()) + begin, length}, begin).parse();
  const auto count = checked_numel(*header.shape);
  const auto size = count ? checked_mul(*count, dtype_size(*header.dtype)) : std::nullopt;
  if (!size || *size != bytes.size() - begin - length)
    bad_input("{}: {} bytes of data, its type {} and shape {} need {}", name, bytes.size() - begin - length,
              dtype_name(*header.dtype), shape_text(*header.shape), size ? std::to_string(*size) : "more than 2^64");
  Tensor tensor(*header.dtype, *header.shape);  // copied: the data need not be aligned
  const std::span<const std::byte> data = bytes.subspan(begin + length);
  if (!data.empty()) std::memcpy(tensor.mutable_bytes().data(), data.data(), data.size());
  if (tensor.dtype() == DType::kBool)
    for (const std::byte b : data)
      if (b > std::byte{1}) bad_input("{}: holds {} as a bool", name, static_cast<int>(b));
  return *header.column_major && tensor.rank() > 1 ? from_column_major(tensor) : tensor;
}

std::string npy_header(DType dtype, std::span<const int64_t> shape) {
  const std::string_view code = std::ranges::find(kTypes, dtype, &TypeName::dtype)->code;
  std::string dims;
  for (const int64_t dim : shape) dims += fmt::format("{}, ", dim);
  std::string header = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                   dtype_size(dtype) == 1 ? '|' : '<', code, dims);
  const size_t before = kMagic.size() + 4;
  header.append(kAlignment - 1 - (before + header.size()) % kAlignment, ' ');
  header += '\n';
  const auto length = static_cast<uint16_t>(header.size());  // 32 dimensions of 20 digits are far below 2^16
  return std::string(kMagic) +
         std::string{'\1', '\0', static_cast<char>(length & 0xFF), static_cast<char>(length >> 8)} + header;
}

void write_npy(const Tensor& tensor, const std::filesystem::path& path) {
  if (tensor.dtype() == DType::kBF16) return write_npy(tensor.to(DType::kF32), path);
  AtomicFile file(path);
  file.write(npy_header(tensor.dtype(), tensor.shape()));
  file.write(tensor.bytes());
  file.commit(/*sync=*/false);
}

}  // namespace effdet::inline base
