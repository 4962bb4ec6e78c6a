// Writing small ONNX files in tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "onnx/model_file.h"
#include "onnx/reader.h"
#include "support/test_folder.h"

namespace effdet::onnx {

using test::TestFolder;

/// y = x + w with w = {1, 2}: legal, and each bad input is one edit away.
inline pb::ModelProto small_model() {
  pb::ModelProto model;
  model.set_ir_version(7);
  auto* opset = model.add_opset_import();
  opset->set_version(11);
  auto* graph = model.mutable_graph();
  graph->set_name("small");
  const auto put_port = [](pb::ValueInfoProto* port, const char* name) {
    port->set_name(name);
    auto* type = port->mutable_type()->mutable_tensor_type();
    type->set_elem_type(pb::TensorProto::FLOAT);
    type->mutable_shape()->add_dim()->set_dim_value(2);
  };
  put_port(graph->add_input(), "x");
  put_port(graph->add_output(), "y");
  auto* w = graph->add_initializer();
  w->set_name("w");
  w->set_data_type(pb::TensorProto::FLOAT);
  w->add_dims(2);
  w->add_float_data(1);
  w->add_float_data(2);
  auto* node = graph->add_node();
  node->set_op_type("Add");
  node->set_name("sum");
  node->add_input("x");
  node->add_input("w");
  node->add_output("y");
  return model;
}

inline std::filesystem::path save(const pb::ModelProto& model, const std::filesystem::path& folder) {
  const auto path = folder / "m.onnx";
  write_file(path, model.SerializeAsString(), false);
  return path;
}

/// What read_onnx makes of a file of the model.
inline ir::Graph read_back(const pb::ModelProto& model) {
  const TestFolder folder("onnx");
  return read_onnx(save(model, folder.path()));
}

/// The message of the error that reading the model gives; fails the test where it is accepted. The message must name
/// the file and be one line.
inline std::string refusal(const std::filesystem::path& path, ErrorCode code = ErrorCode::kBadInput) {
  try {
    read_onnx(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.code(), code) << message;
    EXPECT_NE(message.find("m.onnx"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  ADD_FAILURE() << "the model was accepted";
  return "";
}

inline std::string refusal(const std::function<void(pb::ModelProto&)>& edit, ErrorCode code = ErrorCode::kBadInput) {
  pb::ModelProto model = small_model();
  edit(model);
  const TestFolder folder("onnx");
  return refusal(save(model, folder.path()), code);
}

#define EXPECT_CONTAINS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

}  // namespace effdet::onnx
