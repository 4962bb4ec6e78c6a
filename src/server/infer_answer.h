// The answer to an inference request: JSON, and binary tensors behind it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "server/data_types.h"
#include "server/infer_request.h"
#include "server/message.h"

namespace effdet::server {

/// A tensor that a model gives.
struct InferResult {
  std::string name;
  const DataType* type = nullptr;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Answers with the outputs that the request names, or with all. owner keeps their bytes, which are not copied where
/// they go as binary data. Throws HttpError for an output that there is not.
Answer infer_answer(const std::string& model, const InferRequest& request, std::span<const InferResult> results,
                    std::shared_ptr<const void> owner);

}  // namespace effdet::server
