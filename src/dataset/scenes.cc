// Synthetic data sets, with the public options.
#include "scenes/scenes.h"

#include "dataset/public.h"

namespace effdet::dataset {

void write_scenes(const std::filesystem::path& root, const SyntheticScenes& options, const Progress& progress) {
  scenes::SceneOptions scenes{.images = options.images,
                              .seed = options.seed,
                              .min_side = options.min_side,
                              .max_side = options.max_side,
                              .first_id = options.first_id};
  if (progress)
    scenes.progress = [&](int done, int total) { progress(static_cast<size_t>(done), static_cast<size_t>(total)); };
  scenes::write_scenes(root, scenes);
}

}  // namespace effdet::dataset
