// A live source: frames go to a detector in the background, and one that comes while all are busy is dropped, so that
// results never lag.
#include <chrono>
#include <cstdio>
#include <deque>
#include <thread>

#include "effdet/effdet.h"

int main(int argc, char** argv) try {
  if (argc != 3) return std::puts("usage: example_frames CHECKPOINT IMAGE"), 2;
  const auto model = effdet::CompiledModel::open(argv[1], {.height = 256, .width = 256});
  effdet::AsyncDetector detector(model, {.layout = {.streams = 2}, .detect = {.score_threshold = 0.3f}});

  const effdet::RgbImage image = effdet::read_image(argv[2]);  // stands for what the camera sees
  std::deque<effdet::AsyncDetector::Result> results;
  int dropped = 0;
  for (int frame = 0; frame < 30; ++frame) {
    effdet::RgbImage pixels = image;
    if (auto result = detector.try_submit(pixels))
      results.push_back(std::move(*result));
    else
      ++dropped;
    // What is done is used at once, in order.
    while (!results.empty() && results.front().wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      results.front().get();
      results.pop_front();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // 200 frames a second
  }
  for (auto& result : results) result.get();
  std::printf("30 frames, %d dropped\n", dropped);
} catch (const effdet::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.code());
}
