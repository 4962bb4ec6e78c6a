// What REDUCE does for each global of the closed list.
#pragma once

#include "checkpoint/pickle_ops.h"
#include "checkpoint/pickle_value.h"

namespace effdet::checkpoint {

/// Where in the pickle we are, for messages.
struct PickleSite {
  const PickleSource& source;
  uint64_t offset;
};

/// The value of callee(*args), for the globals that have one; frees the tuple args where nothing else refers to it.
/// Tensors are checked against their storage's number of elements here: rank at most 64, no negative or wrapping size
/// or stride, no element outside. Throws Error (kBadInput, kUnsupported).
Value reduce(Value callee, Value args, const PickleSite& site, ValueStore& store);

}  // namespace effdet::checkpoint
