// Kernels that touch each value once: max pool, BiFPN's weighted sum, resizes, activations, the squeeze-excite layers,
// transposition.
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/pool_windows.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

template <int inputs, typename Activation_, typename T>
void mix_rows(const MixRows<T>& m) {
  for (int y = m.row_begin; y < m.row_end; ++y) {
    const T* line[inputs];
    for (int i = 0; i < inputs; ++i)
      line[i] = m.x[i] +
                static_cast<ptrdiff_t>(static_cast<int64_t>(y) * m.height[i] / m.out_height) * m.width[i] * m.channels;
    for (int x = 0; x < m.out_width; ++x) {
      const T* pixel[inputs];
      for (int i = 0; i < inputs; ++i)
        pixel[i] = line[i] + static_cast<ptrdiff_t>(static_cast<int64_t>(x) * m.width[i] / m.out_width) * m.channels;
      T* target = m.y + (static_cast<ptrdiff_t>(y) * m.out_width + x) * m.channels;
      for_vectors(
          m.channels, [&](int64_t c, int lanes) __attribute__((always_inline)) {
            Vec sum = get(pixel[0] + c, lanes) * m.weight[0];
#pragma GCC unroll 4
            for (int i = 1; i < inputs; ++i) sum += get(pixel[i] + c, lanes) * m.weight[i];
            put(target + c, apply<T>(Activation_::value, sum), lanes);
          });
    }
  }
}

}  // namespace

template <typename T>
void max_pool(const PoolRows<T>& p) {
  for_windows(p, [&](const T* window, int rows, int columns, T* target) {
    const bool clipped = rows < p.kernel_height || columns < p.kernel_width;
    const float least = p.zero_padding && clipped ? 0.0f : -__builtin_inff();
    for_vectors(p.channels, [&](int64_t c, int lanes) {
      Vec best = splat(least);
      for (int ky = 0; ky < rows; ++ky)
        for (int kx = 0; kx < columns; ++kx) {
          const ptrdiff_t at = (static_cast<ptrdiff_t>(ky) * p.in_width + kx) * p.channels + c;
          best = vec_max_of_both(get(window + at, lanes), best);
        }
      put(target + c, best, lanes);
    });
  });
}

template <typename T>
void average_pool(const PoolRows<T>& p) {
  for_windows(p, [&](const T* window, int rows, int columns, T* target) {
    const int places = p.zero_padding ? p.kernel_height * p.kernel_width : rows * columns;
    for_vectors(p.channels, [&](int64_t c, int lanes) {
      Vec sum{};
      for (int ky = 0; ky < rows; ++ky)
        for (int kx = 0; kx < columns; ++kx)
          sum += get(window + (static_cast<ptrdiff_t>(ky) * p.in_width + kx) * p.channels + c, lanes);
      put(target + c, sum / static_cast<float>(places), lanes);
    });
  });
}

template <typename T>
void mix(const MixRows<T>& m) {
  with_activation(m.activation, [&](auto activation) {
    using A = decltype(activation);
    switch (m.inputs) {
      case 1:
        return mix_rows<1, A>(m);
      case 2:
        return mix_rows<2, A>(m);
      case 3:
        return mix_rows<3, A>(m);
      default:
        return mix_rows<4, A>(m);
    }
  });
}

template <typename T>
void resize(const ResizeRows<T>& r) {
  for (int y = r.row_begin; y < r.row_end; ++y) {
    const ResizeTap row = r.rows[y];
    const ptrdiff_t line = static_cast<ptrdiff_t>(r.in_width) * r.channels;
    const T *upper = r.x + row.first * line, *lower = r.x + row.second * line;
    T* target = r.y + static_cast<ptrdiff_t>(y) * r.out_width * r.channels;
    for (int x = 0; x < r.out_width; ++x, target += r.channels) {
      const ResizeTap column = r.columns[x];
      const ptrdiff_t left = static_cast<ptrdiff_t>(column.first) * r.channels;
      const ptrdiff_t right = static_cast<ptrdiff_t>(column.second) * r.channels;
      for_vectors(r.channels, [&](int64_t c, int lanes) {
        const auto across = [&](const T* p) __attribute__((always_inline)) {
          return get(p + left + c, lanes) * column.first_weight + get(p + right + c, lanes) * column.second_weight;
        };
        put(target + c, across(upper) * row.first_weight + across(lower) * row.second_weight, lanes);
      });
    }
  }
}

template <typename T>
void gate(const T* x, const float* gate, T* y, int64_t pixels, int channels) {
  for (int64_t i = 0; i < pixels; ++i, x += channels, y += channels)
    for_vectors(channels, [&](int64_t c, int lanes) { put(y + c, get(x + c, lanes) * get(gate + c, lanes), lanes); });
}

#if EFFDET_OWN_FLOAT_MAPS
template void gate(const float*, const float*, float*, int64_t, int);
template void max_pool(const PoolRows<float>&);
template void average_pool(const PoolRows<float>&);
template void mix(const MixRows<float>&);
template void resize(const ResizeRows<float>&);
#endif
template void gate(const Bf16*, const float*, Bf16*, int64_t, int);
template void max_pool(const PoolRows<Bf16>&);
template void average_pool(const PoolRows<Bf16>&);
template void mix(const MixRows<Bf16>&);
template void resize(const ResizeRows<Bf16>&);

