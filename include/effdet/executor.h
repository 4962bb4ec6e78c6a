// Running any model on tensors: ONNX files, compiled models and checkpoints; and tensors in files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "effdet/export.h"
#include "effdet/onnx_model.h"

namespace effdet {

/// A dense, row-major, little-endian tensor in memory.
struct HostTensor {
  std::string name;
  std::string dtype = "float32";  ///< numpy's name, and bfloat16
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};

/// Reads a tensor from a file: .npy, .pb (ONNX's TensorProto), or .bin (bytes alone: `like` says type and shape, of
/// which one dimension may be -1). The tensor's name is the message's in a .pb, otherwise like's. Throws Error(kIo),
/// Error(kBadInput), Error(kUnsupported), and Error(kUsage) for other endings.
EFFDET_API HostTensor read_tensor(const std::filesystem::path& path, const TensorInfo& like = {});

/// Writes a .npy file, whole or not at all; bfloat16 as float32, since numpy has no such type.
EFFDET_API void write_npy(const HostTensor& tensor, const std::filesystem::path& path);

/// How far two values may be apart: |a - b| <= absolute + relative * |b|.
struct Tolerance {
  double relative = 1e-3, absolute = 1e-7;  ///< those of ONNX's own backend tests
};

/// What compare_tensors found.
struct TensorDifference {
  std::string mismatch;   ///< types or shapes that differ, in words; "" where they are the same
  double largest = 0;     ///< of |a - b|; infinite where just one of the two is NaN
  double relative = 0;    ///< the largest divided by the largest finite |b|
  int64_t position = -1;  ///< of the largest, in elements; -1 where nothing differs
  int64_t outside = 0;    ///< elements outside of the tolerance
  bool same() const { return mismatch.empty() && outside == 0; }
};

/// Compares element by element. Two NaN are the same, and so are two infinities of one sign.
EFFDET_API TensorDifference compare_tensors(const HostTensor& a, const HostTensor& b, const Tolerance& tolerance = {});

/// Runs a model by its tensors' names. One thread at a time may use an Executor.
class Executor {
 public:
  enum class Engine {
    kReference,  ///< the naive kernels, node by node: any graph of supported operators, dynamic shapes too
    kNative,     ///< compiled for this processor; an ONNX file is compiled for the shapes of the given inputs
  };
  struct Options {
    Engine engine = Engine::kReference;
    int threads = 0;     ///< as for Runner
    ModelOptions model;  ///< for checkpoints
  };
  /// Called with each tensor that a node makes, in order of execution. Maps that the program keeps with channels last
  /// are handed out as NCHW, under the name that they have in the graph.
  using Observer = std::function<void(const HostTensor& tensor, const std::string& node, const std::string& op)>;

  /// Opens an ONNX file, a compiled model or a checkpoint. Throws Error(kUnsupported) that names the operator (and
  /// opset) where nothing runs a node.
  EFFDET_API static Executor open(const std::filesystem::path& path, const Options& options);
  EFFDET_API static Executor open(const std::filesystem::path& path) { return open(path, Options{}); }
  EFFDET_API ~Executor();
  EFFDET_API Executor(Executor&&) noexcept;

  EFFDET_API std::vector<TensorInfo> inputs() const;
  EFFDET_API std::vector<TensorInfo> outputs() const;

  /// A JPEG or PNG as the model's one input, letterboxed and normalised as its metadata say, once for each image of the
  /// batch. Throws Error(kUnsupported) where the model says nothing, or takes no float32 images of a known size.
  EFFDET_API HostTensor image(const std::filesystem::path& path) const;

  /// Inputs by name, in any order; a single one without a name stands for the only input. Returns the outputs in the
  /// model's order. Throws Error(kUsage) for missing and unknown names, and Error(kBadInput) for types or shapes that
  /// the model does not take.
  EFFDET_API std::vector<HostTensor> run(std::span<const HostTensor> inputs, const Observer& observer = {});

 private:
  struct Impl;
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
