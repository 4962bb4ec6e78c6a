// One-hot rows times a matrix become a table.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(FuseLookups, OneHotRowsByATable) {
  for (const DType type : {DType::kI32, DType::kI64}) {
    ir::Graph graph;
    graph.opset = 13;
    const auto places = graph.add_input("places", type, {2, 6, 1});
    const auto numbers = graph.add_constant("numbers", ints({0, 1, 2, 3, 4}).reshaped({1, 1, 5}).to(type));
    const auto equal = graph.add_node("Equal", "equal", {places, numbers});
    const auto one_hot = graph.add_node("Cast", "one_hot", {equal}, {{"to", int64_t{1}}});
    graph.outputs = {graph.add_node("MatMul", "rows", {one_hot, graph.add_constant("table", waves({5, 8}))})};
    ops::infer_shapes(graph);
    // Places that the table has, and others, whose rows are zeros.
    const Tensor input = ints({0, 4, 2, 5, -1, 3, -2, -7, 1 << 30, 1, 6, 0}).reshaped({2, 6, 1}).to(type);
    const Tensor want = ops::run_reference(graph, {&input, 1})[0];
    const artifact::Program program = compile(graph);
    EXPECT_EQ(count_of(program.graph, "Gather"), 1);
    EXPECT_EQ(count_of(program.graph, "MatMul"), 0);
    EXPECT_EQ(difference(run(program, {&input, 1})[0], want), 0);
  }
}

}  // namespace
}  // namespace effdet::compiler
