// What files hold that graphs have no words for: it comes out of the writer as it went in.
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <map>

#include "onnx/test_util.h"
#include "onnx/writer.h"

namespace effdet::onnx {
namespace {

constexpr int kMetadataProps = 9;  // of a node; younger than the library's copy of onnx.proto

pb::AttributeProto& add_attribute(pb::NodeProto& node, const char* name, pb::AttributeProto::AttributeType type) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

pb::NodeProto& add_node(pb::GraphProto& graph, const char* op, std::vector<std::string> inputs,
                        std::vector<std::string> outputs, const char* domain = "") {
  auto& node = *graph.add_node();
  node.set_op_type(op);
  node.set_domain(domain);
  for (const auto& name : inputs) node.add_input(name);
  for (const auto& name : outputs) node.add_output(name);
  return node;
}

void add_domain(pb::ModelProto& model, const char* domain, int64_t version) {
  auto* import = model.add_opset_import();
  import->set_domain(domain);
  import->set_version(version);
}

/// A graph "body" that makes z from x, which lies around its node, and its own w.
void put_body(pb::GraphProto& graph) {
  graph.set_name("body");
  auto* w = graph.add_initializer();
  w->set_name("inner");
  w->set_data_type(pb::TensorProto::FLOAT);
  w->add_float_data(3);
  auto& node = add_node(graph, "Mul", {"x", "inner"}, {"z"});
  node.set_doc_string("times three");
  graph.add_output()->set_name("z");
}

/// x + w goes into a node of which nothing is known and that says everything that a node can.
pb::ModelProto model_with_unknown_node() {
  pb::ModelProto model = small_model();
  model.set_ir_version(10);
  add_domain(model, "else.where", 3);
  auto& graph = *model.mutable_graph();
  graph.mutable_output(0)->set_name("found");
  graph.mutable_node(0)->set_output(0, "sum");
  auto& node = add_node(graph, "Find", {"sum", "", "words"}, {"", "found", "rest"}, "else.where");
  node.set_name("finder");
  node.set_doc_string("finds\nthings");
  node.mutable_unknown_fields()->AddLengthDelimited(kMetadataProps, "\x0a\x01k\x12\x01v");
  add_attribute(node, "alpha", pb::AttributeProto::FLOAT).set_f(0.1f);
  add_attribute(node, "best", pb::AttributeProto::INT).set_i(-7);
  auto& commented = add_attribute(node, "comment", pb::AttributeProto::STRINGS);
  commented.add_strings("a");
  commented.add_strings(std::string("\0b", 2));
  commented.set_doc_string("of an attribute");
  put_body(*add_attribute(node, "graph", pb::AttributeProto::GRAPH).mutable_g());
  put_body(*add_attribute(node, "graphs", pb::AttributeProto::GRAPHS).add_graphs());
  auto& text = *add_attribute(node, "text", pb::AttributeProto::TENSOR).mutable_t();
  text.set_data_type(pb::TensorProto::STRING);
  text.add_string_data("words");
  add_attribute(node, "type", pb::AttributeProto::TYPE_PROTO)
      .mutable_tp()
      ->mutable_sequence_type()
      ->mutable_elem_type()
      ->mutable_tensor_type()
      ->set_elem_type(pb::TensorProto::STRING);
  auto* words = graph.add_initializer();
  words->set_name("words");
  words->set_data_type(pb::TensorProto::STRING);
  words->add_dims(1);
  words->add_string_data("hello");
  auto* rest = graph.add_value_info();
  rest->set_name("rest");
  auto* type = rest->mutable_type()->mutable_tensor_type();
  type->set_elem_type(pb::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_param("batch");
  type->mutable_shape()->add_dim()->set_dim_value(4);
  return model;
}

pb::ModelProto written(const ir::Graph& graph) {
  const TestFolder folder("onnx");
  write_onnx(graph, folder / "out.onnx");
  pb::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(read_file(folder / "out.onnx")));
  return model;
}

const pb::NodeProto& node_named(const pb::ModelProto& model, const std::string& name) {
  for (const auto& node : model.graph().node())
    if (node.name() == name) return node;
  throw std::runtime_error("no node " + name);
}

TEST(OpaqueNode, ComesBackByteForByte) {
  const pb::ModelProto before = model_with_unknown_node();
  const pb::ModelProto after = written(read_back(before));
  EXPECT_EQ(node_named(after, "finder").SerializeAsString(), node_named(before, "finder").SerializeAsString());
  ASSERT_EQ(after.graph().value_info_size(), 1);
  EXPECT_EQ(after.graph().value_info(0).SerializeAsString(), before.graph().value_info(0).SerializeAsString());
  EXPECT_EQ(after.graph().output(0).SerializeAsString(), before.graph().output(0).SerializeAsString());
  EXPECT_EQ(after.ir_version(), 10);
  ASSERT_EQ(after.opset_import_size(), 2);
  EXPECT_EQ(after.opset_import(1).domain(), "else.where");
  EXPECT_EQ(after.opset_import(1).version(), 3);
  for (const auto& tensor : after.graph().initializer())
    if (tensor.name() == "words") {
      EXPECT_EQ(tensor.string_data(0), "hello");
    }
}

TEST(OpaqueNode, GraphsInsideReadValuesAroundIt) {
  ir::Graph graph = read_back(model_with_unknown_node());
  graph.compact();
  const ir::Node& node = graph.nodes.back();
  EXPECT_EQ(node.captures, std::vector<std::string>{"x"});
  EXPECT_EQ(graph.value(node.inputs.back()).name, "x");
  EXPECT_TRUE(graph.is_taken("inner") && graph.is_taken("z"));
  EXPECT_EQ(graph.inputs.size(), 1u);
}

TEST(OpaqueNode, FollowsNamesThatChange) {
  ir::Graph graph = read_back(model_with_unknown_node());
  graph.value(graph.find_value("x")).name = "image";
  graph.value(graph.find_value("words")).name = "vocabulary";
  const pb::ModelProto after = written(graph);
  const auto& node = node_named(after, "finder");
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) {
      EXPECT_EQ(attribute.g().node(0).input(0), "image");
    }
    if (attribute.graphs_size() > 0) {
      EXPECT_EQ(attribute.graphs(0).node(0).input(0), "image");
    }
  }
  EXPECT_EQ(node.input(2), "vocabulary");
  const ir::Graph again = [&] {
    const TestFolder folder("onnx");
    write_onnx(graph, folder / "m.onnx");
    return read_onnx(folder / "m.onnx");
  }();
  EXPECT_NE(again.find_value("vocabulary"), ir::kNoValue);
}

