// The layers with oneDNN: NHWC, weights in the layout that it chooses, swish as a fused post-operation.
#include <omp.h>

#include <cstring>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "layer.h"

namespace effdet::bench {
namespace {

using dnnl::memory;

/// What one execution needs, kept alive by the returned function.
struct Prepared {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
};

}  // namespace

std::function<void()> onednn_layer(const Layer& layer, int threads) {
  omp_set_num_threads(threads);
  auto p = std::make_shared<Prepared>();
  const int pad = std::max((layer.out_side() - 1) * layer.stride + layer.kernel - layer.side, 0);
  const memory::dims x{1, layer.in, layer.side, layer.side}, y{1, layer.out, layer.out_side(), layer.out_side()};
  const memory::dims w = layer.depthwise ? memory::dims{layer.out, 1, 1, layer.kernel, layer.kernel}
                                         : memory::dims{layer.out, layer.in, layer.kernel, layer.kernel};
  const auto f32 = memory::data_type::f32;
  const auto nhwc = memory::format_tag::nhwc;
  const dnnl::convolution_forward::desc description(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, {x, f32, nhwc},
      {w, f32, memory::format_tag::any}, {{layer.out}, f32, memory::format_tag::x}, {y, f32, nhwc},
      {layer.stride, layer.stride}, {pad / 2, pad / 2}, {pad - pad / 2, pad - pad / 2});
  dnnl::post_ops operations;
  operations.append_eltwise(1.0f, dnnl::algorithm::eltwise_swish, 1.0f, 0.0f);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(operations);
  const dnnl::convolution_forward::primitive_desc chosen(description, attributes, p->engine);
  p->primitive = dnnl::convolution_forward(chosen);
  p->arguments = {{DNNL_ARG_SRC, memory(chosen.src_desc(), p->engine)},
                  {DNNL_ARG_WEIGHTS, memory(chosen.weights_desc(), p->engine)},
                  {DNNL_ARG_BIAS, memory(chosen.bias_desc(), p->engine)},
                  {DNNL_ARG_DST, memory(chosen.dst_desc(), p->engine)}};
  // Memory that was never written is one page of zeros to the kernel, which then runs from the cache.
  for (auto& [number, argument] : p->arguments)
    std::memset(argument.get_data_handle(), 0, argument.get_desc().get_size());
  return [p] {
    p->primitive.execute(p->stream, p->arguments);
    p->stream.wait();
  };
}

}  // namespace effdet::bench
