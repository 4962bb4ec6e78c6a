// All kernels: the place to add one. Its place in the list is the number that the library and its module name it by.
#pragma once

#include <type_traits>

#include "kernels/cuda/aipp_kernel.h"
#include "kernels/cuda/box_kernels.h"
#include "kernels/cuda/conv_kernels.h"
#include "kernels/cuda/dense_kernel.h"
#include "kernels/cuda/depthwise_kernel.h"
#include "kernels/cuda/map_kernels.h"
#include "kernels/cuda/picture_kernels.h"
#include "kernels/cuda/product_kernel.h"
#include "kernels/cuda/select_kernels.h"

namespace effdet::kernels::cuda {

template <typename... Kernels>
struct List {};

template <typename... A, typename... B, typename... C>
List<A..., B..., C...> joined(List<A...>, List<B...>, List<C...>);

/// Neighbouring values that kernels work on at a time, where they divide the channels; one, where they do not.
template <typename T>
inline constexpr int kPackOf = 16 / sizeof(T);

template <typename T, int kPack>
using PackKernels = List<Depthwise<T, kPack>, Mix<T, kPack>, Pool<T, kPack>, Finish<T, kPack>>;
template <typename T>
using MapKernels = decltype(joined(PackKernels<T, kPackOf<T>>(), PackKernels<T, 1>(),
                                   List<GateWeights<T>, GatherWindows<T>, PlainProduct<T, T>>()));
/// From maps of one type to another.
template <typename TIn, typename TOut>
using MixedKernels = List<DirectConv<TIn, TOut>, Convert<TIn, TOut>>;
template <typename T>
using NarrowKernels = decltype(joined(List<DirectConv<T, T>, PlainProduct<T, float>>(), MixedKernels<T, float>(),
                                      joined(MixedKernels<float, T>(), MapKernels<T>(), List<>())));

using AllKernels =
    decltype(joined(NarrowKernels<Fp16>(), NarrowKernels<Bf16>(),
                    joined(MapKernels<float>(), List<DirectConv<float, float>>(),
                           List<Dense, Means, StartSelection, CountDigits, ChooseDigit, CollectKeys, WriteRanked,
                                PlaceBoxes, SuppressBoxes, Resample, ResampleToPlanes, CameraPixels>())));

template <typename Kernel, typename... Kernels>
constexpr int number_in(List<Kernels...>) {
  int number = 0;
  return (... || (++number, std::is_same_v<Kernel, Kernels>)) ? number - 1 : -1;
}
template <typename Kernel>
inline constexpr int kNumberOf = number_in<Kernel>(AllKernels());

}  // namespace effdet::kernels::cuda
