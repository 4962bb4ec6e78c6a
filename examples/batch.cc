// Several images in one run of the network.
#include <cstdio>
#include <vector>

#include "effdet/effdet.h"

int main(int argc, char** argv) try {
  if (argc < 3) return std::puts("usage: example_batch CHECKPOINT IMAGE..."), 2;
  const auto model = effdet::CompiledModel::open(argv[1], {.height = 256, .width = 256, .batch = 4});
  effdet::Detector detector(model);

  std::vector<effdet::RgbImage> images;
  for (int i = 2; i < argc; ++i) images.push_back(effdet::read_image(argv[i]));
  std::vector<effdet::ImageView> views;
  for (const effdet::RgbImage& image : images) views.push_back(effdet::view_of(image));

  const auto found = detector.detect_batch(views);
  for (std::size_t i = 0; i < found.size(); ++i) std::printf("%s: %zu detections\n", argv[i + 2], found[i].size());
  const effdet::DetectTimings times = detector.timings();
  std::printf("preprocessing %.1f ms, network %.1f ms, postprocessing %.1f ms\n", 1e3 * times.preprocess,
              1e3 * times.inference, 1e3 * times.postprocess);
} catch (const effdet::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.code());
}
