// Operators that arrange the elements of a tensor anew, by position alone.
#include <algorithm>
#include <cstring>

#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/strided_view.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

int64_t block_of(const InferContext& c) {
  const int64_t block = c.node.get_int("blocksize", 0);
  if (block < 1 || block > (int64_t{1} << 15)) node_error(c.node, "blocksize is {}", block);
  if (known_rank(c, 0, 4).value_or(4) != 4)
    node_error(c.node, "input of shape {} is no batch of maps", shape_text(*c.shape(0)));
  return block;
}

/// Whether a block's positions are the outer part of the channels' order, and the channels the inner one.
bool depth_first(const ir::Node& node) {
  const std::string mode = node.get_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") node_error(node, "mode is '{}'", mode);
  return mode == "DCR";
}

std::vector<Inferred> infer_depth_to_space(const InferContext& c) {
  const int64_t block = block_of(c);
  depth_first(c.node);
  if (!c.shape(0) || !is_known(*c.shape(0))) return {{c.dtype(0), Shape{-1, -1, -1, -1}}};
  const Shape& x = *c.shape(0);
  if (x[1] % (block * block) != 0) node_error(c.node, "{} channels for blocks of {}", x[1], block);
  return {{c.dtype(0), Shape{x[0], x[1] / (block * block), x[2] * block, x[3] * block}}};
}

/// Both operators are one transposition of six dimensions.
void evaluate_depth_to_space(const EvalContext& c) {
  const StridedView view = depth_to_space_view(c.node, c.input(0).shape());
  copy_strided(c.input(0), 0, view.shape, view.strides, c.output());
}

std::vector<Inferred> infer_space_to_depth(const InferContext& c) {
  const int64_t block = block_of(c);
  depth_first(c.node);
  if (!c.shape(0) || !is_known(*c.shape(0))) return {{c.dtype(0), Shape{-1, -1, -1, -1}}};
  const Shape& x = *c.shape(0);
  if (x[2] % block != 0 || x[3] % block != 0) node_error(c.node, "{} x {} in blocks of {}", x[2], x[3], block);
  return {{c.dtype(0), Shape{x[0], x[1] * block * block, x[2] / block, x[3] / block}}};
}

void evaluate_space_to_depth(const EvalContext& c) {
  const StridedView view = space_to_depth_view(c.node, c.input(0).shape());
  copy_strided(c.input(0), 0, view.shape, view.strides, c.output());
}

std::vector<Inferred> infer_trilu(const InferContext& c) {
  known_rank(c, 0, 2);
  const auto k = c.ints(1);
  if (k && k->size() != 1) node_error(c.node, "k has {} values", k->size());
  return infer_like_input(c);
}

/// Keeps what is on and above the k-th diagonal, or on and below it.
void evaluate_trilu(const EvalContext& c) {
  const Shape& shape = c.input(0).shape();
  const int64_t rows = shape[shape.size() - 2], columns = shape.back();
  int64_t k = c.has(1) ? c.input(1).to(DType::kI64).data<int64_t>()[0] : 0;
  k = std::clamp(k, -rows - 1, columns + 1);  // so that sums cannot wrap
  const bool upper = c.node.get_int("upper", 1) != 0;
  const size_t size = dtype_size(c.input(0).dtype());
  const std::byte* from = c.input(0).bytes().data();
  std::byte* out = c.output().mutable_bytes().data();
  for (int64_t i = 0; i < c.output().numel(); ++i) {
    const int64_t row = i / columns % rows, column = i % columns;
    const bool kept = upper ? column >= row + k : column <= row + k;
    if (kept) std::memcpy(out + static_cast<size_t>(i) * size, from + static_cast<size_t>(i) * size, size);
  }
}

/// The first `length` elements of each sequence in reverse order.
std::vector<Inferred> infer_reverse_sequence(const InferContext& c) {
  if (c.dtype(1) != DType::kI64) node_error(c.node, "the lengths have type {}", dtype_name(c.dtype(1)));
  const int64_t time = c.node.get_int("time_axis", 0), batch = c.node.get_int("batch_axis", 1);
  if (time < 0 || time > 1 || batch < 0 || batch > 1 || time == batch)
    node_error(c.node, "time_axis is {}, batch_axis {}", time, batch);
  if (known_rank(c, 0, 2) && c.shape(1)) {
    const int64_t count = c.shape(0)->at(static_cast<size_t>(batch));
    if (c.shape(1)->size() != 1 || (count >= 0 && c.shape(1)->at(0) >= 0 && c.shape(1)->at(0) != count))
      node_error(c.node, "lengths of shape {} for {} sequences", shape_text(*c.shape(1)), count);
  }
  return infer_like_input(c);
}

