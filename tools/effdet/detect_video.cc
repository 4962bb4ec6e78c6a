// Three threads: one decodes, one detects, one draws, encodes and writes results.
#include "detect_video.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "bounded_queue.h"
#include "cli.h"
#include "effdet/detect_images.h"
#include "effdet/detector.h"
#include "effdet/error.h"
#include "effdet/result_format.h"
#include "found_text.h"
#include "log.h"
#include "progress.h"
#include "signals.h"
#include "status_line.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// A frame on its way.
struct Frame {
  RgbImage image;
  DetectedImage found;
};

/// What it is called in results and files: the name without its folders and extension.
std::string stem_of(const std::string& name) {
  const std::string stem = fs::path(name.substr(0, name.find('?'))).stem().string();
  return stem.empty() ? "video" : stem;
}

/// Results in a file, flushed with each frame: a run that is killed leaves all that it had.
class ResultFile {
 public:
  ResultFile(const fs::path& path, const std::string& format, const std::vector<std::string>& names)
      : path_(path),
        file_(path, std::ios::binary),
        text_(format, names, [this](std::string_view part) { write(part); }) {}
  void add(const DetectedImage& image) { text_.add(image); }
  void end() { text_.end(); }

 private:
  void write(std::string_view part) {
    file_ << part << std::flush;
    if (!file_) throw Error(ErrorCode::kIo, fmt::format("{}: cannot be written", path_.string()));
  }

  fs::path path_;
  std::ofstream file_;
  ResultText text_;
};

class VideoPipeline {
 public:
  VideoPipeline(const VideoRun& run, const CompiledModel& model)
      : run_(run),
        reader_(run.name, run.read),
        detector_(model, run.threads, run.detect),
        printer_(run.printed, run.class_names, run.out.empty() && run.crops.empty()) {
    if (run.out.empty()) return;
    const fs::path stem = fs::path(run.out) / stem_of(run.name);
    const std::string format = run.format.empty() ? "json" : run.format;
    results_.emplace(
        stem.string() + fs::path(result_file(format)).filename().string().substr(std::string("detections").size()),
        format, run.class_names);
    if (run.draws) video_ = stem.string() + "." + run.video_format;
    std::error_code ignored;
    if (run.draws && fs::equivalent(video_, run.name, ignored))
      throw Error(ErrorCode::kUsage, fmt::format("{} would be overwritten; give another folder with --out", run.name));
  }

  int run() {
    say_start();
    std::thread decoding([this] {
      guarded([this] { decode(); });
      decoded_.close();
    });
    std::thread writing([this] {
      guarded([this] { write(); });
      detected_.close();
    });
    guarded([this] { detect(); });
    decoded_.close();
    detected_.close();
    decoding.join();
    writing.join();
    return end();
  }

 private:
  /// Frames between two threads. Of a live stream the oldest goes where detection has no room.
  static constexpr size_t kFrames = 4;

  void say_start() const {
    if (is_quiet()) return;
    const VideoInfo& info = reader_.info();
    const std::string length = info.seconds > 0 ? fmt::format(", {:.1f} s", info.seconds) : "";
    print_stderr("[INFO] video {}: {} x {}, {:.2f} frames a second{}{}\n", one_line(run_.name), info.width, info.height,
                 info.rate, length, info.live ? ", live: frames are left out where time is short" : "");
  }

