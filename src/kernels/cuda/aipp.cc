// Preprocessing inside of the model: where the samples of each format lie.
#include "ops/aipp.h"

#include <algorithm>
#include <utility>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/step.h"
#include "kernels/cuda/typed.h"

namespace effdet::kernels::cuda {
namespace {

class AippStep : public Step {
 public:
  explicit AippStep(const PlanContext& c) : Step(c) {
    const ops::AippSpec s = ops::aipp_of(c.node);
    const int64_t batch = c.inputs[0].shape[0];
    args_.image_bytes = Tensor(DType::kU8, c.inputs[0].shape, nullptr).numel() / batch;
    set_planes(s);
    const auto narrow = [](int64_t value) { return static_cast<int>(value); };
    args_.channels = narrow(s.channels);
    args_.height = narrow(s.output_height());
    args_.width = narrow(s.output_width());
    args_.pixels = batch * s.output_height() * s.output_width();
    args_.crop_top = narrow(s.crop_top);
    args_.crop_left = narrow(s.crop_left);
    args_.crop_height = narrow(s.crop_height);
    args_.crop_width = narrow(s.crop_width);
    args_.pad_top = narrow(s.pad_top);
    args_.pad_left = narrow(s.pad_left);
    args_.padding_value = s.padding_value;
    args_.converts = s.convert ? 1 : 0;
    std::ranges::transform(s.matrix, args_.matrix, narrow);
    std::ranges::transform(s.input_bias, args_.input_bias, narrow);
    std::ranges::transform(s.output_bias, args_.output_bias, narrow);
    std::ranges::transform(s.mean, args_.mean, narrow);
    std::ranges::copy(s.min, args_.min);
    std::ranges::copy(s.scale, args_.scale);
  }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    CameraArgs args = args_;
    args.in = context.input<uint8_t>(0);
    args.out = context.output();
    queue.launch_each<CameraPixels>(args.pixels, args);
  }

 private:
  void set_planes(const ops::AippSpec& s) {
    const int width = static_cast<int>(s.source_width);
    auto& [first, second, third] = args_.planes;
    switch (s.format) {
      case ops::AippFormat::kYuv400:
        first = second = third = {0, width, 1, 0};
        break;
      case ops::AippFormat::kYuv420sp: {
        const int64_t chroma = s.source_height * s.source_width;
        first = {0, width, 1, 0};
        second = {chroma, width, 2, 1};
        third = {chroma + 1, width, 2, 1};
        if (s.swap_rbuv) std::swap(second, third);
        break;
      }
      case ops::AippFormat::kRgb888:
      case ops::AippFormat::kXrgb8888: {
        const bool has_fourth = s.format == ops::AippFormat::kXrgb8888;
        const int step = has_fourth ? 4 : 3, base = has_fourth && !s.swap_ax ? 1 : 0;
        first = {base, step * width, step, 0};
        second = {base + 1, step * width, step, 0};
        third = {base + 2, step * width, step, 0};
        if (s.swap_rbuv) std::swap(first, third);
        break;
      }
    }
  }

  CameraArgs args_{};
};

}  // namespace

Plan plan_aipp(const PlanContext& c) { return {std::make_unique<AippStep>(c), ""}; }

}  // namespace effdet::kernels::cuda
