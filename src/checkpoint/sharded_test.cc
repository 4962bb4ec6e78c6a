// Weights in several files, and their indices, good and hostile.
#include "checkpoint/sharded.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/test_files.h"
#include "support/test_folder.h"

namespace effdet::checkpoint {
namespace {

namespace fs = std::filesystem;
using test::TestFolder;

/// A safetensors file with float32 tensors of one element each.
std::string safetensors_of(const std::vector<std::string>& names) {
  std::string header, data;
  for (const std::string& name : names) {
    header += fmt::format(R"({}"{}":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}})", header.empty() ? "" : ",",
                          name, data.size(), data.size() + 4);
    append_le(data, static_cast<float>(data.size()));
  }
  header = "{" + header + "}";
  std::string file;
  append_le(file, static_cast<uint64_t>(header.size()));
  return file + header + data;
}

/// A folder with two shards, of which the second is what torch.save writes, and their index.
class Sharded : public testing::Test {
 protected:
  void SetUp() override {
    write("a.safetensors", safetensors_of({"model.x", "model.y"}));
    write("b.bin", small_checkpoint());  // "w": [2, 3]
    write("m.index.json", index_);
  }
  void write(const std::string& name, const std::string& content) { write_file(folder_.path() / name, content); }

  Checkpoint read(const ReadOptions& options = {}) { return read_checkpoint(folder_.path() / "m.index.json", options); }
  /// The message with the index changed to this.
  std::string error_with(const std::string& index) {
    write("m.index.json", index);
    return error();
  }
  std::string error() {
    try {
      read();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
      return error.what();
    }
    return "";
  }
  static bool contains(const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
    return text.find(part) != std::string::npos;
  }

  TestFolder folder_{"sharded"};
  const std::string index_ =
      R"({"metadata": {"total_size": 32, "more": [1, {"x": null}]},
          "weight_map": {"model.x": "a.safetensors", "w": "b.bin", "model.y": "a.safetensors"}, "other": [true]})";
};

TEST_F(Sharded, TensorsOfAllShardsMakeOneCheckpoint) {
  const Checkpoint checkpoint = read();
  ASSERT_EQ(checkpoint.tensors.size(), 3u);
  EXPECT_EQ(checkpoint.files, 2u);
  EXPECT_EQ(checkpoint.tensors[1].name, "model.y");
  EXPECT_EQ(checkpoint.tensors[1].tensor.data<float>()[0], 4.0f);
  EXPECT_EQ(checkpoint.tensors[2].tensor.data<float>()[5], 5.0f);
  EXPECT_EQ(read_checkpoint(folder_.path()).tensors.size(), 3u) << "the folder stands for its index";
}

TEST_F(Sharded, PrefixesAreThoseOfAllShardsTogether) {
  write("b.bin", safetensors_of({"model.w"}));
  write("m.index.json",
        R"({"weight_map": {"model.x": "a.safetensors", "model.w": "b.bin", "model.y": "a.safetensors"}})");
  EXPECT_EQ(read().tensors[2].name, "w");
  EXPECT_EQ(read({.keep_names = true}).tensors[2].name, "model.w");
}

TEST_F(Sharded, FoldersWithOneFileNeedNoIndex) {
  const TestFolder other("sharded");
  write_file(other.path() / "model.safetensors", safetensors_of({"x"}));
  EXPECT_EQ(read_checkpoint(other.path()).tensors.size(), 1u);
}

TEST_F(Sharded, FoldersThatDoNotTell) {
  const TestFolder empty("sharded");
  EXPECT_THROW(read_checkpoint(empty.path()), Error);
  write("n.index.json", index_);
  EXPECT_THROW(read_checkpoint(folder_.path()), Error);
}

TEST_F(Sharded, AShardAloneIsNoModel) {
  fs::rename(folder_.path() / "a.safetensors", folder_.path() / "model-00001-of-00002.safetensors");
  try {
    read_checkpoint(folder_.path() / "model-00001-of-00002.safetensors");
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(contains(error.what(), "is one of several shards"));
  }
  fs::rename(folder_.path() / "model-00001-of-00002.safetensors", folder_.path() / "model-00001-of-00001.safetensors");
  EXPECT_EQ(read_checkpoint(folder_.path() / "model-00001-of-00001.safetensors").tensors.size(), 2u);
}

