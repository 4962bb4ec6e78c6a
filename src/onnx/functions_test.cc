// A model's own functions, in the place of their calls.
#include <google/protobuf/unknown_field_set.h>

#include <set>

#include "onnx/test_util.h"
#include "onnx/writer.h"

namespace effdet::onnx {
namespace {

constexpr int kNodeOverload = 8, kFunctionOverload = 13, kFunctionDefaults = 11;

pb::NodeProto& append(google::protobuf::RepeatedPtrField<pb::NodeProto>& nodes, const char* op,
                      std::vector<std::string> inputs, std::vector<std::string> outputs, const char* domain = "") {
  auto& node = *nodes.Add();
  node.set_op_type(op);
  node.set_domain(domain);
  for (const auto& name : inputs) node.add_input(name);
  for (const auto& name : outputs) node.add_output(name);
  return node;
}

void set_version(google::protobuf::RepeatedPtrField<pb::OperatorSetIdProto>& imports, const char* domain,
                 int64_t version) {
  auto* import = imports.Add();
  import->set_domain(domain);
  import->set_version(version);
}

pb::FunctionProto& add_function(pb::ModelProto& model, const char* name, std::vector<std::string> inputs,
                                std::vector<std::string> outputs, int64_t opset = 11) {
  auto& function = *model.add_functions();
  function.set_domain("own");
  function.set_name(name);
  for (const auto& input : inputs) function.add_input(input);
  for (const auto& output : outputs) function.add_output(output);
  set_version(*function.mutable_opset_import(), "", opset);
  set_version(*function.mutable_opset_import(), "own", 1);
  return function;
}

/// small_model whose only node calls own.F(x, w).
pb::ModelProto calling_model() {
  pb::ModelProto model = small_model();
  model.set_ir_version(8);
  set_version(*model.mutable_opset_import(), "own", 1);
  auto* call = model.mutable_graph()->mutable_node(0);
  call->set_op_type("F");
  call->set_domain("own");
  return model;
}

void refer(pb::NodeProto& node, const char* name, const char* to, pb::AttributeProto::AttributeType type) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  attribute->set_ref_attr_name(to);
}

void set_float(pb::NodeProto& node, const char* name, float value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(pb::AttributeProto::FLOAT);
  attribute->set_f(value);
}

/// One line a node: outputs, operator, inputs, and alpha.
std::string lines(const ir::Graph& graph) {
  std::string text;
  for (const ir::Node& node : graph.nodes) {
    const auto names = [&](const std::vector<ir::ValueId>& ids) {
      std::string list;
      for (ir::ValueId id : ids) list += (list.empty() ? "" : ", ") + (id == ir::kNoValue ? "_" : graph.value(id).name);
      return list;
    };
    text += names(node.outputs) + " = " + node.op + "(" + names(node.inputs) + ")";
    if (node.find("alpha") != nullptr) text += fmt::format(" {}", node.get_float("alpha", 0));
    text += "\n";
  }
  return text;
}

TEST(Functions, NestedWithAttributesAndDefaults) {
  pb::ModelProto model = calling_model();
  auto& inner = add_function(model, "Inner", {"a"}, {"b"});
  inner.add_attribute("slope");
  refer(append(*inner.mutable_node(), "Elu", {"a"}, {"b"}), "alpha", "slope", pb::AttributeProto::FLOAT);
  auto& outer = add_function(model, "F", {"p", "q", "absent"}, {"r", "unused"});
  set_float(append(*outer.mutable_node(), "Inner", {"p"}, {"s"}, "own"), "slope", 0.5f);
  refer(append(*outer.mutable_node(), "Inner", {"q"}, {"t"}, "own"), "slope", "gain", pb::AttributeProto::FLOAT);
  refer(append(*outer.mutable_node(), "Elu", {"t"}, {"u"}), "alpha", "nobody", pb::AttributeProto::FLOAT);
  append(*outer.mutable_node(), "Clip", {"s", "absent", "u"}, {"r"});
  append(*outer.mutable_node(), "Neg", {"s"}, {"unused"});
  pb::NodeProto gain;
  set_float(gain, "gain", 2);
  outer.mutable_unknown_fields()->AddLengthDelimited(kFunctionDefaults, gain.attribute(0).SerializeAsString());
  EXPECT_EQ(
      lines(read_back(model)),
      "sum/s = Elu(x) 0.5\nsum/t = Elu(w) 2\nsum/u = Elu(sum/t)\ny = Clip(sum/s, _, sum/u)\nsum/unused = Neg(sum/s)\n");
  set_float(*model.mutable_graph()->mutable_node(0), "gain", 3);
  EXPECT_CONTAINS(lines(read_back(model)), "sum/t = Elu(w) 3\n");
}

TEST(Functions, CalledTwiceAndOutputsThatAreInputs) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"a", "c", "c"});
  append(*function.mutable_node(), "Add", {"a", "b"}, {"c"});
  auto& graph = *model.mutable_graph();
  append(*graph.mutable_node(), "F", {"y", "w"}, {"one", "two", "three"}, "own").set_name("again");
  graph.mutable_output(0)->set_name("three");
  const ir::Graph read = read_back(model);
  EXPECT_EQ(lines(read),
            "sum/c = Add(x, w)\ny = Identity(x)\ntwo = Add(y, w)\none = Identity(y)\nthree = Identity(two)\n");
  EXPECT_TRUE(read.functions.empty());
}

