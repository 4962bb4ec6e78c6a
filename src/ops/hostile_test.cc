// Attributes and inputs that no exporter writes.
#include <gtest/gtest.h>

#include <limits>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

constexpr int64_t kHuge = int64_t{1} << 40, kLowest = std::numeric_limits<int64_t>::min(),
                  kHighest = std::numeric_limits<int64_t>::max();

/// The code and the node's name; throws what is no Error.
void expect_refused(const std::string& op, const std::vector<Tensor>& inputs,
                    std::map<std::string, ir::Attribute> attributes = {}, int64_t opset = 11, size_t outputs = 1) {
  try {
    run_node(op, inputs, std::move(attributes), opset, outputs);
    ADD_FAILURE() << op << " was accepted";
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
    EXPECT_NE(std::string(error.what()).find("'test'"), std::string::npos) << error.what();
  }
}

TEST(BadInput, Case59_OutputsOfTerabytes) {
  expect_refused("Expand", {counting({1}), ints({kHuge})});
  expect_refused("Expand", {counting({1, 1}), ints({kHighest, kHighest})});
  expect_refused("ConstantOfShape", {ints({kHuge})});
  expect_refused("ConstantOfShape", {ints({1 << 20, 1 << 20})});
  expect_refused("ConstantOfShape", {ints({-1})});
  expect_refused("Tile", {counting({2}), ints({kHuge})});
  expect_refused("Tile", {counting({2}), ints({kHighest})});
  expect_refused("Tile", {counting({2}), ints({-1})});
  expect_refused("Resize", {counting({1}), Tensor(), Tensor(), ints({kHuge})});
  expect_refused("Resize", {counting({1}), Tensor(), floats({1}, {1e30f})});
  expect_refused("Resize", {counting({1}), Tensor(), floats({1}, {std::numeric_limits<float>::quiet_NaN()})});
  expect_refused("Resize", {counting({1}), Tensor(), floats({1}, {-1})});
  expect_refused("Range", {floats({}, {0}), floats({}, {1e20f}), floats({}, {1})});
  expect_refused("Range", {Tensor::scalar<int64_t>(0), Tensor::scalar<int64_t>(5), Tensor::scalar<int64_t>(0)});
  expect_refused("Pad", {counting({1}), ints({kHuge, 0})});
}

TEST(BadInput, Case59_MoreThanMemoryIsRefusedBeforeAllocating) {
  // Below the limit of elements, above the limit of bytes that the caller gives.
  try {
    run_node("ConstantOfShape", {ints({1 << 16, 1 << 16})});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
  }
}

TEST(BadInput, Case59_InputsThatAreDeclaredWithoutEnd) {
  for (const int64_t batch : {int64_t{-1}, int64_t{0}, int64_t{1}}) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::kF32, {batch, 1, 8, kHighest});
    const auto w = graph.add_constant("w", counting({1, 1, 3, 3}));
    graph.outputs = {graph.add_node("Conv", "conv", {x, w}, {{"pads", List{1, 1, 1, 1}}})};
    EXPECT_THROW(infer_shapes(graph), Error) << batch;
  }
}

