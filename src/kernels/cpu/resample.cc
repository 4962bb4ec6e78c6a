// BiFPN's weighted sum of resampled maps, resizes and max pool: all go by output rows.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/requantization.h"
#include "kernels/cpu/row_tasks.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/average_pool.h"
#include "ops/fused/maps.h"
#include "ops/fused/max_pool.h"
#include "ops/fused/mix.h"
#include "ops/resize.h"

namespace effdet::kernels::cpu {
namespace {

template <typename T>
class Mix : public Kernel {
 public:
  Mix(const PlanContext& c, const ops::MixAttributes& a)
      : micro_(map_kernels<T>(micro_kernels())), out_(ops::dims_of(c.outputs[0].shape, a.layout)) {
    rows_.inputs = static_cast<int>(c.inputs.size());
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      const ops::Dims in = ops::dims_of(c.inputs[i].shape, a.layout);
      rows_.weight[i] = a.weights[i];
      rows_.height[i] = static_cast<int>(in.height);
      rows_.width[i] = static_cast<int>(in.width);
    }
    rows_.out_height = static_cast<int>(out_.height);
    rows_.out_width = static_cast<int>(out_.width);
    rows_.channels = static_cast<int>(out_.channels);
    rows_.activation = a.activation;
  }

  void run(const RunContext& context) const override {
    for_rows(context.threads, out_, [&](int64_t image, int begin, int end) {
      MixRows<T> rows = rows_;
      for (int i = 0; i < rows.inputs; ++i)
        rows.x[i] = context.input<T>(static_cast<size_t>(i)) +
                    image * rows.height[i] * static_cast<int64_t>(rows.width[i]) * out_.channels;
      rows.y = context.output<T>() + image * out_.height * out_.width * out_.channels;
      rows.row_begin = begin;
      rows.row_end = end;
      micro_.mix(rows);
    });
  }

 private:
  const MapKernels<T>& micro_;
  ops::Dims out_;
  MixRows<T> rows_{};
};

class CodesMix : public Kernel {
 public:
  CodesMix(const PlanContext& c, const ops::MixAttributes& a, const ops::Requantizer& requantizer)
      : micro_(micro_kernels()),
        out_(ops::dims_of(c.outputs[0].shape, a.layout)),
        requantization_(requantization(requantizer)) {
    rows_.inputs = static_cast<int>(c.inputs.size());
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      const ops::Dims in = ops::dims_of(c.inputs[i].shape, a.layout);
      rows_.multiplier[i] = multiplier(a, requantizer, i);
      rows_.zero_point[i] = a.x[i].zero_point;
      rows_.height[i] = static_cast<int>(in.height);
      rows_.width[i] = static_cast<int>(in.width);
    }
    rows_.out_height = static_cast<int>(out_.height);
    rows_.out_width = static_cast<int>(out_.width);
    rows_.channels = static_cast<int>(out_.channels);
  }

  /// Whether every sum is a number that kernels can round.
  static bool fits(const ops::MixAttributes& a, const ops::Requantizer& requantizer) {
    double sum = 0;
    for (size_t i = 0; i < a.x.size(); ++i) sum += 255.0 * std::abs(multiplier(a, requantizer, i));
    return requantizer.fits(sum);
  }

  void run(const RunContext& context) const override {
    for_rows(context.threads, out_, [&](int64_t image, int begin, int end) {
      MixCodes rows = rows_;
      for (int i = 0; i < rows.inputs; ++i)
        rows.x[i] = context.input<uint8_t>(static_cast<size_t>(i)) +
                    image * rows.height[i] * static_cast<int64_t>(rows.width[i]) * out_.channels;
      rows.y = context.output<uint8_t>() + image * out_.height * out_.width * out_.channels;
      rows.row_begin = begin;
      rows.row_end = end;
      rows.requantization = &requantization_;
      micro_.codes.mix(rows);
    });
  }

 private:
  static float multiplier(const ops::MixAttributes& a, const ops::Requantizer& requantizer, size_t i) {
    return requantizer.multiplier(a.weights[i] * a.x[i].scale);
  }

  const MicroKernels& micro_;
  ops::Dims out_;
  Requantization requantization_;
  MixCodes rows_{};
};

