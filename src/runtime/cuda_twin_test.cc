// Whole networks on GPU kernels, which run as loops on the CPU, against the CPU's reference kernels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "base/error.h"
#include "compiler/compile.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/host_api.h"
#include "kernels/cuda/module.h"
#include "model/builder.h"
#include "model/init.h"
#include "ops/op.h"
#include "runtime/engine.h"
#include "runtime/inspect.h"

namespace effdet::runtime {
namespace {

/// A GPU's twin as a device of this process; with EFFDET_TEST_GPU in the environment, the first GPU for whole networks.
class CudaTwin : public testing::Test {
 protected:
  void TearDown() override {
    kernels::cuda::set_host_memory_limit(size_t{1} << 40);
    kernels::cuda::set_host_failing_launch(-1);
    kernels::cuda::set_host_fault(kernels::cuda::Fault::kOther);
    kernels::cuda::set_host_capability(9);
    EXPECT_EQ(kernels::cuda::host_overruns(), 0);
  }

  const std::unique_ptr<kernels::Device> device_ = kernels::cuda::make_device(
      "cuda-twin", 0, std::getenv("EFFDET_TEST_GPU") != nullptr ? kernels::cuda::module_api : kernels::cuda::host_api);
  const kernels::RegisteredDevice registered_{*device_};
};

Tensor image_of(const Shape& shape) {
  Tensor tensor(DType::kF32, shape);
  uint32_t state = 7;
  for (float& x : tensor.mutable_data<float>()) {
    state = state * 1664525 + 1013904223;
    x = static_cast<float>(state >> 8) * 0x1p-23f - 1;
  }
  return tensor;
}

ir::Graph network(const char* variant, int batch) {
  model::ModelConfig config = model::default_config(*model::find_variant(variant), 2);
  config.image_height = config.image_width = 128;
  config.batch = batch;
  ThreadPool threads(2);
  return model::build_graph(config, {"random.pth", "", model::init_checkpoint(config, 5, &threads)});
}

/// The largest difference of outputs as a share of the largest value of each.
double worst_share(std::span<const Tensor> got, std::span<const Tensor> wanted) {
  double worst = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    double difference = 0, largest = 0;
    for (int64_t k = 0; k < wanted[i].numel(); ++k) {
      const double g = got[i].data<float>()[k], w = wanted[i].data<float>()[k];
      if (!std::isfinite(g)) return INFINITY;
      difference = std::max(difference, std::abs(g - w));
      largest = std::max(largest, std::abs(w));
    }
    worst = std::max(worst, difference / largest);
  }
  return worst;
}

bool same_bits(std::span<const Tensor> a, std::span<const Tensor> b) {
  return std::ranges::equal(a, b,
                            [](const Tensor& x, const Tensor& y) { return std::ranges::equal(x.bytes(), y.bytes()); });
}

TEST_F(CudaTwin, RunsAWholeNetwork) {
  for (const auto& [precision, tolerance] :
       {std::pair{Precision::kFloat32, 1e-5}, {Precision::kFloat16, 0.01}, {Precision::kBfloat16, 0.08}}) {
    const int batch = precision == Precision::kFloat16 ? 2 : 1;
    const ir::Graph graph = network("tf_efficientdet_d0", batch);
    const Tensor image = image_of({batch, 3, 128, 128});
    const artifact::Program program = compiler::compile(graph, {.target = device_->target(), .precision = precision});
    EXPECT_EQ(program.micro_batches, 1);
    const auto engine = std::make_shared<Engine>(program);
    for (const kernels::Choice& choice : engine->choices())
      EXPECT_NE(choice.implementation, "cuda:on_host") << fmt::format("{}", fmt::join(choice.refusals, "; "));
    Session session(engine, 2);
    const std::vector<Tensor> got = session.run(std::span(&image, 1));
    const artifact::Program plain = compiler::compile(graph, {});
    const std::vector<Tensor> wanted =
        Session(std::make_shared<Engine>(plain, /*reference_only=*/true), 2).run(std::span(&image, 1));
    EXPECT_LT(worst_share(got, wanted), tolerance) << static_cast<int>(precision);
    EXPECT_TRUE(same_bits(session.run(std::span(&image, 1)), got)) << "from the recording";
  }
}

/// A few layers: a Softmax, for which there is no kernel, between two convolutions.
ir::Graph with_softmax() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 3, 8, 8});
  const auto conv = [&](const char* name, ir::ValueId input, const Shape& weights) {
    return graph.add_node("Conv", name, {input, graph.add_constant(std::string(name) + "_weights", image_of(weights))},
                          {{"kernel_shape", std::vector<int64_t>{1, 1}}});
  };
  const auto soft = graph.add_node("Softmax", "soft", {conv("first", x, {20, 3, 1, 1})}, {{"axis", int64_t{1}}});
  graph.outputs = {conv("second", soft, {5, 20, 1, 1})};
  ops::infer_shapes(graph);
  return graph;
}

TEST_F(CudaTwin, TheHostRunsWhatHasNoKernel) {
  const auto engine = std::make_shared<Engine>(compiler::compile(with_softmax(), {.target = device_->target()}));
  EXPECT_NE(fallback_note(*engine).find("no kernel for 4 of 6 steps"), std::string::npos) << fallback_note(*engine);
  EXPECT_NE(fallback_note(*engine).find("(Softmax, 3 Transpose): the processor runs them"), std::string::npos);
  const Tensor x = image_of({1, 3, 8, 8});
  Session session(engine, 2);
  const auto wanted =
      Session(std::make_shared<Engine>(compiler::compile(with_softmax()), true), 2).run(std::span(&x, 1));
  for (int run = 0; run < 3; ++run)
    EXPECT_LT(worst_share(session.run(std::span(&x, 1)), wanted), 1e-5) << "run " << run;
}

