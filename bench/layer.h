// Layers of EfficientDet that both sides of kernels_bench run.
#pragma once

#include <functional>
#include <string>

namespace effdet::bench {

/// A convolution over an NHWC map with SAME padding, bias and swish, batch 1.
struct Layer {
  std::string name;
  int side;  ///< of the input, in pixels
  int in, out;
  int kernel, stride;
  bool depthwise;

  int out_side() const { return (side + stride - 1) / stride; }
  double flops() const { return 2.0 * out_side() * out_side() * out * kernel * kernel * (depthwise ? 1 : in); }
};

/// A function that runs the layer once with oneDNN, on `threads` threads, memory and weights prepared.
std::function<void()> onednn_layer(const Layer& layer, int threads);

}  // namespace effdet::bench
