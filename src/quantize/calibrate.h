// Calibration of some maps.
#pragma once

#include <set>
#include <string>

#include "quantize/quantize.h"

namespace effdet::quantize {

/// As calibrate(), of the maps of these names.
Calibration calibrate_maps(const ir::Graph& graph, const std::set<std::string>& maps, InputSource source,
                           const CalibrationOptions& options);

}  // namespace effdet::quantize