TEST(BadInput, Case60_Convolutions) {
  const Tensor x = counting({1, 2, 4, 4}), w = counting({2, 2, 3, 3});
  for (int64_t group : {int64_t{0}, int64_t{-1}, int64_t{3}, kLowest, kHighest})
    expect_refused("Conv", {x, w}, {{"group", group}});
  for (int64_t bad : {int64_t{0}, int64_t{-1}, kLowest, kHighest}) {
    expect_refused("Conv", {x, w}, {{"strides", List{bad, 1}}});
    expect_refused("Conv", {x, w}, {{"dilations", List{1, bad}}});
    expect_refused("MaxPool", {x}, {{"kernel_shape", List{bad, 1}}});
    expect_refused("MaxPool", {x}, {{"kernel_shape", List{1, 1}}, {"strides", List{bad, 1}}});
  }
  for (int64_t bad : {int64_t{-1}, kLowest, kHighest}) {
    expect_refused("Conv", {x, w}, {{"pads", List{bad, 0, 0, 0}}});
    expect_refused("AveragePool", {x}, {{"kernel_shape", List{1, 1}}, {"pads", List{0, 0, 0, bad}}});
  }
  expect_refused("Conv", {x, w}, {{"pads", List{1, 1}}});
  expect_refused("Conv", {x, counting({2, 2, 5, 5})});
  expect_refused("Conv", {x, w}, {{"kernel_shape", List{1, 1}}});
  expect_refused("Conv", {x, w}, {{"auto_pad", std::string("MAYBE")}});
  expect_refused("Conv", {x, w, counting({3})});
  expect_refused("Conv", {counting({1, 2}), w});
  expect_refused("Conv", {x, Tensor(DType::kF32, {0, 2, 0, 3})});
  expect_refused("MaxPool", {x}, {{"kernel_shape", List{5, 5}}});
  expect_refused("MaxPool", {x}, {{"kernel_shape", List{}}});
  expect_refused("Conv", {x, w}, {{"group", 1.0f}});
}

TEST(BadInput, Case60_Suppression) {
  const Tensor boxes = counting({1, 3, 4}), scores = counting({1, 2, 3}), most = ints({3});
  const auto refused = [](const std::vector<Tensor>& inputs, std::map<std::string, ir::Attribute> attributes = {}) {
    expect_refused("NonMaxSuppression", inputs, std::move(attributes));
  };
  refused({counting({1, 3, 5}), scores, most});
  refused({counting({2, 3, 4}), scores, most});
  refused({counting({1, 4, 4}), scores, most});
  refused({counting({3, 4}), scores, most});
  refused({boxes, ints({1, 2, 3}), most});
  refused({boxes, scores, most}, {{"center_point_box", int64_t{2}}});
  refused({boxes, scores, ints({1, 2})});
  for (float iou : {-0.1f, 1.1f, std::numeric_limits<float>::quiet_NaN()})
    refused({boxes, scores, most, floats({1}, {iou})});
  for (int64_t number : {kLowest, int64_t{-1}, int64_t{0}, kHighest})  // as many as there are, or none
    EXPECT_LE(run_node("NonMaxSuppression", {boxes, scores, ints({number})})[0].dim(0), 6);
}

TEST(BadInput, Case59_ConvolutionsWithoutChannels) {
  // Nothing lies in such a kernel, so that it may be as large as it likes.
  constexpr int64_t side = 1 << 20;
  const Tensor x(DType::kF32, {1, 0, side, side}), w(DType::kF32, {2, 0, side, side});
  EXPECT_EQ(values(run_node("Conv", {x, w, floats({2}, {3, 4})})[0]), (std::vector<float>{3, 4}));
}

TEST(BadInput, Case61_WrongTypes) {
  expect_refused("Reshape", {counting({2}), floats({1}, {2})});
  expect_refused("Reshape", {counting({2}), Tensor::from<int32_t>({1}, std::vector<int32_t>{2})});
  expect_refused("Add", {counting({2}), ints({1, 2})});
  expect_refused("Gather", {counting({2}), counting({1})});
  expect_refused("Conv", {Tensor(DType::kI32, {1, 1, 1, 1}), Tensor(DType::kI32, {1, 1, 1, 1})});
  expect_refused("Where", {counting({2}), counting({2}), counting({2})});
  expect_refused("Cast", {counting({2})}, {{"to", int64_t{8}}});
}

