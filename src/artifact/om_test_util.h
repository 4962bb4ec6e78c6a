// Compiled models for tests, and a way to write what write_om would refuse.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "artifact/om_generated.h"
#include "artifact/om_header.h"
#include "artifact/program.h"

namespace effdet::artifact {

/// The parts of a compiled model, to be changed at will.
struct OmParts {
  OmHeader header;
  om::ProgramT program;
  std::vector<std::byte> weights;
};
OmParts take_apart(const std::vector<std::byte>& file);

/// A file of these parts: offsets, sizes and checksum are right, whatever the program says.
std::vector<std::byte> put_together(const OmParts& parts);
/// With the bytes of a program.
std::vector<std::byte> put_together(OmHeader header, std::span<const std::byte> program,
                                    std::span<const std::byte> weights);

/// A file that says the same, with all shapes on a 4-byte boundary that is none of 8 bytes. No writer makes such files,
/// and flatbuffers' verifier takes them.
std::vector<std::byte> with_shapes_off_boundary(const std::vector<std::byte>& file);

/// Makes the checksum fit the rest.
void seal(std::vector<std::byte>& file);

/// A step with one value in and out: the smallest program.
Program tiny_program();

/// A network of every fused operator and two that have no fast kernel, on a map of 8 x 8.
Program small_program();

/// A small network for batches of 1, 2 and 4: three plans over the same weights.
std::vector<Program> three_plans();

/// The bytes that write_om writes.
std::vector<std::byte> om_bytes(std::span<const Program> plans);
inline std::vector<std::byte> om_bytes(const Program& program) { return om_bytes({&program, 1}); }

/// A file of this content, in place of the one before; it goes when the program ends.
std::filesystem::path write_test_om(const std::vector<std::byte>& content);

}  // namespace effdet::artifact
