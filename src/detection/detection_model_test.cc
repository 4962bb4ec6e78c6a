// What is no detector is refused.
#include "detection/detection_model.h"

#include "compiler/compile.h"
#include "detection/test_support.h"
#include "detection/tiny_graph.h"

namespace effdet::detection {
namespace {

TEST(DetectionModel, RefusesModelsThatAreNoDetectors) {
  const auto compile = [](auto change) {
    artifact::Program program = compiler::compile(tiny_graph(1));
    change(program.graph);
    return std::make_shared<runtime::Engine>(std::move(program));
  };
  const auto code_of = [](std::shared_ptr<const runtime::Engine> engine) {
    return error_of([&] { DetectionModel{engine}; }).code();
  };
  EXPECT_EQ(code_of(compile([](ir::Graph& graph) { graph.metadata.clear(); })), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(compile([](ir::Graph& graph) { graph.metadata["effdet.num_classes"] = "7"; })),
            ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(compile([](ir::Graph& graph) { graph.metadata["effdet.num_classes"] = "-1"; })),
            ErrorCode::kBadInput);
}

}  // namespace
}  // namespace effdet::detection
