// Whole networks on the fast kernels: against the reference, and with the same bits however they are run.
#include "runtime/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "compiler/compile.h"
#include "kernels/cpu/micro_kernels.h"
#include "model/builder.h"
#include "model/init.h"
#include "model/random.h"
#include "model/synthetic_image.h"
#include "ops/op.h"

namespace effdet::runtime {
namespace {

constexpr int kSide = 128;

/// A network with random weights, the image that it sees, and what the reference makes of it.
struct Network {
  ir::Graph graph;
  Tensor image;
  std::vector<Tensor> expected;
};

Network make_network(const std::string& name) {
  Network made;
  const model::Variant& variant = *model::find_variant(name);
  model::ModelConfig config = model::default_config(variant, 2);
  config.image_height = config.image_width = kSide;
  ThreadPool threads(default_thread_count());
  const checkpoint::Checkpoint checkpoint{"random.pth", "", model::init_checkpoint(config, 5, &threads)};
  made.graph = model::build_graph(config, checkpoint);
  ops::infer_shapes(made.graph);
  model::RandomStream random(11, "engine_test");
  made.image = model::synthetic_images(variant, 1, kSide, random);
  made.expected = ops::run_reference(made.graph, std::span(&made.image, 1), &threads);
  return made;
}

/// A network of two steps.
ir::Graph small_graph() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 2});
  const auto relu = graph.add_node("Relu", "relu", {x});
  graph.outputs = {graph.add_node("Exp", "y", {relu}), relu};  // two steps, which cannot be one
  return graph;
}

double difference(const Tensor& got, const Tensor& want) {
  double largest = 1e-9, worst = 0;
  for (size_t i = 0; i < want.data<float>().size(); ++i) {
    const double a = got.data<float>()[i], b = want.data<float>()[i];
    if (!std::isfinite(a)) return INFINITY;
    largest = std::max(largest, std::abs(b));
    worst = std::max(worst, std::abs(a - b));
  }
  return worst / largest;
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::ranges::equal(a, b, [](const Tensor& x, const Tensor& y) {
    return x.shape() == y.shape() && std::ranges::equal(x.bytes(), y.bytes());
  });
}

class Networks : public testing::TestWithParam<const char*> {
 protected:
  void TearDown() override { ::unsetenv("EFFDET_ISA"); }
};

INSTANTIATE_TEST_SUITE_P(All, Networks,
                         testing::Values("tf_efficientdet_d0", "tf_efficientdet_lite0", "efficientdet_d0"),
                         [](const auto& info) { return std::string(info.param); });

void expect_as_the_reference(const Network& net, const artifact::Program& program) {
  const auto engine = std::make_shared<Engine>(program);
  for (const kernels::Choice& choice : engine->choices())
    EXPECT_NE(choice.implementation, "reference") << fmt::format("{}", fmt::join(choice.refusals, "; "));
  std::vector<Tensor> first;
  for (int threads : {1, 2, 3, 5}) {
    Session session(engine, threads);
    const auto outputs = session.run(std::span(&net.image, 1));
    EXPECT_TRUE(same_bits(outputs, session.run(std::span(&net.image, 1)))) << "a second run";
    if (threads == 1) {
      first = outputs;
      ASSERT_EQ(first.size(), net.expected.size());
      for (size_t i = 0; i < first.size(); ++i) EXPECT_LT(difference(first[i], net.expected[i]), 1e-4) << i;
    }
    EXPECT_TRUE(same_bits(outputs, first)) << threads << " threads";
  }
}

void expect_a_batch_is_its_images(const Network& net, const artifact::Program& single, const artifact::Program& pair) {
  Tensor batch(DType::kF32, {2, 3, kSide, kSide}), second(DType::kF32, net.image.shape());
  const auto one = net.image.data<float>();
  const auto both = batch.mutable_data<float>(), two = second.mutable_data<float>();
  for (size_t i = 0; i < one.size(); ++i) {
    two[i] = one[one.size() - 1 - i];
    both[i] = one[i];
    both[one.size() + i] = two[i];
  }
  const auto together = Session(std::make_shared<Engine>(pair), 3).run(std::span(&batch, 1));
  Session session(std::make_shared<Engine>(single), 2);
  for (size_t image = 0; image < 2; ++image) {
    const auto alone = session.run(std::span(image == 0 ? &net.image : &second, 1));
    ASSERT_EQ(together.size(), alone.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      const auto bytes = alone[i].bytes();
      EXPECT_TRUE(std::ranges::equal(together[i].bytes().subspan(image * bytes.size(), bytes.size()), bytes)) << i;
    }
  }
}

