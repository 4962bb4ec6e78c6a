// Models that take images as bytes.
#include <map>

#include "base/error.h"
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(Compile, AippTakesImagesAndTheRestStaysAsItWas) {
  Builder b({2, 3, 8, 10});
  b.graph.outputs = {b.conv("conv", b.x, {4, 3, 3, 3}, {{"strides", Ints{2, 2}}})};
  aipp::Config config{.file = "aipp.cfg", .spec = {}, .lines = {}};
  config.spec.min = {123.675f, 116.28f, 103.53f};
  config.spec.scale = {0.0171f, 0.0175f, 0.0174f};
  const artifact::Program program = compile(b.graph, {.aipp = config});
  ASSERT_EQ(program.graph.inputs.size(), 1u);
  const ir::Value& input = program.graph.value(program.graph.inputs[0]);
  EXPECT_EQ(input.name, "x");
  EXPECT_EQ(input.dtype, DType::kU8);
  EXPECT_EQ(*input.shape, (Shape{2, 8, 10, 3}));
  EXPECT_EQ(std::ranges::count(implementations(program), "cpu:aipp"), 1);
  EXPECT_EQ(std::ranges::count(program.graph.nodes, "Transpose", &ir::Node::op), 1) << "of the output alone";

  Tensor image(DType::kU8, *input.shape), planes(DType::kF32, {2, 3, 8, 10});
  for (int64_t i = 0; i < image.numel(); ++i) {
    const int64_t number = i / 240, pixel = i % 240 / 3, channel = i % 3;
    const auto c = static_cast<size_t>(channel);
    const auto sample = static_cast<uint8_t>(i * 37);
    image.mutable_data<uint8_t>()[static_cast<size_t>(i)] = sample;
    planes.mutable_data<float>()[static_cast<size_t>((number * 3 + channel) * 80 + pixel)] =
        (static_cast<float>(sample) - config.spec.min[c]) * config.spec.scale[c];
  }
  const auto run = [](const artifact::Program& p, const Tensor& x) {
    return runtime::Session(std::make_shared<runtime::Engine>(p), 2).run(std::span(&x, 1)).at(0);
  };
  EXPECT_TRUE(std::ranges::equal(run(program, image).bytes(), run(compile(b.graph), planes).bytes()));
}

TEST(Compile, AippThatDoesNotFit) {
  aipp::Config config{.file = "aipp.cfg", .spec = {}, .lines = {}};
  config.spec.source_width = 9;
  Builder b({1, 3, 8, 10});
  b.graph.outputs = {b.conv("conv", b.x, {4, 3, 3, 3})};
  EXPECT_THROW(compile(b.graph, {.aipp = config}), Error);
  const auto message = [&](const std::map<std::string, Shape>& shapes) {
    try {
      compile_plans(b.graph, {.aipp = config}, std::span(&shapes, 1));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_TRUE(message({}).starts_with("aipp.cfg: src_image_size_w: ")) << message({});
  EXPECT_TRUE(message({{"x", {1, 3, 8, 12}}}).starts_with("for the shape x:1x3x8x12: aipp.cfg: ")) << message({});
  Builder two({1, 3, 8, 9});
  two.graph.outputs = {two.node("Add", "sum", {two.x, two.graph.add_input("z", DType::kF32, {1, 3, 8, 9})})};
  EXPECT_THROW(compile(two.graph, {.aipp = config}), Error);
}

}  // namespace
}  // namespace effdet::compiler
