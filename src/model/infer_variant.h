// Which member of the family a checkpoint is, told from its tensors' names and shapes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "model/config.h"

namespace effdet::model {

struct InferredModel {
  const Variant* variant = nullptr;
  int num_classes = 0;
  int anchors = 9;  ///< of one cell; the aspect ratios and scales behind the number are not in a checkpoint
};

/// The variants whose every tensor is in the checkpoint with the right shape, and that leave none over; in the table's
/// order.
std::vector<const Variant*> fitting_variants(const Checkpoint& checkpoint);

/// Settles the variant, in this order: `model` (a name that the user gave; may be empty); the only one that fits; the
/// one that the file's name names (tf_efficientdet_d7_53-6d1d7a95.pth, d7.pth); `preferred`, where it fits; the rest is
/// an Error(kBadInput) that lists the candidates for --model. Throws Error(kUsage) for an unknown `model`, and
/// Error(kBadInput) where nothing, or not `model`, fits: it counts and names what is missing, left over or of another
/// shape.
InferredModel infer_variant(const Checkpoint& checkpoint, std::string_view model = {}, std::string_view preferred = {});

/// The inferred model's configuration, with the anchors that the options give. Throws Error(kUsage) where these are not
/// as many as the checkpoint has.
ModelConfig config_of(const InferredModel& inferred, const AnchorOptions& anchors = {});

}  // namespace effdet::model
