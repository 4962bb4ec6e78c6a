// Demuxes, decodes, converts and turns, with a deadline for each wait.
#include "video/module/reader.h"

#include <dlfcn.h>
#ifdef EFFDET_AVDEVICE
extern "C" {
#include <libavdevice/avdevice.h>
}
#endif

#include <algorithm>
#include <cmath>

namespace effdet::video {
namespace {

constexpr int64_t kMostPixels = 2 * int64_t{89478485};  // as of pictures

/// Cameras are of a library of their own, which brings many others.
const AVInputFormat* camera_format() {
#ifdef EFFDET_AVDEVICE
  void* library = ::dlopen(EFFDET_AVDEVICE, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) refuse("cameras need the package libavdevice59", false);
  const auto enlist = reinterpret_cast<decltype(avdevice_register_all)*>(::dlsym(library, "avdevice_register_all"));
  if (enlist != nullptr) enlist();
  if (const AVInputFormat* format = av_find_input_format("video4linux2")) return format;
#endif
  refuse("this build reads no cameras: it was made without libavdevice-dev", false);
}

}  // namespace

Reader::Reader(const ModuleInput& input) : name_(input.name), timeout_(input.timeout) {
  av_log_set_level(AV_LOG_QUIET);
  if (!frame_ || !packet_) refuse("no memory", false);
  open_input(input);
  open_decoder(input.threads);
}

void Reader::begin_wait() {
  deadline_ =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout_);
}

int Reader::is_late(void* self) { return std::chrono::steady_clock::now() > static_cast<Reader*>(self)->deadline_; }

void Reader::open_input(const ModuleInput& input) {
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) refuse("no memory", false);
  context->interrupt_callback = {&Reader::is_late, this};
  AVDictionary* options = nullptr;
  if (!input.is_camera) av_dict_set(&options, "protocol_whitelist", input.protocols, 0);
  av_dict_set(&options, "rtsp_transport", "tcp", 0);
  begin_wait();
  const int code = avformat_open_input(&context, input.name, input.is_camera ? camera_format() : nullptr, &options);
  av_dict_free(&options);
  if (code == AVERROR_EXIT) refuse("nothing came for too long", false);
  checked(code, "cannot be opened", code == AVERROR_INVALIDDATA || code == AVERROR_EOF);
  input_.reset(context);
  begin_wait();
  checked(avformat_find_stream_info(context, nullptr), "no video can be made out");
  const int index = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (index < 0) refuse("no video is in it");
  stream_ = context->streams[index];
  for (unsigned i = 0; i < context->nb_streams; ++i)
    if (static_cast<int>(i) != index) context->streams[i]->discard = AVDISCARD_ALL;
  if (const auto* matrix =
          reinterpret_cast<const int32_t*>(av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, nullptr))) {
    const double angle = av_display_rotation_get(matrix);  // to the left
    if (std::isfinite(angle)) turns_ = (static_cast<int>(std::lround(-angle / 90)) % 4 + 4) % 4;
  }
}

void Reader::open_decoder(int threads) {
  const AVCodec* decoder = avcodec_find_decoder(stream_->codecpar->codec_id);
  if (decoder == nullptr)
    refuse(std::string("this FFmpeg cannot decode ") + avcodec_get_name(stream_->codecpar->codec_id), false);
  codec_.reset(avcodec_alloc_context3(decoder));
  if (!codec_) refuse("no memory", false);
  checked(avcodec_parameters_to_context(codec_.get(), stream_->codecpar), "broken header");
  codec_->thread_count = threads;
  codec_->max_pixels = kMostPixels;
  codec_->pkt_timebase = stream_->time_base;
  checked(avcodec_open2(codec_.get(), decoder, nullptr), "cannot be decoded");
  if (codec_->width < 1 || codec_->height < 1) refuse("frames without a size");
}

ModuleInfo Reader::info() const {
  const bool swapped = turns_ % 2 == 1;
  AVRational rate = av_guess_frame_rate(input_.get(), stream_, nullptr);
  if (rate.num <= 0 || rate.den <= 0) rate = {0, 1};
  const double seconds = input_->duration > 0 ? static_cast<double>(input_->duration) / AV_TIME_BASE : 0;
  return {swapped ? codec_->height : codec_->width,
          swapped ? codec_->width : codec_->height,
          rate.num,
          rate.den,
          seconds,
          stream_->nb_frames};
}

