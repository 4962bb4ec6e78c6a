// Where a graph's weights come from, and the comparison of a checkpoint's tensors with those that a model needs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/tensor.h"
#include "checkpoint/checkpoint.h"
#include "effdet/error.h"

namespace effdet::model {

/// Asked by build_graph for every tensor, once and in the order of PyTorch's state_dict.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// The tensor as float32. One that is empty() has the shape but no content: the graph cannot be run.
  virtual Tensor tensor(const std::string& name, const Shape& shape) = 0;
  /// Called after the last tensor; may throw.
  virtual void finish() {}
};

/// A tensor that a model needs.
struct ExpectedTensor {
  std::string name;
  Shape shape;
  DType dtype = DType::kF32;
};

/// Gives no content and notes what is asked for.
class ShapeRecorder : public WeightSource {
 public:
  Tensor tensor(const std::string& name, const Shape& shape) override;
  std::vector<ExpectedTensor> expected;
};

/// What does not fit between a checkpoint and a model.
struct KeyReport {
  struct Wrong {
    std::string name, found, expected;
  };
  std::vector<std::string> missing;  ///< with shape
  std::vector<std::string> left;     ///< with shape
  std::vector<Wrong> wrong;          ///< shape, or a type that is no float
  std::vector<std::string> foreign;  ///< with the type, of which no weights can be made

  bool fits() const { return problems() == 0; }
  size_t problems() const { return missing.size() + left.size() + wrong.size() + foreign.size(); }
  /// kUnsupported where nothing but types is wrong.
  ErrorCode code() const { return problems() == foreign.size() ? ErrorCode::kUnsupported : ErrorCode::kBadInput; }
  /// "2 tensors missing (a 3x3, b 8), 1 left over (c 4), 1 of another shape (d: 3 where 5 is expected)"
  std::string text() const;
};

/// Weights from a checkpoint; fp16, bf16 and fp64 become fp32, and fp32 shares the checkpoint's bytes.
class CheckpointWeights : public WeightSource {
 public:
  /// purpose names the model in errors. The checkpoint must outlive this object (not the tensors).
  CheckpointWeights(const checkpoint::Checkpoint& checkpoint, std::string_view purpose);

  Tensor tensor(const std::string& name, const Shape& shape) override;
  /// Throws Error(kBadInput) where tensors are missing, left over, or of another shape, and Error(kUnsupported) where
  /// some have a type that weights cannot be made of; one line tells of all.
  void finish() override;

  /// The tensor as it is in the checkpoint; null, and noted for report(), where it is missing or does not fit.
  const Tensor* find(const std::string& name, const Shape& shape);
  /// What does not fit, with everything left over that has not been asked for.
  KeyReport report() const;

 private:
  struct Entry {
    const Tensor* tensor;
    const checkpoint::ForeignTensor* foreign;  // instead of a tensor
    bool used = false;
  };
  const checkpoint::Checkpoint& checkpoint_;
  std::string purpose_;
  std::unordered_map<std::string_view, Entry> entries_;
  KeyReport report_;  // without what is left over
};

/// What does not fit between a checkpoint and the tensors of a model.
KeyReport compare_tensors(const checkpoint::Checkpoint& checkpoint, std::span<const ExpectedTensor> expected);

/// Whether a checkpoint carries a tensor that no graph needs: counters of training steps, and anchors.
bool is_ignored_tensor(std::string_view name);

}  // namespace effdet::model
