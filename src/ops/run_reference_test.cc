// Running a graph on the reference kernels.
#include <cmath>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(RunReference, FreesAndReturnsInOrder) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2});
  const auto a = graph.add_node("Neg", "a", {x}), b = graph.add_node("Exp", "b", {a});
  graph.outputs = {b, a};
  infer_shapes(graph);
  const Tensor input = floats({2}, {0, 1});
  const auto outputs = run_reference(graph, {&input, 1});
  EXPECT_EQ(values(outputs[1]), (Floats{0, -1}));
  EXPECT_FLOAT_EQ(values(outputs[0])[1], std::exp(-1.0f));
  const Tensor wrong = floats({3}, {0, 1, 2});
  EXPECT_THROW(run_reference(graph, {&wrong, 1}), Error);
}

/// Constants of types that tensors do not have are no constants; they are not "missing" either.
TEST(RunReference, NamesTypesThatItDoesNotHave) {
  ir::Graph graph;
  ir::Value weights{"w", DType::kUnknown};
  weights.initializer = std::make_shared<const std::string>("\x10\x16");  // TensorProto.data_type INT4
  const auto w = graph.add_value(weights);
  graph.outputs = {graph.add_node("DequantizeLinear", "d", {w, graph.add_constant("s", floats({}, {1}))})};
  const std::string expected = "node 'd' (DequantizeLinear): the type of 'w' (int4) is not supported";
  for (const auto& run :
       {std::function([&] { run_reference(graph, {}); }), std::function([&] { require_supported(graph); })})
    try {
      run();
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      EXPECT_EQ(error.what(), expected);
    }
}

/// A Gather beyond the end in one branch, and one that is right in the other.
TEST(RunReference, RunsTheBranchThatIsTaken) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {3}), flag = graph.add_input("flag", DType::kBool, {});
  const auto at = graph.add_input("at", DType::kI64, {1});
  const auto same = graph.add_node("Identity", "same", {x});
  const auto some = graph.add_node("Gather", "some", {same, at});
  const auto choice = graph.add_node("Choose", "choice", {flag, some, same}, {}, std::string(ir::kFusedDomain));
  graph.outputs = {graph.add_node("Neg", "y", {choice}), same};
  const auto run = [&](bool taken, int64_t index) {
    const Tensor inputs[] = {counting({3}), Tensor::from<bool>({}, {{taken}}), ints({index})};
    return values(run_reference(graph, inputs)[0]);
  };
  EXPECT_EQ(run(true, 2), (Floats{-2}));
  EXPECT_EQ(run(false, 2), (Floats{0, -1, -2}));
  EXPECT_EQ(run(false, 7), (Floats{0, -1, -2})) << "nothing is beyond the end where nobody looks";
  EXPECT_THROW(run(true, 7), Error);
}

TEST(BadInput, Choose_BranchesThatDoNotFit) {
  const auto infer = [](DType condition, DType then, DType otherwise) {
    const ir::Node node{"Choose", std::string(ir::kFusedDomain), "test", {0, 1, 2}, {3}};
    const InputInfo inputs[] = {{true, condition, Shape{}}, {true, then, Shape{2, 4}}, {true, otherwise, Shape{3, 4}}};
    return infer_node(node, 13, inputs)[0];
  };
  EXPECT_EQ(infer(DType::kBool, DType::kI64, DType::kI64).shape, (Shape{-1, 4}));
  EXPECT_THROW(infer(DType::kF32, DType::kI64, DType::kI64), Error);
  EXPECT_THROW(infer(DType::kBool, DType::kI64, DType::kF32), Error);
}

}  // namespace
}  // namespace effdet::ops