/// Names that only look like those of shards.
TEST_F(Sharded, OtherNamesAreWholeModels) {
  for (const char* stem : {"model_00001-of-00002", "model-0000x-of-00002", "model-00001_of_00002",
                           "model-00001-of-0000x", "model-00001-of-00001", "-of-00002"}) {
    const fs::path path = folder_.path() / (std::string(stem) + ".safetensors");
    fs::copy_file(folder_.path() / "a.safetensors", path);
    EXPECT_EQ(read_checkpoint(path).tensors.size(), 2u) << stem;
  }
}

TEST_F(Sharded, IndicesOfTheCurrentFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  const Checkpoint checkpoint = read_checkpoint("m.index.json");
  fs::current_path(before);
  EXPECT_EQ(checkpoint.tensors.size(), 3u);
}

/// total_size counts, or does not count, bytes that two names share; elsewhere it says nothing.
TEST_F(Sharded, TotalSizes) {
  PickleBuilder both;
  both.raw("}(").unicode("v").tensor("0", 6, 0, {6}, {1}).unicode("w").tensor("0", 6, 0, {6}, {1}).raw("u");
  write("b.bin", make_checkpoint(both.stop(), {small_storage()}));
  const auto index = [](const std::string& metadata) {
    return R"({"total_size": 1, "list": [{"total_size": 2}], "metadata": )" + metadata +
           R"(, "weight_map": {"v": "b.bin", "w": "b.bin"}})";
  };
  for (const char* metadata : {R"({"total_size": 24})", R"({"total_size": 48})", R"({"total_size": [7]})",
                               R"({"more": {"total_size": 8}})", R"({"size": 9})", R"({"total_size": 1e300})", "5"}) {
    write("m.index.json", index(metadata));
    EXPECT_EQ(read().tensors.size(), 2u) << metadata;
  }
  EXPECT_TRUE(
      contains(error_with(index(R"({"total_size": 32})")), "total_size is 32, but the shards' tensors have 48"));
}

/// Some writers have 3.2e1.
TEST_F(Sharded, SizesMayBeFloats) {
  std::string index = index_;
  write("m.index.json", index.replace(28, 2, "3.2e1"));
  EXPECT_EQ(read().tensors.size(), 3u);
  EXPECT_TRUE(contains(error_with(index.replace(28, 5, "4.0e0")), "total_size is 4"));
  write("m.index.json", index.replace(28, 5, "-1.50"));  // says nothing
  EXPECT_EQ(read().tensors.size(), 3u);
}

TEST_F(Sharded, TensorsThatCannotBeUsedStayForeign) {
  PickleBuilder both;
  both.raw("}(")
      .unicode("w")
      .tensor("0", 3, 0, {3}, {1}, "ComplexFloatStorage")
      .unicode("v")
      .tensor("1", 6, 0, {6}, {1});
  write("b.bin", make_checkpoint(both.raw("u").stop(), {small_storage(), small_storage()}));
  write("m.index.json", R"({"weight_map": {"v": "b.bin", "w": "b.bin"}})");
  const Checkpoint checkpoint = read();
  ASSERT_EQ(checkpoint.tensors.size(), 1u);
  EXPECT_EQ(checkpoint.tensors[0].name, "v");
  ASSERT_EQ(checkpoint.foreign.size(), 1u);
  EXPECT_EQ(checkpoint.foreign[0].name, "w");
  EXPECT_EQ(checkpoint.foreign[0].type, "complex64");
}

