// Families of detectors: all that is one architecture's alone is a row of this table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "ir/graph.h"
#include "model/config.h"
#include "model/layers.h"

namespace effdet::model {

struct Family;

/// What a checkpoint's tensors tell of its model before a variant is known.
struct CheckpointFacts {
  const Family* family;
  int num_classes;
  int anchors;          ///< of one cell
  int64_t head_inputs;  ///< channels of the features that the heads read
  Naming naming;
};

/// How a network's outputs become boxes: detection has a decoder for each.
enum class Decoding : uint8_t {
  kAnchorLevels,  ///< for each pyramid level class logits and box offsets of anchors, as effdet has them
};

struct Family {
  std::string_view name;
  /// Tensors of which each checkpoint of the family has one.
  std::vector<std::string> (*landmarks)();
  /// What a checkpoint tells; nothing where it is not of this family. Throws Error(kBadInput) and Error(kUnsupported)
  /// where it is, and makes no sense.
  std::optional<CheckpointFacts> (*matches)(const checkpoint::Checkpoint& checkpoint);
  /// Appends the network to a graph that has its input, and gives the graph its outputs (build_graph).
  void (*build)(ir::Graph& graph, Layers& layers, const Feature& image, const ModelConfig& config);
  Decoding decode;
};

/// The family of that name, or null.
const Family* find_family(std::string_view name);

/// Precondition: the table has the variant's family.
const Family& family_of(const Variant& variant);

/// What the first family that matches tells. Throws Error(kBadInput) where none does, and what `matches` throws.
CheckpointFacts facts_of(const checkpoint::Checkpoint& checkpoint);

}  // namespace effdet::model
