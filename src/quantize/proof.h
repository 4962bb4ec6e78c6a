// The proof of an 8-bit model in its metadata; docs/onnx-metadata.md describes the keys.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "effdet/quantize.h"

namespace effdet::quantize {

/// Puts it where quantization_proof() finds it.
void put_proof(const QuantizationProof& proof, std::map<std::string, std::string>& metadata);

/// SHA-256 of the files' SHA-256, which are sorted: it depends on their content alone. Throws Error(kIo).
std::string hash_of(std::span<const std::string> digests);

}  // namespace effdet::quantize
