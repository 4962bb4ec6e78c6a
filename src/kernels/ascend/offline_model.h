// A compiled model that a library runs as a whole: the one operator of programs for Ascend devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "kernels/ascend/abi.h"

namespace effdet::kernels::ascend {

/// Operator of domain ai.effdet.
inline constexpr const char* kOfflineModel = "OfflineModel";

/// How a model with several plans is told which one is meant.
enum class Gears : int64_t { kNone, kBatch, kHeightWidth, kDims };

struct OfflineModel {
  std::string path;
  Gears gears = Gears::kNone;
  std::vector<int64_t> values;       ///< of this plan: batch, or height and width, or all inputs' dimensions
  int64_t gear_index = -1;           ///< the index of the input that says so, -1 where there is none
  int64_t gear_bytes = 0;            ///< and its size
  std::vector<int64_t> input_bytes;  ///< of the largest plan, without that input
  std::vector<int64_t> output_bytes;
};

struct Library;

/// Tells a loaded model which plan is meant. inputs: its data set, with memory for the input that says so. Throws
/// Error.
void choose_plan(const Library& library, const OfflineModel& model, uint32_t id, acl::aclmdlDataset* inputs);

/// The node for one plan, without inputs and outputs.
ir::Node node_of(const OfflineModel& model);
OfflineModel offline_model_of(const ir::Node& node);

}  // namespace effdet::kernels::ascend
