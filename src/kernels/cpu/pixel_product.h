// What convolutions do with rows of pixels: multiply them by packed weights, into an NHWC or an NCHW map.
#pragma once

#include <optional>

#include "kernels/cpu/strassen.h"
#include "kernels/cpu/typed.h"
#include "ops/fused/conv.h"

namespace effdet::kernels::cpu {

/// A matrix of pixels: `row` values between pixels, `step` between the values of one.
template <typename T>
struct Pixels {
  const T* data;
  ptrdiff_t row, step;
};

/// Pixels times weights. NCHW output changes the sides: weights times packed pixels, so that C's rows, one an output
/// channel, are written as they lie.
/// Pixels and weights are of type In, the output of type Out.
template <typename In, typename Out>
class PixelProduct {
 public:
  /// depth: values of a row of pixels; out: the output map, and how it lies.
  PixelProduct(const MicroKernels& micro, int64_t depth, const ops::Dims& out, ir::Layout layout, Activation activation,
               ops::Products products);

  /// Values of type In that run() needs for so many rows.
  size_t scratch_values(int64_t rows) const;
  /// Values of type In for what prepare() makes: sums of weights, or weights as floats; 0 where it need not be called.
  size_t prepared_values() const;
  /// Before run(), for each set of weights.
  void prepare(ThreadPool& threads, const In* weights, In* prepared) const;
  /// Rows and columns that are best multiplied at once: multiples of these.
  int64_t row_step() const {
    if (strassen_) return out_.height * out_.width % 128 == 0 ? 128 : 96;
    return by_tiles() ? 32 : 48;
  }
  /// Whether other numbers of rows are nearly as good.
  bool takes_any_rows() const { return !strassen_ && !by_tiles(); }
  int64_t column_step() const { return strassen_ ? Strassen::kUnitColumns : 4 * kPanel; }

  /// A task of fewer multiplications is not worth handing to another thread.
  int64_t least_work() const { return by_tiles() ? 1 << 21 : 1 << 18; }

  /// What a run works on, beside its pixels.
  struct Maps {
    const In* weights;    ///< panels of [depth][kPanel]; bf16: [depth / 2][kPanel][2]
    const float* bias;    ///< padded to whole panels
    const Out* residual;  ///< as output, of the same image; null for none
    Out* output;          ///< of one image
    const In* prepared = nullptr;
  };
  /// `rows` pixels of depth values become output pixels [pixel, pixel + rows), output channels [column, column +
  /// columns); column is a multiple of column_step(). NCHW output takes pixels with a step of 1 alone.
  void run(const Pixels<In>& pixels, int64_t pixel, int64_t rows, int64_t column, int64_t columns, const Maps& maps,
           In* scratch) const;

 private:
  static constexpr bool kIsFloat = std::is_same_v<In, float> && std::is_same_v<Out, float>;

  static constexpr bool kWidens = std::is_same_v<In, Bf16> && std::is_same_v<Out, float>;

  /// Whether the processor multiplies by whole tiles.
  bool by_tiles() const { return kPair<In> > 1 && micro_.gemm_transposed != nullptr; }
  /// Whether weights become floats once for all tasks.
  bool widens_weights() const { return kPair<In> > 1 && !nchw_ && micro_.widen_panel != nullptr; }
  int64_t panels() const { return (out_.channels + kPanel - 1) / kPanel; }
  /// Whether the product itself changes the sides, from pixels as they lie.
  bool transposes() const { return kWidens && by_tiles(); }
  void run_nchw(const Pixels<In>& pixels, int64_t rows, int64_t columns, const In* weights, const float* bias, Out* c,
                In* packed) const;
  void pack_panel(const In* pixels, ptrdiff_t stride, int64_t rows, In* panel) const;

  const MicroKernels& micro_;
  int64_t depth_;
  ops::Dims out_;
  bool nchw_;
  Activation activation_;
  std::optional<Strassen> strassen_;
};

/// Why there is no PixelProduct for the types of a step with so many values of k and its output's layout; empty where
/// there is.
std::string refuse_product(const PlanContext& c, int64_t depth, ir::Layout output);

}  // namespace effdet::kernels::cpu
