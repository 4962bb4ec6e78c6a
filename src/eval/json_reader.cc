// Scans JSON values in place, checks numbers and UTF-8 as RFC 8259 wants them, and says where an error is.
#include "eval/json_reader.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "base/ascii.h"

namespace effdet::eval {
namespace {

constexpr size_t kMaxDepth = 512;

/// How many characters at the front stand for themselves in a string: ASCII but for quotes, backslashes and control
/// characters.
size_t plain_length(std::string_view text) {
  constexpr uint64_t kHighs = kOnes * 0x80;
  // Sets the highest bit of each byte below a limit; borrows reach only bytes behind the first such one.
  const auto below = [](uint64_t word, uint64_t limit) { return (word - kOnes * limit) & ~word; };
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    const uint64_t word = load_eight(text.data() + at);
    const uint64_t special =
        (word | below(word, 0x20) | below(word ^ kOnes * '"', 1) | below(word ^ kOnes * '\\', 1)) & kHighs;
    if (special != 0) return at + static_cast<size_t>(std::countr_zero(special)) / 8;
  }
  const auto is_plain = [](char c) { return static_cast<signed char>(c) >= 0x20 && c != '"' && c != '\\'; };
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/// Length of the valid UTF-8 sequence at the front of text, or 0 (RFC 3629: no overlong forms, no surrogates).
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

/// The value of a number's text; infinite where it does not fit.
double to_double(std::string_view number) {
  double value = 0;
  const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (status != std::errc::result_out_of_range) return value;
  // from_chars says the same for numbers too small for a double, which round to zero.
  const bool negative = number[0] == '-';
  const bool tiny = number.find("e-") != std::string_view::npos || number.find("E-") != std::string_view::npos ||
                    number[negative ? 1 : 0] == '0';
  if (tiny) return 0;
  return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

/// For errors: what stands at the front of the text, made printable and short.
std::string excerpt(std::string_view text) {
  if (text.empty()) return "the end of the file";
  const auto c = static_cast<unsigned char>(text[0]);
  if (c < 0x20 || c >= 0x7F) return fmt::format("byte 0x{:02x}", c);
  const size_t end = std::min<size_t>(text.find_first_of(" \t\r\n,]}"), 16);
  std::string result;
  for (char letter : text.substr(0, std::max<size_t>(end, 1))) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte >= 0x7F) break;
    result += letter;
  }
  return "'" + result + "'";
}

}  // namespace

