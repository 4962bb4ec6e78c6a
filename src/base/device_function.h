// Marks functions that run on GPUs too: nvcc compiles them for these, and the C++ compiler for the processor.
#pragma once

#ifdef __CUDACC__
#define EFFDET_CUDA __device__ inline
#else
#define EFFDET_CUDA inline
#endif
