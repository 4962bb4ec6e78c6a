// Which category of a data set each class of a model stands for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "effdet/dataset.h"
#include "eval/ground_truth.h"
#include "model/metadata.h"

namespace effdet::dataset {

class ClassMap {
 public:
  /// file: the annotations, for messages. Throws as read_category_map(), Error(kUsage) for another number of names than
  /// classes, and where mapping needs names and there are none; Error(kBadInput) where classes and categories do not
  /// belong together, and for lines of a map that name what is not there.
  ClassMap(const model::ModelInfo& info, const ClassOptions& options, const eval::GroundTruth& dataset,
           const std::string& file);

  /// What is to be known of the choice, a line each; empty where ids are classes + 1 as effdet has them.
  const std::vector<std::string>& notes() const { return notes_; }
  /// The id in the data set of what Detection::category calls so, or kNone: also for what no class of the model is, as
  /// a file of detections may have it.
  static constexpr int64_t kNone = INT64_MAX;
  int64_t category_of(int64_t category) const;

 private:
  std::vector<int64_t> categories_;  ///< by class
  int offset_;                       ///< Detection::category of class 0
  std::vector<std::string> notes_;
};

}  // namespace effdet::dataset
