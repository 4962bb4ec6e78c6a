// Drives libheif: the primary picture of a file as RGB.
#include "vision/heif_decode.h"

#include <libheif/heif.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "base/shared_library.h"
#include "vision/limits.h"
#include "vision/whole_rows.h"

namespace effdet::vision {
namespace {

/// The functions of libheif that decoding needs. Names and types are those of its header.
struct Heif {
  SharedLibrary library{EFFDET_HEIF, "libheif1"};
#define EFFDET_HEIF_FUNCTION(name) decltype(heif_##name)* name = library.function<decltype(heif_##name)>("heif_" #name)
  EFFDET_HEIF_FUNCTION(context_alloc);
  EFFDET_HEIF_FUNCTION(context_free);
  EFFDET_HEIF_FUNCTION(context_read_from_memory_without_copy);
  EFFDET_HEIF_FUNCTION(context_set_max_decoding_threads);
  EFFDET_HEIF_FUNCTION(context_get_primary_image_handle);
  EFFDET_HEIF_FUNCTION(image_handle_release);
  EFFDET_HEIF_FUNCTION(image_handle_get_width);
  EFFDET_HEIF_FUNCTION(image_handle_get_height);
  EFFDET_HEIF_FUNCTION(decode_image);
  EFFDET_HEIF_FUNCTION(image_release);
  EFFDET_HEIF_FUNCTION(image_get_width);
  EFFDET_HEIF_FUNCTION(image_get_height);
  EFFDET_HEIF_FUNCTION(image_get_plane_readonly);
#undef EFFDET_HEIF_FUNCTION
};

const Heif& heif() {
  static const Heif loaded;
  return loaded;
}

void check(const heif_error& error, std::string_view name) {
  if (error.code == heif_error_Ok) return;
  if (error.code == heif_error_Memory_allocation_error)
    fail(ErrorCode::kOutOfMemory, "{}: no memory to decode it", name);
  const bool is_missing = error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype;
  std::string words = error.message;
  std::ranges::replace(words, '\n', ' ');
  fail(is_missing ? ErrorCode::kUnsupported : ErrorCode::kBadInput, "{}: HEIF: {}", name, words);
}

/// A file whose header was read.
class HeifFile {
 public:
  HeifFile(std::span<const std::byte> bytes, std::string_view name)
      : name_(name),
        context_(heif().context_alloc(), heif().context_free),
        handle_(nullptr, heif().image_handle_release) {
    if (!context_) fail(ErrorCode::kOutOfMemory, "{}: no memory for libheif", name);
    heif().context_set_max_decoding_threads(context_.get(), 0);
    check(heif().context_read_from_memory_without_copy(context_.get(), bytes.data(), bytes.size(), nullptr), name);
    heif_image_handle* handle = nullptr;
    check(heif().context_get_primary_image_handle(context_.get(), &handle), name);
    handle_.reset(handle);
    size_ =
        checked_size(side(heif().image_handle_get_width(handle)), side(heif().image_handle_get_height(handle)), name);
  }

  ImageSize size() const { return size_; }
  void decode(uint8_t* rgb, ptrdiff_t row_bytes) const {
    heif_image* decoded = nullptr;
    check(heif().decode_image(handle_.get(), &decoded, heif_colorspace_RGB, heif_chroma_interleaved_RGB, nullptr),
          name_);
    const std::unique_ptr<heif_image, decltype(&heif_image_release)> image(decoded, heif().image_release);
    const int width = heif().image_get_width(decoded, heif_channel_interleaved),
              height = heif().image_get_height(decoded, heif_channel_interleaved);
    if (width != size_.width || height != size_.height)
      bad_input("{}: HEIF: {} x {} pixels in the picture, {} x {} in the header", name_, width, height, size_.width,
                size_.height);
    int stride = 0;
    const uint8_t* row = heif().image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
    if (row == nullptr) bad_input("{}: HEIF: no pixels", name_);
    for (int y = 0; y < height; ++y, row += stride, rgb += row_bytes) std::copy_n(row, row_bytes, rgb);
  }

 private:
  static uint32_t side(int pixels) { return pixels > 0 ? static_cast<uint32_t>(pixels) : 0; }

  std::string_view name_;
  std::unique_ptr<heif_context, decltype(&heif_context_free)> context_;
  std::unique_ptr<heif_image_handle, void (*)(const heif_image_handle*)> handle_;
  ImageSize size_;
};

class HeifRows : public WholeRows {
 public:
  HeifRows(std::span<const std::byte> bytes, std::string_view name) : WholeRows(name), file_(bytes, this->name()) {
    set_size(file_.size());
    require_plausible(size(), bytes.size(), name);
  }

 private:
  void decode_all(uint8_t* rgb) override { file_.decode(rgb, row_bytes()); }
  uint64_t more_bytes() const override {  // planes, and the same as RGB
    return uint64_t{9} * static_cast<uint64_t>(size().width) * static_cast<uint64_t>(size().height);
  }

  HeifFile file_;
};

}  // namespace

std::unique_ptr<RowSource> open_heif(std::span<const std::byte> bytes, std::string_view name) {
  return std::make_unique<HeifRows>(bytes, name);
}

ImageSize read_heif_size(std::span<const std::byte> bytes, std::string_view name) {
  return HeifFile(bytes, name).size();
}

}  // namespace effdet::vision
