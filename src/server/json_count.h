// Counts in JSON: numbers, or strings of digits, as protobuf writes those of 64 bits.
#pragma once

#include <cstdint>

#include "eval/json_reader.h"
#include "server/text.h"

namespace effdet::server {

/// what: is counted, "bytes". Throws Error(kBadInput) through the reader.
inline uint64_t read_count(eval::JsonReader& reader, const char* what) {
  if (reader.peek() == '"') {
    const auto value = whole_number<uint64_t>(reader.read_string());
    if (!value) reader.error("expected a number of {}", what);
    return *value;
  }
  const int64_t value = reader.read_integer();
  if (value < 0) reader.error("{} is no number of {}", value, what);
  return static_cast<uint64_t>(value);
}

}  // namespace effdet::server
