// ONNX files that are malformed or hostile; the numbers are those of the project's list of bad inputs.
#include <gtest/gtest.h>

#include "base/sanitizer.h"
#include "ir/messages.h"
#include "onnx/test_util.h"

namespace effdet::onnx {
namespace {

TEST(BadInput, Case55_NoProtobuf) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  for (const std::string& bytes : {std::string(), std::string("not a model"), std::string(100, '\xff'),
                                   std::string("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10)}) {
    write_file(path, bytes, false);
    refusal(path);
  }
}

TEST(BadInput, Case55_TruncatedEverywhere) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  const std::string whole = small_model().SerializeAsString();
  for (size_t length = 0; length < whole.size(); ++length) {
    write_file(path, whole.substr(0, length), false);
    try {
      read_onnx(path);
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
    }
  }
}

TEST(BadInput, Case55_EveryByteFlipped) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  const std::string whole = small_model().SerializeAsString();
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      write_file(path, damaged, false);
      try {
        read_onnx(path);
      } catch (const Error& error) {
        EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
      }
    }
  }
}

TEST(BadInput, Case55_AboveTwoGiB) {
  const TestFolder folder("onnx");
  const auto path = save(small_model(), folder.path());
  std::filesystem::resize_file(path, (uint64_t{1} << 31) + 7);  // a hole
  EXPECT_CONTAINS(refusal(path), "external data");
}

/// A model whose node holds a graph whose node holds a graph...
std::string nested(int depth) {
  std::string backwards;  // from the inside out, so that no level is copied for the next
  const auto wrap = [&](int number) {
    std::string length;
    for (size_t rest = backwards.size();; rest >>= 7) {
      length += static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
      if (rest <= 0x7f) break;
    }
    backwards.append(length.rbegin(), length.rend());
    backwards += static_cast<char>(number * 8 + 2);
  };
  for (int i = 0; i < depth; ++i)
    for (int number : {6, 5, 1}) wrap(number);  // g, attribute, node
  wrap(7);
  pb::ModelProto model = small_model();
  model.clear_graph();
  return model.SerializeAsString() + std::string(backwards.rbegin(), backwards.rend());
}

TEST(BadInput, Case56_NestedSubgraphs) {
  const TestFolder folder("onnx");
  const auto path = folder / "m.onnx";
  for (int depth : {101, 3000, 100000}) {
    write_file(path, nested(depth), false);
    refusal(path);
  }
  // What the parser takes is kept, and what it reads must be there.
  const auto message = refusal([](pb::ModelProto& model) {
    auto* attribute = model.mutable_graph()->mutable_node(0)->add_attribute();
    attribute->set_name("then_branch");
    attribute->set_type(pb::AttributeProto::GRAPH);
    attribute->mutable_g()->add_node()->add_input("ghost");
  });
  EXPECT_CONTAINS(message, "'sum'");
  EXPECT_CONTAINS(message, "'ghost'");
}

TEST(BadInput, Case57_CyclesAndNames) {
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { m.mutable_graph()->mutable_node(0)->set_input(0, "y"); }), "cycle");
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { m.mutable_graph()->mutable_node(0)->set_input(0, "ghost"); }),
                  "'ghost'");
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) {
                    auto* graph = m.mutable_graph();
                    *graph->add_node() = graph->node(0);
                  }),
                  "twice");
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { m.mutable_graph()->mutable_node(0)->set_output(0, "w"); }), "twice");
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) {
                    auto* graph = m.mutable_graph();
                    *graph->add_initializer() = graph->initializer(0);
                  }),
                  "twice");
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { m.mutable_graph()->mutable_input(0)->set_name("y"); }), "twice");
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) {
                    auto* graph = m.mutable_graph();
                    *graph->add_input() = graph->input(0);
                  }),
                  "input 'x' is defined twice");
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) {
                    m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(0);
                  }),
                  "value 'x' has no element type");
  refusal([](pb::ModelProto& m) { m.mutable_graph()->mutable_input(0)->set_name(""); });
  refusal([](pb::ModelProto& m) { m.mutable_graph()->mutable_initializer(0)->set_name(std::string("w\0", 2)); });
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { m.mutable_graph()->mutable_output(0)->set_name("z"); }), "'z'");
}

pb::TensorProto& weights(pb::ModelProto& model) { return *model.mutable_graph()->mutable_initializer(0); }

TEST(BadInput, Case58_TensorsThatContradictThemselves) {
  for (int64_t dim : {int64_t{-1}, INT64_MIN, INT64_MAX, int64_t{1} << 62, int64_t{3}})
    EXPECT_CONTAINS(refusal([&](pb::ModelProto& m) { weights(m).set_dims(0, dim); }), "'w'");
  refusal([](pb::ModelProto& m) {  // 2^32 * 2^32 wraps to 0, and 2^61 + 2 elements of 4 bytes to 8
    weights(m).set_dims(0, int64_t{1} << 32);
    weights(m).add_dims(int64_t{1} << 32);
  });
  refusal([](pb::ModelProto& m) { weights(m).set_dims(0, (int64_t{1} << 61) + 2); });
  refusal([](pb::ModelProto& m) {
    for (int i = 0; i < 40; ++i) weights(m).add_dims(1);
  });
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { weights(m).set_raw_data(std::string(8, '\0')); }), "2 fields");
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) {
                    weights(m).clear_float_data();
                    weights(m).set_raw_data(std::string(7, '\0'));
                  }),
                  "7 bytes");
  refusal([](pb::ModelProto& m) { weights(m).clear_float_data(); });
  refusal([](pb::ModelProto& m) { weights(m).set_data_type(pb::TensorProto::INT64); });
  refusal([](pb::ModelProto& m) { weights(m).set_data_type(0); });
  refusal([](pb::ModelProto& m) { weights(m).set_data_type(99); }, ErrorCode::kUnsupported);
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) {
                    weights(m).clear_float_data();
                    weights(m).set_data_type(pb::TensorProto::BOOL);
                    weights(m).set_raw_data("\x01\x02");
                  }),
                  "bool");
}

