// ONNX models: export from a checkpoint, read, simplify, change, write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "effdet/checkpoint_tools.h"
#include "effdet/export.h"

namespace effdet {

/// A tensor by name, numpy's name of its type, and dimensions (-1: any).
struct TensorInfo {
  std::string name, dtype;
  std::vector<int64_t> shape;
};

struct SimplifyOptions {
  bool fuse_batch_norm = true;
  bool fold_constants = true;
  /// New shapes for inputs by name; the name "" stands for the only input.
  std::map<std::string, std::vector<int64_t>> input_shapes;
};

class OnnxModel {
 public:
  /// Reads a file. Throws Error(kBadInput), Error(kUnsupported), Error(kIo).
  EFFDET_API static OnnxModel read(const std::filesystem::path& path);
  /// Builds the raw network (heads' outputs, without decoding) from a PyTorch checkpoint, at ONNX opset 11: input
  /// "x.1", outputs class L3... then box L3..., finest level first.
  EFFDET_API static OnnxModel from_checkpoint(const std::filesystem::path& path, const ModelOptions& options = {});

  EFFDET_API OnnxModel(const OnnxModel&);
  EFFDET_API OnnxModel(OnnxModel&&) noexcept;
  EFFDET_API OnnxModel& operator=(OnnxModel) noexcept;
  EFFDET_API ~OnnxModel();

  /// Writes the file, whole or not at all.
  EFFDET_API void write(const std::filesystem::path& path) const;

  EFFDET_API std::vector<TensorInfo> inputs() const;
  EFFDET_API std::vector<TensorInfo> outputs() const;
  EFFDET_API std::map<std::string, std::string> metadata() const;
  EFFDET_API int64_t opset() const;
  /// Nodes by operator.
  EFFDET_API std::map<std::string, size_t> node_counts() const;
  EFFDET_API int64_t parameters() const;

  /// Name of an output tensor of the node of that name; "" where there is none.
  EFFDET_API std::string node_output(const std::string& node, size_t output) const;

  /// Folds constants and batch norms, removes what has no effect, joins what belongs together.
  EFFDET_API void simplify(const SimplifyOptions& options = {});
  /// Runs both models on random inputs; the largest difference relative to an output's largest magnitude.
  EFFDET_API double difference(const OnnxModel& other, int runs, uint64_t seed = 0) const;

  /// Replaces an initializer by a float32 scalar; false where there is none of that name.
  EFFDET_API bool set_initializer(const std::string& name, float value);
  /// Sets the constant of every Pad that pads with -inf to 0; how many there were.
  EFFDET_API int zero_minus_infinity_pads();

 private:
  friend class CompiledModel;
  struct Impl;
  explicit OnnxModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Whether a file begins as an ONNX model, a compiled model, or a checkpoint does.
enum class FileKind { kCheckpoint, kOnnx, kCompiled, kUnknown };
EFFDET_API FileKind file_kind(const std::filesystem::path& path);

}  // namespace effdet
