// Sorts layers by error for their cost and keeps more and more of them in float32.
#include "quantize/search.h"

#include <algorithm>

namespace effdet::quantize {
namespace {

/// The parts of all error that lists take away, one after the other.
constexpr double kShares[] = {0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9};

std::vector<Candidate> in_order_of_gain(std::span<const Candidate> candidates) {
  std::vector<Candidate> sorted(candidates.begin(), candidates.end());
  std::ranges::stable_sort(sorted,
                           [](const Candidate& a, const Candidate& b) { return a.error * b.cost > b.error * a.cost; });
  return sorted;
}

}  // namespace

FloatLayers cheapest_float_layers(double accuracy, std::span<const Candidate> candidates, double most_cost,
                                  double least, FunctionRef<double(const std::vector<std::string>& names)> measure) {
  const std::vector<Candidate> sorted = in_order_of_gain(candidates);
  double all = 0, error = 0, cost = 0;
  for (const Candidate& candidate : sorted) all += candidate.error;
  FloatLayers best{{}, accuracy, false}, next;
  for (const double share : kShares) {
    const size_t before = next.names.size();
    for (size_t i = before; i < sorted.size() && error < share * all; ++i) {
      if (cost + sorted[i].cost > most_cost) break;
      next.names.push_back(sorted[i].name);
      error += sorted[i].error;
      cost += sorted[i].cost;
    }
    if (next.names.size() == before) continue;
    next.accuracy = measure(next.names);
    next.passes = next.accuracy >= least;
    if (next.passes) return next;
    if (next.accuracy > best.accuracy) best = next;
  }
  return best;
}

}  // namespace effdet::quantize
