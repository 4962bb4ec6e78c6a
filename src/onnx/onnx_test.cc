// Reading and writing well-formed files.
#include <gtest/gtest.h>

#include "onnx/attribute.h"
#include "onnx/official_checker.h"
#include "onnx/test_util.h"
#include "onnx/writer.h"

namespace effdet::onnx {
namespace {

pb::ModelProto model_in(const std::filesystem::path& path) {
  pb::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(read_file(path)));
  return model;
}

ir::Graph sample_graph() {
  ir::Graph graph;
  graph.name = "sample";
  graph.metadata["effdet.classes"] = "90";
  const auto x = graph.add_input("x.1", DType::kF32, {1, 2, 4, 4});
  Tensor weights(DType::kF32, {3, 2, 1, 1});
  weights.mutable_data<float>()[5] = 0.5f;
  const auto w = graph.add_constant("stem.weight", weights);
  const auto y = graph.add_node("Conv", "stem", {x, w}, {{"pads", std::vector<int64_t>{0, 0, 0, 0}}});
  const auto empty = graph.add_constant("no_roi", Tensor(DType::kF32, {0}));
  const auto scales = graph.add_constant("scales", Tensor::from<float>({4}, std::vector<float>{1, 1, 2, 2}));
  const auto z = graph.add_node("Resize", "up", {y, empty, scales}, {{"mode", std::string("nearest")}});
  graph.value(y).shape = Shape{1, 3, 4, 4};
  graph.value(z).shape = Shape{1, 3, 8, 8};
  graph.outputs = {z};
  return graph;
}

TEST(WriteOnnx, RoundTripKeepsEverything) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  const ir::Graph graph = sample_graph();
  write_onnx(graph, path);
  const ir::Graph read = read_onnx(path);
  EXPECT_EQ(read.name, "sample");
  EXPECT_EQ(read.opset, 11);
  EXPECT_EQ(read.metadata, graph.metadata);
  ASSERT_EQ(read.nodes.size(), 2u);
  EXPECT_EQ(read.nodes[0].name, "stem");
  EXPECT_EQ(read.nodes[0].get_ints("pads", {}), (std::vector<int64_t>{0, 0, 0, 0}));
  EXPECT_EQ(read.nodes[1].get_string("mode", ""), "nearest");
  EXPECT_EQ(read.value(read.outputs[0]).name, "up_output_0");
  const Tensor* weights = read.constant(read.find_value("stem.weight"));
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->shape(), (Shape{3, 2, 1, 1}));
  EXPECT_EQ(weights->data<float>()[5], 0.5f);
  EXPECT_EQ(read.constant(read.find_value("no_roi"))->numel(), 0);
}

TEST(WriteOnnx, OfficialCheckerAccepts) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  for (int64_t opset : {11, 13, 17}) {
    ir::Graph graph = sample_graph();
    graph.opset = opset;
    write_onnx(graph, path);
    EXPECT_NO_THROW(check_onnx(path)) << opset;
  }
}

TEST(WriteOnnx, OfficialCheckerRefusesOnOneLine) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  ir::Graph graph = sample_graph();
  graph.nodes[1].attributes["mode"] = int64_t{3};
  write_onnx(graph, path);
  try {
    check_onnx(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

/// Attributes as a graph's dump shows them (Tensor has no operator==).
std::string attribute_text(const ir::Attribute& attribute) {
  ir::Graph graph;
  graph.outputs = {graph.add_node("Op", "op", {}, {{"a", attribute}})};
  return ir::to_text(graph);
}

TEST(WriteOnnx, AllElementAndAttributeTypes) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  ir::Graph graph = sample_graph();
  const Tensor small = Tensor::from<int8_t>({3}, std::vector<int8_t>{-1, 0, 7});
  auto& attributes = graph.nodes[0].attributes;
  attributes = {{"i", int64_t{-5}},
                {"f", 0.25f},
                {"s", std::string("text")},
                {"is", std::vector<int64_t>{1, 2}},
                {"fs", std::vector<float>{0.5f}},
                {"ss", std::vector<std::string>{"a", "b"}},
                {"t", small}};
  for (int type = 0; type <= static_cast<int>(DType::kBool); ++type) {
    const auto dtype = static_cast<DType>(type);
    const auto id = graph.add_constant(fmt::format("c{}", type), Tensor(dtype, {3}));
    graph.nodes[0].inputs.push_back(id);
  }
  write_onnx(graph, path);
  const ir::Graph read = read_onnx(path);
  for (const auto& [name, value] : attributes) {
    if (name == "t") continue;
    ASSERT_NE(read.nodes[0].find(name), nullptr);
    EXPECT_EQ(attribute_text(*read.nodes[0].find(name)), attribute_text(value)) << name;
  }
  EXPECT_EQ(std::get<Tensor>(*read.nodes[0].find("t")).data<int8_t>()[2], 7);
  for (int type = 0; type <= static_cast<int>(DType::kBool); ++type)
    EXPECT_EQ(read.constant(read.find_value(fmt::format("c{}", type)))->dtype(), static_cast<DType>(type));
}

TEST(WriteOnnx, ImportsTheFusedDomain) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  ir::Graph graph = sample_graph();
  graph.nodes[0].domain = ir::kFusedDomain;
  write_onnx(graph, path);
  std::map<std::string, int64_t> opsets;
  const pb::ModelProto model = model_in(path);
  for (const auto& opset : model.opset_import()) opsets[opset.domain()] = opset.version();
  EXPECT_EQ(opsets, (std::map<std::string, int64_t>{{"ai.effdet", 1}, {"", 11}}));
  EXPECT_EQ(read_onnx(path).nodes[0].domain, ir::kFusedDomain);
}