TEST(Functions, OverloadsAndOwnOperators) {
  pb::ModelProto model = calling_model();
  append(*add_function(model, "F", {"a", "b"}, {"c"}).mutable_node(), "Add", {"a", "b"}, {"c"});
  auto& second = add_function(model, "F", {"a", "b"}, {"c"});
  append(*second.mutable_node(), "Frob", {"a", "b"}, {"c"}, "else.where");
  set_version(*second.mutable_opset_import(), "else.where", 5);
  second.mutable_unknown_fields()->AddLengthDelimited(kFunctionOverload, "other");
  model.mutable_graph()->mutable_node(0)->mutable_unknown_fields()->AddLengthDelimited(kNodeOverload, "other");
  const ir::Graph read = read_back(model);
  EXPECT_EQ(lines(read), "y = Frob(x, w)\n");
  EXPECT_EQ(read.imports.at("else.where"), 5);
}

/// Graphs inside a function's nodes read its values, and refer to its attributes.
TEST(Functions, GraphsInsideTheirNodes) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"c"});
  append(*function.mutable_node(), "Neg", {"a"}, {"n"});
  auto& loop = append(*function.mutable_node(), "Loop", {"", "", "b"}, {"c"});
  auto* body = loop.add_attribute();
  body->set_name("body");
  body->set_type(pb::AttributeProto::GRAPH);
  refer(append(*body->mutable_g()->mutable_node(), "Elu", {"n"}, {"o"}), "alpha", "slope", pb::AttributeProto::FLOAT);
  body->mutable_g()->add_output()->set_name("o");
  set_float(*model.mutable_graph()->mutable_node(0), "slope", 0.25f);
  const ir::Graph read = read_back(model);
  EXPECT_EQ(read.nodes[1].captures, std::vector<std::string>{"sum/n"});
  const auto graph = std::get<std::shared_ptr<const ir::OpaqueAttribute>>(*read.nodes[1].find("body"))->graph();
  EXPECT_EQ(lines(graph), "sum/o = Elu(sum/n) 0.25\n");
}

/// A graph that a call gives reads values by the caller's names, even where the function has one of that name.
TEST(Functions, GraphsOfTheCall) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"c"});
  append(*function.mutable_node(), "Neg", {"a"}, {"w"});
  refer(append(*function.mutable_node(), "Loop", {"", "", "w"}, {"c"}), "body", "step", pb::AttributeProto::GRAPH);
  auto& step = *model.mutable_graph()->mutable_node(0)->add_attribute();
  step.set_name("step");
  step.set_type(pb::AttributeProto::GRAPH);
  append(*step.mutable_g()->mutable_node(), "Abs", {"w"}, {"o"});
  step.mutable_g()->add_output()->set_name("o");
  const ir::Graph read = read_back(model);
  EXPECT_EQ(lines(read), "sum/w = Neg(x)\ny = Loop(_, _, sum/w, w)\n");
}

