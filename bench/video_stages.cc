// Each stage of `effdet detect` on a video alone: frames a second of decoding, detection, drawing and encoding.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "effdet/effdet.h"

namespace {

using namespace effdet;
using Clock = std::chrono::steady_clock;

constexpr size_t kFrames = 48;  // that are kept in memory: 300 MB at 1920 x 1080

double rate_of(size_t frames, const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return static_cast<double>(frames) / std::chrono::duration<double>(Clock::now() - begin).count();
}

void print(const char* stage, double rate) { std::printf("%-34s %8.1f frames a second\n", stage, rate); }

void measure(const std::string& file, const CompiledModel& model, const std::filesystem::path& out) {
  std::vector<RgbImage> frames;
  VideoReader reader(file, {});
  for (auto frame = reader.read(); frame && frames.size() < kFrames; frame = reader.read())
    frames.push_back(to_rgb(frame->image));
  if (frames.empty()) throw Error(ErrorCode::kBadInput, file + ": no frames are in it");

  size_t decoded = 0;
  VideoReader again(file, {});
  const double decoding = rate_of(1, [&] {
    for (auto frame = again.read(); frame; frame = again.read(), ++decoded) to_rgb(frame->image);
  });
  print("decoding, to RGB", decoding * static_cast<double>(decoded));

  Detector detector(model, 0, {.score_threshold = 0.3f});
  std::vector<std::vector<Detection>> found;
  detector.detect(frames.front());  // to warm up
  print("scaling, network, suppression", rate_of(frames.size(), [&] {
          for (const RgbImage& frame : frames) found.push_back(detector.detect(frame));
        }));
  const std::vector<std::string> names = class_names_of(detector.description());
  std::vector<RgbImage> drawn = frames;
  print("drawing", rate_of(frames.size(), [&] {
          for (size_t i = 0; i < drawn.size(); ++i) drawn[i] = annotate(std::move(drawn[i]), found[i], names);
        }));
  VideoInfo info = reader.info();
  info.width = drawn.front().width;
  info.height = drawn.front().height;
  VideoWriter writer(out, info);
  constexpr size_t kRounds = 4;  // an encoder has frames in itself, which the end takes
  print("encoding, of RGB", rate_of(kRounds * drawn.size(), [&] {
          for (size_t i = 0; i < kRounds * drawn.size(); ++i)
            writer.write(drawn[i % drawn.size()], static_cast<double>(i) / 30);
          writer.finish();
        }));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: video_stages VIDEO MODEL OUT.mp4\n");
    return 2;
  }
  measure(argv[1], CompiledModel::open(argv[2]), argv[3]);
  return 0;
} catch (const Error& error) {
  std::fprintf(stderr, "video_stages: %s\n", error.what());
  return static_cast<int>(error.code());
}
