// What a quantization did and measured, as a page for browsers and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "effdet/quantize.h"

namespace effdet::cli {

/// One line each: layers and their share of products, images, mAP.
std::vector<std::string> proof_lines(const QuantizationProof& proof);
nlohmann::json proof_json(const QuantizationProof& proof);
nlohmann::json quantize_json(const QuantizeReport& report);

/// A page that needs nothing else: verdict, proof, what was tried, the layers' sensitivity as a chart, and their table.
std::string quantize_page(const std::string& model, const QuantizeReport& report);

}  // namespace effdet::cli
