// Counts what models have to multiply and to move on a GPU, and says how long that takes at the least. Runs nothing.
//
//   gpu_floors [--json] FLOPS BYTES MODEL.om ...
//
// FLOPS and BYTES: what the GPU multiplies and adds, and moves, in a second. Arithmetic: all products and sums of the
// model. Traffic: what each step reads and writes, once each, and the map inside of a pair of layers twice.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "artifact/om_file.h"
#include "base/error.h"
#include "ops/cost.h"
#include "ops/fused/layout.h"

namespace {

using namespace effdet;

/// Written and read: the map between the two layers of a pair, which no value of the graph is.
int64_t inner_bytes(const ir::Graph& graph, const ir::Node& node) {
  const auto dims = [&](ir::ValueId id, ops::Layout layout) { return ops::dims_of(*graph.value(id).shape, layout); };
  const ir::Value& input = graph.value(node.inputs[0]);
  int64_t values = 0;
  if (node.op == "ExpandDepthwise") {
    const ops::Dims x = dims(node.inputs[0], ops::Layout::kNhwc);
    values = x.batch * x.height * x.width * node.get_int("out_channels", 0);
  } else if (node.op == "DepthwisePointwise") {
    const ops::Dims y = dims(node.outputs[0], ops::MapLayouts::of(node).output);
    values = y.batch * y.height * y.width * dims(node.inputs[0], ops::Layout::kNhwc).channels;
  }
  return 2 * values * static_cast<int64_t>(dtype_size(input.dtype));
}

}  // namespace

int main(int argc, char** argv) try {
  int next = 1;
  const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
  if (json) ++next;
  if (argc - next < 3) throw Error(ErrorCode::kUsage, "usage: gpu_floors [--json] FLOPS BYTES MODEL.om ...");
  const double flops_a_second = std::atof(argv[next]), bytes_a_second = std::atof(argv[next + 1]);
  if (!json)
    fmt::print("| model | batch | steps | GFLOP | GB | arithmetic ms | traffic ms |\n|---|--:|--:|--:|--:|--:|--:|\n");
  for (int i = next + 2; i < argc; ++i) {
    const artifact::Program program = artifact::read_om(argv[i]).at(0);
    const ir::Graph& graph = program.graph;
    double flops = 0, bytes = 0;
    for (const ir::Node& node : graph.nodes) {
      const ops::Cost cost = ops::cost_of(graph, node);
      flops += static_cast<double>(cost.flops);
      bytes += static_cast<double>(cost.bytes + inner_bytes(graph, node));
    }
    fmt::print(
        fmt::runtime(json ? "{{\"model\": \"{}\", \"batch\": {}, \"steps\": {}, \"gflop\": {:.2f}, \"gb\": {:.4f}, "
                            "\"arithmetic_ms\": {:.4f}, \"traffic_ms\": {:.4f}}}\n"
                          : "| {} | {} | {} | {:.1f} | {:.3f} | {:.3f} | {:.3f} |\n"),
        std::filesystem::path(argv[i]).stem().string(), graph.value(graph.inputs[0]).shape->at(0), graph.nodes.size(),
        flops * 1e-9, bytes * 1e-9, 1e3 * flops / flops_a_second, 1e3 * bytes / bytes_a_second);
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "gpu_floors: error: %s\n", error.what());
  return 1;
}