/// Each graph by itself: a name of its own hides the one around it, on every level.
TEST(OpaqueNode, NamesInsideHideThoseAround) {
  pb::ModelProto model = small_model();
  auto& node = add_node(*model.mutable_graph(), "Twice", {"y"}, {"t"}, "else.where");
  model.mutable_graph()->mutable_output(0)->set_name("t");
  add_domain(model, "else.where", 1);
  auto& outer = *add_attribute(node, "body", pb::AttributeProto::GRAPH).mutable_g();
  outer.add_input()->set_name("x");  // its own
  auto& inner_node = add_node(outer, "Once", {"x", "w"}, {"o"}, "else.where");
  auto& inner = *add_attribute(inner_node, "body", pb::AttributeProto::GRAPH).mutable_g();
  add_node(inner, "Add", {"x", "y"}, {"p"});
  inner.add_output()->set_name("p");
  outer.add_output()->set_name("o");
  ir::Graph graph = read_back(model);
  EXPECT_EQ(graph.nodes.back().captures, (std::vector<std::string>{"w", "y"}));
  graph.value(graph.find_value("x")).name = "image";
  graph.value(graph.find_value("w")).name = "weight";
  const pb::ModelProto after = written(graph);
  const auto& body = after.graph().node(1).attribute(0).g();
  EXPECT_EQ(body.node(0).input(0), "x");
  EXPECT_EQ(body.node(0).input(1), "weight");
  EXPECT_EQ(body.node(0).attribute(0).g().node(0).input(0), "x");
}

TEST(OpaqueNode, BecomesAGraphOnRequest) {
  const ir::Graph graph = read_back(model_with_unknown_node());
  const auto& attribute = std::get<std::shared_ptr<const ir::OpaqueAttribute>>(*graph.nodes.back().find("graph"));
  const ir::Graph body = attribute->graph();
  ASSERT_EQ(body.inputs.size(), 1u);
  EXPECT_EQ(body.value(body.inputs[0]).name, "x");
  EXPECT_EQ(body.nodes.at(0).op, "Mul");
  EXPECT_EQ(body.opset, graph.opset);
  const auto& type = std::get<std::shared_ptr<const ir::OpaqueAttribute>>(*graph.nodes.back().find("type"));
  EXPECT_THROW(type->graph(), Error);
}

