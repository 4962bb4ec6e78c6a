// The choice of layers that stay in float32.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/function_ref.h"

namespace effdet::quantize {

/// A layer that may stay in float32.
struct Candidate {
  std::string name;
  double error = 0;  ///< that 8 bits bring, a square
  double cost = 0;   ///< of float32, above 0
};

struct FloatLayers {
  std::vector<std::string> names;
  double accuracy = 0;  ///< as measured with these
  bool passes = false;
};

/// Where a model with all candidates in 8 bits, whose accuracy is given, does not pass: the candidates in falling order
/// of error for their cost, as many as take away 10, 20, 35, 50, 65, 80 or 90 % of the sum of all errors, whichever is
/// the first whose measured accuracy is at least `least`. So few steps, each well apart from the one before it, follow
/// what layers lose; many would follow the chance that a measurement on few images has. No list costs more than
/// `most_cost`. Where none passes, the most accurate that was measured, which may be that without names.
/// measure: takes names, returns the accuracy.
FloatLayers cheapest_float_layers(double accuracy, std::span<const Candidate> candidates, double most_cost,
                                  double least, FunctionRef<double(const std::vector<std::string>& names)> measure);

}  // namespace effdet::quantize
