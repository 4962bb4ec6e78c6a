// FFmpeg's objects with owners, and its errors in words.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include <cstdio>
#include <memory>
#include <string>

#include "video/video_module.h"

namespace effdet::video {

struct CloseInput {
  void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
};
struct CloseCodec {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeScaler {
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};
using Input = std::unique_ptr<AVFormatContext, CloseInput>;
using Codec = std::unique_ptr<AVCodecContext, CloseCodec>;
using FrameOwner = std::unique_ptr<AVFrame, FreeFrame>;
using PacketOwner = std::unique_ptr<AVPacket, FreePacket>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

/// Within the module alone.
struct Failure {
  std::string text;
  bool is_in_file;
};

[[noreturn]] inline void refuse(std::string text, bool is_in_file = true) {
  throw Failure{std::move(text), is_in_file};
}

inline std::string words_of(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = "";
  av_strerror(code, text, sizeof text);
  return text;
}

/// Throws for a code below 0.
inline int checked(int code, const char* what, bool is_in_file = true) {
  if (code < 0) refuse(std::string(what) + ": " + words_of(code), is_in_file);
  return code;
}

inline void fill(ModuleError& error, const Failure& failure) {
  std::snprintf(error.text, sizeof error.text, "%s", failure.text.c_str());
  error.is_in_file = failure.is_in_file;
}

}  // namespace effdet::video
