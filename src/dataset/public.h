// What stands behind the functions of effdet/dataset.h, which describes them; src/api/dataset.cc calls these.
#pragma once

#include "effdet/dataset.h"
#include "runtime/engine.h"

namespace effdet::dataset {

void write_scenes(const std::filesystem::path& root, const SyntheticScenes& options, const Progress& progress = {});

PreprocessReport preprocess_dataset(const std::filesystem::path& root, const std::filesystem::path& folder,
                                    const InputOptions& options, int threads = 0, const Progress& progress = {},
                                    const OnFailure& on_failure = {});

size_t write_bin_info(const std::filesystem::path& folder, const std::filesystem::path& list, int width, int height);
size_t write_image_info(const std::filesystem::path& folder, const std::filesystem::path& list,
                        const OnFailure& on_failure = {});
std::vector<InfoEntry> read_info(const std::filesystem::path& list);

Evaluation postprocess_dumps(const std::filesystem::path& root, const std::filesystem::path& dumps,
                             const PostprocessOptions& options, int threads = 0, const Progress& progress = {});
Evaluation evaluate_results(const std::filesystem::path& annotations, const std::filesystem::path& results,
                            const EvaluateOptions& options = {});

ValidateReport validate_dataset(const std::filesystem::path& root, std::shared_ptr<const runtime::Engine> engine,
                                const ValidateOptions& options, int threads = 0);

}  // namespace effdet::dataset
