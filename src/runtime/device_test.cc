// Whole networks on a device whose memory the host must not touch, against the CPU's reference kernels.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/error.h"
#include "compiler/compile.h"
#include "model/builder.h"
#include "model/init.h"
#include "ops/op.h"
#include "runtime/engine.h"
#include "runtime/test_device.h"

namespace effdet::runtime {
namespace {

using compiler::CompileOptions;

constexpr DType kFloats[] = {DType::kF32};
/// As the CPU has it, and with everything as ONNX has it.
constexpr ops::Target kPacking{
    .name = "test", .packs_weights = true, .map_layout = ir::Layout::kNhwc, .types = ops::kCpuTypes};
constexpr ops::Target kPlain{.name = "test", .types = kFloats};

/// Any values, always the same.
Tensor any_tensor(const Shape& shape) {
  Tensor tensor(DType::kF32, shape);
  uint32_t state = 1;
  for (float& x : tensor.mutable_data<float>()) {
    state = state * 1664525 + 1013904223;
    x = static_cast<float>(state >> 8) * 0x1p-23f - 1;
  }
  return tensor;
}

/// Convolutions with constant weights, one after the other, and two outputs.
ir::Graph two_convolutions() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 3, 8, 8});
  const auto conv = [&](const std::string& name, ir::ValueId input, const Shape& weights) {
    return graph.add_node("Conv", name, {input, graph.add_constant(name + "_weights", any_tensor(weights))},
                          {{"kernel_shape", std::vector<int64_t>{weights[2], weights[3]}}});
  };
  const auto first = graph.add_node("Relu", "relu", {conv("first", x, {20, 3, 3, 3})});
  graph.outputs = {conv("second", first, {5, 20, 1, 1}), graph.add_node("Sigmoid", "sigmoid", {first})};
  ops::infer_shapes(graph);
  return graph;
}

std::vector<Tensor> run(artifact::Program program, const Tensor& x) {
  return Session(std::make_shared<Engine>(std::move(program)), 2).run(std::span(&x, 1));
}

bool equal_tensors(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::ranges::equal(a.bytes(), b.bytes());
}

/// The same program on the CPU's reference kernels.
std::shared_ptr<const Engine> oracle_of(artifact::Program program) {
  program.target = "cpu";
  return std::make_shared<Engine>(std::move(program), /*reference_only=*/true);
}

/// Runs both, and compares what every step makes, and the outputs.
void expect_as_on_the_cpu(const artifact::Program& program, const Tensor& x) {
  Session oracle(oracle_of(program), 2), session(std::make_shared<Engine>(program), 2);
  std::map<std::pair<size_t, size_t>, Tensor> expected;
  const auto& nodes = program.graph.nodes;
  oracle.on_step = [&](size_t step, double) {
    for (size_t i = 0; i < nodes[step].outputs.size(); ++i) {
      const Tensor output = oracle.step_output(step, i);
      if (!output.empty())
        expected[{step, i}] =
            Tensor::from<uint8_t>({static_cast<int64_t>(output.byte_size())},
                                  {reinterpret_cast<const uint8_t*>(output.bytes().data()), output.byte_size()});
    }
  };
  size_t compared = 0;
  session.on_step = [&](size_t step, double) {
    for (size_t i = 0; i < nodes[step].outputs.size(); ++i) {
      const Tensor output = session.step_output(step, i);
      ASSERT_EQ(output.empty(), !expected.contains({step, i}));
      if (output.empty()) continue;
      EXPECT_TRUE(std::ranges::equal(output.bytes(), expected.at({step, i}).bytes())) << nodes[step].name;
      ++compared;
    }
  };
  const std::vector<Tensor> outputs = oracle.run(std::span(&x, 1)), got = session.run(std::span(&x, 1));
  EXPECT_GE(compared, nodes.size());
  session.on_step = nullptr;
  const std::vector<Tensor> again = session.run(std::span(&x, 1));  // nobody waits for a step
  ASSERT_EQ(got.size(), outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_TRUE(equal_tensors(got[i], outputs[i])) << i;
    EXPECT_TRUE(equal_tensors(again[i], outputs[i])) << i;
  }
}

