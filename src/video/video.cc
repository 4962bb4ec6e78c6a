// Readers and writers of videos over the module.
#include "effdet/video.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "video/load_module.h"

namespace effdet {
namespace {

using video::ModuleError;

constexpr std::array<std::string_view, 17> kExtensions{".mp4", ".m4v", ".mov",  ".mkv",   ".webm", ".avi",
                                                       ".ts",  ".mts", ".m2ts", ".mpg",   ".mpeg", ".wmv",
                                                       ".flv", ".3gp", ".ogv",  ".mjpeg", ".m3u8"};
constexpr std::array<std::string_view, 6> kStreams{"rtsp://", "rtsps://", "rtmp://", "udp://", "rtp://", "srt://"};

std::string extension_of(const std::string& name) { return lower_extension(name.substr(0, name.find('?'))); }

bool is_stream(const std::string& name) {
  return std::ranges::any_of(kStreams, [&](std::string_view start) { return name.starts_with(start); });
}
bool is_web(const std::string& name) { return name.starts_with("http://") || name.starts_with("https://"); }
bool is_camera(const std::string& name) { return name.starts_with("/dev/video"); }

[[noreturn]] void refuse(const std::string& name, const ModuleError& error) {
  fail(error.is_in_file ? ErrorCode::kBadInput : ErrorCode::kIo, "{}: {}", name, error.text);
}

/// A playlist in a file must not reach the network, and one of the network not files.
const char* protocols_for(const std::string& name) {
  if (is_stream(name)) return "rtsp,rtsps,rtmp,rtp,udp,srt,tcp,tls,crypto";
  return is_web(name) ? "http,https,tcp,tls,crypto,hls" : "file,crypto";
}

}  // namespace

bool is_video_name(const std::string& name) {
  return is_stream(name) || is_camera(name) || std::ranges::find(kExtensions, extension_of(name)) != kExtensions.end();
}

struct VideoReader::Impl {
  std::string name;
  VideoReadOptions options;
  VideoInfo info;
  void* reader = nullptr;
  int64_t next = 0;
  bool counts = true;  ///< whether frames are counted from the first one

  ~Impl() {
    if (reader != nullptr) video::module().close(reader);
  }
};

VideoReader::VideoReader(const std::string& name, const VideoReadOptions& options) : impl_(std::make_unique<Impl>()) {
  const auto check = [](const char* what, double value, bool may_be_zero) {
    if (!(value >= 0 && value <= 1e9) || (value == 0 && !may_be_zero))
      fail(ErrorCode::kUsage, "{} of {} makes no sense", what, value);
  };
  check("a start", options.start, true);
  check("a duration", options.duration, true);
  check("a time-out", options.timeout, false);
  if (options.every < 1) fail(ErrorCode::kUsage, "each {}th frame makes no sense", options.every);
  impl_->name = name;
  impl_->options = options;
  const video::ModuleInput input{name.c_str(), options.timeout, protocols_for(name), options.threads, is_camera(name)};
  video::ModuleInfo info{};
  ModuleError error{};
  impl_->reader = video::module().open(&input, &info, &error);
  if (impl_->reader == nullptr) refuse(name, error);
  impl_->info = {info.width, info.height, 0, info.rate_num, info.rate_den, info.seconds, false};
  if (info.rate_num > 0) impl_->info.rate = static_cast<double>(info.rate_num) / info.rate_den;
  impl_->info.live = is_camera(name) || is_stream(name) || (is_web(name) && info.seconds == 0);
  // Without a seek, frames have their numbers; a few seconds are not worth one.
  constexpr double kFar = 10;
  if (options.start > kFar && !impl_->info.live && info.rate_num > 0)
    if (!video::module().seek(impl_->reader, options.start, &error)) refuse(name, error);
  impl_->counts = options.start <= kFar || impl_->info.live;
}

VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader&&) noexcept = default;

const VideoInfo& VideoReader::info() const { return impl_->info; }

std::optional<VideoFrame> VideoReader::read() {
  // A hair less than a time that was printed with three digits.
  constexpr double kHair = 0.0005;
  for (;;) {
    const bool skip = impl_->next % impl_->options.every != 0;
    video::ModuleFrame frame{};
    ModuleError error{};
    const int got = video::module().read(impl_->reader, skip && impl_->counts, &frame, &error);
    if (got < 0) refuse(impl_->name, error);
    if (got == 0) return std::nullopt;
    if (!impl_->counts) {  // behind a seek: by time
      impl_->next = std::llround(frame.seconds * impl_->info.rate);
      impl_->counts = true;
    }
    const int64_t index = impl_->next++;
    const auto& [start, duration, every, timeout, threads] = impl_->options;
    if (duration > 0 && frame.seconds >= start + duration - kHair) return std::nullopt;
    if (frame.seconds < start - kHair || index % every != 0) continue;
    return VideoFrame{{.data = frame.rgb, .width = frame.width, .height = frame.height}, frame.seconds, index};
  }
}

int64_t VideoReader::broken() const { return video::module().broken(impl_->reader); }

struct VideoWriter::Impl {
  std::filesystem::path path, part;
  int width, height;
  void* writer = nullptr;

  ~Impl() {
    if (writer == nullptr) return;
    video::module().discard(writer);
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
  }
};

VideoWriter::VideoWriter(const std::filesystem::path& path, const VideoInfo& frames, int threads)
    : impl_(std::make_unique<Impl>()) {
  const std::string extension = extension_of(path.string());
  if (extension != ".mp4" && extension != ".webm")
    fail(ErrorCode::kUsage, "{}: videos are written as .mp4 or .webm", path.string());
  impl_->path = path;
  impl_->part = path.string() + ".part";
  impl_->width = frames.width;
  impl_->height = frames.height;
  const std::string part = impl_->part.string();
  const video::ModuleOutput output{
      part.c_str(), extension == ".mp4" ? "mp4" : "webm", frames.width, frames.height, frames.rate_num, frames.rate_den,
      threads};
  ModuleError error{};
  impl_->writer = video::module().create(&output, &error);
  if (impl_->writer == nullptr) refuse(path.string(), error);
}

VideoWriter::~VideoWriter() = default;
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;

void VideoWriter::write(const RgbImage& frame, double seconds) {
  if (frame.width != impl_->width || frame.height != impl_->height)
    fail(ErrorCode::kUsage, "{}: a frame of {} x {} pixels in a video of {} x {}", impl_->path.string(), frame.width,
         frame.height, impl_->width, impl_->height);
  ModuleError error{};
  if (!video::module().write(impl_->writer, frame.pixels.data(), seconds, &error)) refuse(impl_->path.string(), error);
}

void VideoWriter::finish() {
  ModuleError error{};
  void* const writer = impl_->writer;
  impl_->writer = nullptr;
  std::error_code code;
  if (!video::module().finish(writer, &error)) {
    std::filesystem::remove(impl_->part, code);
    refuse(impl_->path.string(), error);
  }
  std::filesystem::rename(impl_->part, impl_->path, code);
  if (code) fail(ErrorCode::kIo, "{}: cannot be written: {}", impl_->path.string(), code.message());
}

}  // namespace effdet