TEST(Functions, StayWhereAnOperatorMeansSomethingElse) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"c"}, 13);
  append(*function.mutable_node(), "Sigmoid", {"a"}, {"s"});
  append(*function.mutable_node(), "Softmax", {"s"}, {"c"});  // by another axis from 13 on
  const ir::Graph kept = read_back(model);
  EXPECT_EQ(lines(kept), "y = F(x, w)\n");
  const TestFolder folder("onnx");
  write_onnx(kept, folder / "out.onnx");
  pb::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(read_file(folder / "out.onnx")));
  ASSERT_EQ(written.functions_size(), 1);
  EXPECT_EQ(written.functions(0).SerializeAsString(), model.functions(0).SerializeAsString());
  EXPECT_GE(written.ir_version(), 8);
  function.mutable_node(1)->set_op_type("Relu");
  EXPECT_EQ(lines(read_back(model)), "sum/s = Sigmoid(x)\ny = Relu(sum/s)\n");
}

/// Of another domain nobody knows what changed; and names of operators there mean nothing here.
TEST(Functions, StayWhereAnotherDomainHasAnotherVersion) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"c"}, 13);
  append(*function.mutable_node(), "Softmax", {"a"}, {"c"}, "own");
  EXPECT_EQ(lines(read_back(model)), "y = Softmax(x)\n");
  function.mutable_opset_import(1)->set_version(2);
  EXPECT_EQ(lines(read_back(model)), "y = F(x, w)\n");
}

/// A graph inside a function's node counts, too.
TEST(Functions, StayWhereAnOperatorOfAGraphMeansSomethingElse) {
  for (const auto& [op, expected] : {std::pair{"Softmax", "y = F(x, w)\n"}, {"Relu", "y = Loop(_, _, w, x)\n"}}) {
    pb::ModelProto model = calling_model();
    auto& function = add_function(model, "F", {"a", "b"}, {"c"}, 13);
    auto& loop = append(*function.mutable_node(), "Loop", {"", "", "b"}, {"c"});
    set_float(loop, "first", 1);
    auto* body = loop.add_attribute();
    body->set_name("body");
    body->set_type(pb::AttributeProto::GRAPH);
    append(*body->mutable_g()->mutable_node(), "Neg", {"a"}, {"n"});
    append(*body->mutable_g()->mutable_node(), op, {"n"}, {"o"});
    body->mutable_g()->add_output()->set_name("o");
    EXPECT_EQ(lines(read_back(model)), expected) << op;
  }
}

/// What stays calls others, which are then needed; nobody needs the rest.
TEST(Functions, ThoseThatOthersCallStay) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"c"}, 13);
  append(*function.mutable_node(), "Softmax", {"a"}, {"s"});
  append(*function.mutable_node(), "G", {"s", "b"}, {"t"}, "own");
  append(*function.mutable_node(), "G", {"t", "b"}, {"c"}, "own");
  append(*add_function(model, "G", {"a", "b"}, {"c"}).mutable_node(), "Add", {"a", "b"}, {"c"});
  append(*add_function(model, "H", {"a", "b"}, {"c"}).mutable_node(), "Sub", {"a", "b"}, {"c"});
  const ir::Graph read = read_back(model);
  std::set<std::string> names;
  for (const ir::Message& message : read.functions) {
    pb::FunctionProto kept;
    ASSERT_TRUE(kept.ParseFromString(*message));
    names.insert(kept.name());
  }
  EXPECT_EQ(names, (std::set<std::string>{"F", "G"}));
  EXPECT_EQ(lines(read), "y = F(x, w)\n");
}

TEST(Functions, NamesOfNodesAndOfOutputsThatNobodyWants) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"c", "d"});
  append(*function.mutable_node(), "Add", {"a", "b"}, {"c"}).set_name("inner");
  append(*function.mutable_node(), "Dropout", {"c"}, {"", "d"});
  auto& graph = *model.mutable_graph();
  graph.mutable_node(0)->set_output(0, "");
  graph.mutable_node(0)->add_output("y");
  append(*graph.mutable_node(), "F", {"x", "w"}, {}, "own");  // neither a name nor an output
  append(*graph.mutable_node(), "F", {"x", "w"}, {"", "z"}, "own");
  const ir::Graph read = read_back(model);
  EXPECT_EQ(lines(read),
            "sum/c = Add(x, w)\n_, y = Dropout(sum/c)\nF/c = Add(x, w)\n_, F/d = Dropout(F/c)\nz/c = Add(x, w)\n_, z = "
            "Dropout(z/c)\n");
  EXPECT_EQ(read.nodes[0].name, "sum/inner");
  EXPECT_EQ(read.nodes[1].name, "y") << "of a node without a name: its first output that has one";
}

