// SHA-256 for this layer's tests: what golden data say of pixels and tensors.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace effdet::vision {

/// SHA-256 (FIPS 180-4) in hexadecimal.
std::string sha256_of(std::span<const std::byte> bytes);

}  // namespace effdet::vision