/// What ONNX pairs with operator sets; and a graph has a name.
TEST(WriteOnnx, VersionsOfTheFormat) {
  const TestFolder folder("onnx");
  for (const auto& [opset, version] :
       {std::pair{11, 7}, {14, 7}, {15, 8}, {18, 8}, {19, 9}, {20, 9}, {21, 10}, {22, 10}}) {
    ir::Graph graph = sample_graph();
    graph.opset = opset;
    graph.name = opset == 11 ? "" : "own";
    write_onnx(graph, folder / "m.onnx");
    const pb::ModelProto model = model_in(folder / "m.onnx");
    EXPECT_EQ(model.ir_version(), version) << opset;
    EXPECT_EQ(model.graph().name(), opset == 11 ? "graph" : "own");
    if (opset <= 17) continue;  // where Debian's checker ends
    EXPECT_THROW(check_onnx(folder / "m.onnx"), Error) << opset;
  }
}

/// A type that the file declares is written back as long as it is true of the value.
TEST(WriteOnnx, DeclaredTypesThatAreNoLongerTrue) {
  pb::ModelProto model = small_model();
  auto* declared = model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
  declared->mutable_shape()->mutable_dim(0)->set_dim_param("batch");
  const TestFolder folder("onnx");
  const auto input_after = [&](const std::function<void(ir::Value&)>& change) {
    ir::Graph graph = read_back(model);
    change(graph.value(graph.inputs[0]));
    write_onnx(graph, folder / "m.onnx");
    return model_in(folder / "m.onnx").graph().input(0).type();
  };
  const pb::TypeProto same = input_after([](ir::Value&) {});
  EXPECT_EQ(same.tensor_type().shape().dim(0).dim_param(), "batch");
  const pb::TypeProto known = input_after([](ir::Value& value) { value.shape = Shape{4}; });
  EXPECT_EQ(known.tensor_type().shape().dim(0).dim_value(), 4);
  EXPECT_FALSE(known.tensor_type().shape().dim(0).has_dim_param());
  const pb::TypeProto other = input_after([](ir::Value& value) { value.shape = Shape{-1, -1}; });
  EXPECT_EQ(other.tensor_type().shape().dim_size(), 2);
  const pb::TypeProto half = input_after([](ir::Value& value) { value.dtype = DType::kF16; });
  EXPECT_EQ(half.tensor_type().elem_type(), pb::TensorProto::FLOAT16);
  EXPECT_EQ(half.tensor_type().shape().dim_size(), 1);
  EXPECT_EQ(half.tensor_type().shape().dim(0).value_case(), pb::TensorShapeProto::Dimension::VALUE_NOT_SET);
  const pb::TypeProto open = input_after([](ir::Value& value) { value.shape.reset(); });
  EXPECT_FALSE(open.tensor_type().has_shape());
  const pb::TypeProto unknown = input_after([](ir::Value& value) {
    value.declared = nullptr;
    value.dtype = DType::kUnknown;
  });
  EXPECT_EQ(unknown.value_case(), pb::TypeProto::VALUE_NOT_SET);
  model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
  const pb::TypeProto tensor = input_after([](ir::Value& value) {
    value.dtype = DType::kF32;
    value.shape = Shape{};
  });
  EXPECT_EQ(tensor.tensor_type().elem_type(), pb::TensorProto::FLOAT) << "no longer a sequence";
  EXPECT_TRUE(tensor.tensor_type().has_shape()) << "a scalar";
}

