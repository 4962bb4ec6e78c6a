// Converts to 4:2:0, encodes and muxes.
#include "video/module/writer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace effdet::video {
namespace {

constexpr int kTicks = 90000;  // a second, as broadcasts have them: exact for all usual rates

/// The first that this FFmpeg has.
const AVCodec* encoder_for(const std::string& format) {
  static constexpr const char* kWebm[] = {"libvpx-vp9", "libvpx", ""};
  static constexpr const char* kMp4[] = {"libx264", "libopenh264", "mpeg4"};
  for (const char* name : format == "webm" ? kWebm : kMp4)
    if (const AVCodec* codec = avcodec_find_encoder_by_name(name)) return codec;
  refuse("this FFmpeg has no encoder for " + format, false);
}

}  // namespace

Writer::Writer(const ModuleOutput& output) : width_(output.width), height_(output.height) {
  if (!frame_ || !packet_) refuse("no memory", false);
  checked(avformat_alloc_output_context2(&file_, nullptr, output.format, output.path), "cannot be written", false);
  try {
    open_encoder(output);
    checked(avio_open(&file_->pb, output.path, AVIO_FLAG_WRITE), "cannot be written", false);
    checked(avformat_write_header(file_, nullptr), "cannot be written", false);
  } catch (const Failure&) {
    if (file_->pb != nullptr) avio_closep(&file_->pb);
    avformat_free_context(file_);
    throw;
  }
}

Writer::~Writer() {
  if (file_->pb != nullptr) avio_closep(&file_->pb);
  avformat_free_context(file_);
}

void Writer::open_encoder(const ModuleOutput& output) {
  const AVCodec* encoder = encoder_for(output.format);
  codec_.reset(avcodec_alloc_context3(encoder));
  if (!codec_) refuse("no memory", false);
  codec_->width = (width_ + 1) / 2 * 2;  // 4:2:0 has pairs
  codec_->height = (height_ + 1) / 2 * 2;
  codec_->pix_fmt = AV_PIX_FMT_YUV420P;
  codec_->time_base = {1, kTicks};
  codec_->framerate = output.rate_num > 0 ? AVRational{output.rate_num, output.rate_den} : AVRational{25, 1};
  codec_->thread_count = output.threads;
  codec_->gop_size = 250;
  codec_->color_range = AVCOL_RANGE_MPEG;
  codec_->colorspace = codec_->height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  if ((file_->oformat->flags & AVFMT_GLOBALHEADER) != 0) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  const std::string name = encoder->name;
  if (name == "libx264") av_opt_set(codec_->priv_data, "preset", "veryfast", 0);
  if (name.starts_with("libvpx")) {
    av_opt_set(codec_->priv_data, "deadline", "realtime", 0);
    av_opt_set(codec_->priv_data, "cpu-used", "8", 0);
    av_opt_set(codec_->priv_data, "row-mt", "1", 0);
  }
  if (name == "mpeg4") {
    codec_->flags |= AV_CODEC_FLAG_QSCALE;
    codec_->global_quality = 4 * FF_QP2LAMBDA;
    codec_->time_base = {1, 60000};  // it has 16 bits for it
  } else {
    av_opt_set(codec_->priv_data, "crf", name == "libx264" ? "23" : "32", 0);
  }
  checked(avcodec_open2(codec_.get(), encoder, nullptr), "the encoder does not start", false);
  stream_ = avformat_new_stream(file_, nullptr);
  if (stream_ == nullptr) refuse("no memory", false);
  stream_->time_base = codec_->time_base;
  stream_->avg_frame_rate = codec_->framerate;
  checked(avcodec_parameters_from_context(stream_->codecpar, codec_.get()), "cannot be written", false);
  frame_->format = codec_->pix_fmt;
  frame_->width = codec_->width;
  frame_->height = codec_->height;
  checked(av_frame_get_buffer(frame_.get(), 0), "no memory", false);
  scaler_.reset(sws_getContext(width_, height_, AV_PIX_FMT_RGB24, codec_->width, codec_->height, AV_PIX_FMT_YUV420P,
                               SWS_BILINEAR | SWS_ACCURATE_RND, nullptr, nullptr, nullptr));
  if (!scaler_) refuse("frames cannot be converted", false);
  const int space = codec_->height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1, sws_getCoefficients(space), 0, 0,
                           1 << 16, 1 << 16);
}

void Writer::write(const uint8_t* rgb, double seconds) {
  checked(av_frame_make_writable(frame_.get()), "no memory", false);
  const uint8_t* const source[4] = {rgb};
  const int stride[4] = {3 * width_};
  checked(sws_scale(scaler_.get(), source, stride, 0, height_, frame_->data, frame_->linesize), "conversion", false);
  frame_->pts = std::max(last_ + 1, static_cast<int64_t>(std::llround(seconds / av_q2d(codec_->time_base))));
  last_ = frame_->pts;
  encode(frame_.get());
}

void Writer::finish() {
  encode(nullptr);
  checked(av_write_trailer(file_), "cannot be written", false);
  checked(avio_closep(&file_->pb), "cannot be written", false);
}

void Writer::encode(const AVFrame* frame) {
  checked(avcodec_send_frame(codec_.get(), frame), "cannot be encoded", false);
  for (;;) {
    const int got = avcodec_receive_packet(codec_.get(), packet_.get());
    if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) return;
    checked(got, "cannot be encoded", false);
    av_packet_rescale_ts(packet_.get(), codec_->time_base, stream_->time_base);
    packet_->stream_index = stream_->index;
    checked(av_interleaved_write_frame(file_, packet_.get()), "cannot be written", false);
  }
}

}  // namespace effdet::video
