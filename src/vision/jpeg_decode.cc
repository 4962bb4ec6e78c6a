// Reads JPEG rows through libjpeg-turbo, with limits on work and memory and errors that name the file.
#include "vision/jpeg_decode.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <jpeglib.h>
// After jpeglib.h, whose types it needs.
#include <jerror.h>

#include "base/error.h"
#include "vision/jpeg_errors.h"
#include "vision/jpeg_header.h"
#include "vision/jpeg_work.h"
#include "vision/limits.h"
#include "vision/memory_gate.h"

namespace effdet::vision {
namespace {

/// Looks on while libjpeg reads all scans of an image, and stops it at a limit: a crafted file has thousands of scans
/// of a few bytes.
struct ProgressMonitor {
  jpeg_progress_mgr base;
  uint64_t work_limit = 0;
  size_t least_bytes_left = 0;
  uint64_t work = 0;
  int scan = 0;
  bool too_much_work = false;
};

void ignore_warning(j_common_ptr, int) {}

/// Of the next row of MCUs.
uint64_t work_of_row(const jpeg_decompress_struct& info) {
  const JpegScan scan{info.progressive_mode != 0, info.arith_code != 0, info.Ss, info.Se, info.Ah != 0,
                      info.restart_interval};
  // A scan of one component has MCUs of one block, of which there are several rows in the others' one.
  const int rows = info.comps_in_scan == 1 ? info.cur_comp_info[0]->v_samp_factor : 1;
  return jpeg_scan_work(scan, uint64_t{info.MCUs_per_row} * static_cast<uint64_t>(rows * info.blocks_in_MCU));
}

/// libjpeg calls it before it reads a row.
void count_work(j_common_ptr common) {
  auto& monitor = *reinterpret_cast<ProgressMonitor*>(common->progress);
  const auto& info = *reinterpret_cast<j_decompress_ptr>(common);
  if (info.input_scan_number != monitor.scan) monitor.work += kJpegScanOverhead;
  monitor.scan = info.input_scan_number;
  monitor.work += work_of_row(info);
  if (monitor.work <= monitor.work_limit && info.src->bytes_in_buffer >= monitor.least_bytes_left) return;
  monitor.too_much_work = true;
  jump_out_of_libjpeg(common);
}

// A source that never has more than it began with. libjpeg then suspends instead of inventing an end of the image, and
// that is how a cut file is told from a whole one.
void no_source_step(j_decompress_ptr) {}
boolean no_more_input(j_decompress_ptr) { return FALSE; }
void skip_input(j_decompress_ptr info, long count) {
  jpeg_source_mgr& source = *info->src;
  const size_t step = count <= 0 ? 0 : std::min(static_cast<size_t>(count), source.bytes_in_buffer);
  source.next_input_byte += step;
  source.bytes_in_buffer -= step;
}

/// Pillow's conversion of the inverted CMYK that Adobe writes (and that Pillow takes every CMYK JPEG for).
void cmyk_to_rgb(const uint8_t* cmyk, int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int white = cmyk[3];
    for (int channel = 0; channel < 3; ++channel) {
      const int scaled = (255 - cmyk[channel]) * white + 128;
      rgb[channel] = static_cast<uint8_t>(white - (((scaled >> 8) + scaled) >> 8));
    }
  }
}

/// libjpeg reports errors by a jump: every call goes through guarded(), whose step must own nothing.
class JpegRows : public RowSource {
 public:
  JpegRows(const JpegHeader& header, std::span<const std::byte> bytes, std::string_view name)
      : RowSource(name), bytes_(bytes), header_(header) {
    set_size(header.size);
    info_.err = jump_on_errors(errors_);
    errors_.base.emit_message = ignore_warning;
    guarded([this] {
      jpeg_create_decompress(&info_);
      return 0;
    });
    source_.init_source = no_source_step;
    source_.fill_input_buffer = no_more_input;
    source_.skip_input_data = skip_input;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = no_source_step;
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
    info_.src = &source_;
  }
  ~JpegRows() override { jpeg_destroy_decompress(&info_); }

 private:
  void decode_rows(uint8_t* rgb, ptrdiff_t stride, int count) override {
    if (rows_given() == 0) start();
    if (info_.out_color_space != JCS_CMYK) return read_samples(rgb, stride, count);
    cmyk_.resize(static_cast<size_t>(size().width) * 4);
    for (int i = 0; i < count; ++i, rgb += stride) {
      read_samples(cmyk_.data(), 0, 1);
      cmyk_to_rgb(cmyk_.data(), size().width, rgb);
    }
  }

  /// An end that is missing or late is no matter once all rows are there; an error on the way to it is.
  void check_end() override {
    guarded([this] { return jpeg_finish_decompress(&info_); });
  }