TEST_F(Sharded, BadInput_PathsThatLeadAway) {
  const auto index = [](const std::string& file) { return R"({"weight_map": {"x": ")" + file + R"("}})"; };
  EXPECT_TRUE(contains(error_with(index("../a.safetensors")), "outside of the model's folder"));
  EXPECT_TRUE(contains(error_with(index("sub/../../a.safetensors")), "outside of the model's folder"));
  EXPECT_TRUE(contains(error_with(index("/etc/passwd")), "absolute path '/etc/passwd' is refused"));
  EXPECT_TRUE(contains(error_with(index("")), "no location"));
  EXPECT_TRUE(contains(error_with(index("nothing.bin")), "cannot open 'nothing.bin'"));
  EXPECT_TRUE(contains(error_with(index("m.index.json")), "an index of shards where a shard belongs"));
  EXPECT_TRUE(contains(error_with(index("a\\u0000b")), "NUL"));
  fs::create_symlink("a.safetensors", folder_.path() / "link.safetensors");
  EXPECT_TRUE(contains(error_with(index("link.safetensors")), "is a link"));
  fs::create_directory_symlink(folder_.path(), folder_.path() / "sub");
  EXPECT_TRUE(contains(error_with(index("sub/a.safetensors")), "is a link"));
  fs::create_directory(folder_.path() / "folder.bin");
  EXPECT_TRUE(contains(error_with(index("folder.bin")), "is no regular file"));
}

TEST_F(Sharded, BadInput_IndexAndShardsThatDisagree) {
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"model.x": "a.safetensors", "w": "b.bin"}})"),
                       "has the tensor 'model.y', which the index does not name"));
  EXPECT_TRUE(contains(
      error_with(
          R"({"weight_map": {"model.x": "a.safetensors", "model.y": "a.safetensors", "w": "b.bin", "v": "b.bin"}})"),
      "tensor 'v' is in the shard 'b.bin', but it is not there"));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"model.x": "b.bin", "model.y": "a.safetensors", "w": "b.bin"}})"),
                       "is in the shard 'a.safetensors', but the index says 'b.bin'"));
  EXPECT_TRUE(contains(error_with(index_.substr(0, 28) + "4" + index_.substr(30)), "total_size is 4"));
  // The same tensor in two shards.
  write("b.bin", safetensors_of({"model.x", "w"}));
  EXPECT_TRUE(contains(error_with(index_), "'model.x' is in the shard"));
  fs::remove(folder_.path() / "b.bin");
  EXPECT_TRUE(contains(error_with(index_), "cannot open 'b.bin'"));
}

TEST_F(Sharded, BadInput_IndicesThatAreTooLarge) {
  std::string many;
  for (int i = 0; i <= 4096; ++i) many += fmt::format(R"({}"t{}": "f{}")", i == 0 ? "" : ",", i, i);
  write("m.index.json", R"({"weight_map": {)" + many + "}}");
  try {
    read();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_TRUE(contains(error.what(), "m.index.json: 4097 shards; 4096 are the most"));
  }
  write("m.index.json", index_ + std::string(64 << 20, ' '));
  EXPECT_TRUE(contains(error(), "bytes; 67108864 are the most"));
}

TEST_F(Sharded, BadInput_IndicesThatMakeNoSense) {
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"": "a"}})"), "the tensor's name '' is not UTF-8"));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"a\u0000b": "a"}})"), "is not UTF-8"));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {}})"), "is empty"));
  EXPECT_TRUE(contains(error_with(R"({"x": {"weight_map": {"x": "a.safetensors"}}})"), "has no \"weight_map\""));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"x": 3}})"), "file of 'x' is not text"));
  for (const char* value : {"-3", "2.5", "null", "true"})
    EXPECT_TRUE(
        contains(error_with(fmt::format(R"({{"weight_map": {{"x": {}}}}})", value)), "file of 'x' is not text"));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"x": ["a.safetensors"]}})"), "file of 'x' is not text"));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"x": {"y": "a.safetensors"}}})"), "file of 'x' is not text"));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"x": "a", "x": "a"}})"), "there twice"));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"x": "a"}, "weight_map": {"y": "a"}})"), "there twice"));
  EXPECT_TRUE(contains(error_with(R"({"weight_map": {"x": "a)"), "not JSON at byte"));
  EXPECT_TRUE(contains(error_with("{\"weight_map\": " + std::string(1 << 20, '[')), "not JSON"));
}

}  // namespace
}  // namespace effdet::checkpoint