/// What inference sees of a step.
std::vector<ops::InputInfo> input_infos(const PlanContext& c) {
  std::vector<ops::InputInfo> infos;
  for (const ValueInfo& input : c.inputs) infos.push_back({input.present, input.dtype, input.shape, input.constant});
  return infos;
}

/// Height and width of an NHWC map, by two taps each.
template <typename T>
class Resize : public Kernel {
 public:
  explicit Resize(const PlanContext& c)
      : micro_(map_kernels<T>(micro_kernels())),
        in_(ops::dims_of(c.inputs[0].shape, ir::Layout::kNhwc)),
        out_(ops::dims_of(c.outputs[0].shape, ir::Layout::kNhwc)) {
    const std::vector<ops::InputInfo> infos = input_infos(c);
    const auto taps = ops::resize_taps({c.node, c.opset, infos}).value();
    rows_ = side(taps[1], in_.height);
    columns_ = side(taps[2], in_.width);
  }

  void run(const RunContext& context) const override {
    for_rows(context.threads, out_, [&](int64_t image, int begin, int end) {
      micro_.resize({.x = context.input<T>(0) + image * in_.height * in_.width * in_.channels,
                     .y = context.output<T>() + image * out_.height * out_.width * in_.channels,
                     .rows = rows_.data(),
                     .columns = columns_.data(),
                     .in_width = static_cast<int>(in_.width),
                     .out_width = static_cast<int>(out_.width),
                     .channels = static_cast<int>(in_.channels),
                     .row_begin = begin,
                     .row_end = end});
    });
  }

 private:
  static std::vector<ResizeTap> side(const std::vector<ops::TwoTaps>& taps, int64_t unchanged) {
    std::vector<ResizeTap> result;
    for (const ops::TwoTaps& tap : taps)
      result.push_back({static_cast<int>(tap.index[0]), static_cast<int>(tap.index[1]), tap.weight[0], tap.weight[1]});
    for (int i = 0; taps.empty() && i < unchanged; ++i) result.push_back({i, i, 0.5f, 0.5f});
    return result;
  }

  const MapKernels<T>& micro_;
  ops::Dims in_, out_;
  std::vector<ResizeTap> rows_, columns_;
};

/// Height and width of an NHWC map of codes, by nearest neighbours: pixels are copied.
class NearestPixels : public Kernel {
 public:
  NearestPixels(const PlanContext& c, const std::vector<std::vector<ops::TwoTaps>>& taps)
      : in_(ops::dims_of(c.inputs[0].shape, ir::Layout::kNhwc)),
        out_(ops::dims_of(c.outputs[0].shape, ir::Layout::kNhwc)),
        rows_(side(taps[1], in_.height)),
        columns_(side(taps[2], in_.width)) {}

  /// Whether every output position takes a single input.
  static bool takes(const std::vector<ops::TwoTaps>& taps) {
    return std::ranges::all_of(taps, [](const ops::TwoTaps& tap) { return tap.index[0] == tap.index[1]; });
  }

  void run(const RunContext& context) const override {
    for_rows(context.threads, out_, [&](int64_t image, int begin, int end) {
      const auto pixel = static_cast<size_t>(in_.channels);
      for (int row = begin; row < end; ++row) {
        const uint8_t* line = context.input<uint8_t>(0) +
                              (image * in_.height + rows_[static_cast<size_t>(row)]) * in_.width * in_.channels;
        uint8_t* y = context.output<uint8_t>() + (image * out_.height + row) * out_.width * out_.channels;
        for (const int64_t column : columns_) {
          std::memcpy(y, line + column * in_.channels, pixel);
          y += pixel;
        }
      }
    });
  }

 private:
  static std::vector<int64_t> side(const std::vector<ops::TwoTaps>& taps, int64_t unchanged) {
    std::vector<int64_t> result;
    for (const ops::TwoTaps& tap : taps) result.push_back(tap.index[0]);
    for (int64_t i = 0; taps.empty() && i < unchanged; ++i) result.push_back(i);
    return result;
  }

  ops::Dims in_, out_;
  std::vector<int64_t> rows_, columns_;
};

