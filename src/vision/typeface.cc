// Renders text by FreeType, with fonts for characters that the first one lacks, or by the bitmap font.
#include "vision/typeface.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/shared_library.h"
#include "vision/font.h"
#include "vision/font_files.h"
#ifdef EFFDET_FREETYPE
#include <ft2build.h>
#include FT_FREETYPE_H
#endif

namespace effdet::vision {
namespace {

constexpr size_t kMostCharacters = 80;
constexpr uint32_t kUnknown = 0xFFFD;

/// The characters of a text; what is no UTF-8, and control characters, become kUnknown.
std::vector<uint32_t> characters_of(std::string_view text) {
  std::vector<uint32_t> characters;
  for (size_t at = 0; at < text.size() && characters.size() < kMostCharacters;) {
    const auto first = static_cast<uint8_t>(text[at]);
    const size_t length = first < 0x80                    ? 1
                          : first >= 0xF0 && first < 0xF5 ? 4
                          : first >= 0xE0                 ? 3
                          : first >= 0xC2                 ? 2
                                                          : 0;
    uint32_t code = length == 0 || first >= 0xF5 ? kUnknown : length == 1 ? first : first & (0xFFu >> (length + 1));
    size_t taken = 1;
    for (; code != kUnknown && taken < length; ++taken) {
      const auto next = at + taken < text.size() ? static_cast<uint8_t>(text[at + taken]) : uint8_t{0};
      if ((next & 0xC0) != 0x80) break;
      code = code << 6 | (next & 0x3F);
    }
    if (taken < length || code < 0x20 || code == 0x7F) code = kUnknown;
    characters.push_back(code);
    at += taken;
  }
  return characters;
}

/// Letters of the bitmap font, as coverage.
TextBitmap render_by_bitmap(std::string_view text, int pixels) {
  text = text.substr(0, kMostCharacters);
  const int scale = std::max(1, pixels / kCellHeight);
  const ImageSize size = text_size(text, scale);
  if (size.width < 1 || size.height < 1) return {0, kCellHeight * scale, {}};
  Image image(size.width, size.height);
  std::ranges::fill(image.pixels(), uint8_t{0});
  draw_text(image, 0, 0, text, scale, {255, 255, 255});
  TextBitmap bitmap{size.width, size.height, {}};
  for (size_t i = 0; i < image.pixels().size(); i += 3) bitmap.coverage.push_back(image.pixels()[i]);
  return bitmap;
}

#ifdef EFFDET_FREETYPE
/// The functions of FreeType that rendering needs. Names and types are those of its header.
struct FreeType {
  SharedLibrary library{EFFDET_FREETYPE, "libfreetype6"};
#define EFFDET_FT_FUNCTION(name) decltype(FT_##name)* name = library.function<decltype(FT_##name)>("FT_" #name)
  EFFDET_FT_FUNCTION(Init_FreeType);
  EFFDET_FT_FUNCTION(New_Face);
  EFFDET_FT_FUNCTION(Set_Pixel_Sizes);
  EFFDET_FT_FUNCTION(Get_Char_Index);
  EFFDET_FT_FUNCTION(Load_Glyph);
#undef EFFDET_FT_FUNCTION
};

/// The fonts that are open. One thread at a time uses them: FreeType keeps the last letter in the font.
class Fonts {
 public:
  /// Nothing where there is no FreeType or no font.
  static std::optional<TextBitmap> render(std::string_view text, int pixels) {
    static Fonts fonts;
    const std::lock_guard lock(fonts.mutex_);
    if (fonts.faces_.empty()) return std::nullopt;
    return fonts.line(characters_of(text), pixels);
  }

 private:
  Fonts() {
    try {  // in the body: the handler of a constructor's function-try-block throws again
      type_ = std::make_unique<FreeType>();
    } catch (const Error&) {
      return;  // FreeType is not installed
    }
    if (type_->Init_FreeType(&library_) == 0) open(plain_font());
  }

  void open(const FontFile& file) {
    FT_Face face = nullptr;
    if (file.path.empty() || type_->New_Face(library_, file.path.c_str(), file.index, &face) != 0) return;
    faces_.push_back(face);
  }

  /// The font that has the character, and its letter there.
  std::pair<FT_Face, FT_UInt> letter(uint32_t character) {
    for (const FT_Face face : faces_)
      if (const FT_UInt glyph = type_->Get_Char_Index(face, character); glyph != 0) return {face, glyph};
    if (asked_.insert(character).second) {
      const size_t before = faces_.size();
      open(font_with(character));
      if (faces_.size() > before)
        if (const FT_UInt glyph = type_->Get_Char_Index(faces_.back(), character); glyph != 0)
          return {faces_.back(), glyph};
    }
    return {faces_.front(), type_->Get_Char_Index(faces_.front(), kUnknown)};
  }

