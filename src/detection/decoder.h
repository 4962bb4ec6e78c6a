// From the outputs of a network to detections. Each way that outputs come in is a Decoder and a row of the table in
// decoder.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "detection/head_decoder.h"
#include "effdet/detection.h"
#include "eval/detect.h"
#include "model/metadata.h"
#include "vision/image.h"

namespace effdet::detection {

/// Constant, so that threads may share it.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Detections in an image of that size in pixels, in its pixels and in order of falling score, from the part of each
  /// output that belongs to it. faults, where it is not null, tells which outputs were not finite.
  virtual std::vector<Detection> decode(std::span<const std::span<const float>> outputs, vision::ImageSize image,
                                        const DetectOptions& options, eval::DetectFaults* faults) const = 0;

  /// By what candidates are decoded, where the outputs are such (append_candidates()); null where they are not.
  virtual const HeadDecoder* candidate_heads() const { return nullptr; }
};

/// What a decoder is chosen and made by.
struct DecoderInput {
  const model::ModelInfo& info;
  const std::map<std::string, std::string>& metadata;
  int height = 0, width = 0;           ///< of the network's input in pixels
  std::vector<uint64_t> value_counts;  ///< float32 values of each output that belong to one image; 0 where none do
  bool knows_image_size = false;       ///< the network has inputs for it, so that its boxes are in pixels of the image
};

/// Throws Error(kUnsupported) where the outputs are not what the metadata tell of.
std::unique_ptr<const Decoder> make_decoder(const DecoderInput& input);

}  // namespace effdet::detection
