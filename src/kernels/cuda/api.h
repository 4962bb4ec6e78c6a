// What the library and its module libeffdet_cuda.so say to each other: a table of functions, so that programs start
// without CUDA. A twin of the module runs on the CPU (host_api.h), for tests.
#pragma once

#include <cstddef>
#include <cstdint>

namespace effdet::kernels::cuda {

/// Goes up with every change of this file or of the list of kernels: a module of another build is refused.
inline constexpr int kApiVersion = 5;
/// The function of the module that returns its table: const Api* effdet_cuda_api().
inline constexpr const char* kApiFunction = "effdet_cuda_api";

enum class Element : int32_t { kF32, kF16, kBf16 };

/// Blocks of a kernel of the list, which gets a copy of its arguments.
struct Launch {
  int kernel;
  int64_t blocks;
  int threads;
  int64_t shared_bytes;
  const void* args;
};

/// y = x w + bias + residual for each of `batch` matrices, sums in float32. All lie by rows: x [rows][depth],
/// w [depth][w_stride], residual and y [rows][columns]; or, where y_is_transposed, y [columns][rows], without bias and
/// residual.
struct Gemm {
  Element in, out;  ///< of x and w; of bias, residual and y
  int64_t rows, columns, depth, w_stride;
  int64_t batch;
  int64_t x_step, w_step, y_step;  ///< values from one matrix to the next; the residual's is y's
  bool y_is_transposed;
  const void *x, *w, *bias, *residual;  ///< bias and residual may be null
  void* y;
};

struct Properties {
  char name[256];
  int major, minor;  ///< compute capability
  int64_t memory_bytes, free_bytes;
};

/// What a code says, where more can be told of it.
enum class Fault : int32_t {
  kOther,
  kOutOfMemory,
  kNoDriver,   ///< there is none, or one that is older than the module
  kNoDevice,   ///< the driver shows this process no GPU
  kBusy,       ///< another process has the GPU for itself
  kNoProduct,  ///< gemm() cannot multiply matrices of such shapes
};

struct Stream;
struct Graph;

/// Functions return 0 or a code that error_text() explains. A device is its number; streams belong to one.
struct Api {
  int version;
  const char* (*error_text)(int code);
  Fault (*fault)(int code);
  int (*device_count)(int* count);
  int (*properties)(int device, Properties* properties);
  int (*allocate)(int device, size_t bytes, void** memory);
  int (*free)(int device, void* memory);
  int (*make_stream)(int device, Stream** stream);
  int (*free_stream)(Stream* stream);
  /// Copies between host and device, after what is in the stream. They return when the bytes are there.
  int (*upload)(Stream* stream, const void* from, void* to, size_t bytes);
  int (*download)(Stream* stream, const void* from, void* to, size_t bytes);
  int (*wait)(Stream* stream);
  int (*launch)(Stream* stream, const Launch* launch);
  int (*gemm)(Stream* stream, const Gemm* gemm);
  /// Between these two, what is put into the stream is recorded instead of run.
  int (*begin_graph)(Stream* stream);
  int (*end_graph)(Stream* stream, Graph** graph);
  int (*run_graph)(Stream* stream, Graph* graph);
  int (*free_graph)(Graph* graph);
};

}  // namespace effdet::kernels::cuda