TEST_F(CudaTwin, WeightsLieThereOnce) {
  if (std::getenv("EFFDET_TEST_GPU") != nullptr) GTEST_SKIP() << "the twin's memory is counted";
  const std::shared_ptr<const Engine> engine =
      std::make_shared<Engine>(compiler::compile(network("tf_efficientdet_d0", 1), {.target = device_->target()}));
  const size_t before = kernels::cuda::host_memory_used();
  const Session session(engine, 1);
  const size_t weights = kernels::cuda::host_memory_used() - before - session.memory_bytes();
  const uint64_t of_model = weight_bytes({&engine, 1});
  EXPECT_GT(weights, of_model * 9 / 10);
  EXPECT_LT(weights, of_model * 11 / 10) << "columns of products are filled up";
}

TEST_F(CudaTwin, AModelIsReadWithoutAGpu) {
  const auto no_module = []() -> const kernels::cuda::Api& { fail(ErrorCode::kUnsupported, "no module"); };
  const auto device = kernels::cuda::make_device("cuda-absent", 0, no_module);
  const kernels::RegisteredDevice registered(*device);
  const auto engine = std::make_shared<Engine>(compiler::compile(with_softmax(), {.target = device->target()}));
  EXPECT_EQ(engine->choices().size(), engine->program().graph.nodes.size());
  EXPECT_THROW(Session(engine, 1), Error);
}

std::string message_of(ErrorCode code, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST_F(CudaTwin, MemoryThatRunsOutLeavesOthersRunning) {
  const auto engine = std::make_shared<Engine>(compiler::compile(with_softmax(), {.target = device_->target()}));
  const Tensor x = image_of({1, 3, 8, 8});
  Session first(engine, 1);
  const std::vector<Tensor> before = first.run(std::span(&x, 1));
  kernels::cuda::set_host_memory_limit(20'000);
  const std::string message = message_of(ErrorCode::kOutOfMemory, [&] { Session(engine, 1); });
  EXPECT_NE(message.find(" are free: out of memory"), std::string::npos) << message;
  EXPECT_TRUE(same_bits(first.run(std::span(&x, 1)), before));
  kernels::cuda::set_host_memory_limit(size_t{1} << 30);
  EXPECT_TRUE(same_bits(Session(engine, 1).run(std::span(&x, 1)), before));
}

TEST_F(CudaTwin, AKernelThatFailsIsNamedWhereCudaWaits) {
  const auto engine = std::make_shared<Engine>(compiler::compile(with_softmax(), {.target = device_->target()}));
  const Tensor x = image_of({1, 3, 8, 8});
  const auto failing_run = [&] {
    Session session(engine, 1);
    kernels::cuda::set_host_failing_launch(0);
    session.run(std::span(&x, 1));
  };
  const std::string late = message_of(ErrorCode::kIo, failing_run);
  EXPECT_NE(late.find("a kernel failed"), std::string::npos) << late;
  ::setenv("CUDA_LAUNCH_BLOCKING", "1", 1);
  const std::string named = message_of(ErrorCode::kIo, failing_run);
  ::unsetenv("CUDA_LAUNCH_BLOCKING");
  EXPECT_NE(named.find("step 'first"), std::string::npos) << named;
}

TEST_F(CudaTwin, ANumberThatNoGpuHas) {
  const auto second = kernels::cuda::make_device("cuda-second", 1, kernels::cuda::host_api);
  EXPECT_EQ(message_of(ErrorCode::kUsage, [&] { second->make_queue(); }),
            "device cuda:1: there is no GPU 1, but 1, from 0 on");
  EXPECT_EQ(device_->hardware(), "host-twin");
}

TEST_F(CudaTwin, WhyThereIsNoGpuIsSaid) {
  using kernels::cuda::Fault;
  const auto refused = [](ErrorCode code) {
    const auto device = kernels::cuda::make_device("cuda-refused", 0, kernels::cuda::host_api);
    return message_of(code, [&] { device->make_queue(); });
  };
  kernels::cuda::set_host_fault(Fault::kNoDriver);
  EXPECT_EQ(refused(ErrorCode::kUnsupported),
            "device cuda:0: number of GPUs: no driver (is NVIDIA's driver there, and as new as the CUDA of "
            "libeffdet_cuda.so?)");
  kernels::cuda::set_host_fault(Fault::kNoDevice);
  EXPECT_NE(refused(ErrorCode::kUnsupported).find("lists GPUs and MIG slices"), std::string::npos);
  kernels::cuda::set_host_fault(Fault::kBusy);
  EXPECT_NE(refused(ErrorCode::kIo).find("another process has the GPU for itself"), std::string::npos);
  kernels::cuda::set_host_fault(Fault::kOther);
  kernels::cuda::set_host_capability(7);
  EXPECT_EQ(refused(ErrorCode::kUnsupported),
            "device cuda:0: host twin has compute capability 7.0, which is below 8.0");
}

TEST_F(CudaTwin, ADriverThatIsLoadedMeanwhileIsFound) {
  const auto device = kernels::cuda::make_device("cuda-later", 0, kernels::cuda::host_api);
  kernels::cuda::set_host_fault(kernels::cuda::Fault::kNoDriver);
  EXPECT_THROW(device->make_queue(), Error);
  kernels::cuda::set_host_fault(kernels::cuda::Fault::kOther);
  EXPECT_NE(device->make_queue(), nullptr);
}

}  // namespace
}  // namespace effdet::runtime
