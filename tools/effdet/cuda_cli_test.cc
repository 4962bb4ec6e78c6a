// Commands and GPUs, on machines without one: models are compiled for them, and each says what is missing.
#include <gtest/gtest.h>

#include <string>

#include "scenes_fixture.h"

namespace {

using effdet::test::contains, effdet::test::Result;

class Gpu : public effdet::test::ScenesFixture {
 protected:
  static void SetUpTestSuite() {
    make_once("cuda_cli",
              "atc --framework=5 --model=m.onnx --output=g --soc_version=cuda --precision_mode=force_fp16 && "
              "printf '%s\\n' '/box_net/*' > keep.txt && "
              "atc --framework=5 --model=m.onnx --output=mixed --soc_version=cuda "
              "--precision_mode=allow_mix_precision --keep_dtype=keep.txt");
  }
  Gpu() : ScenesFixture("cuda_cli", {"m.om", "m.onnx", "g.om", "mixed.om"}) {}

  void expect_refusal(const std::string& command, int code, const std::string& text) const {
    const Result result = sh(command);
    EXPECT_EQ(result.code, code) << command << result.error;
    EXPECT_TRUE(contains(result.out + result.error, text)) << command << ": " << result.out << result.error;
  }
};

TEST_F(Gpu, ModelsAreCompiledAndListed) {
  for (const char* model : {"g.om", "mixed.om"}) {
    const Result steps = sh("effdet info --steps " + std::string(model));
    EXPECT_EQ(steps.code, 0) << steps.error;
    EXPECT_TRUE(contains(steps.out, "cuda:expand_depthwise"));
    EXPECT_FALSE(contains(steps.out, "cuda:on_host")) << steps.out;
  }
}

TEST_F(Gpu, WhatIsMissingIsSaid) {
  const std::string bench = "effdet bench --infer-only --runs 1 --warmup 0 ";
  // A driver may be there: the message is then of a GPU, or all is well.
  for (const std::string& command : {bench + "g.om", bench + "m.onnx --precision fp16 --device cuda"}) {
    const Result result = sh(command);
    EXPECT_TRUE(result.code == 0 || (result.code == 5 && contains(result.error, "device cuda"))) << result.error;
  }
}

TEST_F(Gpu, OtherDevicesAndPrecisionsAreRefused) {
  const std::string bench = "effdet bench --infer-only --runs 1 ";
  expect_refusal(bench + "g.om --device cpu", 2, "compiled for the device cuda, not for cpu");
  expect_refusal(bench + "m.om --device cuda", 2, "compiled for the device cpu, not for cuda");
  expect_refusal(bench + "g.om --device cuda:x", 2, "'x' is no number of a GPU");
  expect_refusal(bench + "m.onnx --device cuda:-1", 2, "'-1' is no number of a GPU");
  expect_refusal(bench + "m.onnx --precision fp16", 5, "'cpu' does not compute in float16");
  expect_refusal(bench + "g.om --precision fp32", 2, "was compiled for fp16");
  expect_refusal("atc --framework=5 --model=m.onnx --output=x --soc_version=cuda --auto_tune_mode=RL", 5,
                 "autotuning measures the processor");
}

}  // namespace