void narrow(const float* x, Bf16* y, int64_t count) {
  for_vectors(count, [&](int64_t i, int lanes) { put(y + i, get(x + i, lanes), lanes); });
}

void widen(const Bf16* x, float* y, int64_t count) {
  for_vectors(count, [&](int64_t i, int lanes) { put(y + i, get(x + i, lanes), lanes); });
}

void activate(const float* x, float* y, int64_t count, Activation activation) {
  with_activation(activation, [&](auto constant) {
    for_vectors(count, [&](int64_t i, int lanes) {
      put(y + i, apply<float>(decltype(constant)::value, get(x + i, lanes)), lanes);
    });
  });
}

void vector_matrix(const float* x, const float* w, const float* bias, float* y, int inputs, int outputs,
                   Activation activation) {
  for_vectors(outputs, [&](int64_t j, int lanes) {
    Vec sum = get(bias + j, lanes);
    for (int i = 0; i < inputs; ++i) sum += get(w + static_cast<ptrdiff_t>(i) * outputs + j, lanes) * x[i];
    put(y + j, apply<float>(activation, sum), lanes);
  });
}

void strassen_pixel_sums(const Quarters& q) {
  for_vectors(q.count, [&](int64_t i, int lanes) {
    const Vec a11 = get(q.in[0] + i, lanes), a21 = get(q.in[2] + i, lanes);
    const Vec first = a21 + get(q.in[3] + i, lanes), second = first - a11;
    put(q.sums[0] + i, first, lanes);
    put(q.sums[1] + i, second, lanes);
    put(q.sums[2] + i, a11 - a21, lanes);
    put(q.sums[3] + i, get(q.in[1] + i, lanes) - second, lanes);
  });
}

void strassen_weight_sums(const Quarters& q) {
  for_vectors(q.count, [&](int64_t i, int lanes) {
    const Vec b12 = get(q.in[1] + i, lanes), b22 = get(q.in[3] + i, lanes);
    const Vec first = b12 - get(q.in[0] + i, lanes), second = b22 - first;
    put(q.sums[0] + i, first, lanes);
    put(q.sums[1] + i, second, lanes);
    put(q.sums[2] + i, b22 - b12, lanes);
    put(q.sums[3] + i, get(q.in[2] + i, lanes) - second, lanes);
  });
}

void strassen_last_quarter(const LastQuarter& q) {
  with_activation(q.activation, [&](auto activation) {
    for (int row = 0; row < q.rows; ++row) {
      const ptrdiff_t at = row * q.ld, to = row * q.ldy;
      for_vectors(
          q.columns, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            Vec sum = get(q.a + at + i, lanes) + get(q.b + at + i, lanes) - get(q.c + at + i, lanes);
            sum += get(q.bias + i, lanes);
            if (q.residual != nullptr) sum += get(q.residual + to + i, lanes);
            put(q.y + to + i, apply<float>(decltype(activation)::value, sum), lanes);
          });
    }
  });
}

void transpose(const float* x, ptrdiff_t x_stride, float* y, ptrdiff_t y_stride, int rows, int columns) {
  typedef float Four __attribute__((vector_size(16)));
  typedef Four UnalignedFour __attribute__((aligned(4), may_alias));
  constexpr int kBlock = 16;  // a block of lines of both sides stays in the first-level cache
  const auto scalar = [&](int row, int row_end, int column, int column_end) {
    for (int j = column; j < column_end; ++j)
      for (int i = row; i < row_end; ++i) y[j * y_stride + i] = x[i * x_stride + j];
  };
  const auto four_by_four = [&](int row, int column) __attribute__((always_inline)) {
    Four in[4];
    for (int i = 0; i < 4; ++i) in[i] = *reinterpret_cast<const UnalignedFour*>(x + (row + i) * x_stride + column);
    const Four low01 = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5);
    const Four high01 = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
    const Four low23 = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5);
    const Four high23 = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
    const Four out[4] = {
        __builtin_shufflevector(low01, low23, 0, 1, 4, 5), __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
        __builtin_shufflevector(high01, high23, 0, 1, 4, 5), __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
    for (int j = 0; j < 4; ++j) *reinterpret_cast<UnalignedFour*>(y + (column + j) * y_stride + row) = out[j];
  };
  for (int row = 0; row < rows; row += kBlock) {
    const int row_end = min_of(row + kBlock, rows), whole_rows = row + (row_end - row) / 4 * 4;
    for (int column = 0; column < columns; column += kBlock) {
      const int column_end = min_of(column + kBlock, columns), whole_columns = column + (column_end - column) / 4 * 4;
      for (int j = column; j < whole_columns; j += 4)
        for (int i = row; i < whole_rows; i += 4) four_by_four(i, j);
      scalar(whole_rows, row_end, column, column_end);
      scalar(row, whole_rows, whole_columns, column_end);
    }
  }
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
