// Checkpoints against models: what is missing, left over or of another shape is told in one error.
#include "model/weights.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/test_checkpoint.h"

namespace effdet::model {
namespace {

ModelConfig small_config() {
  ModelConfig config = default_config(*find_variant("tf_efficientdet_d0"), 5);
  config.image_height = config.image_width = 128;
  return config;
}

TEST(Weights, Float32SharesTheCheckpointsBytes) {
  const checkpoint::Checkpoint checkpoint = zero_checkpoint(small_config());
  const ir::Graph graph = build_graph(small_config(), checkpoint);
  const Tensor* stem = graph.constant(graph.find_value("backbone.conv_stem.weight"));
  ASSERT_NE(stem, nullptr);
  EXPECT_EQ(stem->bytes().data(), checkpoint.tensors.front().tensor.bytes().data());
}

TEST(Weights, OtherFloatsAreConverted) {
  for (DType dtype : {DType::kF16, DType::kBF16, DType::kF64}) {
    checkpoint::Checkpoint checkpoint = zero_checkpoint(small_config());
    const Tensor ones = Tensor::from<float>({32, 3, 3, 3}, std::vector<float>(864, 1.5f));
    tensor_named(checkpoint, "backbone.conv_stem.weight").tensor = ones.to(dtype);
    const ir::Graph graph = build_graph(small_config(), checkpoint);
    const Tensor* stem = graph.constant(graph.find_value("backbone.conv_stem.weight"));
    ASSERT_NE(stem, nullptr);
    EXPECT_EQ(stem->dtype(), DType::kF32);
    EXPECT_EQ(stem->data<float>()[863], 1.5f);
  }
}

TEST(Weights, CountersAndAnchorsAreIgnored) {
  checkpoint::Checkpoint checkpoint = zero_checkpoint(small_config());
  std::erase_if(checkpoint.tensors,
                [](const checkpoint::NamedTensor& t) { return t.name.ends_with("num_batches_tracked"); });
  checkpoint.tensors.push_back({"anchors.boxes", Tensor(DType::kF32, {3069, 4})});
  EXPECT_NO_THROW(build_graph(small_config(), checkpoint));
  EXPECT_TRUE(is_ignored_tensor("backbone.bn1.num_batches_tracked"));
  EXPECT_FALSE(is_ignored_tensor("my_anchors.boxes"));
}

TEST(BadInput, Weights_OneErrorCountsAndNamesWhatDoesNotFit) {
  checkpoint::Checkpoint checkpoint = zero_checkpoint(small_config());
  std::erase_if(checkpoint.tensors,
                [](const checkpoint::NamedTensor& t) { return t.name.starts_with("box_net.bn_rep.0."); });
  tensor_named(checkpoint, "backbone.bn1.weight").tensor = Tensor(DType::kF32, {7});
  tensor_named(checkpoint, "backbone.bn1.bias").tensor = Tensor(DType::kI64, {32});
  checkpoint.tensors.push_back({"optimizer.step", Tensor::scalar(1.0f)});
  const std::string error = error_of([&] { build_graph(small_config(), checkpoint); });
  EXPECT_EQ(
      error,
      "model.pth: does not fit tf_efficientdet_d0 with 5 classes: 20 tensors missing (box_net.bn_rep.0.0.bn.weight 64, "
      "box_net.bn_rep.0.0.bn.bias 64, box_net.bn_rep.0.0.bn.running_mean 64, box_net.bn_rep.0.0.bn.running_var 64, "
      "...), 1 left over (optimizer.step scalar), 2 of another shape (backbone.bn1.weight: 7 where 32 is expected, "
      "backbone.bn1.bias: 32 of int64 where 32 is expected)");
}

TEST(BadInput, Weights_TypesThatWeightsDoNotHaveMatterOnlyWhereTheyAreNeeded) {
  checkpoint::Checkpoint checkpoint = zero_checkpoint(small_config());
  checkpoint.foreign.push_back({"beside.the.model", "sparse"});
  EXPECT_NO_THROW(build_graph(small_config(), checkpoint));
  std::erase_if(checkpoint.tensors, [](const checkpoint::NamedTensor& t) { return t.name == "backbone.bn1.weight"; });
  checkpoint.foreign.push_back({"backbone.bn1.weight", "float8_e4m3fn"});
  try {
    build_graph(small_config(), checkpoint);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_STREQ(error.what(),
                 "model.pth: does not fit tf_efficientdet_d0 with 5 classes: 1 of a type that weights do not have "
                 "(backbone.bn1.weight: float8_e4m3fn)");
  }
}

TEST(BadInput, Weights_EmptyCheckpoint) {
  const checkpoint::Checkpoint checkpoint{"empty.pth", "", {}};
  EXPECT_NE(error_of([&] { build_graph(small_config(), checkpoint); }).find("tensors missing"), std::string::npos);
}

}  // namespace
}  // namespace effdet::model
