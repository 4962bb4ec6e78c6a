// Models for GPUs as the public classes make them, on a machine without one.
#include <gtest/gtest.h>

#include <algorithm>

#include "effdet/compiled_model.h"
#include "effdet/error.h"
#include "effdet/onnx_model.h"
#include "support/test_folder.h"

namespace effdet {
namespace {

constexpr const char* kShapes = EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth";

bool runs_all_itself(const CompiledModel& model) {
  return std::ranges::all_of(model.steps(), [](const CompiledModel::Step& step) {
    return step.implementation.starts_with("cuda:") && step.implementation != "cuda:on_host";
  });
}

TEST(GpuModel, ACheckpointIsOpenedWithItsCandidatesChosenOnTheGpu) {
  const CompiledModel model =
      CompiledModel::open(kShapes, {.height = 128, .width = 128, .precision = Precision::kFloat16, .device = "cuda:1"});
  EXPECT_EQ(model.device(), "cuda:1");
  EXPECT_EQ(model.device_note(), "");
  EXPECT_TRUE(runs_all_itself(model));
  ASSERT_EQ(model.outputs().size(), 2u);
  EXPECT_EQ(model.outputs()[0].shape, (std::vector<int64_t>{1, 5000, 7}));
  EXPECT_EQ(model.steps().back().op, "TopCandidates");
}

TEST(GpuModel, AFileNamesNoGpu) {
  const test::TestFolder folder("gpu_model");
  CompiledModel::compile(OnnxModel::open(kShapes, {.height = 128, .width = 128}),
                         {.device = "cuda:1", .precision = Precision::kBfloat16})
      .save(folder / "m.om");
  EXPECT_EQ(CompiledModel::load(folder / "m.om").device(), "cuda");
  const CompiledModel second = CompiledModel::load(folder / "m.om", "cuda:2");
  EXPECT_EQ(second.device(), "cuda:2");
  EXPECT_TRUE(runs_all_itself(second));
  EXPECT_EQ(second.outputs().size(), 10u) << "raw heads, as in the ONNX file";
  EXPECT_THROW(CompiledModel::load(folder / "m.om", "cpu"), Error);
}

}  // namespace
}  // namespace effdet
