// 8-bit models: options, report and proof of OnnxModel::quantize().
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/dataset.h"
#include "effdet/export.h"
#include "effdet/image_failure.h"

namespace effdet {

struct QuantizeOptions {
  /// Images from which the ranges of maps are learnt: JPEG or PNG files, or .bin files of raw little-endian float32
  /// input, one sample or several, as preprocess_dataset() writes them. Labels are not needed.
  std::vector<std::filesystem::path> calibration;
  size_t calibration_images = 300;  ///< at most so many of these are used, chosen by the seed
  uint64_t seed = 0;
  /// Layers that stay float32, by name or by a shell pattern ("*predict*"), besides those that do so by default.
  std::vector<std::string> keep_float;
  /// Only weights become int8; they are multiplied as floats. Takes no calibration.
  bool weights_only = false;

  /// Root of a data set, on whose images the gate is measured; empty: no gate. No image may be among those of the
  /// calibration.
  std::filesystem::path validation;
  double keep = 0.99;         ///< share of the float32 model's mAP that has to remain; above 0, at most 1
  ClassOptions classes = {};  ///< of the validation
  /// Measure what each layer alone costs, even where nothing has to be chosen by it.
  bool sensitivity = false;
  size_t sensitivity_images = 8;  ///< of the calibration, for that; fewer of large networks

  int threads = 0;  ///< 0 for EFFDET_NUM_THREADS or all cores; does not change the result
  /// If set, called from the calling thread while it works: what is done, and how much of it.
  std::function<void(std::string_view stage, size_t done, size_t total)> progress;
  OnNote on_note = {};
  OnFailure on_failure = {};  ///< for images that cannot be used; they are skipped
};

/// How an 8-bit model was made and what was measured. Travels in the model's metadata (docs/onnx-metadata.md).
struct QuantizationProof {
  bool weights_only = false;
  size_t calibration_images = 0;   ///< that were used
  std::string calibration_sha256;  ///< of the SHA-256 of their files, sorted; "" without calibration
  uint64_t seed = 0;
  /// Measured on the final model, compiled for the processor that measured.
  struct Accuracy {
    size_t images = 0;
    std::string sha256;  ///< as that of the calibration
    double map_float32 = 0, map_int8 = 0;
    double keep = 0;  ///< the share that was asked for
    /// What measured: instruction_set(). Layers that stay float32 round otherwise with another one, so the mAP is
    /// another one, too. "" in files of versions that did not note it.
    std::string instruction_set;
  };
  std::optional<Accuracy> accuracy;
  std::vector<std::string> float_layers;  ///< layers that could compute in 8 bits and do not
  size_t int8_layers = 0;
  double int8_products = 0;  ///< the share of all multiplications that are in 8 bits
};

/// The proof in a model's metadata; nothing where they have none. Throws Error(kBadInput) where it makes no sense.
EFFDET_API std::optional<QuantizationProof> quantization_proof(const std::map<std::string, std::string>& metadata);

/// A layer that can compute in 8 bits.
struct QuantizedLayer {
  std::string name, op;
  int64_t products = 0;  ///< multiplications for one image
  bool is_float = false;
  /// Mean square of the error that the outputs have with this layer alone in 8 bits, relative to their variance: that
  /// of boxes, and a tenth of that of the others. Of large networks neighbours are measured together and share theirs.
  std::optional<double> error;
  /// Of the map that the layer makes, where that is in 8 bits: number = scale * (code - zero_point), codes 0 to 255.
  std::optional<double> scale;
  int zero_point = 0;
  std::string
      range;  ///< how its range was chosen: "min-max", "percentile 99.999", "least squares", "of its input" or ""
};

struct QuantizeReport {
  bool passed = true;  ///< false where even the best choice of layers is below the gate
  QuantizationProof proof;
  std::vector<QuantizedLayer> layers;  ///< in the order of execution
  /// Each model that was measured: layers in float32, and mAP.
  struct Trial {
    size_t float_layers;
    double map;
  };
  std::vector<Trial> trials;
  size_t layers_at_a_time = 1;         ///< that were measured together, where the layers have errors
  std::vector<ImageFailure> failures;  ///< images of the calibration that could not be used
};

}  // namespace effdet