/// Values of graphs inside a function's nodes get names of their own for each call, wherever they are declared.
TEST(Functions, ValuesOfGraphsInsideAreThoseOfOneCall) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"c"});
  auto* attribute = append(*function.mutable_node(), "Loop", {"", "", "b"}, {"c"}).add_attribute();
  attribute->set_name("body");
  attribute->set_type(pb::AttributeProto::GRAPH);
  auto& body = *attribute->mutable_g();
  body.add_input()->set_name("i");
  auto& k = *body.add_initializer();
  k.set_name("k");
  k.set_data_type(pb::TensorProto::FLOAT);
  k.add_float_data(2);
  body.add_sparse_initializer()->mutable_values()->set_name("s");
  body.add_value_info()->set_name("m");
  append(*body.mutable_node(), "Mul", {"i", "k"}, {"m"});
  append(*body.mutable_node(), "Sum", {"m", "s", "a"}, {"o"});
  body.add_output()->set_name("o");
  auto& graph = *model.mutable_graph();
  append(*graph.mutable_node(), "F", {"y", "w"}, {"z"}, "own").set_name("again");
  graph.mutable_output(0)->set_name("z");
  const ir::Graph read = read_back(model);
  EXPECT_EQ(lines(read), "y = Loop(_, _, w, x)\nz = Loop(_, _, w, y)\n");
  for (const std::string call : {"sum", "again"}) {
    pb::AttributeProto kept;
    const ir::Node& node = read.nodes[call == "sum" ? 0 : 1];
    ASSERT_TRUE(
        kept.ParseFromString(std::get<std::shared_ptr<const ir::OpaqueAttribute>>(*node.find("body"))->message()));
    EXPECT_EQ(kept.g().input(0).name(), call + "/i");
    EXPECT_EQ(kept.g().initializer(0).name(), call + "/k");
    EXPECT_EQ(kept.g().sparse_initializer(0).values().name(), call + "/s");
    EXPECT_EQ(kept.g().value_info(0).name(), call + "/m");
    EXPECT_EQ(kept.g().node(1).input(1), call + "/s");
    EXPECT_EQ(kept.g().output(0).name(), call + "/o");
  }
}

TEST(BadInput, Case64_FunctionsThatCallThemselves) {
  pb::ModelProto model = calling_model();
  append(*add_function(model, "F", {"a", "b"}, {"c"}).mutable_node(), "G", {"a", "b"}, {"c"}, "own");
  append(*add_function(model, "G", {"a", "b"}, {"c"}).mutable_node(), "F", {"a", "b"}, {"c"}, "own");
  const TestFolder folder("onnx");
  EXPECT_CONTAINS(refusal(save(model, folder.path())), "function 'own.F' calls itself");
}

TEST(BadInput, Case64_FunctionsThatContradictThemselves) {
  const auto refused = [](const std::function<void(pb::ModelProto&, pb::FunctionProto&)>& edit) {
    pb::ModelProto model = calling_model();
    auto& function = add_function(model, "F", {"a", "b"}, {"c"});
    append(*function.mutable_node(), "Add", {"a", "b"}, {"c"});
    edit(model, function);
    const TestFolder folder("onnx");
    return refusal(save(model, folder.path()));
  };
  EXPECT_CONTAINS(refused([](auto& m, auto&) { m.mutable_graph()->mutable_node(0)->add_input("x"); }), "3 inputs");
  EXPECT_CONTAINS(refused([](auto&, auto& f) { f.mutable_node(0)->set_input(0, "nobody"); }), "'nobody'");
  EXPECT_CONTAINS(refused([](auto& m, auto& f) { *m.add_functions() = f; }), "defined twice");
  EXPECT_CONTAINS(
      refused([](auto&, auto& f) { f.mutable_unknown_fields()->AddLengthDelimited(kFunctionDefaults, "\xff"); }),
      "no attribute");
  refused([](auto&, auto& f) { f.mutable_node(0)->set_output(0, "elsewhere"); });  // nothing makes c
  EXPECT_CONTAINS(refused([](auto& m, auto&) { m.mutable_graph()->mutable_node(0)->add_output("z"); }),
                  "node 'sum' calls function 'own.F' with 2 inputs and 2 outputs; it has 2 and 1");
  EXPECT_CONTAINS(refused([](auto& m, auto&) {
                    m.mutable_graph()->mutable_node(0)->clear_name();
                    m.mutable_graph()->mutable_node(0)->add_output("z");
                  }),
                  "node 'y' calls function 'own.F'");
  EXPECT_CONTAINS(refused([](auto& m, auto& f) {
                    f.mutable_unknown_fields()->AddLengthDelimited(kFunctionOverload, "other");
                    *m.add_functions() = f;
                  }),
                  "function 'own.F:other' is defined twice");
  EXPECT_CONTAINS(refused([](auto& m, auto&) {
                    refer(*m.mutable_graph()->mutable_node(0), "alpha", "gain", pb::AttributeProto::FLOAT);
                    m.clear_functions();
                  }),
                  "attribute 'alpha' refers to a function's attribute outside of a function");
}

