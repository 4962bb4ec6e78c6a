// Finds the weights in what a checkpoint holds.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/pickle_ops.h"
#include "checkpoint/pickle_value.h"

namespace effdet::checkpoint {

/// One key of the state_dict; name without wrapper prefixes, tensor an index into the store.
struct StateDictEntry {
  std::string_view name;
  uint32_t tensor = 0;
  bool foreign = false;  ///< weights cannot be made of it; the index is of its kind's own
};

struct StateDict {
  std::string container;
  std::vector<StateDictEntry> entries;  ///< in the order of the file
  std::vector<ForeignTensor> foreign_beside;
  std::vector<Hint> hints;
};

/// Strips the names of modules around the network from the keys, and of a network that is there twice (plain and
/// averaged) drops one. Names stay unique.
void unwrap_names(std::vector<StateDictEntry>& entries, bool use_ema);

/// Takes the foreign ones out of the entries; type_of tells the type of an index. Throws Error(kUnsupported) where
/// nothing is left; file is for its message.
std::vector<ForeignTensor> take_foreign(std::vector<StateDictEntry>& entries,
                                        const std::function<std::string_view(uint32_t)>& type_of,
                                        std::string_view file);

/// Chooses the dict of weights in root as read_checkpoint documents, checks its keys and strips their prefixes. Foreign
/// tensors are among the entries. source is the pickle that root is from. Throws Error(kBadInput) where there is none,
/// or for a key that is repeated, not text, or does not hold a tensor.
StateDict select_state_dict(Value root, const ValueStore& store, const ReadOptions& options, const PickleSource& source,
                            Budget& budget);

}  // namespace effdet::checkpoint
