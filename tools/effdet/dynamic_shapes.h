// atc's lists of shapes: --dynamic_batch_size, --dynamic_image_size and --dynamic_dims.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace effdet::cli {

using Shapes = std::map<std::string, std::vector<int64_t>>;

/// The flag that was given, and its value; no flag: "".
struct DynamicList {
  std::string flag, value;
};

/// The shapes of each plan: those of the one input that has -1 in them, with numbers from the list in their place.
/// Leaves the other inputs in `shapes`. No plans without a flag. Throws Error with atc's codes where the list is
/// malformed, does not fit the -1, or repeats itself; and where there are -1 and no list.
std::vector<Shapes> plan_shapes(const DynamicList& list, Shapes& shapes);

}  // namespace effdet::cli
