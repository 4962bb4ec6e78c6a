// `effdet detect` on a video, a camera or a stream.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/detection.h"
#include "effdet/draw_options.h"
#include "effdet/slice_options.h"
#include "effdet/video.h"

namespace effdet::cli {

struct VideoRun {
  std::string program, name;
  std::string out;     ///< folder for the annotated video and the results; empty: nothing is written
  std::string format;  ///< of the results in the folder; empty: JSON
  std::string video_format = "mp4";
  std::string printed;  ///< form of what is printed; empty: lines for people
  bool draws = true;
  std::string crops;  ///< folder for what was found, cut out of the frames; empty: none
  SliceOptions slices;
  DetectOptions detect;
  DrawOptions draw;
  VideoReadOptions read;
  int threads = 0;
  std::vector<std::string> class_names;
};

/// --start, --duration, --every, --timeout, --video-format; returns them.
std::vector<const CLI::Option*> add_video_options(CLI::App& line, VideoRun& run);
/// Throws Error(kUsage) where one of these is given: without a video none would have an effect.
void refuse_video_options(const std::vector<const CLI::Option*>& options);

/// Decoding, detection, and drawing and encoding overlap. Returns the exit code.
int detect_in_video(const VideoRun& run, const CompiledModel& model);

}  // namespace effdet::cli