TEST(BadInput, Case63_PositionsAndShapes) {
  const Tensor x = counting({2, 3});
  expect_refused("Gather", {x, ints({2})});
  expect_refused("Gather", {x, ints({kLowest})});
  expect_refused("Reshape", {x, ints({-1, -1})});
  expect_refused("Reshape", {x, ints({4, -1})});
  expect_refused("Reshape", {x, ints({kHuge, kHuge, -1})});
  expect_refused("Reshape", {x, ints({-2, 3})});
  expect_refused("Reshape", {Tensor(DType::kF32, {0}), ints({0, -1})});
  for (const char* op : {"Concat", "Softmax", "Gather", "Flatten", "Split"})
    for (int64_t axis : {int64_t{99}, int64_t{-99}, kLowest, kHighest}) {
      std::vector<Tensor> inputs{x};
      if (std::string(op) == "Gather") inputs.push_back(ints({0}));
      expect_refused(op, inputs, {{"axis", axis}});
    }
  expect_refused("ReduceSum", {x}, {{"axes", List{0, 0}}});
  expect_refused("ReduceSum", {x}, {{"axes", List{99}}});
  expect_refused("Transpose", {x}, {{"perm", List{0, 0}}});
  expect_refused("Transpose", {x}, {{"perm", List{0}}});
  expect_refused("Unsqueeze", {x}, {{"axes", List{7}}});
  expect_refused("Squeeze", {x}, {{"axes", List{0}}});
  expect_refused("Split", {x}, {{"split", List{kHighest, kHighest}}}, 11, 2);
  expect_refused("Split", {x}, {{"split", List{-1, 3}}}, 11, 2);
  expect_refused("Split", {x}, {{"axis", int64_t{1}}}, 11, 2);
  expect_refused("Slice", {x, ints({0}), ints({1}), ints({0}), ints({0})});
  expect_refused("Slice", {x, ints({0}), ints({1}), ints({0}), ints({kLowest})});
  expect_refused("Slice", {x, ints({0, 0}), ints({1})});
  expect_refused("Pad", {x, ints({kLowest, 0, 0, 0})});
  expect_refused("Pad", {x, ints({0, -2, 0, -2})});
  expect_refused("Pad", {x, ints({0, 0, 0})});
  expect_refused("Pad", {x, ints({0, 3, 0, 0})}, {{"mode", std::string("reflect")}});
  expect_refused("MatMul", {x, x});
  expect_refused("Gemm", {x, x});
  expect_refused("Relu", {x, x});
  expect_refused("Relu", {});
}

TEST(BadInput, Case59_NewShapesOfTerabytes) {
  expect_refused("OneHot", {ints({1}), ints({kHuge}), floats({2}, {0, 1})});
  expect_refused("OneHot", {ints({1}), ints({-1}), floats({2}, {0, 1})});
  expect_refused("MaxUnpool", {counting({1, 1, 2}), Tensor::from<int64_t>({1, 1, 2}, List{0, 1})},
                 {{"kernel_shape", List{kHighest}}});
  expect_refused("MaxUnpool", {counting({1, 1, 2}), Tensor::from<int64_t>({1, 1, 2}, List{0, 1}), ints({1, 1, kHuge})},
                 {{"kernel_shape", List{2}}});
  expect_refused("ConvTranspose", {counting({1, 1, 2, 2}), counting({1, 1, 2, 2})},
                 {{"strides", List{1 << 29, 1 << 29}}});
  expect_refused("ConvTranspose", {counting({1, 1, 2, 2}), counting({1, 1, 2, 2})}, {{"output_shape", List{kHuge, 1}}});
  expect_refused("CenterCropPad", {counting({2}), ints({kHuge})}, {}, 18);
  expect_refused("DepthToSpace", {counting({1, 4, 1, 1})}, {{"blocksize", kHighest}});
  expect_refused("Einsum", {counting({1 << 15}), counting({1 << 15}), counting({1 << 15})},
                 {{"equation", std::string("a,b,c->")}}, 12);
}

