// Sorts layers by error for their cost and looks for the shortest list that passes.
#include "quantize/search.h"

#include <algorithm>
#include <utility>

namespace effdet::quantize {
namespace {

std::vector<std::string> in_order_of_gain(std::span<const Candidate> candidates, double most_cost) {
  std::vector<Candidate> sorted(candidates.begin(), candidates.end());
  std::ranges::stable_sort(sorted,
                           [](const Candidate& a, const Candidate& b) { return a.error * b.cost > b.error * a.cost; });
  std::vector<std::string> names;
  double cost = 0;
  for (Candidate& candidate : sorted) {
    if ((cost += candidate.cost) > most_cost) break;
    names.push_back(std::move(candidate.name));
  }
  return names;
}

}  // namespace

FloatLayers cheapest_float_layers(std::span<const Candidate> candidates, double most_cost, double least,
                                  FunctionRef<double(const std::vector<std::string>& names)> measure) {
  const std::vector<std::string> names = in_order_of_gain(candidates, most_cost);
  FloatLayers best;
  bool any = false;
  const auto passes_with = [&](size_t count) {
    FloatLayers found{{names.begin(), names.begin() + static_cast<ptrdiff_t>(count)}, 0, false};
    found.accuracy = measure(found.names);
    found.passes = found.accuracy >= least;
    const bool better = found.passes ? !best.passes || found.names.size() < best.names.size()
                                     : !best.passes && found.accuracy > best.accuracy;
    if (!any || better) best = found;
    any = true;
    return found.passes;
  };
  size_t failed = 0, count = 1;
  if (passes_with(0)) return best;
  while (count < names.size() && !passes_with(count)) failed = std::exchange(count, 2 * count);
  if (count >= names.size()) {
    count = names.size();
    if (count == 0 || !passes_with(count)) return best;
  }
  while (failed + 1 < count) {
    const size_t middle = failed + (count - failed) / 2;
    (passes_with(middle) ? count : failed) = middle;
  }
  return best;
}

}  // namespace effdet::quantize
