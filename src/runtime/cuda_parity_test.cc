// Networks on a GPU against PyTorch in float64 (testdata/make_parity_golden.py). With EFFDET_TEST_GPU in the
// environment D0 to D7 at their own sizes on the first GPU, by the file that EFFDET_PARITY_GOLDEN names; or else a
// small D0 on its twin, which shows that the comparison works where no GPU is.
#include <gtest/gtest.h>

#include <cstdlib>

#include "compiler/compile.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/host_api.h"
#include "kernels/cuda/module.h"
#include "model/builder.h"
#include "model/init.h"
#include "runtime/engine.h"
#include "support/parity_golden.h"

namespace effdet::runtime {
namespace {

bool has_gpu() { return std::getenv("EFFDET_TEST_GPU") != nullptr; }

std::vector<test::GoldenModel> golden_models() {
  const std::filesystem::path folder = EFFDET_SOURCE_DIR "/testdata/parity";
  const char* file = std::getenv("EFFDET_PARITY_GOLDEN");
  if (file != nullptr) return test::read_golden(file);
  if (has_gpu()) return test::read_golden(folder / "devices.txt");
  std::vector<test::GoldenModel> models = test::read_golden(folder / "outputs.txt");
  std::erase_if(models, [](const test::GoldenModel& model) { return model.model != "tf_efficientdet_d0"; });
  return models;
}

class CudaParity : public testing::TestWithParam<test::GoldenModel> {
 protected:
  std::vector<Tensor> outputs_of(const ir::Graph& graph, const Tensor& input, Precision precision) const {
    const auto engine =
        std::make_shared<Engine>(compiler::compile(graph, {.target = device_->target(), .precision = precision}));
    for (const kernels::Choice& choice : engine->choices())
      EXPECT_NE(choice.implementation, "cuda:on_host") << fmt::format("{}", fmt::join(choice.refusals, "; "));
    return Session(engine, 2).run({&input, 1});
  }

  const std::unique_ptr<kernels::Device> device_ =
      kernels::cuda::make_device("cuda-parity", 0, has_gpu() ? kernels::cuda::module_api : kernels::cuda::host_api);
  const kernels::RegisteredDevice registered_{*device_};
};

TEST_P(CudaParity, RawOutputsAreThoseOfPyTorch) {
  const test::GoldenModel& golden = GetParam();
  model::ModelConfig config = model::default_config(*model::find_variant(golden.model));
  ThreadPool threads(default_thread_count());
  const checkpoint::Checkpoint random{"random.pth", "", model::init_checkpoint(config, golden.seed, &threads)};
  config.image_height = golden.height;
  config.image_width = golden.width;
  const ir::Graph graph = model::build_graph(config, random);
  const Tensor input =
      Tensor::from<float>({1, 3, golden.height, golden.width}, test::golden_input(golden.height, golden.width));
  for (const auto& [precision, name, limit] : {std::tuple{Precision::kFloat32, "float32", 0.0},
                                               {Precision::kFloat16, "float16", 0.02},
                                               {Precision::kBfloat16, "bfloat16", 0.15}}) {
    const std::vector<Tensor> outputs = outputs_of(graph, input, precision);
    ASSERT_EQ(outputs.size(), golden.outputs.size());
    double worst = 0;
    for (const test::GoldenOutput& output : golden.outputs) {
      const std::span<const float> values = outputs[output.number].data<float>();
      const double share = test::worst_share(output, values);
      worst = std::max(worst, share);
      EXPECT_LE(share, std::max(limit, test::float32_limit(output))) << "output " << output.number << ", " << name;
      // A value that is wrong is seen.
      std::vector<float> wrong(values.begin(), values.end());
      wrong.front() += static_cast<float>(output.largest) / 4;
      EXPECT_GT(test::worst_share(output, wrong), std::max(limit, test::float32_limit(output)));
    }
    fmt::print("{} {}x{}, {}: {:.2g} of the largest value\n", golden.model, golden.height, golden.width, name, worst);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, CudaParity, testing::ValuesIn(golden_models()),
                         [](const auto& info) { return info.param.model; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CudaParity);

TEST(CudaParityData, IsThere) { EXPECT_FALSE(golden_models().empty()); }

}  // namespace
}  // namespace effdet::runtime
