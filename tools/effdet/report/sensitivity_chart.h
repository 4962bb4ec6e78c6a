// The sensitivity of a quantized model's layers as a chart.
#pragma once

#include <string>
#include <vector>

#include "effdet/quantize.h"
#include "report/svg.h"

namespace effdet::cli {

/// Layers whose error was measured, the worst first.
std::vector<const QuantizedLayer*> layers_by_error(const QuantizeReport& report);

/// A bar for the error of each of the worst layers, and whether it computes in 8
/// bits. model: its name.
Svg sensitivity_chart(const std::string& model, const QuantizeReport& report);

}  // namespace effdet::cli
