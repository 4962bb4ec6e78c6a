// What a checkpoint holds, for people.
#include <map>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "effdet/checkpoint.h"
#include "ir/inspect.h"
#include "model/infer_variant.h"

namespace effdet {
namespace {

/// Batch norms keep these of what they saw; PyTorch does not count them as parameters.
bool is_statistic(std::string_view name) { return name.ends_with("running_mean") || name.ends_with("running_var"); }

}  // namespace

CheckpointInfo inspect_checkpoint(const std::filesystem::path& path) {
  const checkpoint::Checkpoint checkpoint = checkpoint::read_checkpoint(path);
  CheckpointInfo info{.container = checkpoint.container,
                      .tensors = checkpoint.tensors.size(),
                      .files = checkpoint.files,
                      .foreign_count = checkpoint.foreign.size() + checkpoint.foreign_beside_count,
                      .has_checksums = checkpoint.has_checksums};
  for (const auto* list : {&checkpoint.foreign, &checkpoint.foreign_beside})
    for (const checkpoint::ForeignTensor& tensor : *list) info.foreign.emplace_back(tensor.name, tensor.type);
  std::map<std::string_view, size_t> dtypes;
  for (const checkpoint::NamedTensor& named : checkpoint.tensors) {
    ++dtypes[dtype_name(named.tensor.dtype())];
    const bool is_parameter = is_float(named.tensor.dtype()) && !is_statistic(named.name);
    (is_parameter ? info.parameters : info.buffers) += named.tensor.numel();
    info.non_finite += ir::count_non_finite(named.tensor);
  }
  for (const auto& [name, count] : dtypes) info.dtypes.push_back(fmt::format("{} x {}", name, count));
  const std::vector<model::Candidate> candidates = model::fitting_variants(checkpoint);
  for (const model::Candidate& candidate : candidates) info.fitting_models.push_back(candidate.text());
  if (candidates.empty()) return info;
  info.num_classes = candidates.front().config.num_classes;
  try {
    model::InferredModel inferred = model::infer_variant(checkpoint);
    info.model = inferred.config.variant.name;
    info.notes = std::move(inferred.notes);
  } catch (const Error&) {  // several fit, and the file's name decides nothing: that is what info says then
  }
  return info;
}

}  // namespace effdet
