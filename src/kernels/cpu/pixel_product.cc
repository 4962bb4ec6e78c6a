// Multiplies tiles of pixels by packed weights, panel by panel, and writes them in the layout that is wanted.
#include "kernels/cpu/pixel_product.h"

#include <algorithm>

namespace effdet::kernels::cpu {

template <typename In, typename Out>
PixelProduct<In, Out>::PixelProduct(const MicroKernels& micro, int64_t depth, const ops::Dims& out, ir::Layout layout,
                                    Activation activation, ops::Products products)
    : micro_(micro), depth_(depth), out_(out), nchw_(layout != ir::Layout::kNhwc), activation_(activation) {
  // bfloat16 has no digits to spare for the sums.
  if (!kIsFloat || nchw_) return;
  const bool wanted = products == ops::Products::kAny
                          ? Strassen::pays(out.height * out.width, depth, out.channels)
                          : products == ops::Products::kStrassen && Strassen::fits(depth, out.channels);
  if (wanted) strassen_.emplace(micro, depth, out.channels);
}

template <typename In, typename Out>
size_t PixelProduct<In, Out>::prepared_values() const {
  if (strassen_) return strassen_->weight_values();
  return widens_weights()
             ? static_cast<size_t>(panels() * padded_depth<In>(depth_) * kPanel) * sizeof(float) / sizeof(In)
             : 0;
}

template <typename In, typename Out>
void PixelProduct<In, Out>::prepare(ThreadPool& threads, const In* weights, In* prepared) const {
  if constexpr (kIsFloat) {
    if (strassen_)
      threads.parallel_for(strassen_->units(),
                           [&](int64_t unit, int) { strassen_->add_weights(unit, weights, prepared); });
  } else if constexpr (kPair<In> > 1) {
    if (!widens_weights()) return;
    threads.parallel_for(panels(), [&](int64_t panel, int) {
      const int64_t at = panel * padded_depth<In>(depth_) * kPanel;
      micro_.widen_panel(weights + at, reinterpret_cast<float*>(prepared) + at, static_cast<int>(depth_));
    });
  }
}

template <typename In, typename Out>
size_t PixelProduct<In, Out>::scratch_values(int64_t rows) const {
  if (strassen_) return strassen_->scratch_values(rows);
  return nchw_ && !transposes() ? static_cast<size_t>((rows + kPanel - 1) / kPanel * kPanel * padded_depth<In>(depth_))
                                : 0;
}

template <typename In, typename Out>
void PixelProduct<In, Out>::run(const Pixels<In>& pixels, int64_t pixel, int64_t rows, int64_t column, int64_t columns,
                                const Maps& maps, In* scratch) const {
  const In* weights = maps.weights + column * padded_depth<In>(depth_);
  const float* bias = maps.bias + column;
  if (nchw_) {
    Out* c = maps.output + column * out_.height * out_.width + pixel;
    return run_nchw(pixels, rows, columns, weights, bias, c, scratch);
  }
  const int64_t c = pixel * out_.channels + column;
  GemmBlock<In, Out> block{.a = pixels.data,
                           .lda = pixels.row,
                           .a_step = pixels.step,
                           .b = weights,
                           .b_panel = padded_depth<In>(depth_) * kPanel,
                           .bias = bias,
                           .residual = maps.residual != nullptr ? maps.residual + c : nullptr,
                           .c = maps.output + c,
                           .ldc = out_.channels,
                           .m = static_cast<int>(rows),
                           .n = static_cast<int>(columns),
                           .k = static_cast<int>(depth_),
                           .activation = activation_,
                           .a_packed = false};
  if (widens_weights())
    block.wide_b = reinterpret_cast<const float*>(maps.prepared) + column * padded_depth<In>(depth_);
  if constexpr (kIsFloat) {
    if (strassen_) return strassen_->run(block, maps.prepared + column * depth_, scratch);
  }
  gemm(micro_, block);
}

template <typename In, typename Out>
void PixelProduct<In, Out>::run_nchw(const Pixels<In>& pixels, int64_t rows, int64_t columns, const In* weights,
                                     const float* bias, Out* c, In* packed) const {
  if constexpr (kWidens) {
    if (transposes())
      return micro_.gemm_transposed({.a = pixels.data,
                                     .lda = pixels.row,
                                     .a_step = 1,
                                     .b = weights,
                                     .b_panel = padded_depth<In>(depth_) * kPanel,
                                     .bias = bias,
                                     .residual = nullptr,
                                     .c = c,
                                     .ldc = out_.height * out_.width,
                                     .m = static_cast<int>(rows),
                                     .n = static_cast<int>(columns),
                                     .k = static_cast<int>(depth_),
                                     .activation = activation_,
                                     .a_packed = false});
  }
  for (int64_t row = 0; row < rows; row += kPanel)
    pack_panel(pixels.data + row * pixels.row, pixels.row, std::min<int64_t>(kPanel, rows - row),
               packed + row * padded_depth<In>(depth_));
  gemm(micro_, GemmBlock<In, Out>{.a = weights,
                                  .lda = padded_depth<In>(depth_) * kPanel,
                                  .a_step = 1,
                                  .b = packed,
                                  .b_panel = padded_depth<In>(depth_) * kPanel,
                                  .bias = bias,
                                  .residual = nullptr,
                                  .c = c,
                                  .ldc = out_.height * out_.width,
                                  .m = static_cast<int>(columns),
                                  .n = static_cast<int>(rows),
                                  .k = static_cast<int>(depth_),
                                  .activation = activation_,
                                  .a_packed = true});
}

/// The values of a pair move together, as one float would.
template <typename In, typename Out>
void PixelProduct<In, Out>::pack_panel(const In* pixels, ptrdiff_t stride, int64_t rows, In* panel) const {
  micro_.transpose(reinterpret_cast<const float*>(pixels), stride / kPair<In>, reinterpret_cast<float*>(panel), kPanel,
                   static_cast<int>(rows), static_cast<int>(depth_ / kPair<In>));
}

std::string refuse_product(const PlanContext& c, int64_t depth, ir::Layout output) {
  const DType in = c.inputs[0].dtype, out = c.outputs[0].dtype;
  const bool nhwc = output == ir::Layout::kNhwc;
  if (!nhwc && out != DType::kF32) return "NCHW is written in float32 alone";
  if (nhwc && in == DType::kBF16 && out == DType::kF32) return "bfloat16 becomes float32 in NCHW alone";
  if (!nhwc && in == DType::kBF16 && depth % 2 != 0) return "pairs of channels go to NCHW, not an odd number";
  return "";
}

template class PixelProduct<float, float>;
template class PixelProduct<float, Bf16>;
template class PixelProduct<Bf16, Bf16>;
template class PixelProduct<Bf16, float>;

}  // namespace effdet::kernels::cpu