TEST(OpaqueNode, ExternalDataOfInnerGraphsComesAlong) {
  pb::ModelProto model = model_with_unknown_node();
  auto& node = *model.mutable_graph()->mutable_node(1);
  auto& tensor = *node.mutable_attribute(3)->mutable_g()->mutable_initializer(0);
  tensor.clear_float_data();
  tensor.set_data_location(pb::TensorProto::EXTERNAL);
  auto* entry = tensor.add_external_data();
  entry->set_key("location");
  entry->set_value("w.bin");
  const TestFolder folder("onnx");
  const float three = 3;
  write_file(folder / "w.bin", std::string(reinterpret_cast<const char*>(&three), 4), false);
  const pb::ModelProto after = written(read_onnx(save(model, folder.path())));
  for (const auto& attribute : node_named(after, "finder").attribute())
    if (attribute.has_g()) {
      EXPECT_EQ(attribute.g().initializer(0).raw_data(), std::string("\0\0\x40\x40", 4));
    }
  entry->set_value("../w.bin");
  EXPECT_CONTAINS(refusal(save(model, folder.path())), "outside of the model's folder");
}

/// Every place of an attribute where a tensor may stand.
TEST(OpaqueNode, ExternalDataOfAllKindsComesAlong) {
  pb::ModelProto model = model_with_unknown_node();
  const auto external = [](pb::TensorProto& tensor) {
    tensor.set_data_type(pb::TensorProto::FLOAT);
    tensor.set_data_location(pb::TensorProto::EXTERNAL);
    auto* entry = tensor.add_external_data();
    entry->set_key("location");
    entry->set_value("w.bin");
  };
  auto& node = *model.mutable_graph()->mutable_node(1);
  external(*node.mutable_attribute(3)->mutable_g()->add_sparse_initializer()->mutable_values());
  auto& inner =
      *add_attribute(*node.mutable_attribute(3)->mutable_g()->mutable_node(0), "t", pb::AttributeProto::TENSOR)
           .mutable_t();
  external(inner);
  auto& tensors = add_attribute(node, "u", pb::AttributeProto::TENSORS);
  external(*tensors.add_tensors());
  tensors.add_tensors()->set_data_type(pb::TensorProto::FLOAT);
  auto& sparse = *add_attribute(node, "v", pb::AttributeProto::SPARSE_TENSOR).mutable_sparse_tensor();
  external(*sparse.mutable_values());
  external(*sparse.mutable_indices());
  auto& several = add_attribute(node, "w", pb::AttributeProto::SPARSE_TENSORS);
  several.add_sparse_tensors();
  external(*several.add_sparse_tensors()->mutable_indices());
  const TestFolder folder("onnx");
  const std::string three("\0\0\x40\x40", 4);
  write_file(folder / "w.bin", three, false);
  const pb::ModelProto after = written(read_onnx(save(model, folder.path())));
  const auto& kept = node_named(after, "finder");
  std::map<std::string, const pb::AttributeProto*> attributes;
  for (const auto& attribute : kept.attribute()) attributes[attribute.name()] = &attribute;
  const auto& graph = attributes.at("graph")->g();
  for (const pb::TensorProto* tensor :
       {&graph.sparse_initializer(0).values(), &graph.node(0).attribute(0).t(), &attributes.at("u")->tensors(0),
        &attributes.at("v")->sparse_tensor().values(), &attributes.at("v")->sparse_tensor().indices(),
        &attributes.at("w")->sparse_tensors(1).indices()}) {
    EXPECT_EQ(tensor->raw_data(), three);
    EXPECT_EQ(tensor->data_location(), pb::TensorProto::DEFAULT);
    EXPECT_EQ(tensor->external_data_size(), 0);
  }
  EXPECT_FALSE(attributes.at("w")->sparse_tensors(0).has_values());
}

