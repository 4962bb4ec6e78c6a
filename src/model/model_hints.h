// What a checkpoint's file says of its model, in the terms of the family.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "model/settings.h"

namespace effdet::model {

struct ModelHints {
  /// Variants that the file names, and under which key; the weightiest first.
  struct Name {
    const Variant* variant;
    std::string key;
  };
  std::vector<Name> names;
  /// Options of the configuration, the weightiest last, and under which keys.
  std::vector<Setting> settings;
  std::vector<std::string> keys;

  bool empty() const { return names.empty() && settings.empty(); }
};

/// Of the trainer's arguments, Lightning's hyperparameters, effdet's configuration, safetensors' metadata. A
/// configuration weighs more than arguments, and these more than what stands alone.
ModelHints read_hints(const checkpoint::Checkpoint& checkpoint);

}  // namespace effdet::model
