// The filters that PNG puts on rows before it deflates them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace effdet::vision {

/// Bytes after a row that may be read.
constexpr size_t kFilterSlack = 8;

/// Undoes the filter of a row in place. above: the row above it, already unfiltered, or zeros; both are followed by
/// kFilterSlack readable bytes. step: bytes a pixel, 1 to 8. False for an unknown filter.
bool png_unfilter(uint8_t filter, std::span<uint8_t> row, std::span<const uint8_t> above, size_t step);

}  // namespace effdet::vision