TEST(BadInput, Case60_AttributesOfNewOperators) {
  const Tensor x = counting({1, 2, 4, 4}), w = counting({2, 2, 3, 3});
  for (int64_t bad : {int64_t{0}, int64_t{-1}, kLowest, kHighest}) {
    expect_refused("ConvTranspose", {x, w}, {{"group", bad}});
    expect_refused("ConvTranspose", {x, w}, {{"strides", List{bad, 1}}});
    expect_refused("LRN", {x}, {{"size", bad == kHighest ? -1 : bad}});
    expect_refused("LpPool", {x}, {{"kernel_shape", List{bad, 2}}});
    expect_refused("GroupNormalization", {x, counting({2}), counting({2})}, {{"num_groups", bad}}, 21);
    expect_refused("DepthToSpace", {x}, {{"blocksize", bad}});
    expect_refused("SpaceToDepth", {x}, {{"blocksize", bad}});
  }
  expect_refused("ConvTranspose", {x, w}, {{"pads", List{kHighest, 0, 0, 0}}});
  expect_refused("Resize", {x, Tensor(), Tensor(), ints({1, 2, 4, 4})}, {{"axes", List{0, 0, 1, 2}}}, 18);
  expect_refused("Resize", {x, Tensor(), floats({2}, {2, 2})}, {{"axes", List{0, 99}}}, 18);
  expect_refused("RoiAlign", {x, counting({1, 4}), ints({0})}, {{"output_height", kHighest}}, 16);
  for (const char* equation : {"", "ij->ijk", "ij->ii", "i1->i", "i,j->ij", "ij->i->j", "...i...->i"})
    expect_refused("Einsum", {counting({2, 3})}, {{"equation", std::string(equation)}}, 12);
}

