// Detection in pixels that the program holds already: a part of a larger frame in OpenCV's order of channels, without a
// copy.
#include <cstdio>
#include <vector>

#include "effdet/effdet.h"

int main(int argc, char** argv) try {
  if (argc != 3) return std::puts("usage: example_buffers CHECKPOINT IMAGE"), 2;
  const auto model = effdet::CompiledModel::open(argv[1], {.height = 256, .width = 256});
  effdet::Detector detector(model);

  // Stands for a frame of a camera: BGR, with 64 bytes of padding after each row.
  const effdet::RgbImage image = effdet::read_image(argv[2]);
  const std::ptrdiff_t stride = 3 * image.width + 64;
  std::vector<unsigned char> frame(static_cast<std::size_t>(stride) * image.height);
  for (int y = 0; y < image.height; ++y)
    for (int i = 0; i < 3 * image.width; ++i) {
      const int other = i - i % 3 + 2 - i % 3;  // blue first
      frame[y * stride + i] = image.pixels[static_cast<std::size_t>(3 * image.width) * y + other];
    }

  // Its right half: the view begins further right and keeps the stride.
  const effdet::ImageView half{.data = frame.data() + 3 * (image.width / 2),
                               .width = image.width - image.width / 2,
                               .height = image.height,
                               .format = effdet::PixelFormat::kBgr,
                               .stride = stride};
  for (const effdet::Detection& found : detector.detect(half, {.max_detections = 3}))
    std::printf("class %d, score %.3f, box %.0f %.0f %.0f %.0f\n", found.category - 1, found.score, found.x1, found.y1,
                found.x2, found.y2);
} catch (const effdet::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.code());
}
