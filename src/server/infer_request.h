// The body of an inference request: JSON, and binary tensors behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/data_types.h"
#include "server/message.h"
#include "server/shared_regions.h"

namespace effdet::server {

struct InferInput {
  std::string name;
  const DataType* type = nullptr;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  ///< of the request's body, of own or of copied
  std::vector<std::byte> own;        ///< what JSON's numbers and strings became
  std::unique_ptr<Body> copied;      ///< of shared memory
};

struct InferOutput {
  std::string name;
  bool binary = false;
  std::optional<SharedPart> shared = std::nullopt;  ///< it goes there, and not into the answer
  SharedPlace place = {};                           ///< where that is
};

struct InferRequest {
  std::string id;
  std::optional<uint64_t> timeout_us;
  bool binary_outputs = false;       ///< of outputs that say nothing themselves
  bool raw = false;                  ///< the body is the only input's data, and there was no JSON
  bool as_message = false;           ///< it came as a message, and so goes its answer
  std::vector<InferInput> inputs;    ///< raw: one without name, type and shape
  std::vector<InferOutput> outputs;  ///< empty: all
};

/// Reads a request, whose body or message must outlive the result. Numbers of elements are held to their shapes, and
/// bytes to their element types. Throws HttpError, or Error(kBadInput) for broken JSON.
InferRequest parse_infer_request(Request& request);

/// The elements of a tensor of BYTES: for each its length in 4 bytes, and its bytes. Throws HttpError where they are
/// not exactly `count`.
std::vector<std::span<const std::byte>> bytes_elements(std::span<const std::byte> data, uint64_t count);

}  // namespace effdet::server
