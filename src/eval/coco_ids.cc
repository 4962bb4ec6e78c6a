// Numbers that stand for string ids, in the order of the strings.
#include "eval/coco_ids.h"

#include <algorithm>
#include <charconv>

namespace effdet::eval {
namespace {

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      json += c;
    }
  }
  return json + '"';
}

int64_t read_number_id(JsonReader& reader) {
  const int64_t id = reader.read_integer();
  if (id < StringIds::kLowestNumber) reader.error("{} is no id", id);
  return id;
}

}  // namespace

int64_t StringIds::add(const std::string& text) {
  const auto [found, is_new] = numbers_.emplace(text, kUnknown + 1 + static_cast<int64_t>(texts_.size()));
  if (is_new) texts_.push_back(text);
  return found->second;
}

int64_t StringIds::find(const std::string& text) const {
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? kUnknown : found->second;
}

int64_t StringIds::parse(const std::string& text) const {
  if (!empty()) return find(text);
  int64_t id = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
  return code == std::errc() && end == text.data() + text.size() ? id : kUnknown;
}

std::string StringIds::json_of(int64_t id) const {
  if (id >= kLowestNumber) return std::to_string(id);
  return json_string(texts_.at(static_cast<size_t>(id - kUnknown - 1)));
}

std::unordered_map<int64_t, int64_t> StringIds::sort() {
  std::unordered_map<int64_t, int64_t> new_numbers;
  std::sort(texts_.begin(), texts_.end());  // the order of bytes is that of code points in UTF-8
  for (size_t i = 0; i < texts_.size(); ++i) {
    int64_t& number = numbers_[texts_[i]];
    new_numbers[number] = kUnknown + 1 + static_cast<int64_t>(i);
    number = new_numbers[number];
  }
  return new_numbers;
}

int64_t read_id(JsonReader& reader, StringIds& strings) {
  return reader.peek() == '"' ? strings.add(reader.read_string()) : read_number_id(reader);
}

int64_t read_known_id(JsonReader& reader, const StringIds& strings) {
  return reader.peek() == '"' ? strings.find(reader.read_string()) : read_number_id(reader);
}

}  // namespace effdet::eval
