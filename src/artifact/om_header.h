// The first 64 bytes of a compiled model, little-endian.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace effdet::artifact {

struct OmHeader {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t header_bytes;
  uint64_t checksum;  ///< XXH3-64 of the whole file with this field as zero
  uint64_t file_bytes;
  uint64_t program_offset, program_bytes;
  uint64_t weights_offset, weights_bytes;
};
static_assert(sizeof(OmHeader) == 64);

inline constexpr std::array<char, 8> kOmMagic = {'E', 'F', 'F', 'D', 'E', 'T', 'O', 'M'};

/// Checksum of a file given as consecutive parts, the first of which begins with the header.
uint64_t om_checksum(OmHeader header, std::span<const std::span<const std::byte>> parts_after_header);

}  // namespace effdet::artifact
