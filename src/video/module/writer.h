// A video file of RGB frames, each at its own time.
#pragma once

#include "video/module/ffmpeg.h"

namespace effdet::video {

class Writer {
 public:
  explicit Writer(const ModuleOutput& output);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write(const uint8_t* rgb, double seconds);
  void finish();

 private:
  void open_encoder(const ModuleOutput& output);
  void encode(const AVFrame* frame);

  AVFormatContext* file_ = nullptr;
  Codec codec_;
  AVStream* stream_ = nullptr;
  FrameOwner frame_{av_frame_alloc()};
  PacketOwner packet_{av_packet_alloc()};
  Scaler scaler_;
  int width_, height_;
  int64_t last_ = -1;
};

}  // namespace effdet::video