TEST(BadInput, SparseInitializersAreRefused) {
  EXPECT_CONTAINS(
      refusal([](pb::ModelProto& m) { *m.mutable_graph()->add_sparse_initializer()->mutable_values() = weights(m); },
              ErrorCode::kUnsupported),
      "sparse initializers");
}

/// A zero point, say, out of its type's range: the field's numbers are wider than the type.
TEST(BadInput, Case58_NumbersThatTheirTypeDoesNotHave) {
  const std::tuple<int, int, const char*> kCases[] = {{pb::TensorProto::UINT8, 300, "300 as uint8"},
                                                      {pb::TensorProto::UINT8, -1, "-1 as uint8"},
                                                      {pb::TensorProto::INT8, 128, "128 as int8"},
                                                      {pb::TensorProto::INT16, 40000, "40000 as int16"}};
  for (const auto& [type, number, text] : kCases)
    EXPECT_CONTAINS(refusal([&](pb::ModelProto& m) {
                      weights(m).clear_float_data();
                      weights(m).set_data_type(type);
                      weights(m).add_int32_data(number);
                      weights(m).add_int32_data(1);
                    }),
                    text);
}

/// Types that tensors do not have: whoever would have to compute with them says the name.
TEST(BadInput, ElementTypesOfOtherRuntimes) {
  for (const auto& [type, name] :
       {std::pair(22, "int4"), std::pair(17, "float8e4m3fn"), std::pair(23, "float4e2m1"), std::pair(8, "string")}) {
    pb::ModelProto model = small_model();
    weights(model).clear_float_data();
    weights(model).set_data_type(type);
    model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(type);
    const ir::Graph graph = read_back(model);
    for (const char* value : {"w", "x"}) EXPECT_EQ(ir::other_type_name(graph.value(graph.find_value(value))), name);
  }
}

TEST(BadInput, Case58_EmptyTensorsAreLegal) {
  pb::ModelProto model = small_model();
  weights(model).clear_float_data();
  weights(model).set_dims(0, 0);
  EXPECT_NO_THROW(read_back(model));
  weights(model).set_raw_data("");
  EXPECT_NO_THROW(read_back(model));
}

TEST(BadInput, Case62_Versions) {
  refusal([](pb::ModelProto& m) { m.set_ir_version(0); });
  refusal([](pb::ModelProto& m) { m.set_ir_version(-1); });
  refusal([](pb::ModelProto& m) { m.set_ir_version(999); }, ErrorCode::kUnsupported);
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { m.set_ir_version(2); }, ErrorCode::kUnsupported),
                  "IR version 2 is not supported, only 3 to 14");
  EXPECT_CONTAINS(
      refusal([](pb::ModelProto& m) { m.mutable_opset_import(0)->set_version(6); }, ErrorCode::kUnsupported),
      "opset 6 is not supported, only 7 to 28");
  refusal([](pb::ModelProto& m) { m.mutable_opset_import(0)->set_version(0); });
  EXPECT_CONTAINS(
      refusal([](pb::ModelProto& m) { m.mutable_opset_import(0)->set_version(999); }, ErrorCode::kUnsupported), "999");
  EXPECT_CONTAINS(
      refusal([](pb::ModelProto& m) { m.mutable_opset_import(0)->set_version(29); }, ErrorCode::kUnsupported),
      "only 7 to 28");
  for (int64_t opset = 7; opset <= 28; ++opset) {
    pb::ModelProto model = small_model();
    model.mutable_opset_import(0)->set_version(opset);
    EXPECT_EQ(read_back(model).opset, opset);
  }
  refusal([](pb::ModelProto& m) { m.clear_opset_import(); });
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { m.mutable_opset_import(0)->set_domain("ai.other"); }), "'sum'");
  refusal([](pb::ModelProto& m) { *m.add_opset_import() = m.opset_import(0); });
  refusal([](pb::ModelProto& m) { m.clear_graph(); });
}

TEST(BadInput, Case64_NoOutputsAndManyNodes) {
  EXPECT_CONTAINS(refusal([](pb::ModelProto& m) { m.mutable_graph()->clear_output(); }), "no outputs");
  pb::ModelProto model = small_model();
  auto* graph = model.mutable_graph();
  const int count = kSanitized ? 100'000 : 1'000'000;
  for (int i = 0; i < count; ++i) {
    auto* node = graph->add_node();
    node->set_op_type("Neg");
    node->add_input(i == 0 ? "y" : "v" + std::to_string(i - 1));
    node->add_output("v" + std::to_string(i));
  }
  EXPECT_EQ(read_back(model).nodes.size(), static_cast<size_t>(count) + 1);
}

TEST(BadInput, RepeatedAttributesAndMetadata) {
  refusal([](pb::ModelProto& m) {
    for (int i = 0; i < 2; ++i) {
      auto* attribute = m.mutable_graph()->mutable_node(0)->add_attribute();
      attribute->set_name("axis");
      attribute->set_type(pb::AttributeProto::INT);
    }
  });
  refusal([](pb::ModelProto& m) {
    for (int i = 0; i < 2; ++i) m.add_metadata_props()->set_key("k");
  });
  refusal([](pb::ModelProto& m) { m.mutable_graph()->mutable_node(0)->add_attribute()->set_name("axis"); });
}

}  // namespace
}  // namespace effdet::onnx
