// Synthetic data sets: scenes of coloured shapes with exact boxes, at any size and without a licence.
#include "scenes/scene.h"

#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "dataset/format.h"
#include "effdet/dataset.h"
#include "scenes/random.h"
#include "vision/encode.h"

namespace effdet {
namespace {

constexpr int kLargestSide = 4096;
constexpr int kJpegQuality = 92;
constexpr int64_t kIdsPerImage = 100;  // room for the annotations of one image

void check_range(const char* name, int value, int low, int high) {
  if (value < low || value > high) fail(ErrorCode::kUsage, "{} is {}, must be {} to {}", name, value, low, high);
}

void check_scenes(const SyntheticScenes& options) {
  check_range("number of images", options.images, 1, 1'000'000);
  check_range("smallest side", options.min_side, scenes::kSmallestSide, kLargestSide);
  check_range("largest side", options.max_side, options.min_side, kLargestSide);
  check_range("first id", options.first_id, 1, std::numeric_limits<int>::max() - options.images);
}

/// Neighbouring seeds and ids must give unrelated scenes.
uint64_t seed_of(uint64_t seed, int id) {
  return scenes::Random(scenes::Random(seed).next() ^ static_cast<uint64_t>(id)).next();
}

std::vector<eval::Category> shape_categories() {
  std::vector<eval::Category> categories;
  for (const std::string_view name : scenes::kShapeNames)
    categories.push_back({static_cast<int64_t>(categories.size()) + 1, std::string(name)});
  return categories;
}

void add_scene(const scenes::Scene& scene, int id, const std::string& name, eval::GroundTruth& truth) {
  truth.image_index.emplace(id, truth.images.size());
  truth.images.push_back({id, name, scene.canvas.width, scene.canvas.height});
  int64_t annotation_id = id * kIdsPerImage;
  for (const scenes::Object& object : scene.objects)
    truth.annotations.push_back({.id = annotation_id++,
                                 .image_id = id,
                                 .category_id = static_cast<int>(object.shape) + 1,
                                 .bbox = {object.x, object.y, object.width, object.height},
                                 .area = object.area});
}

}  // namespace

void write_scenes(const std::filesystem::path& root, const SyntheticScenes& options, const Progress& progress) {
  check_scenes(options);
  const dataset::Format& format = *dataset::formats().front();
  const std::filesystem::path folder = root / format.written_images("val");
  make_folder(folder);
  eval::GroundTruth truth;
  truth.categories = shape_categories();
  for (int i = 0; i < options.images; ++i) {
    const int id = options.first_id + i;
    const scenes::Scene scene = scenes::make_scene(seed_of(options.seed, id), options.min_side, options.max_side);
    const std::string name = fmt::format("{:012}.jpg", id);
    write_file(folder / name, vision::encode_jpeg(scene.canvas.to_image(), kJpegQuality), /*sync=*/false);
    add_scene(scene, id, name, truth);
    if (progress) progress(static_cast<size_t>(i) + 1, static_cast<size_t>(options.images));
  }
  format.write(root, truth, {fmt::format("synthetic shape scenes, seed {}", options.seed), "shape"});
}

}  // namespace effdet
