// Weights outside of the ONNX file: what may be opened, and what may not.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "onnx/official_checker.h"
#include "onnx/test_util.h"
#include "onnx/writer.h"

namespace effdet::onnx {
namespace {

namespace fs = std::filesystem;

void put_entry(pb::TensorProto& tensor, const std::string& key, const std::string& value) {
  auto* entry = tensor.add_external_data();
  entry->set_key(key);
  entry->set_value(value);
}

/// small_model with w at a location.
pb::ModelProto external_model(const std::string& location) {
  pb::ModelProto model = small_model();
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.clear_float_data();
  tensor.set_data_location(pb::TensorProto::EXTERNAL);
  put_entry(tensor, "location", location);
  return model;
}

pb::ModelProto external_model_with(const std::vector<std::pair<std::string, std::string>>& entries) {
  pb::ModelProto model = external_model("w.bin");
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  for (const auto& [key, value] : entries) put_entry(tensor, key, value);
  return model;
}

/// A folder with w.bin: 4 bytes of header, then the floats 3 and 4.
struct FolderWithWeights : TestFolder {
  FolderWithWeights() : TestFolder("onnx") {
    const float values[] = {0, 3, 4};
    write_file(*this / "w.bin", std::as_bytes(std::span(values)), false);
  }
};

TEST(ExternalData, ReadsFilesOfTheFolder) {
  const FolderWithWeights folder;
  const ir::Graph graph = read_onnx(save(external_model_with({{"offset", "4"}, {"length", "8"}}), folder.path()));
  const Tensor* w = graph.constant(graph.find_value("w"));
  EXPECT_EQ(w->data<float>()[0], 3);
  EXPECT_EQ(w->data<float>()[1], 4);
  fs::create_directories(folder / "sub");
  fs::copy_file(folder / "w.bin", folder / "sub" / "w.bin");
  EXPECT_NO_THROW(read_onnx(save(external_model("./sub/w.bin"), folder.path())));
  EXPECT_NO_THROW(read_onnx(save(external_model_with({{"offset", "1"}}), folder.path())));  // not aligned: copied
}

/// As people do it: in the model's folder, by its name alone.
TEST(ExternalData, ReadsFilesOfTheCurrentFolder) {
  const FolderWithWeights folder;
  save(external_model_with({{"offset", "4"}, {"checksum", "of the file, which is not looked at"}}), folder.path());
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const ir::Graph graph = read_onnx("m.onnx");
  fs::current_path(before);
  EXPECT_EQ(graph.constant(graph.find_value("w"))->data<float>()[0], 3);
}

TEST(ExternalData, WritesLargeWeightsBeside) {
  const TestFolder folder("onnx");
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1000});
  const auto small = graph.add_constant("small", Tensor::scalar(2.0f));
  std::vector<float> values(1000, 1);
  values[999] = 5;
  const auto one = graph.add_constant("one", Tensor::from<float>({1000}, values));
  values[0] = 7;
  const auto two = graph.add_constant("two", Tensor::from<float>({1000}, values));
  graph.outputs = {graph.add_node("Sum", "y", {x, small, one, two})};
  graph.value(graph.outputs[0]).shape = Shape{1000};
  const auto files = write_onnx(graph, folder / "m.onnx", WeightPlacement::kBeside);
  ASSERT_EQ(files, (std::vector{folder / "m.onnx", folder / "m.onnx.data"}));
  EXPECT_LT(fs::file_size(files[0]), 1000u);
  EXPECT_EQ(fs::file_size(files[1]), 4032u + 4000u);  // the second begins at a multiple of 64
  const ir::Graph read = read_onnx(files[0]);
  EXPECT_EQ(read.constant(read.find_value("small"))->data<float>()[0], 2);
  EXPECT_EQ(read.constant(read.find_value("one"))->data<float>()[999], 5);
  EXPECT_EQ(read.constant(read.find_value("two"))->data<float>()[0], 7);
  // Over itself, while the old file is mapped; and back into one file.
  EXPECT_EQ(write_onnx(read, files[0], WeightPlacement::kBeside).size(), 2u);
  EXPECT_EQ(write_onnx(read_onnx(files[0]), folder / "inside.onnx").size(), 1u);
  const ir::Graph inside = read_onnx(folder / "inside.onnx");
  EXPECT_EQ(inside.constant(inside.find_value("two"))->data<float>()[0], 7);
}

TEST(WriteOnnx, LeavesWeightsOut) {
  const TestFolder folder("onnx");
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1000});
  graph.outputs = {graph.add_node("Add", "y", {x, graph.add_constant("w", Tensor(DType::kF32, {1000}))})};
  graph.value(graph.outputs[0]).shape = Shape{1000};
  const auto files = write_onnx(graph, folder / "m.onnx", WeightPlacement::kLeftOut);
  EXPECT_EQ(files.size(), 1u);
  EXPECT_LT(fs::file_size(files[0]), 300u);
  EXPECT_NO_THROW(check_onnx(files[0]));
}

