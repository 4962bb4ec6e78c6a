// Detection in the background: images go in, results come when they are asked for.
#pragma once

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/detection.h"
#include "effdet/export.h"
#include "effdet/image.h"
#include "effdet/streams.h"

namespace effdet {

struct AsyncOptions {
  StreamLayout layout;   ///< images in work at the same time, and threads for each
  DetectOptions detect;  ///< of every image
  size_t queue = 0;      ///< images that wait, at most; 0: one for each stream
};

/// Several Detectors behind a queue of bounded length. Any thread may submit images. The same image gives the same
/// detections on every stream.
class AsyncDetector {
 public:
  using Result = std::future<std::vector<Detection>>;

  /// Allocates what the streams need. Throws as Detector; Error(kUsage) for fewer than one stream.
  EFFDET_API explicit AsyncDetector(const CompiledModel& model, const AsyncOptions& options = {});
  /// Finishes the images that were accepted.
  EFFDET_API ~AsyncDetector();
  AsyncDetector(const AsyncDetector&) = delete;
  AsyncDetector& operator=(const AsyncDetector&) = delete;

  /// Accepts an image, which it keeps until it is done; waits while the queue is full. The result throws what
  /// Detector::detect() does.
  EFFDET_API Result submit(RgbImage image, std::string name = "image");
  /// The same without waiting: nothing where the queue is full, and the image is then as it was. For live sources,
  /// which rather drop a frame than lag.
  EFFDET_API std::optional<Result> try_submit(RgbImage& image, std::string name = "image");
  /// Images that wait for a free stream.
  EFFDET_API size_t waiting() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