TEST(OpaqueNode, AttributesKeepTheirOrder) {
  pb::ModelProto model = small_model();
  add_domain(model, "else.where", 1);
  auto& node = *model.mutable_graph()->mutable_node(0);
  node.set_domain("else.where");
  for (const char* name : {"zeta", "alpha", "mu"}) add_attribute(node, name, pb::AttributeProto::INT).set_i(1);
  EXPECT_EQ(written(read_back(model)).graph().node(0).SerializeAsString(), node.SerializeAsString());
}

/// What types say beside numbers comes back, and what is declared of values that nobody makes goes.
TEST(OpaqueNode, DenotationsOfTypes) {
  pb::ModelProto model = small_model();
  auto& graph = *model.mutable_graph();
  graph.mutable_input(0)->mutable_type()->set_denotation("IMAGE");
  graph.mutable_output(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_denotation("N");
  *graph.add_value_info() = graph.input(0);
  graph.mutable_value_info(0)->set_name("nobody");
  const pb::ModelProto after = written(read_back(model));
  EXPECT_EQ(after.graph().input(0).SerializeAsString(), graph.input(0).SerializeAsString());
  EXPECT_EQ(after.graph().output(0).SerializeAsString(), graph.output(0).SerializeAsString());
  EXPECT_EQ(after.graph().value_info_size(), 0);
}

TEST(BadInput, OutputsWithoutANameInInnerGraphs) {
  pb::ModelProto model = model_with_unknown_node();
  model.mutable_graph()->mutable_node(1)->mutable_attribute(3)->mutable_g()->add_output();
  const ir::Graph graph = read_back(model);
  const auto& attribute = std::get<std::shared_ptr<const ir::OpaqueAttribute>>(*graph.nodes.back().find("graph"));
  try {
    attribute->graph();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_CONTAINS(std::string(error.what()), "m.onnx: the graph's output: nothing makes ''");
  }
}

/// A few bytes each, which all name the same 16 MB.
TEST(BadInput, Case54_ManyInnerTensorsOfTheSameExternalData) {
  pb::ModelProto model = model_with_unknown_node();
  auto& graph = *model.mutable_graph()->mutable_node(1)->mutable_attribute(3)->mutable_g();
  for (int i = 0; i < 1000; ++i) {
    auto& tensor = *graph.add_initializer();
    tensor.set_name("t" + std::to_string(i));
    tensor.set_data_type(pb::TensorProto::INT8);
    tensor.add_dims(16 << 20);
    tensor.set_data_location(pb::TensorProto::EXTERNAL);
    auto* entry = tensor.add_external_data();
    entry->set_key("location");
    entry->set_value("w.bin");
  }
  const TestFolder folder("onnx");
  const auto path = save(model, folder.path());
  write_file(folder / "w.bin", "", false);
  std::filesystem::resize_file(folder / "w.bin", 16 << 20);
  EXPECT_CONTAINS(refusal(path), "again and again");
}

TEST(OpaqueNode, InputsAndOutputsOfOtherTypes) {
  pb::ModelProto model = model_with_unknown_node();
  auto& graph = *model.mutable_graph();
  auto* list = graph.add_input();
  list->set_name("list");
  list->mutable_type()->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(1);
  graph.mutable_node(1)->set_input(1, "list");
  graph.mutable_output(0)
      ->mutable_type()
      ->mutable_optional_type()
      ->mutable_elem_type()
      ->mutable_tensor_type()
      ->set_elem_type(1);
  const ir::Graph read = read_back(model);
  EXPECT_EQ(read.value(read.inputs[1]).dtype, DType::kUnknown);
  const pb::ModelProto after = written(read);
  EXPECT_EQ(after.graph().input(1).SerializeAsString(), graph.input(1).SerializeAsString());
  EXPECT_EQ(after.graph().output(0).SerializeAsString(), graph.output(0).SerializeAsString());
}

TEST(OpaqueNode, AModelOfAnotherDomainAlone) {
  pb::ModelProto model = small_model();
  model.mutable_opset_import(0)->set_domain("ai.onnx.ml");
  model.mutable_opset_import(0)->set_version(3);
  model.mutable_graph()->mutable_node(0)->set_domain("ai.onnx.ml");
  const pb::ModelProto after = written(read_back(model));
  EXPECT_EQ(after.graph().node(0).domain(), "ai.onnx.ml");
  EXPECT_EQ(after.opset_import(1).version(), 3);
}

}  // namespace
}  // namespace effdet::onnx