void Reader::seek(double seconds) {
  const int64_t start = stream_->start_time == AV_NOPTS_VALUE ? 0 : stream_->start_time;
  if (first_ == AV_NOPTS_VALUE) first_ = start;
  const auto place = static_cast<int64_t>(seconds / av_q2d(stream_->time_base)) + start;
  begin_wait();
  checked(av_seek_frame(input_.get(), stream_->index, place, AVSEEK_FLAG_BACKWARD), "cannot be wound forward");
  avcodec_flush_buffers(codec_.get());
}

/// The next frame into frame_; false at the end. What cannot be decoded is counted and left out.
bool Reader::decode() {
  for (;;) {
    const int got = avcodec_receive_frame(codec_.get(), frame_.get());
    if (got == 0) return true;
    if (got == AVERROR_EOF) return false;
    if (got != AVERROR(EAGAIN)) ++broken_;
    if (at_end_) return false;
    begin_wait();
    const int read = av_read_frame(input_.get(), packet_.get());
    if (read == AVERROR_EXIT) refuse("the stream stalled: nothing came for too long", false);
    if (read < 0) {
      if (read != AVERROR_EOF) ++broken_;
      at_end_ = true;
      avcodec_send_packet(codec_.get(), nullptr);
      continue;
    }
    if (packet_->stream_index == stream_->index) {
      if ((packet_->flags & AV_PKT_FLAG_CORRUPT) != 0) ++broken_;
      if (const int sent = avcodec_send_packet(codec_.get(), packet_.get()); sent < 0 && sent != AVERROR(EAGAIN))
        ++broken_;
    }
    av_packet_unref(packet_.get());
  }
}

bool Reader::read(bool skip, ModuleFrame& frame) {
  if (!decode()) return false;
  int64_t time = frame_->best_effort_timestamp;
  if (first_ == AV_NOPTS_VALUE) first_ = time == AV_NOPTS_VALUE ? 0 : time;
  if (time != AV_NOPTS_VALUE) {
    frame.seconds = static_cast<double>(time - first_) * av_q2d(stream_->time_base);
  } else {
    const AVRational rate = av_guess_frame_rate(input_.get(), stream_, nullptr);
    frame.seconds = rate.num > 0 ? static_cast<double>(decoded_) * rate.den / rate.num : 0;
  }
  ++decoded_;
  if (!skip) convert(frame);
  return true;
}

void Reader::convert(ModuleFrame& frame) {
  const int width = frame_->width, height = frame_->height;
  if (width < 1 || height < 1 || int64_t{width} * height > kMostPixels) refuse("a frame of an impossible size");
  scaler_.reset(sws_getCachedContext(scaler_.release(), width, height, static_cast<AVPixelFormat>(frame_->format),
                                     width, height, AV_PIX_FMT_RGB24,
                                     SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr));
  if (!scaler_) refuse("pixels of a kind that cannot be converted");
  const int* matrix =
      sws_getCoefficients(frame_->colorspace == AVCOL_SPC_UNSPECIFIED ? (height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601)
                                                                      : static_cast<int>(frame_->colorspace));
  sws_setColorspaceDetails(scaler_.get(), matrix, frame_->color_range == AVCOL_RANGE_JPEG ? 1 : 0,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
  rgb_.resize(static_cast<size_t>(width) * static_cast<size_t>(height) * 3 + 64);  // swscale writes past the end
  uint8_t* const target[4] = {rgb_.data()};
  const int stride[4] = {3 * width};
  checked(sws_scale(scaler_.get(), frame_->data, frame_->linesize, 0, height, target, stride), "conversion to RGB");
  frame.width = turns_ % 2 == 1 ? height : width;
  frame.height = turns_ % 2 == 1 ? width : height;
  if (turns_ != 0) turn(width, height);
  frame.rgb = turns_ != 0 ? turned_.data() : rgb_.data();
}

void Reader::turn(int width, int height) {
  turned_.resize(rgb_.size());
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int to_x = turns_ == 1 ? height - 1 - y : turns_ == 2 ? width - 1 - x : y;
      const int to_y = turns_ == 1 ? x : turns_ == 2 ? height - 1 - y : width - 1 - x;
      const int to_width = turns_ == 2 ? width : height;
      std::copy_n(rgb_.data() + 3 * (ptrdiff_t{y} * width + x), 3,
                  turned_.data() + 3 * (ptrdiff_t{to_y} * to_width + to_x));
    }
}

}  // namespace effdet::video