/// What inference cannot tell of an output is written as it was declared.
TEST(WriteOnnx, OutputsOfUnknownShapeKeepTheirDeclaredOne) {
  pb::ModelProto model = small_model();
  auto* shape = model.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape->mutable_dim(0)->set_dim_param("boxes");
  shape->add_dim()->set_dim_value(6);
  const TestFolder folder("onnx");
  const auto shape_with = [&](std::optional<Shape> known, DType dtype = DType::kF32) {
    ir::Graph graph = read_back(model);
    graph.value(graph.outputs[0]).shape = std::move(known);
    graph.value(graph.outputs[0]).dtype = dtype;
    write_onnx(graph, folder / "m.onnx");
    const pb::TypeProto declared = model_in(folder / "m.onnx").graph().output(0).type();
    const auto& type = declared.tensor_type();
    std::string text = type.has_shape() ? "" : "none";
    for (const auto& dim : type.shape().dim())
      text += (dim.has_dim_value() ? std::to_string(dim.dim_value()) : "'" + dim.dim_param() + "'") + " ";
    return text;
  };
  EXPECT_EQ(shape_with(std::nullopt), "'boxes' 6 ");
  EXPECT_EQ(shape_with(Shape{-1, -1}), "'boxes' 6 ");
  EXPECT_EQ(shape_with(Shape{7, -1}), "7 6 ");
  EXPECT_EQ(shape_with(Shape{-1, 5}), "'boxes' 5 ") << "inference has the last word";
  EXPECT_EQ(shape_with(Shape{-1}), "'' ") << "another rank";
  EXPECT_EQ(shape_with(std::nullopt, DType::kF16), "none") << "another type";
}

TEST(WriteOnnx, SameBytesTwice) {
  const TestFolder folder("onnx");
  const auto a = folder / "a.onnx", b = folder / "b.onnx";
  write_onnx(sample_graph(), a);
  write_onnx(read_onnx(a), b);
  EXPECT_EQ(read_file(a), read_file(b));
}

TEST(ReadOnnx, UnsortedNodesAndUnnamedNodes) {
  pb::ModelProto model = small_model();
  auto* first = model.mutable_graph()->mutable_node(0);
  first->set_input(0, "later");
  auto* second = model.mutable_graph()->add_node();
  second->set_op_type("Neg");
  second->set_domain("ai.onnx");
  second->add_input("x");
  second->add_output("later");
  const ir::Graph graph = read_back(model);
  EXPECT_EQ(graph.nodes[0].op, "Neg");
  EXPECT_EQ(graph.nodes[0].name, "later");
  EXPECT_TRUE(graph.nodes[0].is("Neg"));
}

TEST(ReadOnnx, InitializersAmongInputsAndSymbolicDimensions) {
  pb::ModelProto model = small_model();
  auto* graph = model.mutable_graph();
  *graph->add_input() = graph->input(0);
  graph->mutable_input(1)->set_name("w");
  graph->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param("N");
  const ir::Graph read = read_back(model);
  ASSERT_EQ(read.inputs.size(), 1u);
  EXPECT_EQ(read.value(read.inputs[0]).shape, Shape{-1});
}

TEST(ReadOnnx, NegativeDimensionsAreUnknown) {  // as Paddle's exports have them
  pb::ModelProto model = small_model();
  auto* graph = model.mutable_graph();
  const auto set_dim = [](pb::ValueInfoProto* value, int64_t dim) {
    value->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_value(dim);
  };
  set_dim(graph->mutable_input(0), -1);
  set_dim(graph->mutable_output(0), -7);
  *graph->add_value_info() = graph->output(0);
  const ir::Graph read = read_back(model);
  EXPECT_EQ(read.value(read.inputs[0]).shape, Shape{-1});
  EXPECT_EQ(read.value(read.outputs[0]).shape, Shape{-1});
  set_dim(graph->mutable_input(0), 0);  // of no values
  const ir::Graph empty = read_back(model);
  EXPECT_EQ(empty.value(empty.inputs[0]).shape, Shape{0});
}

TEST(ReadOnnx, OneStrideForAllAxes) {  // as PyTorch exports Conv2d(stride=[2])
  pb::ModelProto model = small_model();
  auto* node = model.mutable_graph()->mutable_node(0);
  node->set_op_type("Conv");
  for (const auto& [name, values] : {std::pair{"kernel_shape", std::vector{3, 3}}, {"strides", std::vector{2}}}) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(pb::AttributeProto::INTS);
    for (const int value : values) attribute->add_ints(value);
  }
  EXPECT_EQ(read_back(model).nodes[0].get_ints("strides", {}), (std::vector<int64_t>{2, 2}));
}

TEST(ReadOnnx, InputsWithoutAType) {
  pb::ModelProto model = small_model();
  model.mutable_graph()->mutable_input(0)->clear_type();
  const ir::Graph graph = read_back(model);
  EXPECT_EQ(graph.value(graph.inputs[0]).dtype, DType::kUnknown);
  EXPECT_FALSE(graph.value(graph.inputs[0]).shape);
}

