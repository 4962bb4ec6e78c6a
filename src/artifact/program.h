// A compiled model: the graph of steps in execution order, and where each tensor lies in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace effdet::artifact {

/// Where a value lives while the program runs.
struct Placement {
  enum class Space : uint8_t {
    kNone,     ///< nobody reads it
    kArena,    ///< in the context's arena, at offset
    kWeights,  ///< in the file
    kInput,    ///< the caller's input number offset
    kOutput,   ///< the caller's output number offset
  };
  Space space = Space::kNone;
  uint64_t offset = 0;
};

/// Boundary of every tensor in the arena and in the weights, in bytes: a cache line, and the widest vector.
inline constexpr uint64_t kTensorAlignment = 64;
/// Bytes up to the next such boundary.
constexpr uint64_t aligned_bytes(uint64_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

/// What the runtime executes. Every value of the graph has a static shape; nodes are in execution order.
struct Program {
  ir::Graph graph;
  std::vector<Placement> placements;  ///< by ValueId
  uint64_t arena_bytes = 0;
  /// Parts of the caller's batch, for which the steps run one after the other. The caller's inputs and outputs are so
  /// many of the graph's, one after the other.
  int64_t micro_batches = 1;
  std::string target;  ///< name of the device that it is compiled for (ops::Target)
};

/// An input or output as the caller has it: with the images of all micro-batches.
ir::Value whole_value(const Program& program, ir::ValueId id);

/// Fills the layouts of a graph's values in from its steps: for files that do not say them. Throws Error(kBadInput)
/// where a step contradicts itself.
void infer_layouts(ir::Graph& graph);

/// Checks a program as if it were hostile: structure, static shapes and layouts that agree with each operator's shape
/// inference, placements inside the arena, and no two tensors in the same place at the same time. Throws
/// Error(kBadInput).
void verify_program(const Program& program, const std::string& name);

/// The most plans that a compiled model has.
inline constexpr size_t kMaxPlans = 256;

/// Checks several programs that are one model for several shapes: each as above; one target; inputs and outputs of the
/// same number, names and types; and no two with the same shapes of inputs, which choose the plan. Throws
/// Error(kBadInput).
void verify_plans(std::span<const Program> plans, const std::string& name);

/// Bytes of all constants of the plans; those that lie in the same place count once.
uint64_t weight_bytes(std::span<const Program> plans);

/// First and last step (indices into graph.nodes) at which a value must be in memory. Shared by planner and verifier.
struct Lifetime {
  int first = -1, last = -1;
};
std::vector<Lifetime> lifetimes(const ir::Graph& graph);

/// Bytes of a value with a static shape; throws Error(kBadInput) where the shape is unknown or too large.
uint64_t value_bytes(const ir::Value& value);

}  // namespace effdet::artifact
