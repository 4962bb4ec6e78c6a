// The choice of candidates as a part of the graph: for devices from which copies of whole heads would take longer than
// the network.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ir/graph.h"

namespace effdet::detection {

/// Replaces the raw heads of a graph by two outputs: "candidates" [batch, count, 7], the rows of ops::kCandidateValues,
/// and "not_numbers" [batch, 1], not 0 where a logit of the image is NaN. They are decoded to what detect() makes of
/// the heads; where categories are asked for, among these candidates. The metadata get "effdet.candidates". Returns
/// false, and leaves the graph as it is, where its outputs are no raw heads of known sizes, or where the best class of
/// each anchor is what counts.
bool append_candidates(ir::Graph& graph, int64_t count);

/// How many candidates a model's metadata say that append_candidates() made its outputs; 0 for none.
int64_t candidates_of(const std::map<std::string, std::string>& metadata);

}  // namespace effdet::detection
