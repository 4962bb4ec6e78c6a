// Places in order of falling scores, equal ones in the order that they have.
#pragma once

#include <cstdint>
#include <vector>

namespace effdet::eval {

/// A key is the smaller the higher the score is; -0 and 0 have the same. Precondition: no NaN.
uint64_t score_key(double score);

struct KeyedPlace {
  uint64_t key;
  uint32_t place;
};

/// Sorts by key; of equal keys the lower place comes first. Precondition: places rise. scratch is memory to keep from
/// call to call.
void sort_by_score(std::vector<KeyedPlace>& items, std::vector<KeyedPlace>& scratch);

}  // namespace effdet::eval
