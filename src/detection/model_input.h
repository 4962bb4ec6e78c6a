// Pictures as a compiled model's input: float planes, or the bytes that a model with preprocessing in it (AIPP) takes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "model/metadata.h"
#include "ops/aipp.h"
#include "runtime/engine.h"
#include "vision/preprocess.h"

namespace effdet::detection {

/// Shape N x 3 x H x W of what the network itself takes, behind preprocessing in the model where there is some. Throws
/// Error(kUnsupported) where that is not one float32 batch of RGB images.
Shape network_shape(const runtime::Engine& engine);

/// Constant, so that threads may share it.
class ModelInput {
 public:
  /// Throws Error(kUnsupported) as network_shape() does.
  ModelInput(const runtime::Engine& engine, const model::ModelInfo& info);

  size_t batch() const { return batch_; }
  /// Bytes of one picture of the batch.
  size_t sample_bytes() const { return sample_bytes_; }
  /// Of the network, with mean and deviation as the exporter wrote them.
  const vision::Preprocessing& preprocessing() const { return preprocessing_; }

  /// Letterboxes the picture as effdet's loader does, while it is read, and writes it in the model's format. With AIPP
  /// the letterbox lies where the model crops, and swaps of channels are undone, so that the network sees red, green
  /// and blue; luma and chroma are JPEG's. Throws what reading throws, Error(kBadInput) for a picture that is too
  /// narrow, and Error(kUnsupported) where the model pads, which would move what it finds. Errors begin with the
  /// picture's name.
  void write(vision::RowSource& picture, std::span<std::byte> sample) const;

 private:
  void write_pixels(vision::RowSource& picture, std::span<uint8_t> sample) const;

  std::optional<ops::AippSpec> aipp_;
  vision::Preprocessing preprocessing_;
  size_t batch_, sample_bytes_;
};

}  // namespace effdet::detection
