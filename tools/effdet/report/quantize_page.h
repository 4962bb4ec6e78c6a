// What a quantization did and measured, as a page for browsers.
#pragma once

#include <string>

#include "effdet/quantize.h"

namespace effdet::cli {

/// HTML that needs nothing else: verdict, proof, what was tried, the layers' sensitivity as a chart, and their table.
/// For wide and narrow windows, light and dark ones, paper, keyboards and screen readers. model: its name.
std::string quantize_page(const std::string& model, const QuantizeReport& report);

}  // namespace effdet::cli
