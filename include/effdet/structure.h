// The coarse structure of a graph: backbone stages, feature pyramid cells, heads. For pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/onnx_model.h"

namespace effdet {

/// A part of a network.
struct StructureBlock {
  enum class Kind { kInput, kBackbone, kPyramid, kHead, kOther };
  Kind kind = Kind::kOther;
  std::string name;  ///< "stem", "stage 3", "BiFPN cell 1", "class head"
  size_t nodes = 0;
  int64_t weights = 0;          ///< values in constants
  int64_t flops = 0;            ///< multiplications and additions of one run; 0 where shapes are not known
  std::vector<int64_t> shape;   ///< of the last thing that it makes for others; -1: any
  std::vector<size_t> sources;  ///< blocks that it reads, as indices
};

/// The blocks in the order of execution, inputs first. Nodes belong together by the beginnings of their names, of their
/// weights' names where they have none that tell, and else by what they read.
EFFDET_API std::vector<StructureBlock> structure(const OnnxModel& model);
EFFDET_API std::vector<StructureBlock> structure(const CompiledModel& model);

}  // namespace effdet
