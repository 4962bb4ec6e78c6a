// ONNX models: export from a checkpoint, read, simplify, edit, compare, write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "effdet/detection.h"
#include "effdet/export.h"
#include "effdet/model_options.h"
#include "effdet/onnx_options.h"
#include "effdet/tensor_info.h"

namespace effdet {

struct QuantizeOptions;
struct QuantizeReport;
struct StructureBlock;

class OnnxModel {
 public:
  /// Reads an ONNX file (opset 7 to 21). Weights may be in files beside it. Throws Error(kIo), Error(kBadInput) for a
  /// malformed file, Error(kUnsupported) for what a graph cannot represent, such as sparse initializers.
  EFFDET_API static OnnxModel read(const std::filesystem::path& path);

  /// Exports a PyTorch checkpoint at ONNX opset 11, as torch.onnx.export() of effdet's network without post-processing.
  /// Input: "x.1", float32 [batch, 3, height, width]. Outputs for each pyramid level L, finest first: class_l<L>
  /// [batch, anchors * classes, h, w], then box_l<L> [batch, anchors * 4, h, w]. Throws Error(kIo), Error(kBadInput) if
  /// the checkpoint is damaged or fits no variant, Error(kUsage) if options contradict it.
  EFFDET_API static OnnxModel from_checkpoint(const std::filesystem::path& path, const ModelOptions& options = {});

  /// Reads an ONNX file, or exports a checkpoint, depending on file_kind(). Throws as read() and from_checkpoint(), and
  /// Error(kUsage) for options that contradict an ONNX file and for a compiled model.
  EFFDET_API static OnnxModel open(const std::filesystem::path& path, const ModelOptions& options = {});

  EFFDET_API OnnxModel(const OnnxModel&);
  EFFDET_API OnnxModel(OnnxModel&&) noexcept;
  EFFDET_API OnnxModel& operator=(OnnxModel) noexcept;
  EFFDET_API ~OnnxModel();

  using Weights = WeightPlacement;
  /// Writes the model; each file appears whole or not at all. Returns the written files, the model's first. Throws
  /// Error(kIo).
  EFFDET_API std::vector<std::filesystem::path> write(const std::filesystem::path& path,
                                                      Weights weights = Weights::kInside) const;

  EFFDET_API std::vector<TensorInfo> inputs() const;
  EFFDET_API std::vector<TensorInfo> outputs() const;
  /// ONNX metadata_props; docs/onnx-metadata.md describes those of this library.
  EFFDET_API std::map<std::string, std::string> metadata() const;
  EFFDET_API int64_t opset() const;
  /// Number of nodes of each operator.
  EFFDET_API std::map<std::string, size_t> node_counts() const;
  /// Parameters of the PyTorch model, sum(p.numel() for p in model.parameters()), if this library exported the model.
  EFFDET_API std::optional<int64_t> parameters() const;
  /// Elements in all initializers. Simplification merges parameters, so that there may be fewer.
  EFFDET_API int64_t weight_values() const;
  /// Size of all initializers in bytes.
  EFFDET_API uint64_t weight_bytes() const;
  /// One line that counts NaN and infinite weights and names the first tensor; "" if all are finite. A training run
  /// that diverged leaves such weights.
  EFFDET_API std::string weights_warning() const;

  /// Name of the tensor that is output number `output` of a node; "" if there is none.
  EFFDET_API std::string node_output(const std::string& node, size_t output) const;

  /// Appends box decoding and non-maximum suppression. They replace the outputs of from_checkpoint() by one output
  /// "detections", float32 [batch, options.max_detections, 6]. Rows are x1, y1, x2, y2 in pixels of the model's input,
  /// score, category; sorted by descending score; unused rows are zeros. Throws Error(kUsage) for soft-NMS, for options
  /// out of range and for models that from_checkpoint() did not export; Error(kUnsupported) for zylo117's variants.
  EFFDET_API void append_nms(const DetectOptions& options = {});

  /// Writes the nodes as another version of ONNX's operator set has them, kLowestOpset to kHighestOpset and not below
  /// opset(): axes become inputs, and the like. The model computes the same, bit for bit. Throws Error(kUsage) for
  /// another version, Error(kUnsupported) for nodes that cannot be rewritten.
  EFFDET_API void raise_opset(int64_t opset);

  /// Makes an 8-bit model of a float32 one: simplifies it and puts QuantizeLinear and DequantizeLinear nodes around the
  /// layers that are to compute in 8 bits (operator set 13 or later; QDQ form, which other programs read too). With
  /// options.validation, keeps so many layers in float32 that the compiled model passes the gate; where none does, the
  /// model stays as it is and report.passed is false. Writes the proof to the metadata. Deterministic for the same
  /// images and seed. effdet/quantize.h has options and report. Throws Error(kUsage) for options out of range, layers
  /// that do not exist, and an image in calibration and validation; Error(kBadInput) for images that all show nothing,
  /// values that are not finite (naming the map and the image), and an mAP of 0; Error(kUnsupported) for a model that
  /// is quantized already or has several inputs; the first image's error if no image could be used.
  EFFDET_API QuantizeReport quantize(const QuantizeOptions& options);
  /// Whether the graph has nodes that quantize or dequantize.
  EFFDET_API bool is_quantized() const;

  /// Simplifies the graph without changing what it computes: folds constants and batch norms, removes nodes without
  /// effect, merges duplicates. Tensor names that remain are unchanged. Throws Error(kBadInput) for an inconsistent
  /// graph, Error(kUsage) for an unknown pass or input.
  EFFDET_API void simplify(const SimplifyOptions& options = {});
  /// Names of simplify()'s passes, in execution order.
  EFFDET_API static std::vector<std::string> simplify_passes();

  /// Checks that this model, which simplify() made from `original`, computes the same. Runs the subgraphs that differ
  /// on random inputs. Throws Error(kBadInput) if the models have different inputs or inputs of unknown shape,
  /// Error(kOutOfMemory) if the process would need more than options.memory_limit bytes.
  EFFDET_API ModelCheck check(const OnnxModel& original, const CheckOptions& options = {}) const;
  /// Runs both models from end to end on random inputs. Returns the largest difference, relative to the largest
  /// magnitude of the output. Throws as check().
  EFFDET_API double difference(const OnnxModel& other, int runs, uint64_t seed = 0,
                               uint64_t memory_limit = UINT64_MAX) const;

  /// Applies edits that may change what the model computes. Throws Error(kUsage) for names that the model does not
  /// have, Error(kBadInput) if the edited graph is inconsistent.
  EFFDET_API void edit(const GraphEdits& edits);
  /// Replaces an initializer by a float32 scalar. Returns false if there is no initializer of that name.
  EFFDET_API bool set_initializer(const std::string& name, float value);
  /// Makes every Pad node that pads with -infinity pad with 0. Returns their number.
  EFFDET_API int zero_minus_infinity_pads();

 private:
  friend class CompiledModel;
  friend std::vector<StructureBlock> structure(const OnnxModel&);
  friend class Executor;
  struct Impl;
  explicit OnnxModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
