// Axes, broadcasting, and the types that arithmetic is done in.
#include "ops/util.h"

#include <algorithm>

namespace effdet::ops {

int64_t normalize_axis(const ir::Node& node, int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) node_error(node, "axis {} does not exist in {} dimensions", axis, rank);
  return axis < 0 ? axis + rank : axis;
}

std::vector<int64_t> normalize_axes(const ir::Node& node, std::vector<int64_t> axes, int64_t rank) {
  for (int64_t& axis : axes) axis = normalize_axis(node, axis, rank);
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) node_error(node, "an axis appears twice");
  return axes;
}

std::optional<Shape> broadcast(const ir::Node& node, const std::optional<Shape>& a, const std::optional<Shape>& b) {
  if (!a || !b) return std::nullopt;
  const size_t rank = std::max(a->size(), b->size());
  Shape result(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t x = i + a->size() < rank ? 1 : (*a)[i + a->size() - rank];
    const int64_t y = i + b->size() < rank ? 1 : (*b)[i + b->size() - rank];
    if (x == y || y == 1) {
      result[i] = x;
    } else if (x == 1 || x < 0) {  // an unknown dimension against one above 1 can only become the latter
      result[i] = y;
    } else if (y < 0) {
      result[i] = x;
    } else {
      node_error(node, "shapes {} and {} do not broadcast", shape_text(*a), shape_text(*b));
    }
  }
  return result;
}

int64_t dims_product(const Shape& shape, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t i = begin; i < end; ++i) product *= shape[i];
  return product;
}

bool is_known(const Shape& shape) {
  return std::ranges::all_of(shape, [](int64_t dim) { return dim >= 0; });
}

std::pair<size_t, size_t> shape_range(const ir::Node& node, size_t rank) {
  const auto limit = static_cast<int64_t>(rank);
  const auto clamp = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? std::max(i, -limit) + limit : i, 0, limit); };
  const int64_t begin = clamp(node.get_int("start", 0)), end = clamp(node.get_int("end", limit));
  return {static_cast<size_t>(begin), static_cast<size_t>(std::max(begin, end))};
}

std::optional<size_t> known_rank(const InferContext& c, size_t i, size_t minimum) {
  if (!c.shape(i)) return std::nullopt;
  if (c.shape(i)->size() < minimum)
    node_error(c.node, "input {} of shape {} needs at least {} dimensions", i, shape_text(*c.shape(i)), minimum);
  return c.shape(i)->size();
}

void require_same_types(const InferContext& c, size_t count) {
  for (size_t i = 1; i < std::min(count, c.inputs.size()); ++i)
    if (c.has(i) && c.dtype(i) != c.dtype(0))
      node_error(c.node, "input {} has type {}, input 0 has {}", i, dtype_name(c.dtype(i)), dtype_name(c.dtype(0)));
}

void require_number(const InferContext& c) {
  if (c.dtype(0) == DType::kBool) node_error(c.node, "has no meaning for bool");
}

void require_float(const InferContext& c, size_t i) {
  const DType dtype = c.dtype(i);
  // Kernels of fused operators know one type, and nothing widens 16-bit floats for them.
  const bool known = dtype == DType::kF32 || dtype == DType::kF64 || (c.node.domain.empty() && is_float(dtype));
  if (known) return;
  const bool codes = dtype == DType::kU8 || dtype == DType::kI8;
  fail(ErrorCode::kUnsupported, "{}: type {} is not supported{}", node_label(c.node), dtype_name(dtype),
       codes ? "; what QuantizeLinear makes needs a DequantizeLinear before it is computed with" : "");
}

namespace {

DType arithmetic_type(const ir::Node& node, DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kF64:
    case DType::kI64:
    case DType::kU64:
      return dtype;
    case DType::kF16:
    case DType::kBF16:
      fail(ErrorCode::kUnsupported, "{}: type {} is not supported", node_label(node), dtype_name(dtype));
    default:
      return DType::kI64;
  }
}

}  // namespace

ArithmeticContext::ArithmeticContext(const EvalContext& c)
    : original_(c),
      type_(arithmetic_type(c.node, c.input(0).dtype())),
      context_{c.node, c.opset, c.inputs, c.outputs, c.threads} {
  const DType own = c.input(0).dtype();
  if (type_ == own) return;
  inputs_.reserve(c.inputs.size());  // pointers into it stay valid
  for (const Tensor* input : c.inputs) {
    input_pointers_.push_back(input);
    if (input != nullptr && input->dtype() == own) input_pointers_.back() = &inputs_.emplace_back(input->to(type_));
  }
  for (const Tensor& output : c.outputs)
    outputs_.push_back(output.dtype() != DType::kBool && !output.empty() ? Tensor(type_, output.shape()) : output);
  context_.inputs = input_pointers_;
  context_.outputs = outputs_;
}

void ArithmeticContext::finish() {
  for (size_t i = 0; i < outputs_.size(); ++i) original_.output(i) = outputs_[i].to(original_.output(i).dtype());
}

std::vector<InputInfo> input_infos(const EvalContext& c) {
  std::vector<InputInfo> infos;
  for (const Tensor* input : c.inputs)
    infos.push_back(input == nullptr ? InputInfo{} : InputInfo{true, input->dtype(), input->shape(), input});
  return infos;
}

AxisView view_around(const Shape& shape, size_t axis) {
  return {dims_product(shape, 0, axis), shape[axis], dims_product(shape, axis + 1, shape.size())};
}

std::optional<size_t> axis_of(const InferContext& c, int64_t otherwise) {
  if (!c.shape(0)) return std::nullopt;
  return static_cast<size_t>(
      normalize_axis(c.node, c.node.get_int("axis", otherwise), static_cast<int64_t>(c.shape(0)->size())));
}

size_t axis_of(const EvalContext& c, int64_t otherwise) {
  return static_cast<size_t>(
      normalize_axis(c.node, c.node.get_int("axis", otherwise), static_cast<int64_t>(c.input(0).rank())));
}

void require_integer(const InferContext& c, size_t i) {
  if (is_float(c.dtype(i)) || c.dtype(i) == DType::kBool)
    node_error(c.node, "input {} has type {}, not an integer type", i, dtype_name(c.dtype(i)));
}

void require_index(const InferContext& c, size_t i) {
  if (c.dtype(i) != DType::kI64 && c.dtype(i) != DType::kI32)
    node_error(c.node, "input {} has type {}, not int64 or int32", i, dtype_name(c.dtype(i)));
}

double scalar_value(const ir::Node& node, const Tensor& tensor, std::string_view what) {
  if (tensor.numel() != 1) node_error(node, "{} of shape {} is no scalar", what, shape_text(tensor.shape()));
  return tensor.to(DType::kF64).data<double>()[0];
}

std::vector<Inferred> infer_like_input(const InferContext& c) { return {{c.dtype(0), c.shape(0)}}; }

std::vector<Inferred> infer_like_float(const InferContext& c) {
  require_float(c);
  return infer_like_input(c);
}

}  // namespace effdet::ops
