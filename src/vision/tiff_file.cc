// Drives libtiff on a file in memory, and checks what its directory says.
#include "vision/tiff_file.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/shared_library.h"
#include "vision/limits.h"

namespace effdet::vision {
namespace {

/// The functions of libtiff that decoding needs. Names and types are those of its header.
struct Libtiff {
  SharedLibrary library{EFFDET_TIFF, "libtiff6"};
#define EFFDET_TIFF_FUNCTION(name) decltype(TIFF##name)* name = library.function<decltype(TIFF##name)>("TIFF" #name)
  EFFDET_TIFF_FUNCTION(OpenOptionsAlloc);
  EFFDET_TIFF_FUNCTION(OpenOptionsFree);
  EFFDET_TIFF_FUNCTION(OpenOptionsSetMaxSingleMemAlloc);
  EFFDET_TIFF_FUNCTION(OpenOptionsSetErrorHandlerExtR);
  EFFDET_TIFF_FUNCTION(OpenOptionsSetWarningHandlerExtR);
  EFFDET_TIFF_FUNCTION(ClientOpenExt);
  EFFDET_TIFF_FUNCTION(Close);
  EFFDET_TIFF_FUNCTION(GetField);
  EFFDET_TIFF_FUNCTION(GetFieldDefaulted);
  EFFDET_TIFF_FUNCTION(SetField);
  EFFDET_TIFF_FUNCTION(IsTiled);
  EFFDET_TIFF_FUNCTION(ComputeStrip);
  EFFDET_TIFF_FUNCTION(ComputeTile);
  EFFDET_TIFF_FUNCTION(ReadEncodedStrip);
  EFFDET_TIFF_FUNCTION(ReadEncodedTile);
  EFFDET_TIFF_FUNCTION(ReadRGBAStripExt);
  EFFDET_TIFF_FUNCTION(ReadRGBATileExt);
  EFFDET_TIFF_FUNCTION(RGBAImageOK);
#undef EFFDET_TIFF_FUNCTION
};

const Libtiff& libtiff() {
  static const Libtiff loaded;
  return loaded;
}

tmsize_t no_write(thandle_t, void*, tmsize_t) { return 0; }
int no_close(thandle_t) { return 0; }
int no_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

}  // namespace

TiffFile::TiffFile(std::span<const std::byte> bytes, std::string_view name) : bytes_(bytes), name_(name) {
  constexpr tmsize_t kMostMemory = tmsize_t{1} << 30;
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(libtiff().OpenOptionsAlloc(),
                                                                                 libtiff().OpenOptionsFree);
  if (!options) fail(ErrorCode::kOutOfMemory, "{}: no memory for libtiff", name);
  libtiff().OpenOptionsSetMaxSingleMemAlloc(options.get(), kMostMemory);
  libtiff().OpenOptionsSetErrorHandlerExtR(options.get(), on_error, this);
  libtiff().OpenOptionsSetWarningHandlerExtR(options.get(), no_warning, nullptr);
  const auto size = [](thandle_t self) -> toff_t { return static_cast<TiffFile*>(self)->bytes_.size(); };
  tiff_ = libtiff().ClientOpenExt("", "rm", this, on_read, no_write, on_seek, no_close, size, nullptr, nullptr,
                                  options.get());
  if (tiff_ == nullptr) refuse_data();
  try {
    read_layout();
  } catch (const Error&) {
    libtiff().Close(tiff_);
    throw;
  }
}

TiffFile::~TiffFile() { libtiff().Close(tiff_); }

uint16_t TiffFile::number(uint32_t tag, uint16_t otherwise) const {
  uint16_t value = otherwise;
  return libtiff().GetFieldDefaulted(tiff_, tag, &value) == 1 ? value : otherwise;
}

void TiffFile::read_layout() {
  uint32_t width = 0, height = 0;
  libtiff().GetField(tiff_, TIFFTAG_IMAGEWIDTH, &width);
  libtiff().GetField(tiff_, TIFFTAG_IMAGELENGTH, &height);
  TiffLayout& layout = layout_;
  layout.size = checked_size(width, height, name_);
  require_plausible(layout.size, bytes_.size(), name_);
  layout.bits = number(TIFFTAG_BITSPERSAMPLE, 1);
  layout.samples = number(TIFFTAG_SAMPLESPERPIXEL, 1);
  layout.kind = number(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  layout.planar = number(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  layout.compression = number(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  layout.orientation = number(TIFFTAG_ORIENTATION, 1);
  if (libtiff().GetField(tiff_, TIFFTAG_PHOTOMETRIC, &layout.photometric) != 1)
    layout.photometric = PHOTOMETRIC_MINISWHITE;  // as Pillow
  uint16_t extras = 0;
  const uint16_t* extra = nullptr;
  if (libtiff().GetFieldDefaulted(tiff_, TIFFTAG_EXTRASAMPLES, &extras, &extra) == 1 && extras > 0)
    layout.premultiplied = extra[0] == EXTRASAMPLE_ASSOCALPHA;
  // libtiff's JPEG decoder makes RGB of colours that lie together; of planes it sees one at a time.
  if (layout.photometric == PHOTOMETRIC_YCBCR && layout.compression == COMPRESSION_JPEG &&
      layout.planar == PLANARCONFIG_CONTIG) {
    libtiff().SetField(tiff_, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    layout.photometric = PHOTOMETRIC_RGB;
  }
  layout.by_libtiff = layout.photometric == PHOTOMETRIC_YCBCR && !has_plain_chroma();
  layout.tiled = libtiff().IsTiled(tiff_) != 0;
  if (layout.tiled) {
    libtiff().GetField(tiff_, TIFFTAG_TILEWIDTH, &layout.unit_width);
    libtiff().GetField(tiff_, TIFFTAG_TILELENGTH, &layout.unit_height);
  } else {
    layout.unit_width = width;
    libtiff().GetFieldDefaulted(tiff_, TIFFTAG_ROWSPERSTRIP, &layout.unit_height);
    layout.unit_height = std::min(layout.unit_height, height);
  }
  require_plausible(checked_size(layout.unit_width, layout.unit_height, name_), bytes_.size(), name_);
  if (layout.photometric == PHOTOMETRIC_PALETTE) read_palette();
}

bool TiffFile::has_plain_chroma() const {
  uint16_t across = 2, down = 2;
  libtiff().GetFieldDefaulted(tiff_, TIFFTAG_YCBCRSUBSAMPLING, &across, &down);
  return across == 1 && down == 1 && layout_.compression == COMPRESSION_NONE && layout_.bits == 8 &&
         layout_.samples == 3 && layout_.kind == SAMPLEFORMAT_UINT;
}

void TiffFile::read_palette() {
  std::array<const uint16_t*, 3> colours{};
  if (layout_.bits > 8 || libtiff().GetField(tiff_, TIFFTAG_COLORMAP, &colours[0], &colours[1], &colours[2]) != 1)
    bad_input("{}: TIFF: no palette for {} bits", name_, layout_.bits);
  for (size_t channel = 0; channel < 3; ++channel)
    for (size_t i = 0; i < size_t{1} << layout_.bits; ++i)
      layout_.palette[channel].push_back(static_cast<uint8_t>(colours[channel][i] >> 8));
}

void TiffFile::read(uint32_t x, uint32_t y, int plane, std::span<uint8_t> unit) {
  const auto sample = static_cast<uint16_t>(plane);
  const auto size = static_cast<tmsize_t>(unit.size());
  const bool is_last = !layout_.tiled && y + layout_.unit_height > static_cast<uint32_t>(layout_.size.height);
  const auto wanted =
      is_last ? static_cast<tmsize_t>(layout_.row_bytes()) * (layout_.size.height - static_cast<int>(y)) : size;
  const tmsize_t got =
      layout_.tiled ? libtiff().ReadEncodedTile(tiff_, libtiff().ComputeTile(tiff_, x, y, 0, sample), unit.data(), size)
                    : libtiff().ReadEncodedStrip(tiff_, libtiff().ComputeStrip(tiff_, y, sample), unit.data(), size);
  if (got < wanted) refuse_data();
}

void TiffFile::read_rgba(uint32_t x, uint32_t y, std::span<uint32_t> unit) {
  char words[1024] = "";
  if (libtiff().RGBAImageOK(tiff_, words) == 0) fail(ErrorCode::kUnsupported, "{}: TIFF: {}", name_, words);
  constexpr int kStopOnError = 1;  // what is missing would be black else
  const int done = layout_.tiled ? libtiff().ReadRGBATileExt(tiff_, x, y, unit.data(), kStopOnError)
                                 : libtiff().ReadRGBAStripExt(tiff_, y, unit.data(), kStopOnError);
  if (done == 0) refuse_data();
}

void TiffFile::refuse_data() const {
  bad_input("{}: TIFF: {}", name_, problem_.empty() ? "broken or cut short" : problem_);
}

tmsize_t TiffFile::on_read(thandle_t self, void* target, tmsize_t count) {
  auto& file = *static_cast<TiffFile*>(self);
  const size_t left = file.bytes_.size() - std::min(file.at_, file.bytes_.size());
  const size_t taken = std::min(left, static_cast<size_t>(std::max<tmsize_t>(count, 0)));
  if (taken > 0) std::memcpy(target, file.bytes_.data() + file.at_, taken);
  file.at_ += taken;
  return static_cast<tmsize_t>(taken);
}

toff_t TiffFile::on_seek(thandle_t self, toff_t offset, int whence) {
  auto& file = *static_cast<TiffFile*>(self);
  const size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at_ : file.bytes_.size();
  return file.at_ = base + offset;
}

int TiffFile::on_error(TIFF*, void* self, const char* module, const char* format, va_list values) {
  auto& problem = static_cast<TiffFile*>(self)->problem_;
  if (!problem.empty()) return 1;
  char words[256] = "";
  std::vsnprintf(words, sizeof words, format, values);
  problem = module != nullptr && *module != '\0' ? std::string(module) + ": " + words : words;
  for (char& c : problem)
    if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126) c = ' ';
  return 1;
}

}  // namespace effdet::vision