/// What every pool's rows have: T's kernel, and padding.
template <typename T>
class Pool : public Kernel {
 public:
  /// zeros: places in the padding count as zeros.
  Pool(const PlanContext& c, void (*kernel)(const PoolRows<T>&), const ops::Window2d& window, bool zeros,
       ir::Layout layout, T zero = {})
      : kernel_(kernel),
        window_(window),
        zeros_(zeros),
        zero_(zero),
        in_(ops::dims_of(c.inputs[0].shape, layout)),
        out_(ops::dims_of(c.outputs[0].shape, layout)) {}

  void run(const RunContext& context) const override {
    for_rows(context.threads, out_, [&](int64_t image, int begin, int end) {
      kernel_({.x = context.input<T>(0) + image * in_.height * in_.width * in_.channels,
               .y = context.output<T>() + image * out_.height * out_.width * in_.channels,
               .in_height = static_cast<int>(in_.height),
               .in_width = static_cast<int>(in_.width),
               .out_width = static_cast<int>(out_.width),
               .channels = static_cast<int>(in_.channels),
               .kernel_height = window_.kernel_height,
               .kernel_width = window_.kernel_width,
               .stride_y = window_.stride_y,
               .stride_x = window_.stride_x,
               .pad_top = window_.pad_top,
               .pad_left = window_.pad_left,
               .zero_padding = zeros_,
               .zero = zero_,
               .row_begin = begin,
               .row_end = end});
    });
  }

 private:
  void (*kernel_)(const PoolRows<T>&);
  ops::Window2d window_;
  bool zeros_;
  T zero_;
  ops::Dims in_, out_;
};

template <typename T>
class MaxPool : public Pool<T> {
 public:
  MaxPool(const PlanContext& c, const ops::MaxPoolAttributes& a)
      : Pool<T>(c, map_kernels<T>(micro_kernels()).max_pool, a.window, a.zero_padding, a.layout) {}
};

class CodesMaxPool : public Pool<uint8_t> {
 public:
  CodesMaxPool(const PlanContext& c, const ops::MaxPoolAttributes& a)
      : Pool<uint8_t>(c, micro_kernels().codes.max_pool, a.window, a.zero_padding, a.layout,
                      static_cast<uint8_t>(a.x->zero_point)) {}
};

template <typename T>
class AveragePool : public Pool<T> {
 public:
  AveragePool(const PlanContext& c, const ops::AveragePoolAttributes& a)
      : Pool<T>(c, map_kernels<T>(micro_kernels()).average_pool, a.window, a.count_include_pad, a.layout) {}
};

}  // namespace

Plan plan_mix(const PlanContext& c) {
  const auto a = ops::MixAttributes::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (a.y) {
    const ops::Requantizer requantizer(a.activation, *a.y);
    if (!CodesMix::fits(a, requantizer)) return {nullptr, "sums beyond 32 bits"};
    return {std::make_unique<CodesMix>(c, a, requantizer), ""};
  }
  return plan_typed<Mix>(c, a);
}

Plan plan_resize(const PlanContext& c) {
  const Shape &x = c.inputs[0].shape, &y = c.outputs[0].shape;
  const auto fits = [](int64_t dim) { return dim >= 1 && dim <= ops::kMaxExtent; };
  if (x.size() != 4 || !std::ranges::all_of(x, fits) || !std::ranges::all_of(y, fits))
    return {nullptr, "only 4-d maps whose sides an int counts"};
  const std::vector<ops::InputInfo> infos = input_infos(c);
  const auto taps = ops::resize_taps({c.node, c.opset, infos});
  if (!taps) return {nullptr, "only nearest and linear, with constant sizes"};
  if (!(*taps)[0].empty() || !(*taps)[3].empty()) return {nullptr, "only height and width of NHWC"};
  if (c.inputs[0].dtype == DType::kU8) {
    if (!NearestPixels::takes((*taps)[1]) || !NearestPixels::takes((*taps)[2]))
      return {nullptr, "only nearest neighbours of uint8"};
    return {std::make_unique<NearestPixels>(c, *taps), ""};
  }
  return plan_typed<Resize>(c);
}

Plan plan_max_pool(const PlanContext& c) {
  const auto a = ops::MaxPoolAttributes::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (a.x) return {std::make_unique<CodesMaxPool>(c, a), ""};
  return plan_typed<MaxPool>(c, a);
}

Plan plan_average_pool(const PlanContext& c) {
  const auto a = ops::AveragePoolAttributes::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  return plan_typed<AveragePool>(c, a);
}

}  // namespace effdet::kernels::cpu