/// The line that says why a node is refused.
std::string refusal(const std::string& op, const std::vector<Tensor>& inputs,
                    std::map<std::string, ir::Attribute> attributes = {}, int64_t opset = 21) {
  try {
    run_node(op, inputs, std::move(attributes), opset);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(BadInput, Quantization_ScalesThatAreNone) {
  const Tensor x = counting({1, 3, 2, 2}), codes(DType::kI8, {1, 3, 2, 2});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::string op : {"QuantizeLinear", "DequantizeLinear"})
    for (const float bad : {0.0f, -0.5f, nan, kInf}) {
      const Tensor& input = op == "QuantizeLinear" ? x : codes;
      EXPECT_EQ(refusal(op, {input, floats({}, {bad})}),
                fmt::format("node 'test' ({}): scale is {}, not a positive number", op, bad));
      EXPECT_EQ(refusal(op, {input, floats({3}, {1, bad, 1})}),
                fmt::format("node 'test' ({}): scale 1 is {}, not a positive number", op, bad));
    }
}

TEST(BadInput, Quantization_ShapesAndTypes) {
  const Tensor x = counting({1, 3, 2, 2}), one = floats({}, {1}), three = floats({3}, {1, 1, 1});
  const auto said = [&](const std::vector<Tensor>& inputs, std::map<std::string, ir::Attribute> attributes = {}) {
    const std::string text = refusal("QuantizeLinear", inputs, std::move(attributes));
    EXPECT_EQ(text.find("node 'test' (QuantizeLinear): "), 0u) << text;
    return text.substr(text.find("): ") + 3);
  };
  EXPECT_EQ(said({x, three}, {{"axis", int64_t{2}}}),
            "scale of shape 3 for an input of 1x3x2x2, which has 2 positions on axis 2");
  EXPECT_EQ(said({x, floats({4}, {1, 1, 1, 1})}),
            "scale of shape 4 for an input of 1x3x2x2, which has 3 positions on axis 1");
  EXPECT_EQ(said({x, floats({1, 3}, {1, 1, 1})}),
            "scale of shape 1x3 for an input of 1x3x2x2, which has 3 positions on axis 1");
  EXPECT_NE(said({x, three}, {{"axis", int64_t{4}}}), "accepted");
  EXPECT_EQ(said({x, one, Tensor(DType::kU8, {3})}), "scale of shape scalar and zero point of 3") << "who is right?";
  EXPECT_EQ(said({x, three, Tensor(DType::kU8, {2})}), "scale of shape 3 and zero point of 2");
  EXPECT_EQ(said({x, one, Tensor(DType::kF32, {})}), "type float32 is not supported");
  EXPECT_EQ(said({x, one, Tensor(DType::kI32, {})}), "makes codes of int32, and there are none but of 8 and 16 bits");
  EXPECT_EQ(said({x, Tensor(DType::kI32, {})}), "type int32 is not supported");
  EXPECT_EQ(said({x, one, Tensor(DType::kU8, {})}, {{"output_dtype", int64_t{3}}}),
            "output_dtype is int8, the zero point has type uint8");
  EXPECT_EQ(said({x, one}, {{"output_dtype", int64_t{22}}}), "element type int4 is not supported");
  EXPECT_EQ(said({x, one}, {{"output_dtype", int64_t{17}}}), "element type float8e4m3fn is not supported");
  EXPECT_EQ(said({x, three}, {{"block_size", int64_t{-1}}}), "block_size is -1");
  EXPECT_EQ(said({x, one}, {{"block_size", int64_t{2}}}),
            "scale of shape scalar for an input of 1x3x2x2, whose blocks of 2 on axis 1 need 1x2x2x2");
  EXPECT_EQ(refusal("DequantizeLinear", {Tensor(DType::kI8, {2}), one, Tensor(DType::kU8, {})}),
            "node 'test' (DequantizeLinear): int8 with a zero point of uint8");
  EXPECT_EQ(refusal("DequantizeLinear", {Tensor(DType::kI32, {8}), floats({8}, Floats(8, 1))}).find("accepted"),
            std::string::npos)
      << "a list has no axis 1";
  EXPECT_EQ(
      refusal("Conv", {Tensor(DType::kU8, {1, 1, 2, 2}), counting({1, 1, 1, 1})}),
      "node 'test' (Conv): type uint8 is not supported; what QuantizeLinear makes needs a DequantizeLinear before "
      "it is computed with");
}

TEST(BadInput, Case63_PositionsInNewOperators) {
  const Tensor x = counting({2, 3});
  const auto index = [](Shape shape, std::vector<int64_t> values) { return Tensor::from<int64_t>(shape, values); };
  for (int64_t bad : {int64_t{2}, int64_t{-3}, kLowest, kHighest}) {
    expect_refused("GatherElements", {x, index({1, 1}, {bad})}, {}, 13);
    expect_refused("GatherND", {x, index({1, 1}, {bad})}, {}, 13);
    expect_refused("ScatterElements", {x, index({1, 1}, {bad}), counting({1, 1})}, {}, 18);
    expect_refused("ScatterND", {x, index({1, 1}, {bad}), counting({1, 3})}, {}, 18);
    expect_refused("CumSum", {x, ints({bad})}, {}, 14);
    expect_refused("ArgMax", {x}, {{"axis", bad}}, 13);
    expect_refused("RoiAlign", {counting({2, 1, 2, 2}), counting({1, 4}), ints({bad == -3 ? 2 : bad})}, {}, 16);
  }
  expect_refused("GatherND", {x, index({1, 3}, {0, 0, 0})}, {}, 13);
  expect_refused("GatherND", {x, index({1, 1}, {0})}, {{"batch_dims", int64_t{2}}}, 13);
  expect_refused("ScatterND", {x, index({1, 1}, {0}), counting({1, 2})}, {}, 18);
  expect_refused("TopK", {x, ints({4})}, {}, 11);
  expect_refused("TopK", {x, ints({-1})}, {}, 11);
  expect_refused("ReverseSequence", {x, ints({1, 2, 9})}, {}, 10);
  expect_refused("Compress", {x, Tensor(DType::kBool, {9})}, {{"axis", int64_t{0}}}, 11);
  expect_refused("MaxUnpool", {counting({1, 1, 1}), index({1, 1, 1}, {kHighest})}, {{"kernel_shape", List{2}}}, 11);
}

TEST(Hostile, ShiftsAndSmallestNumbersAreDefined) {
  const Tensor lowest = ints({kLowest}), minus = ints({-1});
  EXPECT_EQ(run_node("Mod", {lowest, minus}, {}, 13)[0].data<int64_t>()[0], 0);
  EXPECT_EQ(run_node("ReduceL1", {lowest}, {}, 18)[0].data<int64_t>()[0], kLowest);
  expect_refused("Mod", {lowest, ints({0})}, {}, 13);
  EXPECT_EQ(run_node("Trilu", {counting({2, 2}), ints({kHighest})}, {}, 14)[0].data<float>()[3], 0);
}

}  // namespace
}  // namespace effdet::ops
