// Maps in bfloat16, and what stays float32.
#include "base/error.h"
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(AssignTypes, OnnxOperatorsFollowTheMaps) {
  const artifact::Program program = compile(followers(), {.precision = Precision::kBfloat16});
  for (const ir::Node& node : program.graph.nodes) {
    if (node.op == "Concat" || node.op == "Split" || node.op == "Resize") {
      EXPECT_EQ(program.graph.value(node.outputs[0]).dtype, DType::kBF16) << node.name;
    }
  }
  const auto names = implementations(program);
  EXPECT_EQ(std::ranges::count(names, "reference"), 0) << fmt::format("{}", fmt::join(names, " "));
}

std::vector<std::string> types_of_outputs(const artifact::Program& program) {
  std::vector<std::string> types;
  for (const ir::Node& node : program.graph.nodes)
    types.push_back(fmt::format("{} {}", node.op, dtype_name(program.graph.value(node.outputs[0]).dtype)));
  return types;
}

TEST(Precision, MapsAreBfloat16AndTheOutputIsNot) {
  ir::Graph graph = whole_network();
  const artifact::Program wide = compile(graph), narrow = compile(graph, {.precision = Precision::kBfloat16});
  std::vector<std::string> types = types_of_outputs(narrow);
  EXPECT_EQ(types.back(), "Conv float32");
  types.pop_back();
  for (const std::string& type : types)
    EXPECT_TRUE(type.ends_with(" bfloat16") || type == "SqueezeExcite float32") << type;
  EXPECT_LT(narrow.arena_bytes, wide.arena_bytes);
  EXPECT_LT(artifact::weight_bytes({&narrow, 1}), artifact::weight_bytes({&wide, 1}));
  const Tensor x = waves({2, 3, 16, 16});
  const auto run = [&](const artifact::Program& program) {
    runtime::Session session(std::make_shared<runtime::Engine>(program), 1);
    return session.run({{x}}).at(0);
  };
  const Tensor exact = run(wide), rounded = run(narrow);
  double worst = 0, largest = 0;
  for (size_t i = 0; i < static_cast<size_t>(exact.numel()); ++i) {
    worst = std::max<double>(worst, std::abs(exact.data<float>()[i] - rounded.data<float>()[i]));
    largest = std::max<double>(largest, std::abs(exact.data<float>()[i]));
  }
  EXPECT_GT(worst, 0);
  EXPECT_LT(worst, 0.03 * largest);
}

TEST(Precision, NamedLayersStayFloat32BetweenCasts) {
  const artifact::Program program =
      compile(whole_network(), {.precision = Precision::kBfloat16, .keep_float32 = {"dee*"}});
  const std::vector<std::string> types = types_of_outputs(program);
  EXPECT_TRUE(std::ranges::count(types, std::string("DepthwiseConv float32")) > 0)
      << fmt::format("{}", fmt::join(types, ", "));
  EXPECT_TRUE(std::ranges::count(types, std::string("Cast float32")) > 0);
  EXPECT_TRUE(std::ranges::count(types, std::string("Cast bfloat16")) > 0);
}

TEST(Precision, APatternThatMatchesNothing) {
  try {
    compile(whole_network(), {.precision = Precision::kBfloat16, .keep_float32 = {"nose*"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("nose*"), std::string::npos);
  }
}

}  // namespace
}  // namespace effdet::compiler
