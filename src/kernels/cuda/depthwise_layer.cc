// Chooses the tile of a depthwise layer, and puts its kernels into the queue.
#include "kernels/cuda/depthwise_layer.h"

#include <bit>

namespace effdet::kernels::cuda {
namespace {

constexpr int kThreads = 128;
/// Bytes of neighbouring channels of a pixel that a block reads, where there are so many.
constexpr int kPixelBytes = 128;
/// Output rows and columns of a tile: that of shared memory grows with them, and the share of pixels that are read
/// twice falls.
constexpr int kTileHeight = 8, kTileWidth = 16;
/// What every GPU lets a block have without asking for more.
constexpr int64_t kMostSharedBytes = 48 * 1024;
/// Where means are wanted: blocks of an image that keep a GPU busy, and the most sums that one thread adds up.
constexpr int64_t kBusyBlocks = 1024, kMostGroups = 128;

struct Tiling {
  int64_t shared_bytes;
  int block_channels, tile_height, tile_width;
};

/// The largest tile that fits into shared memory; of too large windows one pixel, and more bytes than there are.
Tiling tiling_of(const DepthwiseLayer::Shape& shape) {
  const ops::Window2d& w = shape.window;
  const auto size = static_cast<int64_t>(dtype_size(shape.type));
  const int64_t pack = shape.out.channels % (16 / size) == 0 ? 16 / size : 1;
  const auto wanted = std::min<int64_t>(kPixelBytes / size, pack == 1 ? 32 : kPixelBytes / size);
  const auto packs = std::bit_ceil(static_cast<uint64_t>((std::min(wanted, shape.out.channels) + pack - 1) / pack));
  Tiling t{0, static_cast<int>(packs) * static_cast<int>(pack),
           std::min<int>(kTileHeight, static_cast<int>(shape.out.height)),
           std::min<int>(kTileWidth, static_cast<int>(shape.out.width))};
  const auto bytes = [&] {
    return (int64_t{t.tile_height - 1} * w.stride_y + w.kernel_height) *
           (int64_t{t.tile_width - 1} * w.stride_x + w.kernel_width) * t.block_channels * size;
  };
  while (bytes() > kMostSharedBytes && t.tile_height * t.tile_width > 1) {
    int& longer = t.tile_height >= t.tile_width ? t.tile_height : t.tile_width;
    longer = (longer + 1) / 2;
  }
  while (bytes() > kMostSharedBytes && t.block_channels > pack) t.block_channels /= 2;
  t.shared_bytes = std::max<int64_t>(bytes(), kThreads * pack * static_cast<int64_t>(sizeof(float)));
  return t;
}

}  // namespace

std::string DepthwiseLayer::refuse(const Shape& shape) {
  return tiling_of(shape).shared_bytes > kMostSharedBytes ? "a window too large for shared memory" : "";
}

DepthwiseLayer::DepthwiseLayer(const Shape& shape) : shape_(shape) {
  const Tiling tiling = tiling_of(shape);
  shared_bytes_ = tiling.shared_bytes;
  channel_blocks_ = (shape.out.channels + tiling.block_channels - 1) / tiling.block_channels;
  args_.window = window_size(shape.window, shape.in, shape.out);
  args_.channels = static_cast<int>(shape.out.channels);
  args_.block_channels = tiling.block_channels;
  args_.tile_height = tiling.tile_height;
  args_.tile_width = tiling.tile_width;
  args_.tiles_x = (args_.window.out_width + tiling.tile_width - 1) / tiling.tile_width;
  args_.tiles = (args_.window.out_height + tiling.tile_height - 1) / tiling.tile_height * args_.tiles_x;
  args_.groups = shape.wants_mean
                     ? static_cast<int>(std::min<int64_t>(
                           args_.tiles, std::clamp<int64_t>(kBusyBlocks / channel_blocks_, 1, kMostGroups)))
                     : args_.tiles;
  args_.before = shape.before;
  args_.after = shape.after;
}

int64_t DepthwiseLayer::scratch_bytes() const {
  return shape_.wants_mean ? shape_.out.batch * args_.groups * shape_.out.channels * static_cast<int64_t>(sizeof(float))
                           : 0;
}

void DepthwiseLayer::enqueue(CudaQueue& queue, const std::byte* x, const float* weights, const float* bias,
                             std::byte* y, float* means, std::byte* scratch) const {
  DepthwiseArgs args = args_;
  args.x = x;
  args.weights = weights;
  args.bias = bias;
  args.y = y;
  args.sums = means != nullptr ? reinterpret_cast<float*>(scratch) : nullptr;
  with_type(shape_.type, [&](auto type) {
    using T = decltype(type);
    with_pack<T>(shape_.out.channels, [&](auto pack) {
      queue.launch<Depthwise<T, pack()>>(shape_.out.batch * args.groups * channel_blocks_, kThreads, shared_bytes_,
                                         args);
    });
  });
  if (means == nullptr) return;
  const MeansArgs of_sums{args.sums, means, args.groups, args.channels,
                          static_cast<float>(shape_.out.height * shape_.out.width)};
  queue.launch<Means>(shape_.out.batch * ((args.channels + Means::kChannels - 1) / Means::kChannels), Means::kThreads,
                      Means::kSharedBytes, of_sums);
}

}  // namespace effdet::kernels::cuda
