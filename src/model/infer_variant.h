// Which member of the family a checkpoint is, and with which options: from its tensors' names and shapes, from what its
// file says, and from what the user says.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "model/config.h"
#include "model/settings.h"

namespace effdet::model {

/// A variant that a checkpoint may be: every tensor of it is there with the right shape, and none is left over.
struct Candidate {
  ModelConfig config;
  bool other_bias = false;  ///< with redundant biases where the variant has none, or the other way round

  /// "tf_efficientdet_d0 with redundant_bias=False"
  std::string text() const;
};

/// What the user says of a checkpoint.
struct ModelRequest {
  std::string_view model = {};          ///< the variant; may be empty
  std::string_view preferred = {};      ///< taken where several variants fit, and this is one of them
  std::span<const Setting> settings{};  ///< options of its configuration
  bool use_hints = true;                ///< whether what the file says of its model counts
};

struct InferredModel {
  ModelConfig config;
  int anchors = 9;                 ///< of one cell, as the heads have them
  std::vector<std::string> notes;  ///< lines that the user should read: what was assumed, or did not count
};

/// All candidates, those with their variant's own biases first, in the table's order. Whether the heads' batch norms
/// are listed by level or by repeat is always as the checkpoint has it.
std::vector<Candidate> fitting_variants(const checkpoint::Checkpoint& checkpoint, const ModelRequest& request = {});

/// Settles the variant among the candidates, in this order: the one that the file itself names (its args, arch or
/// config); request.model; the only one; the one that the file's name names (tf_efficientdet_d7_53-6d1d7a95.pth,
/// d7.pth); request.preferred; the rest is an Error(kBadInput) that lists the candidates and what they differ in.
/// Options are what the file says, then request.settings, then the variant's own. Throws Error(kUsage) for an unknown
/// model and settings that make no sense, and Error(kBadInput) where nothing, or not request.model, fits: it counts and
/// names what is missing, left over or of another shape.
InferredModel infer_variant(const checkpoint::Checkpoint& checkpoint, const ModelRequest& request = {});

/// The inferred model's configuration, with the anchors that the options give. Throws Error(kUsage) where these are not
/// as many as the checkpoint has.
ModelConfig config_of(const InferredModel& inferred, const AnchorOptions& anchors = {});

}  // namespace effdet::model
