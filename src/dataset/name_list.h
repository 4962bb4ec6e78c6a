// Names out of files in a message.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace effdet::dataset {

/// "'helmet', 'vest' and 3 more": the first `shown` of them, printable.
std::string list_of(std::span<const std::string> names, size_t shown);

}  // namespace effdet::dataset
