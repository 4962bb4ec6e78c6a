// The coarse structure of a network: backbone stages, feature pyramid cells, heads. For diagrams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "effdet/export.h"

namespace effdet {

class CompiledModel;
class OnnxModel;

/// A group of nodes.
struct StructureBlock {
  enum class Kind { kInput, kBackbone, kPyramid, kHead, kOther };
  Kind kind = Kind::kOther;
  std::string name;  ///< "stem", "stage 3", "BiFPN cell 1", "class head", ...
  size_t nodes = 0;
  int64_t weights = 0;          ///< elements in constants
  int64_t flops = 0;            ///< multiplications and additions of one run; 0 if shapes are not known
  std::vector<int64_t> shape;   ///< of the block's last output, NCHW; -1: any size
  std::vector<size_t> sources;  ///< indices of the blocks whose outputs it reads
};

/// The blocks in execution order, inputs first. A node is assigned by the prefix of its name; if that is unknown, by
/// the prefix of its weights' names; otherwise to the last block that it reads from.
EFFDET_API std::vector<StructureBlock> structure(const OnnxModel& model);
EFFDET_API std::vector<StructureBlock> structure(const CompiledModel& model);

}  // namespace effdet