  /// The first error of any thread ends all of them.
  void guarded(const std::function<void()>& work) try { work(); } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    stopped_ = true;
    decoded_.close();
    detected_.close();
  }

  bool stops() const { return stopped_ || stop_.requested(); }

  void decode() {
    while (!stops()) {
      const std::optional<VideoFrame> frame = reader_.read();
      if (!frame) return;
      Frame next{to_rgb(frame->image), {}};
      next.found.image = fmt::format("{}/{:06}", run_.name, frame->index);
      next.found.frame = frame->index;
      next.found.seconds = frame->seconds;
      next.found.width = next.image.width;
      next.found.height = next.image.height;
      if (reader_.info().live)
        dropped_ += decoded_.put_newest(std::move(next));
      else if (!decoded_.put(std::move(next)))
        return;
    }
  }

  void detect() {
    while (auto frame = decoded_.take()) {
      if (stops()) return;
      frame->found.detections =
          detector_.detect_sliced(view_of(frame->image), run_.slices, run_.detect, frame->found.image);
      if (!detected_.put(std::move(*frame))) return;
    }
  }

  void write() {
    ProgressBar bar("detect");
    const VideoInfo& info = reader_.info();
    const auto expected = static_cast<size_t>(info.seconds * info.rate / static_cast<double>(run_.read.every));
    std::optional<VideoWriter> writer;
    double first = 0;
    while (auto frame = detected_.take()) {
      printer_.print(frame->found);
      if (results_) results_->add(frame->found);
      if (!run_.crops.empty())
        write_crops(run_.crops, fmt::format("{}_{:06}", stem_of(run_.name), frame->found.frame), frame->image,
                    frame->found.detections, run_.class_names);
      if (!video_.empty()) {
        if (!writer) {
          first = frame->found.seconds;
          writer.emplace(video_, frame_info(frame->image));
        }
        writer->write(annotate(std::move(frame->image), frame->found.detections, run_.class_names, run_.draw),
                      frame->found.seconds - first);
      }
      last_ = frame->found.seconds;
      ++done_;
      bar.update(done_, std::max(expected, done_));
    }
    if (writer) writer->finish();
  }

  /// The rate of what is written: each so many-th frame of the source's.
  VideoInfo frame_info(const RgbImage& frame) const {
    VideoInfo info = reader_.info();
    info.width = frame.width;
    info.height = frame.height;
    if (info.rate_num > 0) info.rate_den *= static_cast<int>(run_.read.every);
    return info;
  }

  int end() {
    if (done_ > 0) printer_.end();
    if (results_) results_->end();
    const std::string kept = fmt::format("{} frames are done", done_);
    if (dropped_ > 0)
      warn(fmt::format("{}: {} frames were left out, since they came faster than they could be looked at",
                       one_line(run_.name), dropped_));
    if (error_ && done_ > 0) {
      try {
        std::rethrow_exception(error_);
      } catch (const Error& error) {
        throw Error(error.code(), fmt::format("{}; {}", error.what(), kept));
      }
    }
    if (error_) std::rethrow_exception(error_);
    if (stop_.requested()) {
      print_stderr("{}: stopped by {}: {}\n", run_.program, stop_.name(), kept);
      return stop_.exit_code();
    }
    if (done_ == 0) throw Error(ErrorCode::kBadInput, fmt::format("{}: no frames are in it", run_.name));
    if (const int64_t broken = reader_.broken(); broken > 0)
      throw Error(ErrorCode::kBadInput, fmt::format("{}: {} pieces of it could not be decoded: it is broken or cut; {}",
                                                    run_.name, broken, kept));
    constexpr double kMissing = 1.0;  // sound may be a little longer
    const double promised = reader_.info().seconds;
    if (run_.read.duration == 0 && !reader_.info().live &&
        last_ + kMissing < promised - static_cast<double>(run_.read.every) / std::max(1.0, reader_.info().rate))
      warn(fmt::format("{}: the last frame is at {:.2f} s, but the file says that it has {:.2f} s: perhaps it is cut",
                       one_line(run_.name), last_, promised));
    if (!detector_.warning().empty()) warn_of(run_.program, run_.name, detector_.warning());
    return 0;
  }

  const VideoRun& run_;
  StopRequest stop_;
  VideoReader reader_;
  Detector detector_;
  FoundPrinter printer_;
  std::optional<ResultFile> results_;
  std::string video_;
  BoundedQueue<Frame> decoded_{kFrames}, detected_{kFrames};
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::exception_ptr error_;
  size_t done_ = 0, dropped_ = 0;
  double last_ = 0;  ///< time of the last frame that was looked at
};

}  // namespace

std::vector<const CLI::Option*> add_video_options(CLI::App& line, VideoRun& run) {
  return {
      line.add_option("--start", run.read.start, "of a video: begin at so many seconds")
          ->check(real_between(0, 1e9))
          ->type_name("S"),
      line.add_option("--duration", run.read.duration, "of a video: end so many seconds later")
          ->check(real_between(0, 1e9))
          ->type_name("S"),
      line.add_option("--every", run.read.every, "of a video: look at each N-th frame alone")
          ->capture_default_str()
          ->transform(between(1, 1000000))
          ->type_name("N"),
      line.add_option("--timeout", run.read.timeout, "of a stream: give up after so many seconds without data")
          ->capture_default_str()
          ->check(real_between(0.1, 1e6))
          ->type_name("S"),
      line.add_option("--video-format", run.video_format, "of the annotated video: mp4 or webm")
          ->capture_default_str()
          ->check(CLI::IsMember({"mp4", "webm"}).description(""))
          ->type_name("F"),
  };
}

void refuse_video_options(const std::vector<const CLI::Option*>& options) {
  for (const CLI::Option* option : options)
    if (option->count() > 0)
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is about videos and streams, and none is given", option->get_name()));
}

int detect_in_video(const VideoRun& run, const CompiledModel& model) { return VideoPipeline(run, model).run(); }

}  // namespace effdet::cli
