// Running any model on named tensors: ONNX files, compiled models and checkpoints.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "effdet/export.h"
#include "effdet/host_tensor.h"
#include "effdet/model_options.h"

namespace effdet {

/// Runs a model; inputs and outputs are named tensors. For tests and comparisons: Runner is faster, as it copies
/// nothing. Not thread-safe.
class Executor {
 public:
  enum class Engine {
    /// Reference kernels, one node at a time, in float32. Runs any graph of supported operators, also with dynamic
    /// shapes.
    kReference,
    /// The model compiled for this processor. An ONNX file is compiled for the shapes of the inputs that run() gets.
    kNative,
  };
  struct Options {
    Engine engine = Engine::kReference;
    int threads = 0;     ///< as for Runner
    ModelOptions model;  ///< for checkpoints; the precision for ONNX files too
  };
  /// Called with each tensor that a node produces, in execution order, and the node's name and operator. Feature maps
  /// that a compiled model keeps as NHWC are converted to NCHW.
  using Observer = std::function<void(const HostTensor& tensor, const std::string& node, const std::string& op)>;

  /// Opens an ONNX file, a compiled model or a checkpoint. Throws Error(kUsage) if the options contradict the file or
  /// the engine, and what reading such a file throws.
  EFFDET_API static Executor open(const std::filesystem::path& path, const Options& options);
  EFFDET_API static Executor open(const std::filesystem::path& path) { return open(path, Options{}); }
  EFFDET_API ~Executor();
  EFFDET_API Executor(Executor&&) noexcept;

  EFFDET_API std::vector<TensorInfo> inputs() const;
  EFFDET_API std::vector<TensorInfo> outputs() const;

  /// A JPEG or PNG file as the model's only input: letterboxed and normalised according to the model's metadata, and
  /// repeated for each image of the batch. For a model with preprocessing (AIPP) it is in the model's image format.
  /// Throws Error(kUnsupported) if the model has no such metadata, or if its input is not one batch of RGB images with
  /// a known size.
  EFFDET_API HostTensor image(const std::filesystem::path& path) const;

  /// Runs the model once. Inputs are matched by name, in any order; a single tensor without a name is the only input.
  /// Returns the outputs in the model's order. Throws Error(kUsage) for a missing or unknown name, Error(kBadInput) for
  /// a type or shape that the model does not accept, and Error(kUnsupported), which names operator and opset, if no
  /// kernel can run a node.
  EFFDET_API std::vector<HostTensor> run(std::span<const HostTensor> inputs, const Observer& observer = {});

 private:
  struct Impl;
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
