// What a checkpoint says of its model beside the weights: the trainer's arguments, the model's configuration.
#pragma once

#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/pickle_value.h"

namespace effdet::checkpoint {

/// Text and numbers among a dict's values; of values under "args", "config", "hyper_parameters" and the like (dicts,
/// argparse.Namespace, OmegaConf's), what is in them. The list stays short whatever the file holds.
void append_hints(Value dict, const ValueStore& store, std::vector<Hint>& hints);

/// The same of a text that a file has for a key, as safetensors' metadata: a JSON object is looked into.
void append_hint(std::string_view key, std::string_view text, std::vector<Hint>& hints);

}  // namespace effdet::checkpoint