/// Each calls the one before twice: 2^40 nodes.
TEST(BadInput, Case64_FunctionsThatExplode) {
  pb::ModelProto model = calling_model();
  append(*add_function(model, "F0", {"a", "b"}, {"c"}).mutable_node(), "Add", {"a", "b"}, {"c"});
  for (int i = 1; i <= 40; ++i) {
    const std::string last = "F" + std::to_string(i - 1);
    auto& function = add_function(model, i == 40 ? "F" : ("F" + std::to_string(i)).c_str(), {"a", "b"}, {"c"});
    append(*function.mutable_node(), last.c_str(), {"a", "b"}, {"d"}, "own");
    append(*function.mutable_node(), last.c_str(), {"d", "b"}, {"c"}, "own");
  }
  const TestFolder folder("onnx");
  EXPECT_CONTAINS(refusal(save(model, folder.path()), ErrorCode::kUnsupported), "more than 100000 nodes");
}

/// Few nodes that are large: a megabyte, again and again.
TEST(BadInput, Case64_FunctionsThatGrow) {
  pb::ModelProto model = calling_model();
  auto& function = add_function(model, "F", {"a", "b"}, {"c"});
  auto& node = append(*function.mutable_node(), "Find", {"a", "b"}, {"c"}, "else.where");
  auto* text = node.add_attribute();
  text->set_name("text");
  text->set_type(pb::AttributeProto::STRING);
  text->set_s(std::string(1 << 20, 'x'));
  for (int i = 0; i < 64; ++i)
    append(*model.mutable_graph()->mutable_node(), "F", {"x", "w"}, {"v" + std::to_string(i)}, "own");
  const TestFolder folder("onnx");
  EXPECT_CONTAINS(refusal(save(model, folder.path()), ErrorCode::kUnsupported), "100000 nodes or 64 MB");
}

/// A field of another kind in the place of an overload says nothing.
TEST(BadInput, Case64_OverloadsThatAreNumbers) {
  pb::ModelProto model = calling_model();
  append(*add_function(model, "F", {"a", "b"}, {"c"}).mutable_node(), "Add", {"a", "b"}, {"c"});
  model.mutable_graph()->mutable_node(0)->mutable_unknown_fields()->AddVarint(kNodeOverload, 5);
  EXPECT_EQ(lines(read_back(model)), "y = Add(x, w)\n");
}

/// A chain as long as the file is would be as deep a recursion.
TEST(BadInput, Case64_FunctionsNestedTooDeep) {
  pb::ModelProto model = calling_model();
  for (int i = 0; i < 5000; ++i)
    append(*add_function(model, i == 0 ? "F" : ("F" + std::to_string(i)).c_str(), {"a", "b"}, {"c"}).mutable_node(),
           ("F" + std::to_string(i + 1)).c_str(), {"a", "b"}, {"c"}, "own");
  const TestFolder folder("onnx");
  EXPECT_CONTAINS(refusal(save(model, folder.path()), ErrorCode::kUnsupported), "nested deeper than 100");
}

}  // namespace
}  // namespace effdet::onnx