TEST(Device, TheHostCannotReachItsMemory) {
  const TestDevice device(kPacking);
  const std::shared_ptr<std::byte> memory = device.allocate(100, "a test");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EQ(::write(ends[1], memory.get(), 100), -1);
  EXPECT_EQ(errno, EFAULT);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Device, RunsAWholeNetwork) {
  const TestDevice device(kPacking);
  const kernels::RegisteredDevice registered(device);
  model::ModelConfig config = model::default_config(*model::find_variant("tf_efficientdet_d0"), 2);
  config.image_height = config.image_width = 128;
  ThreadPool threads(2);
  const checkpoint::Checkpoint checkpoint{"random.pth", "", model::init_checkpoint(config, 5, &threads)};
  const ir::Graph graph = model::build_graph(config, checkpoint);
  const Tensor image = any_tensor({1, 3, 128, 128});
  for (const auto precision : {Precision::kFloat32, Precision::kBfloat16}) {
    const artifact::Program program = compiler::compile(graph, {.target = device.target(), .precision = precision});
    EXPECT_TRUE(std::ranges::any_of(program.graph.nodes, [](const ir::Node& n) { return n.op == "ExpandDepthwise"; }));
    expect_as_on_the_cpu(program, image);
  }
}

TEST(Device, MapsAndWeightsAsOnnxHasThem) {
  const TestDevice device(kPlain);
  const kernels::RegisteredDevice registered(device);
  const artifact::Program program = compiler::compile(two_convolutions(), {.target = kPlain});
  for (const ir::Node& node : program.graph.nodes) {
    EXPECT_NE(node.op, "Transpose");
    EXPECT_TRUE(node.op != "Conv" || node.domain.empty());
  }
  expect_as_on_the_cpu(program, any_tensor({1, 3, 8, 8}));
  EXPECT_THROW(compiler::compile(two_convolutions(), {.target = kPlain, .precision = Precision::kBfloat16}), Error);
}

TEST(Device, EachMicroBatchReadsAndWritesItsPart) {
  const TestDevice device(kPacking);
  const kernels::RegisteredDevice registered(device);
  artifact::Program program = compiler::compile(two_convolutions(), {.target = kPacking});
  program.micro_batches = 3;
  const Tensor batch = any_tensor({3, 3, 8, 8});
  const std::vector<Tensor> got = run(program, batch);
  const std::vector<Tensor> expected = Session(oracle_of(program), 1).run(std::span(&batch, 1));
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(equal_tensors(got.at(i), expected[i])) << i;
}

TEST(Device, PlansOfOneModelShareMemory) {
  const TestDevice device(kPacking);
  const kernels::RegisteredDevice registered(device);
  std::vector<std::map<std::string, Shape>> shapes;
  for (const int64_t batch : {1, 4, 2}) shapes.push_back({{"x", {batch, 3, 8, 8}}});
  const auto plans = make_engines(compiler::compile_plans(two_convolutions(), {.target = kPacking}, shapes));
  EXPECT_EQ(device.block_count(), 0u) << "who only reads a model needs no device";
  Session session(plans, 1);
  EXPECT_EQ(device.block_count(), 5u) << "weights, activations, scratch, inputs and outputs";
  for (size_t plan = 0; plan < plans.size(); ++plan) {
    const Tensor x = any_tensor(shapes[plan].at("x"));
    const auto expected = Session(oracle_of(plans[plan]->program()), 1).run(std::span(&x, 1));
    std::vector<Tensor> got;
    std::vector<std::byte*> targets;
    for (const Tensor& tensor : expected)
      targets.push_back(got.emplace_back(tensor.dtype(), tensor.shape()).mutable_bytes().data());
    const std::byte* source = x.bytes().data();
    session.run({&source, 1}, targets, plan);
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(equal_tensors(got[i], expected[i])) << plan;
  }
}

TEST(Device, AnUnknownOneIsUnsupported) {
  const artifact::Program program = compiler::compile(two_convolutions(), {.target = kPacking});
  try {
    Engine{program};
    ADD_FAILURE() << "the device is registered no more";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_STREQ(error.what(), "compiled for the target 'test', this program runs 'cpu', 'cuda'");
  }
}

}  // namespace
}  // namespace effdet::runtime