/// Initializers that are no constants, such as strings, stay inside; and a pipe has nothing beside it.
TEST(ExternalData, WhatCannotLieBeside) {
  pb::ModelProto model = small_model();
  auto* words = model.mutable_graph()->add_initializer();
  words->set_name("words");
  words->set_data_type(pb::TensorProto::STRING);
  words->add_dims(1);
  words->add_string_data(std::string(5000, 'x'));
  model.mutable_graph()->mutable_node(0)->add_input("words");
  const ir::Graph graph = read_back(model);
  const TestFolder folder("onnx");
  const auto files = write_onnx(graph, folder / "out.onnx", WeightPlacement::kBeside);
  EXPECT_EQ(fs::file_size(files.at(1)), 0u);
  const ir::Graph read = read_onnx(files[0]);
  EXPECT_NE(read.value(read.find_value("words")).initializer, nullptr);
  EXPECT_EQ(read.constant(read.find_value("w"))->data<float>()[1], 2);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  try {
    write_onnx(graph, folder / "pipe", WeightPlacement::kBeside);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_CONTAINS(std::string(error.what()), "pipe: is no regular file");
  }
}

TEST(ExternalData, ReadsMoreThanProtobufHolds) {
  const TestFolder folder("onnx");
  const uint64_t count = (uint64_t{5} << 30) / sizeof(float);  // a hole: it takes neither disk nor memory
  write_file(folder / "w.bin", std::string("x"), false);
  fs::resize_file(folder / "w.bin", count * sizeof(float));
  pb::ModelProto model = external_model("w.bin");
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, static_cast<int64_t>(count));
  const ir::Graph graph = read_onnx(save(model, folder.path()));
  EXPECT_EQ(graph.constant(graph.find_value("w"))->data<float>()[count - 1], 0);
}

TEST(BadInput, Case51_PathsThatLeadElsewhere) {
  const FolderWithWeights folder;
  fs::create_directories(folder / "model" / "sub");
  const auto inner = folder / "model";
  ::mkfifo((inner / "fifo").c_str(), 0600);
  for (const std::string& location :
       {std::string("../w.bin"), std::string("sub/../../w.bin"), std::string("sub/.."), (folder / "w.bin").string(),
        std::string(), std::string("w\0.bin", 6), std::string("sub"), std::string("."), std::string("fifo"),
        std::string("/dev/zero"), std::string("/etc/passwd"), std::string("missing.bin")}) {
    const std::string message = refusal(save(external_model(location), inner));
    EXPECT_CONTAINS(message, "'w'");
  }
}

TEST(BadInput, Case52_Links) {
  const FolderWithWeights folder;
  const auto inner = folder / "model";
  fs::create_directories(inner / "real");
  fs::copy_file(folder / "w.bin", inner / "real" / "w.bin");
  fs::create_symlink("../w.bin", inner / "last");
  fs::create_directory_symlink("real", inner / "parent");
  fs::create_hard_link(folder / "w.bin", inner / "hard");
  EXPECT_CONTAINS(refusal(save(external_model("last"), inner)), "link");
  EXPECT_CONTAINS(refusal(save(external_model("parent/w.bin"), inner)), "link");
  EXPECT_CONTAINS(refusal(save(external_model("hard"), inner)), "link");
  EXPECT_NO_THROW(read_onnx(save(external_model("real/w.bin"), inner)));
}

TEST(BadInput, Case53_Ranges) {
  const FolderWithWeights folder;
  for (const char* offset :
       {"5", "12", "18446744073709551608", "18446744073709551616", "-4", "abc", "", " 4", "0x4", "4.0"})
    EXPECT_CONTAINS(refusal(save(external_model_with({{"offset", offset}}), folder.path())), "offset");
  for (const char* length : {"4", "12", "0", "-8", "18446744073709551615", "abc"})
    refusal(save(external_model_with({{"length", length}}), folder.path()));
}

TEST(BadInput, Case53_ShortFiles) {
  const FolderWithWeights folder;
  const auto path = save(external_model_with({{"offset", "4"}, {"length", "8"}}), folder.path());
  for (uint64_t size : {0, 4, 11}) {
    fs::resize_file(folder / "w.bin", size);
    EXPECT_CONTAINS(refusal(path), "'w'");
  }
  fs::remove(folder / "w.bin");
  EXPECT_CONTAINS(refusal(path), "w.bin");
}

TEST(BadInput, Case54_Keys) {
  const FolderWithWeights folder;
  EXPECT_CONTAINS(refusal(save(external_model_with({{"offset", "0"}, {"offset", "4"}}), folder.path())), "twice");
  EXPECT_CONTAINS(refusal(save(external_model_with({{"location", "w.bin"}}), folder.path())), "twice");
  EXPECT_CONTAINS(refusal(save(external_model_with({{"basepath", "/"}}), folder.path())), "basepath");
  pb::ModelProto strings = external_model_with({});
  strings.mutable_graph()->mutable_initializer(0)->set_data_type(pb::TensorProto::STRING);
  EXPECT_CONTAINS(refusal(save(strings, folder.path()), ErrorCode::kUnsupported),
                  "initializer 'w': element type string is not supported in external data");
  pb::ModelProto both = external_model_with({});
  both.mutable_graph()->mutable_initializer(0)->add_float_data(1);
  refusal(save(both, folder.path()));
  pb::ModelProto neither = external_model_with({});
  neither.mutable_graph()->mutable_initializer(0)->clear_external_data();
  refusal(save(neither, folder.path()));
  pb::ModelProto not_external = external_model_with({});
  not_external.mutable_graph()->mutable_initializer(0)->clear_data_location();
  refusal(save(not_external, folder.path()));
}

}  // namespace
}  // namespace effdet::onnx
