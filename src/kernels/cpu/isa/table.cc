// The table of one instruction set.
#include "kernels/cpu/code_products.h"
#include "kernels/cpu/isa/kernels.h"

#define EFFDET_STRING_(x) #x
#define EFFDET_STRING(x) EFFDET_STRING_(x)

namespace effdet::kernels::cpu::EFFDET_ISA {

namespace {

template <typename T>
constexpr MapKernels<T> kMaps = {
    .gemm = gemm<T, T>,
    .depthwise = depthwise<T, T>,
    .max_pool = max_pool<T>,
    .average_pool = average_pool<T>,
    .mix = mix<T>,
    .resize = resize<T>,
    .gate = gate<T>,
    .scale_panel = scale_panel,
    .fold_rows = fold_rows<T>,
};

}  // namespace

#if EFFDET_OWN_FLOAT_MAPS
extern const MapKernels<float> kFloatMaps = kMaps<float>;
#else
using avx512::kFloatMaps;
#endif

extern const MicroKernels kTable = {
    .name = EFFDET_STRING(EFFDET_ISA),
#if defined(__AVX512BF16__)
    .multiplies_bf16 = true,
#else
    .multiplies_bf16 = false,
#endif
    .f32 = kFloatMaps,
    .bf16 = kMaps<Bf16>,
    .gemm_narrow = gemm<float, Bf16>,
    .gemm_widen = gemm<Bf16, float>,
    .gemm_transposed = nullptr,
    .depthwise_narrow = depthwise<float, Bf16>,
#if defined(__AVX512BF16__)
    .depthwise_by_pairs = depthwise_by_pairs,
#else
    .depthwise_by_pairs = nullptr,
#endif
    .narrow = narrow,
    .widen = widen,
#if defined(__AVX512BF16__)
    .widen_panel = nullptr,
#else
    .widen_panel = widen_panel,
#endif
    .activate = activate,
    .elementwise = elementwise,
    .fold_line = fold_line,
    .lstm_cell = lstm_cell,
    .normalize_line = normalize_line,
    .softmax_line = softmax_line,
    .softmax_columns = softmax_columns,
    .vector_matrix = vector_matrix,
    .transpose = transpose,
    .pixel_row = pixel_row,
    .strassen = {.pixel_sums = strassen_pixel_sums,
                 .weight_sums = strassen_weight_sums,
                 .last_quarter = strassen_last_quarter},
    .winograd = {.input = winograd_input, .output = winograd_output},
    .codes = {.requantize = requantize,
              .gate = gate_codes,
              .mix = mix_codes,
              .max_pool = max_pool_codes,
              .look_up = look_up_codes,
              .quantize = quantize<float>,
              .quantize_bf16 = quantize<Bf16>,
              .dequantize = dequantize<float>,
              .dequantize_bf16 = dequantize<Bf16>},
#if defined(__AVX512BF16__)
    .code_products = &avx512_vnni::kCodeProducts,
    .code_depthwise = &avx512_vnni::kCodeDepthwise,
#else
    .code_products = &kCodeProducts,
    .code_depthwise = &kCodeDepthwise,
#endif
};

}  // namespace effdet::kernels::cpu::EFFDET_ISA
