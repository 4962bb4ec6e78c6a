// What a quantization did and measured, as lines and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "effdet/quantize.h"

namespace effdet::cli {

/// "1 image", "2 images".
std::string images_text(size_t count);
/// "12.34 %".
std::string percent_text(double share);
/// What is left of float32's mAP.
double kept_share(const QuantizationProof::Accuracy& accuracy);

/// One line each: layers and their share of products, images, mAP.
std::vector<std::string> proof_lines(const QuantizationProof& proof);
/// That the mAP was measured with an instruction set which is not the one in use here; empty where it was not measured,
/// or with this one, or where the file does not tell.
std::string measured_elsewhere(const QuantizationProof& proof);
nlohmann::json proof_json(const QuantizationProof& proof);
nlohmann::json quantize_json(const QuantizeReport& report);

}  // namespace effdet::cli
