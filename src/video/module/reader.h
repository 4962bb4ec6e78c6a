// Frames of a file, a camera or a stream, upright and as RGB.
#pragma once

#include <chrono>
#include <vector>

#include "video/module/ffmpeg.h"

namespace effdet::video {

class Reader {
 public:
  explicit Reader(const ModuleInput& input);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  ModuleInfo info() const;
  void seek(double seconds);
  /// False at the end.
  bool read(bool skip, ModuleFrame& frame);
  int64_t broken() const { return broken_; }

 private:
  void open_input(const ModuleInput& input);
  void open_decoder(int threads);
  bool decode();
  void convert(ModuleFrame& frame);
  void turn(int width, int height);
  void begin_wait();
  static int is_late(void* self);

  std::string name_;
  std::chrono::duration<double> timeout_;
  std::chrono::steady_clock::time_point deadline_;
  Input input_;
  Codec codec_;
  FrameOwner frame_{av_frame_alloc()};
  PacketOwner packet_{av_packet_alloc()};
  Scaler scaler_;
  AVStream* stream_ = nullptr;
  int turns_ = 0;  ///< quarters clockwise to be upright
  int64_t first_ = AV_NOPTS_VALUE, decoded_ = 0, broken_ = 0;
  bool at_end_ = false;
  std::vector<uint8_t> rgb_, turned_;
};

}  // namespace effdet::video
