// The choice of layers that stay in float32.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/function_ref.h"

namespace effdet::quantize {

/// A layer that may stay in float32.
struct Candidate {
  std::string name;
  double error = 0;  ///< that 8 bits bring
  double cost = 0;   ///< of float32, above 0
};

struct FloatLayers {
  std::vector<std::string> names;
  double accuracy = 0;  ///< as measured with these
  bool passes = false;
};

/// The cheapest set whose measured accuracy is at least `least`: the candidates in falling order of error for their
/// cost, as many as are needed. That number is found by measuring: 0, 1, 2, 4, ... until one passes, then by halving
/// the interval before it. No list costs more than `most_cost`. Where none passes, the most accurate that was measured.
/// measure: takes names, returns the accuracy.
FloatLayers cheapest_float_layers(std::span<const Candidate> candidates, double most_cost, double least,
                                  FunctionRef<double(const std::vector<std::string>& names)> measure);

}  // namespace effdet::quantize
