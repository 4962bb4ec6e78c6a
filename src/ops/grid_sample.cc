// GridSample: a map sampled at the points of a grid, as the attention of deformable detectors does.
#include <algorithm>
#include <cmath>
#include <string>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

enum class GridMode : uint8_t { kNearest, kLinear, kCubic };
enum class GridOutside : uint8_t { kZeros, kBorder, kReflection };

struct GridSampling {
  GridMode mode = GridMode::kLinear;
  GridOutside outside = GridOutside::kZeros;
  bool align_corners = false;

  static GridSampling of(const ir::Node& node) {
    GridSampling sampling;
    const std::string mode = node.get_string("mode", "linear"), padding = node.get_string("padding_mode", "zeros");
    if (mode == "nearest") {
      sampling.mode = GridMode::kNearest;
    } else if (mode == "cubic" || mode == "bicubic") {  // the second name is that of opset 16
      sampling.mode = GridMode::kCubic;
    } else if (mode != "linear" && mode != "bilinear") {
      node_error(node, "mode is '{}'", mode);
    }
    if (padding == "border") {
      sampling.outside = GridOutside::kBorder;
    } else if (padding == "reflection") {
      sampling.outside = GridOutside::kReflection;
    } else if (padding != "zeros") {
      node_error(node, "padding_mode is '{}'", padding);
    }
    sampling.align_corners = node.get_int("align_corners", 0) != 0;
    return sampling;
  }
};

/// GridSample(x [n, c, d...], grid [n, o..., number of d]) -> [n, c, o...]
std::vector<Inferred> infer_grid_sample(const InferContext& c) {
  require_float(c);
  require_float(c, 1);
  const GridSampling sampling = GridSampling::of(c.node);
  if (!c.shape(0) || !c.shape(1)) return {{c.dtype(0), std::nullopt}};
  const Shape &x = *c.shape(0), &grid = *c.shape(1);
  const auto differ = [](int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; };
  if (x.size() < 3 || x.size() != grid.size() || differ(x[0], grid[0]) ||
      differ(grid.back(), static_cast<int64_t>(x.size()) - 2))
    node_error(c.node, "a map of shape {} and a grid of {}", shape_text(x), shape_text(grid));
  if (x.size() > 5)
    fail(ErrorCode::kUnsupported, "{}: maps of {} dimensions are not supported", node_label(c.node), x.size());
  if (sampling.mode == GridMode::kCubic && x.size() != 4)
    node_error(c.node, "mode is 'cubic' for a map of {} dimensions, not 4", x.size());
  Shape shape{differ(x[0], -1) ? x[0] : grid[0], x[1]};
  shape.insert(shape.end(), grid.begin() + 1, grid.end() - 1);
  return {{c.dtype(0), shape}};
}

/// Back into [low, high], as often as it takes.
double grid_reflected(double x, double low, double high) {
  const double range = high - low;
  if (!(range > 0)) return low;
  const double beyond = x < low ? low - x : x - high;
  if (!(beyond > 0)) return x;
  const double rest = std::fmod(beyond, range);
  const bool turns_back = std::fmod(std::floor(beyond / range), 2) == 0;
  return (x < low) == turns_back ? low + rest : high - rest;
}

/// Places along one axis with their weights; a place of -1 is outside, where there are zeros.
struct AxisTaps {
  int count = 0;
  int64_t place[4] = {};
  double weight[4] = {};
};

/// Weights of four places, the second of which lies `t` before the point: Keys' with a = -0.75.
void grid_cubic_weights(double t, double* weights) {
  constexpr double kA = -0.75;
  const auto inner = [](double d) { return ((kA + 2) * d - (kA + 3)) * d * d + 1; };
  const auto outer = [](double d) { return ((kA * d - 5 * kA) * d + 8 * kA) * d - 4 * kA; };
  weights[0] = outer(1 + t), weights[1] = inner(t), weights[2] = inner(1 - t), weights[3] = outer(2 - t);
}

