// Copies pictures and the weights of their sizes to a GPU, and puts the passes over them into the queue.
#include "kernels/cuda/picture_input.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kernels/cuda/queue.h"
#include "kernels/cuda/typed.h"

namespace effdet::kernels::cuda {
namespace {

/// Pairs of sizes whose weights stay on the GPU: data sets have few, and anybody may send others.
constexpr size_t kMostTables = 64;

class Pictures : public PictureInput {
 public:
  void write(Queue& any_queue, const Picture& picture, const PictureTarget& target, std::byte* to) override {
    auto& queue = dynamic_cast<CudaQueue&>(any_queue);
    queue.begin_step(kStep);
    const AxisTaps &across = picture.across, &down = picture.down;
    const int middle_rows = picture.columns_first ? down.out_size : down.in_size,
              middle_columns = picture.columns_first ? across.in_size : across.out_size;
    const std::byte* pixels = room(queue, pixels_, picture.rgb.size());
    queue.upload(picture.rgb, pixels_.memory.get());
    std::byte* middle =
        room(queue, middle_, size_t{3} * static_cast<size_t>(middle_rows) * static_cast<size_t>(middle_columns));

    ResampleArgs pass = args_of(queue, picture.columns_first ? down : across, picture.columns_first);
    pass.in = reinterpret_cast<const uint8_t*>(pixels);
    pass.in_columns = across.in_size;
    pass.out = middle;
    pass.rows = middle_rows;
    pass.columns = middle_columns;
    queue.launch_each<Resample>(int64_t{3} * middle_rows * middle_columns, pass);

    pass = args_of(queue, picture.columns_first ? across : down, !picture.columns_first);
    pass.in = reinterpret_cast<const uint8_t*>(middle);
    pass.in_columns = middle_columns;
    pass.out = to;
    pass.rows = down.out_size;
    pass.columns = across.out_size;
    pass.height = target.height;
    pass.width = target.width;
    std::ranges::copy(target.mean, pass.mean);
    std::ranges::copy(target.std, pass.std);
    std::ranges::copy(target.fill, pass.fill);
    queue.launch_each<ResampleToPlanes>(int64_t{target.height} * target.width, pass);
  }

 private:
  static inline const std::string kStep = "preparation of a picture";

  struct Room {
    std::shared_ptr<std::byte> memory;
    size_t bytes = 0;
  };

  /// Kernels before it may still use the smaller room.
  static std::byte* room(CudaQueue& queue, Room& room, size_t bytes) {
    if (room.bytes < bytes) {
      queue.wait();
      room = {};
      room = {Machine::allocate(queue.machine(), bytes, "a picture"), bytes};
    }
    return room.memory.get();
  }

  /// First samples, then weights.
  const int32_t* table(CudaQueue& queue, const AxisTaps& taps) {
    const auto key = std::pair{taps.in_size, taps.out_size};
    auto found = tables_.find(key);
    if (found == tables_.end()) {
      if (tables_.size() >= kMostTables) {
        queue.wait();
        tables_.clear();
      }
      auto memory = Machine::allocate(queue.machine(), taps.first.size_bytes() + taps.weights.size_bytes(),
                                      "a picture's weights");
      queue.upload(std::as_bytes(taps.first), memory.get());
      queue.upload(std::as_bytes(taps.weights), memory.get() + taps.first.size_bytes());
      found = tables_.emplace(key, std::move(memory)).first;
    }
    return reinterpret_cast<const int32_t*>(found->second.get());
  }

  ResampleArgs args_of(CudaQueue& queue, const AxisTaps& taps, bool goes_down) {
    ResampleArgs args{};
    args.first = table(queue, taps);
    args.weights = args.first + taps.first.size();
    args.in_size = taps.in_size;
    args.taps = taps.taps;
    args.outputs = static_cast<int>(taps.first.size());
    args.weight_bits = taps.weight_bits;
    args.goes_down = goes_down ? 1 : 0;
    return args;
  }

  Room pixels_, middle_;
  std::map<std::pair<int, int>, std::shared_ptr<std::byte>> tables_;
};

}  // namespace

std::unique_ptr<PictureInput> make_picture_input() { return std::make_unique<Pictures>(); }

}  // namespace effdet::kernels::cuda
