// Ids of images and categories as COCO files have them: numbers, or strings.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "eval/json_reader.h"

namespace effdet::eval {

/// Strings that a file uses as ids, each with a number of its own that no number in a file is.
class StringIds {
 public:
  /// Of a string that is no id.
  static constexpr int64_t kUnknown = std::numeric_limits<int64_t>::min();
  /// Numbers below it stand for strings.
  static constexpr int64_t kLowestNumber = kUnknown / 2;

  /// The number of a string, which is new where it did not occur before.
  int64_t add(const std::string& text);
  /// The number of a string, or kUnknown.
  int64_t find(const std::string& text) const;
  /// What an id is as text: a string where there are any, else a whole number. kUnknown for a text that is no id.
  int64_t parse(const std::string& text) const;
  bool empty() const { return texts_.empty(); }
  /// The id as JSON: the string in quotes, or the number.
  std::string json_of(int64_t id) const;
  /// Gives the strings' numbers their order, as numpy sorts them: by code point. Returns a map from the old numbers.
  std::unordered_map<int64_t, int64_t> sort();

 private:
  std::vector<std::string> texts_;  ///< by number, from kUnknown + 1
  std::unordered_map<std::string, int64_t> numbers_;
};

/// An id: a whole number, as which 139.0 counts, or a string, which becomes an id. Throws Error(kBadInput).
int64_t read_id(JsonReader& reader, StringIds& strings);
/// The same where a string that is no id yet is StringIds::kUnknown.
int64_t read_known_id(JsonReader& reader, const StringIds& strings);

}  // namespace effdet::eval
