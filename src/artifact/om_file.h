// The compiled model's file: a header, the program (FlatBuffers) and the weights. docs/om-format.md is its
// specification.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "artifact/program.h"

namespace effdet::artifact {

/// Version of the layout that this code writes, and the only one that it reads.
inline constexpr uint32_t kOmVersion = 2;

/// Writes the whole file or nothing. The plans must pass verify_plans; constants that share their bytes are written
/// once.
void write_om(std::span<const Program> plans, const std::filesystem::path& path);

/// Maps the file, checks header, checksum and plans (verify_plans), of which there is at least one; weights stay in the
/// mapping. Throws Error(kBadInput) with field and offset, and Error(kUnsupported) for another version.
std::vector<Program> read_om(const std::filesystem::path& path);
/// The same for a file that is in memory, which is copied. name: what messages call it.
std::vector<Program> read_om(std::span<const std::byte> bytes, const std::string& name);

/// Whether a file begins as a compiled model does.
bool is_om(const std::filesystem::path& path);

}  // namespace effdet::artifact
