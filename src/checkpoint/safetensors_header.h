// The JSON header of a safetensors file.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "checkpoint/budget.h"
#include "checkpoint/checkpoint.h"

namespace effdet::checkpoint {

/// One tensor of the header: `begin` and `end` count from the header's end. Shape and bytes agree.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::kF32;
  bool foreign = false;  ///< Tensor does not know the type, and dtype says nothing
  uint8_t type = 0;      ///< for safetensors_type()
  Shape shape;
  uint64_t begin = 0, end = 0;
  uint64_t offset = 0;  ///< in the file, of what the header says about it
};

/// "F32", "F8_E4M3", ...
std::string_view safetensors_type(const SafetensorsEntry& entry);

struct SafetensorsHeader {
  std::deque<SafetensorsEntry> entries;  ///< a deque: growth moves nothing, so that memory never doubles
  std::vector<Hint> hints;               ///< of __metadata__
};

/// Parses the header without building a document of it: what the format does not have is refused where it stands.
/// base: the header's offset in the file, for messages. Throws Error(kBadInput) with the byte's offset.
SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t base, const std::string& path,
                                           Budget& budget);

}  // namespace effdet::checkpoint
