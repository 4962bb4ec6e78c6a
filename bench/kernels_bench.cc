// Layers of D0 and D7 on our kernels, in float32 and in 8-bit codes, and, where it was found, on oneDNN, in one run.
// Usage: kernels_bench --benchmark_enable_random_interleaving=true --benchmark_repetitions=5 (threads:
// EFFDET_NUM_THREADS)
#include <benchmark/benchmark.h>

#include <memory>

#include "base/thread_pool.h"
#include "kernels/cpu/device.h"
#include "layer.h"
#include "ops/fused/conv.h"
#include "ops/fused/packing.h"
#include "ops/fused/quantization.h"

namespace effdet::bench {
namespace {

const Layer kLayers[] = {
    {"d7 head pointwise", 192, 384, 384, 1, 1, false},
    {"d7 expand", 768, 32, 192, 1, 1, false},
    {"d7 project", 384, 240, 40, 1, 1, false},
    {"d7 deep expand", 48, 576, 3456, 1, 1, false},
    {"d7 stem", 1536, 3, 56, 3, 2, false},
    {"d7 head depthwise", 192, 384, 384, 3, 1, true},
    {"d7 depthwise stride 2", 768, 192, 192, 3, 2, true},
    {"d0 expand", 128, 24, 144, 1, 1, false},
    {"d0 project", 32, 672, 112, 1, 1, false},
    {"d0 depthwise 5x5", 32, 672, 672, 5, 1, true},
};

/// One layer, planned, with its memory.
class OwnLayer {
 public:
  /// type: of the maps, float32 or uint8.
  OwnLayer(const Layer& layer, DType type, int threads) : threads_(threads) {
    using Ints = std::vector<int64_t>;
    const int pad = std::max((layer.out_side() - 1) * layer.stride + layer.kernel - layer.side, 0);
    ir::Node node{layer.depthwise ? "DepthwiseConv" : "Conv", std::string(ir::kFusedDomain), layer.name, {}, {100}, {}};
    node.attributes = {{"kernel_shape", Ints{layer.kernel, layer.kernel}},
                       {"strides", Ints{layer.stride, layer.stride}},
                       {"pads", Ints{pad / 2, pad / 2, pad - pad / 2, pad - pad / 2}},
                       {"out_channels", int64_t{layer.out}},
                       {"activation", "swish"},
                       {"layout", "nhwc"}};
    const bool codes = type == DType::kU8;
    const DType weights = codes ? DType::kI8 : type;
    const int64_t depth = int64_t{layer.kernel} * layer.kernel * layer.in;
    const int64_t biases = layer.depthwise ? layer.in : ops::padded_to_panels(layer.out);
    inputs_.emplace_back(type, Shape{1, layer.side, layer.side, layer.in});
    inputs_.emplace_back(weights, layer.depthwise ? Shape{layer.kernel, layer.kernel, layer.in}
                                                  : Shape{ops::panel_count(layer.out),
                                                          ops::padded_depth(depth, weights), ops::kPanelChannels});
    inputs_.emplace_back(codes ? DType::kI32 : type, Shape{biases});
    if (codes) {
      ops::set_quantization(node, "x", {0.02f, 10});
      ops::set_quantization(node, "y", {0.02f, 10});
      if (!layer.depthwise) inputs_.resize(ops::ConvAttributes::kWeightScale);
      inputs_.emplace_back(DType::kF32, Shape{biases});
    }
    output_ = Tensor(type, {1, layer.out_side(), layer.out_side(), layer.out});
    std::vector<kernels::ValueInfo> infos;
    for (const Tensor& input : inputs_) {
      node.inputs.push_back(input.empty() ? ir::kNoValue : static_cast<ir::ValueId>(infos.size()));
      infos.push_back({input.dtype(), input.shape(), infos.empty() ? nullptr : &input, !input.empty()});
    }
    const std::vector<kernels::ValueInfo> outputs{{type, output_.shape()}};
    kernel_ = kernels::choose(kernels::cpu::device(), {node, 11, infos, outputs}).kernel;
    scratch_ = Tensor(DType::kU8, {static_cast<int64_t>(kernel_->scratch_bytes(threads)) + 64});
  }

  void run() {
    std::vector<const std::byte*> inputs;
    for (const Tensor& input : inputs_) inputs.push_back(input.empty() ? nullptr : input.bytes().data());
    std::byte* outputs[] = {output_.mutable_bytes().data()};
    kernel_->run({inputs, outputs, scratch_.mutable_bytes().data(), threads_});
  }

 private:
  ThreadPool threads_;
  std::vector<Tensor> inputs_;
  Tensor output_, scratch_;
  std::unique_ptr<kernels::Kernel> kernel_;
};

void measure(benchmark::State& state, const Layer& layer, const std::function<void()>& run) {
  for (auto _ : state) run();
  state.counters["GFLOPS"] =
      benchmark::Counter(layer.flops() * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void add_layers() {
  const int threads = default_thread_count();
  for (const Layer& layer : kLayers) {
    for (const auto& [type, name] : {std::pair{DType::kF32, "/effdet"}, {DType::kU8, "/effdet int8"}}) {
      const auto own = std::make_shared<OwnLayer>(layer, type, threads);
      benchmark::RegisterBenchmark(
          (layer.name + name).c_str(),
          [layer, own](benchmark::State& state) { measure(state, layer, [&] { own->run(); }); })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
#ifdef EFFDET_HAS_ONEDNN
    const auto peer = onednn_layer(layer, threads);
    benchmark::RegisterBenchmark((layer.name + "/onednn").c_str(),
                                 [layer, peer](benchmark::State& state) { measure(state, layer, peer); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
#endif
  }
}

}  // namespace
}  // namespace effdet::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  effdet::bench::add_layers();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
