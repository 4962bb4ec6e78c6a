// Numbers in files are little-endian, and so is every machine that we run on.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace effdet::checkpoint {

static_assert(std::endian::native == std::endian::little);

/// The T at a possibly unaligned place. Precondition: sizeof(T) bytes are there.
template <typename T>
T load_le(const void* place) {
  T value;
  std::memcpy(&value, place, sizeof value);
  return value;
}

template <typename T>
void append_le(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace effdet::checkpoint