  template <typename Step>
  int guarded(Step step) {
    if (setjmp(errors_.jump) != 0) throw_error();
    return step();
  }

  void start() {
    const int status = guarded([this] {
      // Tables without an image may come first.
      int found;
      do found = jpeg_read_header(&info_, FALSE);
      while (found == JPEG_HEADER_TABLES_ONLY);
      return found;
    });
    if (status == JPEG_SUSPENDED) throw_truncated();
    if (ImageSize{static_cast<int>(info_.image_width), static_cast<int>(info_.image_height)} != header_.size ||
        info_.num_components != header_.components)
      bad_input("{}: JPEG: two frame headers that differ", name());
    info_.out_color_space = info_.num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (jpeg_has_multiple_scans(&info_)) watch_scans();
    if (!guarded([this] { return jpeg_start_decompress(&info_); })) throw_truncated();
    info_.progress = nullptr;
  }

  void watch_scans() {
    uint64_t blocks = 0;
    for (const jpeg_component_info* c = info_.comp_info; c != info_.comp_info + info_.num_components; ++c)
      blocks += uint64_t{c->width_in_blocks} * c->height_in_blocks;
    // libjpeg keeps all of them until the last scan is read.
    memory_ = whole_images().enter(blocks * sizeof(JBLOCK));
    monitor_.base.progress_monitor = count_work;
    monitor_.work_limit = jpeg_work_limit(blocks, info_.arith_code != 0);
    const uint64_t most = jpeg_scan_bytes_limit(blocks);
    monitor_.least_bytes_left = source_.bytes_in_buffer > most ? source_.bytes_in_buffer - most : 0;
    info_.progress = &monitor_.base;
  }

  void read_samples(uint8_t* samples, ptrdiff_t stride, int count) {
    const bool complete = guarded([this, samples, stride, count] {
      JSAMPROW row = samples;
      for (int i = 0; i < count; ++i, row += stride)
        if (jpeg_read_scanlines(&info_, &row, 1) != 1) return false;
      return true;
    });
    if (!complete) throw_truncated();
  }

  size_t offset() const { return bytes_.size() - source_.bytes_in_buffer; }

  [[noreturn]] void throw_truncated() const {
    bad_input("{}: JPEG: cut short: the data end at offset {} in row {} of {}", name(), bytes_.size(),
              info_.output_scanline, info_.image_height);
  }

  [[noreturn]] void throw_error() {
    if (monitor_.too_much_work)
      bad_input("{}: JPEG: {} scans of {} x {} pixels up to offset {}, more work than an image may take", name(),
                info_.input_scan_number, info_.image_width, info_.image_height, offset());
    const std::string text = jpeg_error_text(reinterpret_cast<j_common_ptr>(&info_));
    const int code = errors_.base.msg_code;
    if (code == JERR_OUT_OF_MEMORY) fail(ErrorCode::kOutOfMemory, "{}: JPEG: {}", name(), text);
    const bool legal = code == JERR_SOF_UNSUPPORTED || code == JERR_ARITH_NOTIMPL || code == JERR_CONVERSION_NOTIMPL;
    fail(legal ? ErrorCode::kUnsupported : ErrorCode::kBadInput, "{}: JPEG: {} (near offset {})", name(), text,
         offset());
  }

  std::span<const std::byte> bytes_;
  JpegHeader header_;
  jpeg_decompress_struct info_{};
  jpeg_source_mgr source_{};
  JpegErrors errors_{};
  ProgressMonitor monitor_{};
  MemoryGate::Hold memory_;
  std::vector<uint8_t> cmyk_;
};

/// A Huffman code takes at least one bit a block; arithmetic coding may need less, but not by orders of magnitude.
void check_plausible(const JpegHeader& header, size_t bytes, std::string_view name) {
  const uint64_t width = static_cast<uint64_t>(header.size.width), height = static_cast<uint64_t>(header.size.height);
  const uint64_t blocks = ((width + 7) / 8) * ((height + 7) / 8);
  const uint64_t blocks_per_byte = header.arithmetic ? 1024 : 8;
  if (width * height * 3 > kTrustedBytes && blocks / blocks_per_byte > bytes)
    bad_input("{}: JPEG: {} bytes cannot hold the {} x {} pixels of the header", name, bytes, width, height);
}

}  // namespace

std::unique_ptr<RowSource> open_jpeg(std::span<const std::byte> bytes, std::string_view name) {
  const JpegHeader header = read_jpeg_header(bytes, name);
  check_plausible(header, bytes.size(), name);
  return std::make_unique<JpegRows>(header, bytes, name);
}

}  // namespace effdet::vision