/// Rounds as the grid's type does, so that a point between two pixels goes to the one that others choose.
template <typename T>
AxisTaps taps_at(T coordinate, int64_t length, const GridSampling& sampling) {
  const T size = static_cast<T>(length);
  T point = sampling.align_corners ? (coordinate + 1) / 2 * (size - 1) : ((coordinate + 1) * size - 1) / 2;
  if (sampling.mode == GridMode::kNearest) point = std::nearbyint(point);
  const double low = sampling.align_corners ? 0 : -0.5, high = static_cast<double>(length) - 1 - low;
  double x = static_cast<double>(point);
  if (!(x >= low && x <= high)) {
    // A cubic's neighbours are at the border, not the point: three pixels away all of them are.
    const double beyond = sampling.mode == GridMode::kCubic ? 3 : 0;
    if (sampling.outside == GridOutside::kBorder) x = std::clamp(x, -beyond, static_cast<double>(length - 1) + beyond);
    if (sampling.outside == GridOutside::kReflection) x = grid_reflected(x, low, high);
  }
  AxisTaps taps;
  // Farther away there is nothing but zeros. NaN is nowhere.
  if (!(x > -4 && x < static_cast<double>(length) + 4)) return taps;
  const double base = sampling.mode == GridMode::kNearest ? std::nearbyint(x) : std::floor(x);
  const auto first = static_cast<int64_t>(base) - (sampling.mode == GridMode::kCubic ? 1 : 0);
  taps.count = sampling.mode == GridMode::kNearest ? 1 : sampling.mode == GridMode::kLinear ? 2 : 4;
  if (sampling.mode == GridMode::kCubic) {
    grid_cubic_weights(x - base, taps.weight);
  } else {
    taps.weight[0] = sampling.mode == GridMode::kNearest ? 1 : 1 - (x - base);
    taps.weight[1] = x - base;
  }
  for (int i = 0; i < taps.count; ++i) {
    int64_t place = first + i;
    if (sampling.outside == GridOutside::kBorder) place = std::clamp<int64_t>(place, 0, length - 1);
    if (sampling.outside == GridOutside::kReflection)
      place = std::clamp<int64_t>(static_cast<int64_t>(grid_reflected(static_cast<double>(place), low, high)), 0,
                                  length - 1);
    taps.place[i] = place >= 0 && place < length ? place : -1;
  }
  return taps;
}

/// The sum over the taps of axis `axis` and all after it.
template <typename T>
double sampled_from(const T* map, std::span<const AxisTaps> taps, std::span<const int64_t> lengths, size_t axis,
                    int64_t offset) {
  if (axis == taps.size()) return static_cast<double>(map[offset]);
  double sum = 0;
  for (int i = 0; i < taps[axis].count; ++i)
    if (taps[axis].place[i] >= 0)
      sum += taps[axis].weight[i] *
             sampled_from(map, taps, lengths, axis + 1, offset * lengths[axis] + taps[axis].place[i]);
  return sum;
}

template <typename T, typename G>
void sample_grid(const EvalContext& c) {
  const GridSampling sampling = GridSampling::of(c.node);
  const Shape &x = c.input(0).shape(), &y = c.output().shape();
  const size_t axes = x.size() - 2;
  const std::span<const int64_t> lengths = std::span(x).subspan(2);
  const int64_t plane = dims_product(x, 2, x.size()), points = dims_product(y, 2, y.size());
  const T* maps = c.input(0).data<T>().data();
  const G* grid = c.input(1).data<G>().data();
  T* out = c.output().template mutable_data<T>().data();
  for_each_index(c.threads, x[0], [&](int64_t image) {
    std::vector<AxisTaps> taps(axes);
    for (int64_t p = 0; p < points; ++p) {
      const G* point = grid + (image * points + p) * static_cast<int64_t>(axes);
      for (size_t axis = 0; axis < axes; ++axis)  // a point's last number is of the first axis
        taps[axis] = taps_at(point[axes - 1 - axis], lengths[axis], sampling);
      for (int64_t channel = 0; channel < x[1]; ++channel)
        out[(image * x[1] + channel) * points + p] = static_cast<T>(
            sampled_from(maps + (image * x[1] + channel) * plane, std::span<const AxisTaps>(taps), lengths, 0, 0));
    }
  });
}

void evaluate_grid_sample(const EvalContext& c) {
  if (c.output().numel() == 0 || c.input(0).numel() == 0) return;  // of an empty map: zeros
  with_float_type(c.node, c.input(0).dtype(), [&](auto type) {
    with_float_type(c.node, c.input(1).dtype(),
                    [&](auto of_grid) { sample_grid<decltype(type), decltype(of_grid)>(c); });
  });
}

}  // namespace

std::span<const Operator> grid_sample_operators() {
  static constexpr Card kGridSample{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "GridSample", 2, 2, infer_grid_sample, evaluate_grid_sample, kGridSample, 16}};
  return kOperators;
}

}  // namespace effdet::ops
