// Counts what models have to multiply and to move on a GPU, and says how long that takes at the least. Runs nothing.
//
//   gpu_floors [--json] FLOPS BYTES MODEL.om ...
//   gpu_floors --pairs FLOPS BYTES MODEL.om ...
//
// FLOPS and BYTES: what the GPU multiplies and adds, and moves, in a second. Arithmetic: all products and sums of the
// model. Traffic: what each step reads and writes, once each, and the map inside of a pair of layers twice.
// --pairs: what each expansion with a depthwise layer behind it would save as one kernel that keeps the map between
// them on the chip, and what it would cost: its tiles overlap, so that it multiplies more. FLOPS: of such a kernel.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "artifact/om_file.h"
#include "base/error.h"
#include "ops/cost.h"
#include "ops/fused/expand_depthwise.h"
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

/// Output rows and columns of a tile of a depthwise layer (kernels/cuda/depthwise_layer.cc).
constexpr int64_t kTileHeight = 8, kTileWidth = 16;

void print_pairs(const std::string& model, const ir::Graph& graph, double flops_a_second, double bytes_a_second) {
  double saved = 0, spent = 0, gained = 0, bytes = 0;
  for (const ir::Node& node : graph.nodes) {
    if (node.op != "ExpandDepthwise") continue;
    const auto a = ops::ExpandDepthwiseAttributes::of(node);
    const ops::Dims x = ops::dims_of(*graph.value(node.inputs[0]).shape, ops::Layout::kNhwc);
    const ops::Window2d& w = a.window;
    const auto covered = static_cast<double>(((kTileHeight - 1) * w.stride_y + w.kernel_height) *
                                             ((kTileWidth - 1) * w.stride_x + w.kernel_width));
    const double again = covered / static_cast<double>(kTileHeight * w.stride_y * kTileWidth * w.stride_x);
    const double flops = 2.0 * again * static_cast<double>(x.batch * x.height * x.width * x.channels * a.out_channels);
    const auto inner = static_cast<double>(inner_bytes(graph, node));
    const double layer_saves = 1e6 * inner / bytes_a_second, layer_costs = 1e6 * flops / flops_a_second;
    fmt::print("| {} | {} x {} x {} | {} | {} x {} / {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} |\n", model, x.height,
               x.width, x.channels, a.out_channels, w.kernel_height, w.kernel_width, w.stride_y, inner * 1e-6,
               flops * 1e-9, layer_saves, layer_costs);
    bytes += inner;
    saved += layer_saves;
    spent += layer_costs;
    gained += std::max(0.0, layer_saves - layer_costs);
  }
  fmt::print("| {} | all | | | {:.1f} | | {:.1f} | {:.1f}; {:.1f} gained where it is less |\n", model, bytes * 1e-6,
             saved, spent, gained);
}

}  // namespace

int main(int argc, char** argv) try {
  int next = 1;
  const bool pairs = argc > 1 && std::string_view(argv[1]) == "--pairs";
  const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
  if (json || pairs) ++next;
  if (argc - next < 3) throw Error(ErrorCode::kUsage, "usage: gpu_floors [--json | --pairs] FLOPS BYTES MODEL.om ...");
  const double flops_a_second = std::atof(argv[next]), bytes_a_second = std::atof(argv[next + 1]);
  if (pairs)
    fmt::print(
        "| model | input | channels between | window / stride | MB | GFLOP | saved us | computed us |\n"
        "|---|---|--:|---|--:|--:|--:|--:|\n");
  if (!json && !pairs)
    fmt::print("| model | batch | steps | GFLOP | GB | arithmetic ms | traffic ms |\n|---|--:|--:|--:|--:|--:|--:|\n");
  for (int i = next + 2; i < argc; ++i) {
    const artifact::Program program = artifact::read_om(argv[i]).at(0);
    const ir::Graph& graph = program.graph;
    const std::string name = std::filesystem::path(argv[i]).stem().string();
    if (pairs) {
      print_pairs(name, graph, flops_a_second, bytes_a_second);
      continue;
    }
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
        name, graph.value(graph.inputs[0]).shape->at(0), graph.nodes.size(), flops * 1e-9, bytes * 1e-9,
        1e3 * flops / flops_a_second, 1e3 * bytes / bytes_a_second);
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "gpu_floors: error: %s\n", error.what());
  return 1;
}
