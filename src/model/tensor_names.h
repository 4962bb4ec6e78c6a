// What a checkpoint calls the tensors of a model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/variants.h"
#include "model/weights.h"

namespace effdet::model {

/// Translates effdet's names, which the builder uses for all variants, to those of the variant's checkpoints.
class TensorNames {
 public:
  explicit TensorNames(const Variant& variant);

  /// Precondition: a tensor that the builder asks for.
  std::string of(const std::string& name) const;

 private:
  std::string of_block(const std::vector<std::string_view>& modules) const;
  std::string of_pyramid(const std::vector<std::string_view>& modules) const;

  const Variant& variant_;
  std::vector<int> first_block_;  // of each stage, where blocks are counted through
};

/// Asks another source, under the names of the variant's checkpoints.
class RenamedWeights : public WeightSource {
 public:
  RenamedWeights(WeightSource& source, const Variant& variant) : source_(source), names_(variant) {}

  Tensor tensor(const std::string& name, const Shape& shape) override { return source_.tensor(names_.of(name), shape); }
  void finish() override { source_.finish(); }

 private:
  WeightSource& source_;
  TensorNames names_;
};

}  // namespace effdet::model
