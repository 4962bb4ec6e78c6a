// libeffdet_cuda.so: memory, streams and graphs of the CUDA runtime, and the kernels as CUDA.
#include <array>
#include <cstdio>
#include <memory>
#include <new>

#include "kernels/cuda/api.h"
#include "kernels/cuda/codes.cuh"
#include "kernels/cuda/device_block.cuh"
#include "kernels/cuda/kernel_list.h"
#include "kernels/cuda/products.cuh"

namespace effdet::kernels::cuda {

struct Stream {
  int device = 0;
  cudaStream_t handle = nullptr;
  Products products;
};

struct Graph {
  cudaGraphExec_t handle = nullptr;
};

namespace {

#define EFFDET_TRY(call) \
  if (const int code = code_of(call); code != 0) return code

const char* error_text(int code) {
  if (code >= kFirstProductCode) return cublasLtGetStatusString(static_cast<cublasStatus_t>(code - kFirstProductCode));
  return cudaGetErrorString(static_cast<cudaError_t>(code));
}

Fault fault(int code) {
  switch (code) {
    case cudaErrorMemoryAllocation:
    case kFirstProductCode + CUBLAS_STATUS_ALLOC_FAILED:
      return Fault::kOutOfMemory;
    case cudaErrorInsufficientDriver:
    case cudaErrorInitializationError:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
    case cudaErrorSystemNotReady:
      return Fault::kNoDriver;
    case cudaErrorNoDevice:
      return Fault::kNoDevice;
    case cudaErrorDevicesUnavailable:
    case cudaErrorDeviceAlreadyInUse:
      return Fault::kBusy;
    case kFirstProductCode + CUBLAS_STATUS_NOT_SUPPORTED:
      return Fault::kNoProduct;
    default:
      return Fault::kOther;
  }
}

int device_count(int* count) { return code_of(cudaGetDeviceCount(count)); }

int properties(int device, Properties* properties) {
  EFFDET_TRY(cudaSetDevice(device));
  cudaDeviceProp all{};
  EFFDET_TRY(cudaGetDeviceProperties(&all, device));
  size_t free = 0, total = 0;
  EFFDET_TRY(cudaMemGetInfo(&free, &total));
  std::snprintf(properties->name, sizeof properties->name, "%s", all.name);
  properties->major = all.major;
  properties->minor = all.minor;
  properties->memory_bytes = static_cast<int64_t>(total);
  properties->free_bytes = static_cast<int64_t>(free);
  return 0;
}

int allocate(int device, size_t bytes, void** memory) {
  EFFDET_TRY(cudaSetDevice(device));
  const cudaError_t error = cudaMalloc(memory, bytes);
  if (error != cudaSuccess) cudaGetLastError();  // said once: later calls begin without it
  return code_of(error);
}

int free_memory(int device, void* memory) {
  EFFDET_TRY(cudaSetDevice(device));
  return code_of(cudaFree(memory));
}

int free_stream(Stream* stream) {
  const std::unique_ptr<Stream> own(stream);
  EFFDET_TRY(cudaSetDevice(own->device));
  return own->handle != nullptr ? code_of(cudaStreamDestroy(own->handle)) : 0;
}

int make_stream(int device, Stream** stream) {
  EFFDET_TRY(cudaSetDevice(device));
  auto own = std::unique_ptr<Stream>(new (std::nothrow) Stream);
  if (own == nullptr) return cudaErrorMemoryAllocation;
  own->device = device;
  EFFDET_TRY(cudaStreamCreateWithFlags(&own->handle, cudaStreamNonBlocking));
  if (const int code = own->products.start(); code != 0) {
    cudaStreamDestroy(own->handle);
    return code;
  }
  *stream = own.release();
  return 0;
}

int copy(Stream* stream, const void* from, void* to, size_t bytes, cudaMemcpyKind kind) {
  EFFDET_TRY(cudaSetDevice(stream->device));
  EFFDET_TRY(cudaMemcpyAsync(to, from, bytes, kind, stream->handle));
  return code_of(cudaStreamSynchronize(stream->handle));
}

int upload(Stream* stream, const void* from, void* to, size_t bytes) {
  return copy(stream, from, to, bytes, cudaMemcpyHostToDevice);
}

int download(Stream* stream, const void* from, void* to, size_t bytes) {
  return copy(stream, from, to, bytes, cudaMemcpyDeviceToHost);
}

int wait(Stream* stream) {
  EFFDET_TRY(cudaSetDevice(stream->device));
  return code_of(cudaStreamSynchronize(stream->handle));
}

template <typename Kernel>
__global__ void run_block(const __grid_constant__ typename Kernel::Args args) {
  DeviceBlock block;
  Kernel::run(block, args);
}

template <typename Kernel>
int launch_kernel(Stream* stream, const Launch& launch) {
  run_block<Kernel><<<static_cast<unsigned>(launch.blocks), static_cast<unsigned>(launch.threads),
                      static_cast<size_t>(launch.shared_bytes), stream->handle>>>(
      *static_cast<const typename Kernel::Args*>(launch.args));
  return code_of(cudaGetLastError());
}

template <typename... Kernels>
constexpr auto launchers_of(List<Kernels...>) {
  return std::array{launch_kernel<Kernels>...};
}

int launch(Stream* stream, const Launch* launch) {
  static constexpr auto kLaunchers = launchers_of(AllKernels());
  if (launch->kernel < 0 || launch->kernel >= static_cast<int>(kLaunchers.size())) return cudaErrorInvalidValue;
  EFFDET_TRY(cudaSetDevice(stream->device));
  return kLaunchers[static_cast<size_t>(launch->kernel)](stream, *launch);
}

int gemm(Stream* stream, const Gemm* gemm) {
  EFFDET_TRY(cudaSetDevice(stream->device));
  return stream->products.run(*gemm, stream->handle);
}

int begin_graph(Stream* stream) {
  EFFDET_TRY(cudaSetDevice(stream->device));
  return code_of(cudaStreamBeginCapture(stream->handle, cudaStreamCaptureModeThreadLocal));
}

int end_graph(Stream* stream, Graph** graph) {
  EFFDET_TRY(cudaSetDevice(stream->device));
  cudaGraph_t recorded = nullptr;
  EFFDET_TRY(cudaStreamEndCapture(stream->handle, &recorded));
  auto own = std::unique_ptr<Graph>(new (std::nothrow) Graph);
  const cudaError_t error =
      own == nullptr ? cudaErrorMemoryAllocation : cudaGraphInstantiate(&own->handle, recorded, 0);
  cudaGraphDestroy(recorded);
  if (error == cudaSuccess) *graph = own.release();
  return code_of(error);
}

int run_graph(Stream* stream, Graph* graph) {
  EFFDET_TRY(cudaSetDevice(stream->device));
  return code_of(cudaGraphLaunch(graph->handle, stream->handle));
}

int free_graph(Graph* graph) {
  const std::unique_ptr<Graph> own(graph);
  return code_of(cudaGraphExecDestroy(own->handle));
}

#undef EFFDET_TRY

constexpr Api kApi = {
    .version = kApiVersion,
    .error_text = error_text,
    .fault = fault,
    .device_count = device_count,
    .properties = properties,
    .allocate = allocate,
    .free = free_memory,
    .make_stream = make_stream,
    .free_stream = free_stream,
    .upload = upload,
    .download = download,
    .wait = wait,
    .launch = launch,
    .gemm = gemm,
    .begin_graph = begin_graph,
    .end_graph = end_graph,
    .run_graph = run_graph,
    .free_graph = free_graph,
};

}  // namespace
}  // namespace effdet::kernels::cuda

extern "C" __attribute__((visibility("default"))) const effdet::kernels::cuda::Api* effdet_cuda_api() {
  return &effdet::kernels::cuda::kApi;
}
