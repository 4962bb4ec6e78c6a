// Cast and CastLike: elements of other types.
#include "ops/cast.h"

#include "ir/messages.h"
#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {

DType dtype_of_onnx(const ir::Node& node, int64_t code) {
  switch (code) {  // TensorProto.DataType
    case 1:
      return DType::kF32;
    case 2:
      return DType::kU8;
    case 3:
      return DType::kI8;
    case 4:
      return DType::kU16;
    case 5:
      return DType::kI16;
    case 6:
      return DType::kI32;
    case 7:
      return DType::kI64;
    case 9:
      return DType::kBool;
    case 10:
      return DType::kF16;
    case 11:
      return DType::kF64;
    case 12:
      return DType::kU32;
    case 13:
      return DType::kU64;
    case 16:
      return DType::kBF16;
    default: {
      const std::string_view name = ir::other_type_name(code);
      fail(ErrorCode::kUnsupported, "{}: element type {} is not supported", node_label(node),
           name.empty() ? std::to_string(code) : std::string(name));
    }
  }
}

namespace {

std::vector<Inferred> infer_cast(const InferContext& c) {
  c.dtype(0);
  return {{dtype_of_onnx(c.node, c.node.get_int("to", 0)), c.shape(0)}};
}

std::vector<Inferred> infer_cast_like(const InferContext& c) { return {{c.dtype(1), c.shape(0)}}; }

void evaluate_cast(const EvalContext& c) { c.output() = c.input(0).to(c.output().dtype()); }

}  // namespace

std::span<const Operator> cast_operators() {
  static constexpr Card kCast{.batch = Batch::kByImage, .layout = LayoutRule::kFollows};
  static constexpr Operator kOperators[] = {
      {"", "Cast", 1, 1, infer_cast, evaluate_cast, kCast, 6, 1, true},
      {"", "CastLike", 2, 2, infer_cast_like, evaluate_cast, kMixes, 15, 1, true},
  };
  return kOperators;
}

}  // namespace effdet::ops