JsonReader::JsonReader(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {
  check_encoding();
}

void JsonReader::check_encoding() const {
  const auto starts = [&](std::string_view mark) { return text_.substr(0, mark.size()) == mark; };
  if (text_.empty()) bad_input("{}: the file is empty, not JSON", name_);
  if (starts("\xEF\xBB\xBF")) bad_input("{}: starts with a byte order mark; save it as UTF-8 without one", name_);
  if (starts("\xFF\xFE") || starts("\xFE\xFF") || text_.substr(0, 4).find('\0') != std::string_view::npos) {
    bad_input("{}: is not UTF-8 (it looks like UTF-16 or UTF-32); save it as UTF-8", name_);
  }
}

void JsonReader::error_at(size_t position, const std::string& message) const {
  std::string path;
  for (const Step& step : path_) {
    if (step.key.data() == nullptr) {
      path += fmt::format("[{}]", step.index);
      continue;
    }
    if (!path.empty()) path += '.';
    // Keys come from the file: nothing in them may break the one line of an error.
    for (char c : step.key.substr(0, 40)) path += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  if (path.empty()) bad_input("{}: {} (byte {})", name_, message, position);
  bad_input("{}: {}: {} (byte {})", name_, path, message, position);
}

void JsonReader::error_expected(const char* what) {
  peek();
  error("expected {}, found {}", what, excerpt(text_.substr(position_)));
}

bool JsonReader::begin(char open, char close) {
  if (!accept(open)) error_expected(open == '{' ? "an object" : "an array");
  return !accept(close);
}

std::string_view JsonReader::read_key() {
  if (peek() != '"') error_expected("a key in quotes");
  const size_t start = position_ + 1;
  const size_t plain = plain_length(text_.substr(start));
  std::string_view key = text_.substr(start, plain);
  if (start + plain < text_.size() && text_[start + plain] == '"') {
    position_ = start + plain + 1;
  } else {
    key_buffer_.clear();
    scan_string(&key_buffer_);
    key = key_buffer_;
  }
  path_.back().key = text_.substr(start, position_ - 1 - start);
  expect(':', "':'");
  return key;
}

/// What stands next, where it is such a number; it is not passed over.
inline ShortDecimal JsonReader::next_short_decimal() {
  peek();
  return scan_short_decimal(text_.substr(position_));
}

void JsonReader::refuse_number(fmt::format_string<std::string_view> format, std::string_view number) const {
  error_at(static_cast<size_t>(number.data() - text_.data()), fmt::format(format, number.substr(0, 40)));
}

std::string_view JsonReader::scan_number() {
  peek();
  const size_t start = position_;
  const auto at = [&] { return position_ < text_.size() ? text_[position_] : '\0'; };
  const auto digits = [&] {
    if (!is_digit(at())) {
      position_ = start;
      error_expected("a number");
    }
    while (is_digit(at())) ++position_;
  };
  if (at() == '-') ++position_;
  if (at() == '0') {
    ++position_;
    if (is_digit(at())) error("a number with a leading zero");
  } else {
    digits();
  }
  if (at() == '.') {
    ++position_;
    digits();
  }
  if (at() == 'e' || at() == 'E') {
    ++position_;
    if (at() == '+' || at() == '-') ++position_;
    digits();
  }
  return text_.substr(start, position_ - start);
}

double JsonReader::read_number() {
  if (const ShortDecimal decimal = next_short_decimal(); decimal.length != 0) {
    position_ += decimal.length;
    return decimal.value();
  }
  const std::string_view number = scan_number();
  const double value = to_double(number);
  if (std::isinf(value)) refuse_number("{} does not fit in a double", number);
  return value;
}

double JsonReader::read_any_number() {
  if (const ShortDecimal decimal = next_short_decimal(); decimal.length != 0) {
    position_ += decimal.length;
    return decimal.value();
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (peek()) {
    case 'n':
      scan_literal("null");
      return std::numeric_limits<double>::quiet_NaN();
    case 'N':
      scan_literal("NaN");
      return std::numeric_limits<double>::quiet_NaN();
    case 'I':
      scan_literal("Infinity");
      return kInfinity;
    case '-':
      if (accept_minus_infinity()) return -kInfinity;
      [[fallthrough]];
    default:
      return to_double(scan_number());
  }
}

int64_t JsonReader::read_integer() {
  if (const ShortDecimal decimal = next_short_decimal();
      decimal.length != 0 && decimal.places == 0 && decimal.digits <= uint64_t{std::numeric_limits<int64_t>::max()}) {
    position_ += decimal.length;
    const auto magnitude = static_cast<int64_t>(decimal.digits);
    return decimal.is_negative ? -magnitude : magnitude;
  }
  const std::string_view number = scan_number();
  int64_t value = 0;
  const char* const last = number.data() + number.size();
  const auto [end, status] = std::from_chars(number.data(), last, value);
  if (status != std::errc()) refuse_number("{} does not fit in 64 bits with a sign", number);
  if (end == last) return value;
  double real = 0;
  const auto parsed = std::from_chars(number.data(), last, real);
  if (parsed.ec != std::errc() || real != std::trunc(real) || std::abs(real) > 9007199254740992.0) {
    refuse_number("expected a whole number, found {}", number);
  }
  return static_cast<int64_t>(real);
}

bool JsonReader::read_flag() {
  switch (peek()) {
    case 't':
      scan_literal("true");
      return true;
    case 'f':
      scan_literal("false");
      return false;
    default:
      return read_number() != 0;
  }
}

std::string JsonReader::read_string() {
  if (peek() != '"') error_expected("a string");
  std::string result;
  scan_string(&result);
  return result;
}

void JsonReader::scan_string(std::string* decoded) {
  const size_t start = position_++;
  while (true) {
    const size_t plain = plain_length(text_.substr(position_));
    if (decoded != nullptr) decoded->append(text_.substr(position_, plain));
    position_ += plain;
    if (position_ >= text_.size()) break;
    const auto c = static_cast<unsigned char>(text_[position_]);
    if (c == '"') {
      ++position_;
      return;
    }
    if (c == '\\') {
      scan_escape(decoded);
    } else if (c < 0x20) {
      error("a control character in a string");
    } else {
      scan_utf8(decoded);
    }
  }
  error_at(start, "a string without an end");
}

void JsonReader::scan_utf8(std::string* decoded) {
  const size_t length = utf8_length(text_.substr(position_));
  if (length == 0) error("a string that is not UTF-8");
  if (decoded != nullptr) decoded->append(text_.substr(position_, length));
  position_ += length;
}

void JsonReader::scan_escape(std::string* decoded) {
  static constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  const char letter = position_ + 1 < text_.size() ? text_[position_ + 1] : '\0';
  uint32_t code = 0;
  if (letter == 'u') {
    position_ += 2;
    code = scan_hex4();
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(position_, 2) == "\\u") {
      position_ += 2;
      const uint32_t low = scan_hex4();
      if (low < 0xDC00 || low > 0xDFFF) error("a lone surrogate in a string");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xD800 && code <= 0xDFFF) {
      error("a lone surrogate in a string");
    }
  } else {
    const size_t which = letter == '\0' ? std::string_view::npos : kLetters.find(letter);
    if (which == std::string_view::npos) error("an unknown escape in a string");
    code = static_cast<unsigned char>(kMeanings[which]);
    position_ += 2;
  }
  if (decoded != nullptr) append_utf8(*decoded, code);
}

uint32_t JsonReader::scan_hex4() {
  const std::string_view digits = text_.substr(position_, 4);
  uint32_t code = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  if (digits.size() < 4 || status != std::errc() || end != digits.data() + 4) error("\\u without four hex digits");
  position_ += 4;
  return code;
}

void JsonReader::scan_literal(std::string_view literal) {
  if (text_.substr(position_, literal.size()) != literal) error_expected("a value");
  position_ += literal.size();
}

bool JsonReader::accept_minus_infinity() {
  if (text_.substr(position_, 2) != "-I") return false;
  scan_literal("-Infinity");
  return true;
}

void JsonReader::skip_scalar(char first) {
  switch (first) {
    case '"':
      scan_string(nullptr);
      break;
    case 't':
      scan_literal("true");
      break;
    case 'f':
      scan_literal("false");
      break;
    case 'n':
      scan_literal("null");
      break;
    case 'N':
      scan_literal("NaN");
      break;
    case 'I':
      scan_literal("Infinity");
      break;
    case '-':
      if (accept_minus_infinity()) break;
      [[fallthrough]];
    default:
      if (first != '-' && !is_digit(first)) error_expected("a value");
      if (const size_t length = next_short_decimal().length; length != 0) {
        position_ += length;
      } else {
        scan_number();
      }
  }
}

void JsonReader::skip() {
  std::string closers;  // of the arrays and objects that are open; no recursion, so depth costs no stack
  const auto read_member_name = [&] {
    if (peek() != '"') error_expected("a key in quotes");
    scan_string(nullptr);
    expect(':', "':'");
  };
  do {
    const char first = peek();
    if (first == '[' || first == '{') {
      if (closers.size() + path_.size() >= kMaxDepth) error("nested deeper than {} levels", kMaxDepth);
      ++position_;
      closers += first == '[' ? ']' : '}';
      if (peek() != closers.back()) {
        if (first == '{') read_member_name();
        continue;
      }
    } else {
      skip_scalar(first);
    }
    while (!closers.empty() && accept(closers.back())) closers.pop_back();
    if (closers.empty()) break;
    expect(',', closers.back() == ']' ? "',' or ']'" : "',' or '}'");
    if (closers.back() == '}') read_member_name();
  } while (true);
}

void JsonReader::finish() {
  peek();
  if (position_ < text_.size()) error_expected("the end of the file");
}

}  // namespace effdet::eval
