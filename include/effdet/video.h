// Videos: files, cameras and streams as frames, and frames as files. FFmpeg's libraries do the work; they are loaded
// with the first video.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "effdet/export.h"
#include "effdet/image.h"
#include "effdet/image_view.h"

namespace effdet {

/// Whether a name is one of a video: by its extension, as a camera (/dev/video0) or as the address of a stream.
EFFDET_API bool is_video_name(const std::string& name);

struct VideoInfo {
  int width = 0, height = 0;  ///< in pixels, of upright frames
  double rate = 0;            ///< frames a second on average; 0: unknown
  int rate_num = 0, rate_den = 1;
  double seconds = 0;  ///< 0: unknown
  bool live = false;   ///< it goes on whether it is read or not: a camera, or a stream without an end
};

struct VideoFrame {
  ImageView image;     ///< upright RGB, valid until the next call
  double seconds = 0;  ///< since the first frame, as the file tells it
  int64_t index = 0;   ///< of the frame, from 0
};

struct VideoReadOptions {
  double start = 0;     ///< seconds; frames before it are left out
  double duration = 0;  ///< seconds after start; 0: up to the end
  int64_t every = 1;    ///< each so many-th frame is given; at least 1
  double timeout = 20;  ///< give up after so many seconds without data
  int threads = 0;      ///< to decode with; 0: as many as FFmpeg thinks good
};

/// Frames in order. One thread at a time may use it.
class VideoReader {
 public:
  /// name: a file, /dev/videoN, or an address (rtsp, http, https, rtmp, udp). Throws Error(kUsage) for options out of
  /// range, Error(kUnsupported) where the module for videos or FFmpeg is not there, Error(kIo), Error(kBadInput) for
  /// what is no video.
  EFFDET_API explicit VideoReader(const std::string& name, const VideoReadOptions& options = {});
  EFFDET_API ~VideoReader();
  EFFDET_API VideoReader(VideoReader&&) noexcept;

  EFFDET_API const VideoInfo& info() const;
  /// Nothing at the end. Throws Error(kIo) where a stream stalls or a camera is gone, Error(kBadInput).
  EFFDET_API std::optional<VideoFrame> read();
  /// Pieces so far that could not be decoded: the file is broken, or cut.
  EFFDET_API int64_t broken() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes an MP4 or a WebM file, by its extension: H.264 or VP9, or what FFmpeg has for it. There is no sound.
class VideoWriter {
 public:
  /// Frames have these sides and come at about this rate (0: unknown). The file gets its name with finish(); before, it
  /// is called <name>.part. Throws Error(kUsage) for another extension, and as VideoReader.
  EFFDET_API VideoWriter(const std::filesystem::path& path, const VideoInfo& frames, int threads = 0);
  /// Without finish(), nothing is left.
  EFFDET_API ~VideoWriter();
  EFFDET_API VideoWriter(VideoWriter&&) noexcept;

  /// seconds: when it is shown; more than that of the frame before. Throws Error(kUsage) for another size, Error(kIo).
  EFFDET_API void write(const RgbImage& frame, double seconds);
  EFFDET_API void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
