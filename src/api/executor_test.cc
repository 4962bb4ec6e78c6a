// Images as the input of any model.
#include "effdet/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "effdet/detector.h"
#include "effdet/image.h"
#include "effdet/onnx_model.h"
#include "support/test_folder.h"

namespace effdet {
namespace {

constexpr const char* kShapesCheckpoint = EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth";

RgbImage gradient() {
  RgbImage image{90, 70, {}};
  for (int i = 0; i < 90 * 70 * 3; ++i) image.pixels.push_back(static_cast<unsigned char>(i * 7));
  return image;
}

TEST(Executor, ModelsWithPreprocessingOfTheirOwnTakeImages) {
  const test::TestFolder folder("executor");
  std::ofstream(folder / "aipp.cfg") << "aipp_op {\n  aipp_mode: static\n  input_format: RGB888_U8\n"
                                        "  mean_chn_0: 124 mean_chn_1: 116 mean_chn_2: 104\n"
                                        "  var_reci_chn_0: 0.0171 var_reci_chn_1: 0.0175 var_reci_chn_2: 0.0174\n}\n";
  const OnnxModel network = OnnxModel::from_checkpoint(kShapesCheckpoint, {.height = 128, .width = 128});
  const CompiledModel model = CompiledModel::compile(
      network,
      {.input_shapes = {{network.inputs().at(0).name, {2, 3, 128, 128}}}, .insert_op_conf = folder / "aipp.cfg"});
  model.save(folder / "m.om");
  write_image(folder / "a.png", gradient());

  Executor executor = Executor::open(folder / "m.om", {.engine = Executor::Engine::kNative, .threads = 1});
  const HostTensor input = executor.image(folder / "a.png");
  EXPECT_EQ(input.dtype, "uint8");
  EXPECT_EQ(input.shape, model.inputs().at(0).shape);
  const size_t bytes = input.bytes.size() / 2;
  std::vector<std::byte> sample(bytes);
  ImageInput(model).read(folder / "a.png", sample);
  for (size_t image = 0; image < 2; ++image)
    EXPECT_TRUE(std::equal(sample.begin(), sample.end(), input.bytes.begin() + static_cast<ptrdiff_t>(image * bytes)));
  EXPECT_EQ(executor.run({&input, 1}).size(), model.outputs().size());

  size_t calls = 0;
  const auto throwing = [&](const HostTensor&, const std::string&, const std::string&) {
    ++calls;
    throw std::runtime_error("no room");
  };
  EXPECT_THROW(executor.run({&input, 1}, throwing), std::runtime_error);
  EXPECT_EQ(executor.run({&input, 1}).size(), model.outputs().size());
  EXPECT_EQ(calls, 1u) << "the next run has no observer";
}

}  // namespace
}  // namespace effdet
