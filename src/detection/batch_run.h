// A batch of images through a session. What the network's device does of preparing and of detecting is done there, the
// rest on the host.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "detection/detection_model.h"
#include "detection/outputs.h"
#include "kernels/box_selection.h"
#include "kernels/picture_input.h"
#include "runtime/engine.h"

namespace effdet::detection {

/// Puts into the queue what letterbox_to_tensor() does. sample: the picture's bytes, and maybe more.
void put_picture(kernels::PictureInput& pictures, kernels::Queue& queue, vision::ImageSize size,
                 const vision::Preprocessing& preprocessing, std::span<const std::byte> sample, std::byte* place);

/// What a run makes.
class BatchOutput {
 public:
  /// Throws Error(kOutOfMemory).
  explicit BatchOutput(const runtime::Engine& engine) : heads_(engine) {}

  /// Detections in image number `sample` of the last run, which has that size and was run with these options. faults,
  /// where it is not null, tells what makes no sense.
  std::vector<Detection> detections(const DetectionModel& model, size_t sample, vision::ImageSize image,
                                    const DetectOptions& options, eval::DetectFaults* faults) const;

 private:
  friend class BatchRun;
  OutputBuffers heads_;
  std::vector<kernels::SelectedBoxes> selected_;  ///< by image, where the device selected them; or else empty
};

/// Of one plan of a session. Not to be used by two threads at once.
class BatchRun {
 public:
  explicit BatchRun(const DetectionModel& model);

  /// input: a whole batch, of which ModelInput::prepare() wrote the first `images`. Throws as Session::run().
  void run(const DetectionModel& model, runtime::Session& session, size_t plan, std::span<const std::byte> input,
           std::span<const InputImage> images, const DetectOptions& options, BatchOutput& output);

 private:
  bool selects(const DetectOptions& options) const;
  void write_inputs(const DetectionModel& model, runtime::Session& session, size_t plan,
                    std::span<const std::byte> input, std::span<const InputImage> images, kernels::Queue& queue,
                    std::byte* place);

  int64_t candidates_ = 0;
  std::unique_ptr<kernels::BoxSelection> selection_;  ///< null: the host does it
  std::unique_ptr<kernels::PictureInput> pictures_;   ///< null: there are none
};

}  // namespace effdet::detection