TEST(ReadOnnx, OtherStridesStay) {
  using List = std::vector<int64_t>;
  for (const auto& [kernel, strides] :
       {std::pair{List{3, 3}, List{2, 1}}, {List{3, 3, 3, 3}, List{2}}, {List{3}, List{}}}) {
    pb::ModelProto model = small_model();
    auto* node = model.mutable_graph()->mutable_node(0);
    node->set_op_type("Conv");
    put_attribute("kernel_shape", kernel, *node->add_attribute());
    put_attribute("strides", strides, *node->add_attribute());
    EXPECT_EQ(read_back(model).nodes[0].get_ints("strides", {9}), strides);
    put_attribute("kernel_shape", int64_t{3}, *node->mutable_attribute(0));
    EXPECT_EQ(read_back(model).nodes[0].get_ints("strides", {9}), strides) << "a kernel that is no list";
    put_attribute("strides", int64_t{2}, *node->mutable_attribute(1));
    EXPECT_EQ(read_back(model).nodes[0].get_int("strides", 9), 2) << "nor are they";
    node->mutable_attribute(1)->set_name("group");
    EXPECT_EQ(read_back(model).nodes[0].find("strides"), nullptr);
    node->mutable_attribute(0)->set_name("strides");
    EXPECT_EQ(read_back(model).nodes[0].get_int("strides", 9), 3) << "without a kernel";
  }
}

/// PyTorch's exporter leaves out what is not read, the first output too.
TEST(ReadOnnx, RecurrentNodesWithoutAFirstOutput) {
  for (const char* op : {"GRU", "LSTM", "RNN"}) {
    pb::ModelProto model = small_model();
    auto* node = model.mutable_graph()->mutable_node(0);
    node->set_op_type(op);
    node->set_output(0, "");
    node->add_output("y");
    const ir::Graph graph = read_back(model);
    ASSERT_NE(graph.nodes[0].outputs[0], ir::kNoValue);
    EXPECT_EQ(graph.value(graph.nodes[0].outputs[0]).name, "sum_output_0");
    EXPECT_EQ(graph.outputs[0], graph.nodes[0].outputs[1]);
    node->set_output(0, "z");
    EXPECT_EQ(read_back(model).value(read_back(model).nodes[0].outputs[0]).name, "z");
    *model.mutable_graph()->add_node() = *node;
    model.mutable_graph()->mutable_node(1)->clear_output();
    EXPECT_EQ(read_back(model).nodes[1].outputs.size(), 0u);
  }
}

/// Each looking for a free name from the start would take time by the square of their number.
TEST(ReadOnnx, ManyRecurrentNodesOfOneName) {
  pb::ModelProto model = small_model();
  auto* graph = model.mutable_graph();
  for (int i = 0; i < 5000; ++i) {
    auto* node = graph->add_node();
    node->set_op_type("GRU");
    node->set_name("same");
    for (const char* input : {"x", "x", "x"}) node->add_input(input);
    node->add_output("");
    node->add_output(fmt::format("h{}", i));
  }
  const ir::Graph read = read_back(model);
  ASSERT_EQ(read.nodes.size(), 5001u);
  for (const char* name : {"same_output_0", "same_output_0_0", "same_output_0_4998"})
    EXPECT_NE(read.find_value(name), ir::kNoValue) << name;
}

TEST(Summary, CountsNodesAndWeights) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  write_onnx(sample_graph(), path);
  const pb::ModelProto model = model_in(path);
  EXPECT_EQ(model.ir_version(), 7);
  EXPECT_EQ(model.producer_name(), "effdet");
  ASSERT_EQ(model.graph().node_size(), 2);
  EXPECT_EQ(model.graph().node(0).op_type(), "Conv");
  size_t bytes = 0;
  for (const auto& initializer : model.graph().initializer()) bytes += initializer.raw_data().size();
  EXPECT_EQ(bytes, 6u * 4 + 16);
  const auto& type = model.graph().input(0).type().tensor_type();
  EXPECT_EQ(type.elem_type(), pb::TensorProto::FLOAT);
  std::vector<int64_t> shape;
  for (const auto& dim : type.shape().dim()) shape.push_back(dim.dim_value());
  EXPECT_EQ(shape, (std::vector<int64_t>{1, 2, 4, 4}));
  ASSERT_EQ(model.metadata_props_size(), 1);
  EXPECT_EQ(model.metadata_props(0).key(), "effdet.classes");
  EXPECT_EQ(model.metadata_props(0).value(), "90");
}

}  // namespace
}  // namespace effdet::onnx
