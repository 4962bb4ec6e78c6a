// A strict, fast JSON reader that pulls values out of a text: no tree, no recursion on input, errors with path and
// offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "eval/short_decimal.h"

namespace effdet::eval {

/// Where reading a part of an array stopped: at the first byte of an element, or at_end, behind the array.
struct ArrayStop {
  size_t position = 0;
  bool at_end = false;
};

/// Reads a JSON text (RFC 8259, UTF-8) from front to back. Every function that reads throws Error(kBadInput) of the
/// form "FILE: annotations[12].bbox: expected a number (byte 1234)". NaN, Infinity and -Infinity, which Python's json
/// module writes, are values as there, but no numbers to read_number(). Stricter than that module: no lone surrogates,
/// and no numbers that do not fit in a double where one is read; a byte order mark and UTF-16 are named in the error.
class JsonReader {
 public:
  /// Precondition: text outlives the reader. name is used in errors.
  JsonReader(std::string_view text, std::string name);

  /// Reads an object; on_member(key) must read or skip() the value. The key is valid until the value is read.
  template <typename OnMember>
  void read_object(OnMember&& on_member);
  /// Reads an array; on_element(index) must read or skip() the element.
  template <typename OnElement>
  void read_array(OnElement&& on_element);
  /// Reads elements from the one that begins at byte begin on, up to the one that begins at byte end, and nothing
  /// behind that. Indices count from begin. For array_parts.h, which finds out whether elements begin at these bytes.
  template <typename OnElement>
  ArrayStop read_elements(size_t begin, size_t end, OnElement&& on_element);
  double read_number();
  /// A number of any kind: also NaN, Infinity and -Infinity; null, which is NaN in what JavaScript writes; and numbers
  /// beyond a double's range, which are infinite as in Python.
  double read_any_number();
  /// A whole number; one written with a fraction or exponent, as 139.0, is accepted where it is whole.
  int64_t read_integer();
  /// true, false, or a number that is not zero.
  bool read_flag();
  /// The string with its escapes decoded, as valid UTF-8.
  std::string read_string();
  /// The first character of the next value; '\0' at the end.
  char peek() {
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return c;
      ++position_;
    }
    return '\0';
  }
  /// Passes over any value, checking its grammar; nesting is limited to 512.
  void skip();
  /// Throws unless the whole text was read.
  void finish();
  std::string_view text() const { return text_; }
  /// Of the next byte that is read.
  size_t position() const { return position_; }
  /// Goes on at another byte, as if what lies before it were read.
  void move_to(size_t position) { position_ = position; }

  /// Throws Error(kBadInput) with file, path and offset.
  template <typename... Args>
  [[noreturn]] void error(fmt::format_string<Args...> format, Args&&... args) const {
    error_at(position_, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  /// A step of the path: a member's key, or an element's index where key has no data.
  struct Step {
    std::string_view key;
    size_t index = 0;
  };

  [[noreturn]] void error_at(size_t position, const std::string& message) const;
  [[noreturn]] void error_expected(const char* what);
  /// Names the byte where a number that was just read begins.
  [[noreturn]] void refuse_number(fmt::format_string<std::string_view> format, std::string_view number) const;
  void check_encoding() const;
  bool accept(char c) {
    if (peek() != c || position_ >= text_.size()) return false;
    ++position_;
    return true;
  }
  void expect(char c, const char* what) {
    if (!accept(c)) error_expected(what);
  }
  bool begin(char open, char close);
  std::string_view read_key();
  ShortDecimal next_short_decimal();
  std::string_view scan_number();
  void scan_string(std::string* decoded);
  void scan_escape(std::string* decoded);
  void scan_utf8(std::string* decoded);
  uint32_t scan_hex4();
  void scan_literal(std::string_view literal);
  bool accept_minus_infinity();
  void skip_scalar(char first);

  std::string_view text_;
  std::string name_;
  size_t position_ = 0;
  std::vector<Step> path_;
  std::string key_buffer_;
};

/// Which members of an object have been read: finds those that occur twice and those that are missing.
class MemberSet {
 public:
  /// Throws through reader where member number index occurred before.
  void add(const JsonReader& reader, unsigned index, std::string_view key) {
    if (has(index)) reader.error("\"{}\" occurs twice in one object", key);
    seen_ |= 1U << index;
  }
  bool has(unsigned index) const { return (seen_ >> index & 1U) != 0; }
  void require(const JsonReader& reader, unsigned index, std::string_view key) const {
    if (!has(index)) reader.error("\"{}\" is missing", key);
  }

 private:
  uint32_t seen_ = 0;
};

template <typename OnMember>
void JsonReader::read_object(OnMember&& on_member) {
  if (!begin('{', '}')) return;
  path_.emplace_back();
  do {
    const std::string_view key = read_key();
    on_member(key);
  } while (accept(','));
  path_.pop_back();
  expect('}', "',' or '}'");
}

template <typename OnElement>
ArrayStop JsonReader::read_elements(size_t begin, size_t end, OnElement&& on_element) {
  text_ = text_.substr(0, end);
  position_ = begin;
  path_.emplace_back();
  bool at_end = false;
  do {
    on_element(path_.back().index);
    ++path_.back().index;
    at_end = !accept(',');
    if (!at_end) peek();
  } while (!at_end && position_ < end);
  path_.pop_back();
  if (at_end) expect(']', "',' or ']'");
  return {position_, at_end};
}

template <typename OnElement>
void JsonReader::read_array(OnElement&& on_element) {
  if (!begin('[', ']')) return;
  path_.emplace_back();
  do {
    on_element(path_.back().index);
    ++path_.back().index;
  } while (accept(','));
  path_.pop_back();
  expect(']', "',' or ']'");
}

}  // namespace effdet::eval
