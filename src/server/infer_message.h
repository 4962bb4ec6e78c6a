// An inference request and its answer as fields of messages instead of a body, as gRPC carries them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace effdet::server {

/// What a request may have: inputs and outputs each, and dimensions of a tensor.
inline constexpr size_t kMostTensors = 1024, kMostDimensions = 32;

/// A part of a region of shared memory, as a request names it.
struct SharedPart {
  std::string region;
  uint64_t offset = 0, bytes = 0;
};

/// A tensor without its bytes, as the protocol describes it.
struct TensorLabel {
  std::string name, datatype;
  std::vector<int64_t> shape;
  std::optional<SharedPart> shared = std::nullopt;  ///< of an answer's: its bytes are there
};

/// What a client sent. Nothing of it is checked but the limits above, and that the bytes are there.
struct InferMessage {
  struct Input {
    TensorLabel label;
    std::span<const std::byte> bytes;  ///< of own, or of the owner's memory
    std::vector<std::byte> own;
    std::optional<SharedPart> shared;  ///< instead of bytes
  };
  struct Output {
    std::string name;
    std::optional<SharedPart> shared;
  };

  std::string id;
  std::optional<uint64_t> timeout_us;
  std::vector<Input> inputs;
  std::vector<Output> outputs;        ///< empty: all
  std::shared_ptr<const void> owner;  ///< of the inputs' bytes
};

}  // namespace effdet::server
