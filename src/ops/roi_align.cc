// RoiAlign: regions of a map sampled to one size.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_roi_align(const InferContext& c) {
  require_float(c);
  require_same_types(c, 2);
  const std::string mode = c.node.get_string("mode", "avg");
  if (mode != "avg" && mode != "max") node_error(c.node, "mode is '{}'", mode);
  const int64_t height = c.node.get_int("output_height", 1), width = c.node.get_int("output_width", 1);
  const int64_t ratio = c.node.get_int("sampling_ratio", 0);
  constexpr int64_t kMost = 1 << 16;
  if (std::min(height, width) < 1 || std::max(height, width) > kMost || ratio < 0 || ratio > kMost)
    node_error(c.node, "output of {} x {}, sampling_ratio {}", height, width, ratio);
  const std::string transform = c.node.get_string("coordinate_transformation_mode", "half_pixel");
  if (transform != "half_pixel" && transform != "output_half_pixel")
    node_error(c.node, "coordinate_transformation_mode is '{}'", transform);
  require_index(c, 2);
  if (!c.shape(0) || !c.shape(1)) return {{c.dtype(0), std::nullopt}};
  if (c.shape(0)->size() != 4 || c.shape(1)->size() != 2 || (c.shape(1)->at(1) != 4 && c.shape(1)->at(1) >= 0))
    node_error(c.node, "maps of shape {} and regions of {}", shape_text(*c.shape(0)), shape_text(*c.shape(1)));
  if (c.shape(2) && (c.shape(2)->size() != 1 ||
                     (is_known(*c.shape(2)) && is_known(*c.shape(1)) && c.shape(2)->at(0) != c.shape(1)->at(0))))
    node_error(c.node, "batch_indices of shape {}", shape_text(*c.shape(2)));
  return {{c.dtype(0), Shape{c.shape(1)->at(0), c.shape(0)->at(1), height, width}}};
}

/// The four neighbours of a point and their weights, as RoiAlign takes them: none outside, clamped at the edge.
struct Neighbours {
  int64_t offset[4] = {};
  double weight[4] = {};
};

Neighbours neighbours_of(double y, double x, int64_t height, int64_t width) {
  Neighbours result;
  if (!(y >= -1 && y <= static_cast<double>(height) && x >= -1 && x <= static_cast<double>(width))) return result;
  y = std::clamp(y, 0.0, static_cast<double>(height - 1)), x = std::clamp(x, 0.0, static_cast<double>(width - 1));
  const auto top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
  const int64_t bottom = std::min(top + 1, height - 1), right = std::min(left + 1, width - 1);
  const double dy = y - static_cast<double>(top), dx = x - static_cast<double>(left);
  const int64_t rows[] = {top, top, bottom, bottom}, columns[] = {left, right, left, right};
  const double weights[] = {(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx};
  for (int i = 0; i < 4; ++i) {
    result.offset[i] = rows[i] * width + columns[i];
    result.weight[i] = weights[i];
  }
  return result;
}

template <typename T>
void roi_align(const EvalContext& c) {
  const Shape &x = c.input(0).shape(), &y = c.output().shape();
  const bool half_pixel =
      c.opset >= 16 && c.node.get_string("coordinate_transformation_mode", "half_pixel") == "half_pixel";
  const bool average = c.node.get_string("mode", "avg") == "avg";
  // Where samples lie is rounded as in the definition: with 5 * 0.8f / 2 in double a region would get one more.
  using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const Real scale = c.node.get_float("spatial_scale", 1), shift = half_pixel ? 0.5 : 0;
  const int64_t ratio = c.node.get_int("sampling_ratio", 0), plane = x[2] * x[3];
  const Tensor batch = c.input(2).to(DType::kI64);
  const T* maps = c.input(0).data<T>().data();
  T* out = c.output().template mutable_data<T>().data();
  for (int64_t r = 0; r < y[0]; ++r) {
    const T* roi = c.input(1).data<T>().data() + r * 4;
    const int64_t image = batch.data<int64_t>()[static_cast<size_t>(r)];
    if (image < 0 || image >= x[0]) node_error(c.node, "region {} lies in image {} of {}", r, image, x[0]);
    const auto corner = [&](int i) -> Real { return static_cast<Real>(roi[i]) * scale - shift; };
    const Real left = corner(0), top = corner(1);
    Real width = corner(2) - left, height = corner(3) - top;
    if (!half_pixel) width = std::max<Real>(width, 1), height = std::max<Real>(height, 1);
    const Real bin_h = height / static_cast<Real>(y[2]), bin_w = width / static_cast<Real>(y[3]);
    constexpr Real kMostSamples = 1 << 12;  // of hostile regions
    const auto samples = [&](Real bin) {
      return ratio > 0 ? ratio
                       : static_cast<int64_t>(std::clamp<Real>(std::isnan(bin) ? 1 : std::ceil(bin), 0, kMostSamples));
    };
    const auto place = [](Real begin, Real bin, int64_t number, int64_t sample, int64_t of) -> Real {
      return begin + static_cast<Real>(number) * bin +
             (static_cast<Real>(sample) + Real{0.5}) * bin / static_cast<Real>(of);
    };
    const int64_t rows = samples(bin_h), columns = samples(bin_w);
    if (rows * columns == 0) continue;  // a region without area: zeros
    for (int64_t oh = 0; oh < y[2]; ++oh)
      for (int64_t ow = 0; ow < y[3]; ++ow) {
        std::vector<double> result(static_cast<size_t>(y[1]), average ? 0 : -std::numeric_limits<double>::infinity());
        for (int64_t i = 0; i < rows * columns; ++i) {
          const Neighbours around = neighbours_of(place(top, bin_h, oh, i / columns, rows),
                                                  place(left, bin_w, ow, i % columns, columns), x[2], x[3]);
          for (int64_t channel = 0; channel < y[1]; ++channel) {
            const T* map = maps + (image * x[1] + channel) * plane;
            double& value = result[static_cast<size_t>(channel)];
            double sum = 0;
            for (int k = 0; k < 4; ++k) {
              const double part = around.weight[k] * static_cast<double>(map[around.offset[k]]);
              sum += part;
              // Of the weighted neighbours, as the definition has it; NaN stays.
              if (!average && (part > value || std::isnan(part))) value = part;
            }
            if (average) value += sum / static_cast<double>(rows * columns);
          }
        }
        for (int64_t channel = 0; channel < y[1]; ++channel)
          out[((r * y[1] + channel) * y[2] + oh) * y[3] + ow] = static_cast<T>(result[static_cast<size_t>(channel)]);
      }
  }
}

void evaluate_roi_align(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  if (c.input(0).numel() == 0) node_error(c.node, "the maps are empty");
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) { roi_align<decltype(type)>(c); });
}

}  // namespace

std::span<const Operator> roi_align_operators() {
  static constexpr Card kRoiAlign{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "RoiAlign", 3, 3, infer_roi_align, evaluate_roi_align, kRoiAlign, 10},
  };
  return kOperators;
}

}  // namespace effdet::ops