TEST_P(Networks, AsTheReferenceOnEveryInstructionSet) {
  const Network net = make_network(GetParam());
  const artifact::Program single = compiler::compile(net.graph);
  const artifact::Program pair = compiler::compile(net.graph, {.input_shapes = {{"x.1", {2, 3, kSide, kSide}}}});
  for (const char* isa : {"avx512", "avx2", "sse2"}) {
    if (kernels::cpu::micro_kernels_for(isa) == nullptr) continue;  // not on this processor
    SCOPED_TRACE(isa);
    ::setenv("EFFDET_ISA", isa, 1);
    expect_as_the_reference(net, single);
    expect_a_batch_is_its_images(net, single, pair);
  }
}

TEST(Session, WrongInputsAreErrors) {
  Session session(std::make_shared<Engine>(compiler::compile(small_graph())), 1);
  const auto refused = [&](std::vector<Tensor> inputs) {
    try {
      session.run(inputs);
      return false;
    } catch (const Error& error) {
      return error.code() == ErrorCode::kBadInput;
    }
  };
  const Tensor good(DType::kF32, {1, 2});
  EXPECT_FALSE(refused({good}));
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({good, good}));
  EXPECT_TRUE(refused({Tensor(DType::kF32, {2, 1})}));
  EXPECT_TRUE(refused({Tensor(DType::kF32, {1, 2, 1})}));
  EXPECT_TRUE(refused({Tensor(DType::kI32, {1, 2})}));
  EXPECT_TRUE(refused({Tensor()}));
}

TEST(Session, TellsTheTimeOfEveryStep) {
  Session session(std::make_shared<Engine>(compiler::compile(small_graph())), 1);
  std::vector<size_t> steps;
  session.on_step = [&](size_t step, double seconds) {
    steps.push_back(step);
    EXPECT_GE(seconds, 0);
  };
  const Tensor x(DType::kF32, {1, 2});
  session.run(std::span(&x, 1));
  EXPECT_EQ(steps, (std::vector<size_t>{0, 1}));
}

TEST(Session, OneEngineServesSeveral) {
  const auto engine = std::make_shared<Engine>(compiler::compile(small_graph()));
  const float values[] = {-1, 2};
  const Tensor x = Tensor::from<float>({1, 2}, values);
  Session a(engine, 1), b(engine, 2);
  const auto from_a = a.run(std::span(&x, 1));
  EXPECT_TRUE(same_bits(from_a, b.run(std::span(&x, 1))));
  EXPECT_EQ(from_a[0].data<float>()[0], 1.0f);
}

TEST(Session, TellsWhichOutputsItReads) {
  const Session session(std::make_shared<Engine>(compiler::compile(small_graph())), 1);
  EXPECT_FALSE(session.reads_output(0, 0));
  EXPECT_TRUE(session.reads_output(1, 0));
}

TEST(Engine, UnknownInstructionSetIsAUsageError) {
  const artifact::Program program = compiler::compile(small_graph());
  ::setenv("EFFDET_ISA", "mmx", 1);
  EXPECT_THROW(Engine{program}, Error);
  ::unsetenv("EFFDET_ISA");
}

TEST(Session, PlansOfOneModelTakeTurnsInTheSameMemory) {
  const Network net = make_network("tf_efficientdet_d0");
  const std::string& input = net.graph.value(net.graph.inputs[0]).name;
  std::vector<std::map<std::string, Shape>> shapes;
  for (const Shape& shape : {Shape{2, 3, kSide, kSide}, Shape{1, 3, kSide, kSide}, Shape{1, 3, 256, kSide}})
    shapes.push_back({{input, shape}});
  const std::vector<artifact::Program> programs = compiler::compile_plans(net.graph, {}, shapes);
  EXPECT_EQ(artifact::weight_bytes(programs), artifact::weight_bytes({programs.data(), 1}));
  std::vector<std::shared_ptr<const Engine>> plans;
  for (const artifact::Program& program : programs) plans.push_back(std::make_shared<Engine>(program));
  Session shared(plans, 2);
  EXPECT_LT(shared.memory_bytes(), Session(plans[0], 2).memory_bytes() + Session(plans[2], 2).memory_bytes());
  for (const size_t plan : {2u, 0u, 1u, 2u, 0u}) {
    Tensor image(DType::kF32, shapes[plan].at(input));
    for (size_t i = 0; i < image.data<float>().size(); ++i)
      image.mutable_data<float>()[i] = net.image.data<float>()[i % net.image.data<float>().size()];
    const std::vector<Tensor> expected = Session(plans[plan], 1).run(std::span(&image, 1));
    std::vector<Tensor> got;
    std::vector<std::byte*> targets;
    for (const Tensor& tensor : expected) {
      got.emplace_back(tensor.dtype(), tensor.shape());
      targets.push_back(got.back().mutable_bytes().data());
    }
    const std::byte* source = image.bytes().data();
    shared.run({&source, 1}, targets, plan);
    EXPECT_TRUE(same_bits(got, expected)) << plan;
  }
}

}  // namespace
}  // namespace effdet::runtime