void evaluate_reverse_sequence(const EvalContext& c) {
  const Shape& shape = c.input(0).shape();
  const auto time = static_cast<size_t>(c.node.get_int("time_axis", 0));
  const auto lengths = c.input(1).data<int64_t>();
  for (int64_t length : lengths)
    if (length < 0 || length > shape[time]) node_error(c.node, "a length of {} in {}", length, shape[time]);
  const size_t row = static_cast<size_t>(dims_product(shape, 2, shape.size())) * dtype_size(c.input(0).dtype());
  if (row == 0) return;
  for (int64_t i = 0; i < shape[0]; ++i)
    for (int64_t j = 0; j < shape[1]; ++j) {
      const int64_t step = time == 0 ? i : j, length = lengths[static_cast<size_t>(time == 0 ? j : i)];
      const int64_t source = step < length ? length - 1 - step : step;
      const int64_t from = time == 0 ? source * shape[1] + j : i * shape[1] + source;
      std::memcpy(c.output().mutable_bytes().data() + static_cast<size_t>(i * shape[1] + j) * row,
                  c.input(0).bytes().data() + static_cast<size_t>(from) * row, row);
    }
}

/// Crops and pads around the centre, to the sizes given for the axes.
std::optional<Shape> cropped_shape(const InferContext& c) {
  const auto sizes = c.ints(1);
  if (!c.shape(0)) return std::nullopt;
  Shape result = *c.shape(0);
  std::vector<int64_t> axes = c.node.get_ints("axes", {});
  if (c.node.find("axes") == nullptr)
    for (size_t i = 0; i < result.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  for (int64_t& axis : axes) axis = normalize_axis(c.node, axis, static_cast<int64_t>(result.size()));
  if (sizes && sizes->size() != axes.size()) node_error(c.node, "{} sizes for {} axes", sizes->size(), axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t size = sizes ? (*sizes)[i] : -1;
    if (sizes && (size < 0 || size > kMaxElements)) node_error(c.node, "a size of {}", size);
    result[static_cast<size_t>(axes[i])] = size;
  }
  return result;
}

std::vector<Inferred> infer_center_crop_pad(const InferContext& c) {
  require_index(c, 1);
  return {{c.dtype(0), cropped_shape(c)}};
}

void evaluate_center_crop_pad(const EvalContext& c) {
  const Shape &in = c.input(0).shape(), &out = c.output().shape();
  const std::vector<int64_t> from = dense_strides(in), to = dense_strides(out);
  Shape shape;
  int64_t source = 0, target = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    shape.push_back(std::min(in[i], out[i]));
    source += in[i] > out[i] ? (in[i] - out[i]) / 2 * from[i] : 0;
    target += in[i] < out[i] ? (out[i] - in[i]) / 2 * to[i] : 0;
  }
  const size_t size = dtype_size(c.input(0).dtype());
  const StridedLoop loop = merge_loop(shape, from, to);
  for_each_row(loop, [&](int64_t a, int64_t b, int64_t) {
    for (int64_t i = 0; i < loop.shape.back(); ++i)
      std::memcpy(c.output().mutable_bytes().data() + static_cast<size_t>(target + b + i * loop.b.back()) * size,
                  c.input(0).bytes().data() + static_cast<size_t>(source + a + i * loop.a.back()) * size, size);
  });
}

}  // namespace

StridedView depth_to_space_view(const ir::Node& node, const Shape& x) {
  const int64_t b = node.get_int("blocksize", 1), channels = x[1] / (b * b), plane = x[2] * x[3];
  const bool blocks_first = depth_first(node);
  // Output order: n, channel, h, block row, w, block column.
  const int64_t row = blocks_first ? b * channels * plane : b * plane, column = blocks_first ? channels * plane : plane;
  return {{x[0], channels, x[2], b, x[3], b},
          {x[1] * plane, blocks_first ? plane : b * b * plane, x[3], row, 1, column}};
}

StridedView space_to_depth_view(const ir::Node& node, const Shape& x) {
  const int64_t b = node.get_int("blocksize", 1), plane = x[2] * x[3];
  // Output order: n; block row, block column, channel, or the channel first (opset 28); h, w.
  StridedView view{{x[0], b, b, x[1], x[2] / b, x[3] / b}, {x[1] * plane, x[3], 1, plane, b * x[3], b}};
  if (!depth_first(node)) {
    std::rotate(view.shape.begin() + 1, view.shape.begin() + 3, view.shape.begin() + 4);
    std::rotate(view.strides.begin() + 1, view.strides.begin() + 3, view.strides.begin() + 4);
  }
  return view;
}

std::span<const Operator> arrange_operators() {
  static constexpr Operator kOperators[] = {
      {"", "DepthToSpace", 1, 1, infer_depth_to_space, evaluate_depth_to_space, kByImage},
      {"", "SpaceToDepth", 1, 1, infer_space_to_depth, evaluate_space_to_depth, kByImage},
      {"", "Trilu", 1, 2, infer_trilu, evaluate_trilu, kMixes, 14},
      {"", "ReverseSequence", 2, 2, infer_reverse_sequence, evaluate_reverse_sequence, kMixes, 10},
      {"", "CenterCropPad", 2, 2, infer_center_crop_pad, evaluate_center_crop_pad, kMixes, 18},
  };
  return kOperators;
}

}  // namespace effdet::ops
