#include "effdet/dataset.h"

#include "api/impl.h"
#include "dataset/public.h"

namespace effdet {

/// Reaches into a CompiledModel for validate_dataset(), which as a function is no friend.
struct EngineAccess {
  static const std::shared_ptr<const runtime::Engine>& of(const CompiledModel& model) { return model.impl_->engine(); }
};

void write_scenes(const std::filesystem::path& root, const SyntheticScenes& options, const Progress& progress) {
  dataset::write_scenes(root, options, progress);
}

PreprocessReport preprocess_dataset(const std::filesystem::path& root, const std::filesystem::path& folder,
                                    const InputOptions& options, int threads, const Progress& progress,
                                    const OnFailure& on_failure) {
  return dataset::preprocess_dataset(root, folder, options, threads, progress, on_failure);
}

size_t write_bin_info(const std::filesystem::path& folder, const std::filesystem::path& list, int width, int height) {
  return dataset::write_bin_info(folder, list, width, height);
}

size_t write_image_info(const std::filesystem::path& folder, const std::filesystem::path& list,
                        const OnFailure& on_failure) {
  return dataset::write_image_info(folder, list, on_failure);
}

std::vector<InfoEntry> read_info(const std::filesystem::path& list) { return dataset::read_info(list); }

Evaluation postprocess_dumps(const std::filesystem::path& root, const std::filesystem::path& dumps,
                             const PostprocessOptions& options, int threads, const Progress& progress) {
  return dataset::postprocess_dumps(root, dumps, options, threads, progress);
}

Evaluation evaluate_results(const std::filesystem::path& annotations, const std::filesystem::path& results,
                            const EvaluateOptions& options) {
  return dataset::evaluate_results(annotations, results, options);
}

ValidateReport validate_dataset(const std::filesystem::path& root, const CompiledModel& model,
                                const ValidateOptions& options, int threads) {
  return dataset::validate_dataset(root, EngineAccess::of(model), options, threads);
}

}  // namespace effdet
