// ONNX models: export from a checkpoint, read, simplify, change, write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "effdet/checkpoint_tools.h"
#include "effdet/detection.h"
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
  /// Passes to leave out, of OnnxModel::simplify_passes().
  std::set<std::string> skip_passes;
  /// Bytes that folding one node may add to the file.
  uint64_t largest_growth = uint64_t{1} << 20;
  /// Called with each node that was not folded because it would add so many bytes; may be empty.
  std::function<void(const std::string& node, uint64_t bytes)> on_growth;
  /// New shapes for inputs by name; the name "" stands for the only input.
  std::map<std::string, std::vector<int64_t>> input_shapes;
};

/// Changes by name; "tensor" is the name of one, "node" for the first output of a node, or "node:1". Names are those of
/// the model before any of the changes, which are made in the order of the members.
struct GraphEdits {
  /// Initializer and its new numbers: "0" for all elements, or "1,2,3".
  std::vector<std::pair<std::string, std::string>> initializers;
  struct AttributeEdit {
    std::string node, attribute, value;
  };
  /// Numbers, "[1,1]" for lists, else strings; attributes that exist keep their type.
  std::vector<AttributeEdit> attributes;
  std::vector<std::string> removed_nodes;  ///< who read their output reads their first input
  /// Tensor and the name of the Identity node that is put behind it.
  std::vector<std::pair<std::string, std::string>> identities;
  /// Tensors that become the graph's inputs; the rest before them is dropped.
  std::vector<std::string> extract_from;
  std::vector<std::string> outputs;                          ///< replace the graph's; empty: they stay
  std::vector<std::string> extra_outputs;                    ///< tensors that become outputs too
  bool all_outputs = false;                                  ///< what every node makes becomes an output
  std::vector<std::pair<std::string, std::string>> renames;  ///< tensors or nodes: old and new name
};

struct CheckOptions {
  int runs = 1;  ///< random inputs
  uint64_t seed = 0;
  /// Largest difference of a value that is accepted where the values before it are the same, relative to its largest
  /// magnitude; of float16 at least 1e-2, of bfloat16 4e-2.
  double tolerance = 1e-4;
  uint64_t memory_limit = UINT64_MAX;  ///< bytes that the process may need
};

/// Whether two models compute the same, and how that was found out.
struct ModelCheck {
  bool same = false;
  double difference = 0;  ///< the largest, relative to the largest magnitude of what was compared
  size_t nodes = 0;       ///< of the checked model
  size_t unchanged = 0;   ///< that do the same as in the other, with the same: they were not run
  size_t parts = 0;       ///< rewritten parts that were run beside what they replace
  size_t reduced = 0;     ///< of these, on maps that are smaller than in the model
  /// Whether both models were run from end to end, because parts did not tell: on images of 128 x 128, or as they are.
  enum class Whole { kNot, kReduced, kFull };
  Whole whole = Whole::kNot;
  size_t opaque = 0;                   ///< nodes of operators, or on types, that are not known: compared, not run
  std::vector<std::string> operators;  ///< of these nodes
  std::vector<std::string> unchecked;  ///< outputs that were not compared, since such a node stands before them
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

  /// Weights in the model's file; or beside it, in one called as the model with ".data" behind (always so above
  /// protobuf's limit of 2 GiB); or left out: those of 1 KiB and more become empty, for viewers.
  enum class Weights { kInside, kBeside, kLeftOut };
  /// Writes the file, whole or not at all. Returns the files that were written.
  EFFDET_API std::vector<std::filesystem::path> write(const std::filesystem::path& path,
                                                      Weights weights = Weights::kInside) const;

  EFFDET_API std::vector<TensorInfo> inputs() const;
  EFFDET_API std::vector<TensorInfo> outputs() const;
  EFFDET_API std::map<std::string, std::string> metadata() const;
  EFFDET_API int64_t opset() const;
  /// Nodes by operator.
  EFFDET_API std::map<std::string, size_t> node_counts() const;
  /// sum(p.numel() for p in model.parameters()) of the PyTorch model that this library exported; nothing for others.
  EFFDET_API std::optional<int64_t> parameters() const;
  /// Values in all initializers: after simplification fewer than the parameters and buffers that they are made of.
  EFFDET_API int64_t weight_values() const;
  /// Bytes of all initializers.
  EFFDET_API uint64_t weight_bytes() const;
  /// "" or a line that tells of NaN and infinity among the weights: what a training that diverged leaves.
  EFFDET_API std::string weights_warning() const;

  /// Name of an output tensor of the node of that name; "" where there is none.
  EFFDET_API std::string node_output(const std::string& node, size_t output) const;

  /// Replaces the raw outputs of an export of this library by one, "detections", float32 [batch, max_detections, 6]:
  /// x1, y1, x2, y2 in pixels of the input and within it, score, category, in order of falling score, filled up with
  /// zeros. Throws Error(kUsage) for soft-NMS, options out of range and other models.
  EFFDET_API void append_nms(const DetectOptions& options = {});

  /// Folds constants and batch norms, removes what has no effect, joins what belongs together.
  EFFDET_API void simplify(const SimplifyOptions& options = {});
  /// The names of simplify()'s passes, in their order.
  EFFDET_API static std::vector<std::string> simplify_passes();
  /// Whether this model computes what `original` does, from which it was made by simplify(). Compares the parts that
  /// differ, by running them on random input. Throws Error(kBadInput) where the models take different inputs, or some
  /// of unknown shape, and Error(kOutOfMemory) where the process would need more than options.memory_limit bytes.
  EFFDET_API ModelCheck check(const OnnxModel& original, const CheckOptions& options = {}) const;
  /// Runs both models from end to end on random inputs; the largest difference relative to an output's largest
  /// magnitude. Throws Error(kOutOfMemory) where the process would need more than `memory_limit` bytes for it.
  EFFDET_API double difference(const OnnxModel& other, int runs, uint64_t seed = 0,
                               uint64_t memory_limit = UINT64_MAX) const;

  /// Throws Error(kUsage) for names that the model does not have, Error(kBadInput) where the changed graph contradicts
  /// itself.
  EFFDET_API void edit(const GraphEdits& edits);
  /// Replaces an initializer by a float32 scalar; false where there is none of that name.
  EFFDET_API bool set_initializer(const std::string& name, float value);
  /// Sets the constant of every Pad that pads with -inf to 0; how many there were.
  EFFDET_API int zero_minus_infinity_pads();

 private:
  friend class CompiledModel;
  friend struct GraphAccess;
  friend class Executor;
  struct Impl;
  explicit OnnxModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Whether a file begins as an ONNX model, a compiled model, or a checkpoint does.
enum class FileKind { kCheckpoint, kOnnx, kCompiled, kUnknown };
EFFDET_API FileKind file_kind(const std::filesystem::path& path);

}  // namespace effdet
