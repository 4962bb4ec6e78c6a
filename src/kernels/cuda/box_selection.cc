// Puts the kernels that place and suppress boxes into the queue, and copies what they kept.
#include "kernels/cuda/box_selection.h"

#include <algorithm>
#include <cstring>

#include "kernels/cuda/step.h"
#include "kernels/cuda/typed.h"
#include "ops/fused/top_candidates.h"

namespace effdet::kernels::cuda {
namespace {

static_assert(BoxArgs::kValues == ops::kCandidateValues);

class Selection : public BoxSelection {
 public:
  explicit Selection(const BoxSelectionShape& shape)
      : batch_(shape.batch),
        anchors_(Tensor::from<float>({static_cast<int64_t>(shape.anchors.size())}, shape.anchors)),
        anchor_count_(static_cast<int64_t>(shape.anchors.size()) / 4),
        candidates_(static_cast<int>(shape.candidates)),
        classes_(shape.classes) {}

  std::vector<SelectedBoxes> select(Queue& any_queue, const std::byte* candidates, const std::byte* nans,
                                    std::span<const BoxImage> images, const BoxOptions& options) override {
    auto& queue = dynamic_cast<CudaQueue&>(any_queue);
    queue.begin_step(kStep);
    anchors_.upload(queue);
    const int considered = std::min(options.max_candidates, candidates_);
    const int most = std::min(options.max_kept, considered);
    make_room(queue, most);
    const auto count = static_cast<int64_t>(images.size());
    upload_request(queue, images, options.wanted);
    const BoxArgs args{.rows = reinterpret_cast<const float*>(candidates),
                       .anchors = reinterpret_cast<const float*>(anchors_.get()),
                       .images = at<BoxImage>(images_at_),
                       .wanted = options.wanted.empty() ? nullptr : at<uint8_t>(wanted_at_),
                       .placed = at<PlacedBox>(placed_at_),
                       .counts = at<BoxCounts>(counts_at_),
                       .kept = at<SelectedBox>(kept_at_),
                       .image_count = count,
                       .anchor_count = anchor_count_,
                       .candidates = candidates_,
                       .considered = considered,
                       .most = most,
                       .classes = classes_,
                       .iou_threshold = options.iou_threshold,
                       .score_threshold = options.score_threshold,
                       .agnostic = options.agnostic ? 1 : 0};
    queue.launch_each<PlaceBoxes>(count * considered, args);
    queue.launch<SuppressBoxes>(count, SuppressBoxes::kThreads, SuppressBoxes::kSharedBytes, args);
    return download(queue, nans, images.size(), static_cast<size_t>(most));
  }

 private:
  static inline const std::string kStep = "selection of boxes";

  template <typename T>
  T* at(size_t offset) const {
    return reinterpret_cast<T*>(memory_.get() + offset);
  }

  /// One block of memory: what goes to the GPU lies together, and what comes from it.
  void make_room(CudaQueue& queue, int most) {
    if (memory_ != nullptr && most <= most_) return;
    ScratchPlan plan;
    const auto bytes = [](int64_t count, size_t size) { return count * static_cast<int64_t>(size); };
    images_at_ = plan.add(bytes(batch_, sizeof(BoxImage)));
    wanted_at_ = plan.add(classes_);
    counts_at_ = plan.add(bytes(batch_, sizeof(BoxCounts)));
    kept_at_ = plan.add(bytes(batch_ * most, sizeof(SelectedBox)));
    placed_at_ = plan.add(bytes(batch_ * candidates_, sizeof(PlacedBox)));
    memory_ = nullptr;  // before more is asked for
    memory_ = Machine::allocate(queue.machine(), plan.size(), "boxes");
    most_ = most;
  }

  void upload_request(CudaQueue& queue, std::span<const BoxImage> images, std::span<const uint8_t> wanted) {
    request_.assign(kept_at_, std::byte{0});  // counts begin with zeros
    std::memcpy(request_.data() + images_at_, images.data(), images.size_bytes());
    if (!wanted.empty()) std::memcpy(request_.data() + wanted_at_, wanted.data(), wanted.size());
    queue.upload(request_, memory_.get());
  }

  std::vector<SelectedBoxes> download(CudaQueue& queue, const std::byte* nans, size_t images, size_t most) {
    answer_.resize(kept_at_ - counts_at_ + images * most * sizeof(SelectedBox));
    queue.download(memory_.get() + counts_at_, answer_);
    std::vector<float> has_nan(images);
    queue.download(nans, std::as_writable_bytes(std::span(has_nan)));
    std::vector<SelectedBoxes> selected(images);
    for (size_t i = 0; i < images; ++i) {
      BoxCounts counts{};
      std::memcpy(&counts, answer_.data() + i * sizeof counts, sizeof counts);
      selected[i].has_nan = has_nan[i] != 0;
      selected[i].has_not_finite = counts.not_finite > 0;
      selected[i].is_senseless = counts.senseless > 0;
      selected[i].boxes.resize(std::min<size_t>(counts.kept, most));
      const std::byte* kept = answer_.data() + kept_at_ - counts_at_ + i * most * sizeof(SelectedBox);
      if (counts.kept > 0) std::memcpy(selected[i].boxes.data(), kept, selected[i].boxes.size() * sizeof(SelectedBox));
    }
    return selected;
  }

  const int64_t batch_;
  DeviceConstant anchors_;
  const int64_t anchor_count_;
  const int candidates_, classes_;
  int most_ = 0;
  size_t images_at_ = 0, wanted_at_ = 0, counts_at_ = 0, kept_at_ = 0, placed_at_ = 0;
  std::shared_ptr<std::byte> memory_;
  std::vector<std::byte> request_, answer_;
};

}  // namespace

std::unique_ptr<BoxSelection> make_box_selection(const BoxSelectionShape& shape) {
  return std::make_unique<Selection>(shape);
}

}  // namespace effdet::kernels::cuda