  TextBitmap line(const std::vector<uint32_t>& characters, int pixels) {
    const int height = pixels + pixels / 3, baseline = pixels;  // room for what hangs below
    TextBitmap bitmap{0, height, {}};
    for (const bool draws : {false, true}) {
      if (draws) bitmap.coverage.assign(static_cast<size_t>(bitmap.width) * static_cast<size_t>(height), 0);
      int pen = 0;
      for (const uint32_t character : characters) {
        const Glyph& glyph = rendered(character, pixels);
        if (draws) put(glyph, pen + glyph.left, baseline - glyph.top, bitmap);
        pen += glyph.advance;
      }
      bitmap.width = std::max(pen, 0);
    }
    return bitmap;
  }

  /// A letter in one size, as FreeType renders it. Hinting takes longer than all else that is drawn, and labels have
  /// the same letters again and again.
  struct Glyph {
    int left = 0, top = 0, advance = 0, width = 0, rows = 0;
    std::vector<uint8_t> coverage;  ///< [rows, width]
  };
  const Glyph& rendered(uint32_t character, int pixels) {
    constexpr size_t kMost = 4096;
    if (glyphs_.size() >= kMost) glyphs_.clear();
    const auto [at, is_new] = glyphs_.try_emplace({character, pixels});
    if (is_new) at->second = render(character, pixels);
    return at->second;
  }
  Glyph render(uint32_t character, int pixels) {
    const auto [face, index] = letter(character);
    type_->Set_Pixel_Sizes(face, 0, static_cast<FT_UInt>(pixels));
    if (type_->Load_Glyph(face, index, FT_LOAD_RENDER) != 0) return {};
    const FT_Bitmap& bitmap = face->glyph->bitmap;
    Glyph glyph{
        face->glyph->bitmap_left, face->glyph->bitmap_top, static_cast<int>(face->glyph->advance.x >> 6), 0, 0, {}};
    if (bitmap.pixel_mode != FT_PIXEL_MODE_GRAY) return glyph;
    glyph.width = static_cast<int>(bitmap.width);
    glyph.rows = static_cast<int>(bitmap.rows);
    for (int row = 0; row < glyph.rows; ++row) {
      const uint8_t* begin = bitmap.buffer + ptrdiff_t{row} * bitmap.pitch;
      glyph.coverage.insert(glyph.coverage.end(), begin, begin + glyph.width);
    }
    return glyph;
  }

  static void put(const Glyph& glyph, int x, int y, TextBitmap& target) {
    for (int row = 0; row < glyph.rows; ++row)
      for (int column = 0; column < glyph.width; ++column) {
        const int to_x = x + column, to_y = y + row;
        if (to_x < 0 || to_x >= target.width || to_y < 0 || to_y >= target.height) continue;
        uint8_t& pixel =
            target.coverage[static_cast<size_t>(to_y) * static_cast<size_t>(target.width) + static_cast<size_t>(to_x)];
        pixel = std::max(
            pixel,
            glyph.coverage[static_cast<size_t>(row) * static_cast<size_t>(glyph.width) + static_cast<size_t>(column)]);
      }
  }

  std::mutex mutex_;
  std::unique_ptr<FreeType> type_;
  FT_Library library_ = nullptr;
  std::vector<FT_Face> faces_;                        ///< the plain one first; they stay until the process ends
  std::set<uint32_t> asked_;                          ///< characters that another font was looked for once
  std::map<std::pair<uint32_t, int>, Glyph> glyphs_;  ///< by character and size
};

std::optional<TextBitmap> render_by_font(std::string_view text, int pixels) { return Fonts::render(text, pixels); }
#else
std::optional<TextBitmap> render_by_font(std::string_view, int) { return std::nullopt; }
#endif

}  // namespace

TextBitmap render_text(std::string_view text, int pixels) {
  pixels = std::clamp(pixels, 6, 400);
  if (auto bitmap = render_by_font(text, pixels)) return *std::move(bitmap);
  return render_by_bitmap(text, pixels);
}

void draw_text(Image& image, int x, int y, const TextBitmap& text, const Colour& colour) {
  for (int row = std::max(0, -y); row < std::min(text.height, image.height() - y); ++row)
    for (int column = std::max(0, -x); column < std::min(text.width, image.width() - x); ++column) {
      const int part =
          text.coverage[static_cast<size_t>(row) * static_cast<size_t>(text.width) + static_cast<size_t>(column)];
      uint8_t* pixel = image.row(y + row) + 3 * (x + column);
      for (size_t channel = 0; channel < 3; ++channel)
        pixel[channel] = static_cast<uint8_t>(pixel[channel] + part * (colour[channel] - pixel[channel]) / 255);
    }
}

}  // namespace effdet::vision
