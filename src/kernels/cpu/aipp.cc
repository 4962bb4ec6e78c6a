// Preprocessing inside of the model: rows of camera pixels become rows of the network's float planes.
#include "ops/aipp.h"

#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"

namespace effdet::kernels::cpu {
namespace {

class Aipp : public Kernel {
 public:
  explicit Aipp(const PlanContext& c)
      : micro_(micro_kernels()),
        spec_(ops::aipp_of(c.node)),
        batch_(c.inputs[0].shape[0]),
        image_bytes_(Tensor(DType::kU8, c.inputs[0].shape, nullptr).numel() / batch_) {
    for (size_t i = 0; i < 9; ++i) matrix_.factor[i] = static_cast<int32_t>(spec_.matrix[i]);
    for (size_t i = 0; i < 3; ++i) {
      matrix_.input_bias[i] = static_cast<int32_t>(spec_.input_bias[i]);
      matrix_.output_bias[i] = static_cast<int32_t>(spec_.output_bias[i]);
    }
  }

  size_t scratch_bytes(int threads) const override { return static_cast<size_t>(threads) * thread_bytes(); }

  void run(const RunContext& context) const override {
    constexpr int64_t kRows = 16;
    const int64_t height = spec_.output_height(), tasks = (height + kRows - 1) / kRows;
    context.threads.parallel_for(batch_ * tasks, [&](int64_t task, int thread) {
      const int64_t image = task / tasks, first = task % tasks * kRows;
      auto* scratch = reinterpret_cast<uint8_t*>(context.scratch) + static_cast<size_t>(thread) * thread_bytes();
      for (int64_t y = first; y < std::min(first + kRows, height); ++y) run_row(context, image, y, scratch);
    });
  }

 private:
  /// Three planes of samples, and three of converted ones.
  size_t thread_bytes() const { return static_cast<size_t>(6 * spec_.crop_width + 63) / 64 * 64; }

  void run_row(const RunContext& context, int64_t image, int64_t y, uint8_t* scratch) const {
    const int64_t width = spec_.output_width(), height = spec_.output_height();
    const int64_t inside = y - spec_.pad_top;
    const bool is_padding = inside < 0 || inside >= spec_.crop_height;
    const auto* source = reinterpret_cast<const uint8_t*>(context.inputs[0]) + image * image_bytes_;
    PixelRow row = is_padding ? PixelRow{} : samples_of(source, spec_.crop_top + inside);
    for (int64_t c = 0; c < spec_.channels; ++c) {
      float* target = context.output() + ((image * spec_.channels + c) * height + y) * width;
      float* const end = is_padding ? target : target + spec_.pad_left;
      std::fill(target, end, spec_.padding_value);
      std::fill(is_padding ? target : end + spec_.crop_width, target + width, spec_.padding_value);
      row.out[c] = end;
    }
    if (is_padding) return;
    row.scratch = scratch;
    micro_.pixel_row(row);
  }

  /// What of the source row y the crop leaves.
  PixelRow samples_of(const uint8_t* source, int64_t y) const {
    PixelRow row{.samples = {},
                 .count = static_cast<int>(spec_.crop_width),
                 .channels = static_cast<int>(spec_.channels),
                 .matrix = spec_.convert ? &matrix_ : nullptr,
                 .mean = {},
                 .min = {},
                 .scale = {},
                 .out = {},
                 .scratch = nullptr};
    for (size_t c = 0; c < 3; ++c) {
      row.mean[c] = static_cast<float>(spec_.mean[c]);
      row.min[c] = spec_.min[c];
      row.scale[c] = spec_.scale[c];
    }
    const int64_t x = spec_.crop_left, width = spec_.source_width;
    switch (spec_.format) {
      case ops::AippFormat::kYuv400:
        for (auto& samples : row.samples) samples = {source + y * width + x, 1, false};
        break;
      case ops::AippFormat::kYuv420sp: {
        const uint8_t* chroma = source + (spec_.source_height + y / 2) * width + x;
        row.samples[0] = {source + y * width + x, 1, false};
        row.samples[1] = {chroma + (spec_.swap_rbuv ? 1 : 0), 2, true};
        row.samples[2] = {chroma + (spec_.swap_rbuv ? 0 : 1), 2, true};
        break;
      }
      case ops::AippFormat::kRgb888:
      case ops::AippFormat::kXrgb8888: {
        const bool padded = spec_.format == ops::AippFormat::kXrgb8888;
        const int step = padded ? 4 : 3;
        const uint8_t* first = source + (y * width + x) * step + (padded && !spec_.swap_ax ? 1 : 0);
        for (int c = 0; c < 3; ++c) row.samples[c] = {first + (spec_.swap_rbuv ? 2 - c : c), step, false};
        break;
      }
    }
    return row;
  }

  const MicroKernels& micro_;
  ops::AippSpec spec_;
  ColourMatrix matrix_{};
  int64_t batch_, image_bytes_;
};

}  // namespace

Plan plan_aipp(const PlanContext& c) { return {std::make_unique<Aipp>(c), ""}; }

}  // namespace effdet::kernels::cpu
