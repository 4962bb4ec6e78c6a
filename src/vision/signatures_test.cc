// Files of other formats are named; cut ones are not read past their end.
#include "vision/signatures.h"

#include <algorithm>

#include "vision/decode.h"
#include "vision/formats.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

using namespace std::string_literals;

struct Sample {
  std::string content, what;
  ErrorCode code = ErrorCode::kUnsupported;
};

/// A box "ftyp" with a major brand and those that the file is compatible with, and what follows.
std::string box(const std::string& major, const std::string& compatible) {
  const std::string body = "ftyp" + major + "\0\0\0\0"s + compatible;
  return "\0\0\0"s + static_cast<char>(body.size() + 4) + body + "\0\0\0\x08free"s;
}

std::string riff(const std::string& form) { return "RIFF\x24\0\0\0"s + form + "fmt \0\0\0\0"s; }

std::vector<Sample> samples() {
  const std::string jpeg_xl_box = "\0\0\0\x0CJXL \r\n\x87\n\0\0\0\x14"s + "ftypjxl \0\0\0\0jxl "s;
  std::string packets(600, '\xFF');
  for (size_t i = 0; i < packets.size(); i += 188) packets[i] = '\x47';
  return {
      {box("avif", "avifmif1miaf"), "an AVIF file"},
      {box("avis", "msf1"), "an AVIF file"},
      {box("mif1", "mif1avifmiaf"), "an AVIF file"},
      {box("heic", "mif1heic"), "a HEIC file"},
      {box("heix", "mif1"), "a HEIC file"},
      {box("mif1", "mif1heic"), "a HEIC file"},
      {box("msf1", "hevcmsf1"), "a HEIC file"},
      {box("mif1", "mif1jpeg"), "a HEIF file"},
      {box("isom", "isomiso2avc1mp41"), "an MP4 video"},
      {box("3g2a", ""), "a 3GP video"},
      {box("M4B ", ""), "an M4A sound"},
      {box("mp42", "isommp423gp4"), "an MP4 video"},
      {box("dash", ""), "an MP4 video"},
      {box("qt  ", "qt  "), "a QuickTime video"},
      {box("3gp5", "isom3gp5"), "a 3GP video"},
      {box("M4A ", "M4A mp42isom"), "an M4A sound"},
      {box("crx ", "crx isom"), "a Canon raw file (CR3)"},
      {box("jp2 ", "jp2 "), "a JPEG 2000 file"},
      {"\0\0\0\x08wide\0\0\0\x08mdat"s, "a QuickTime video"},
      {riff("WEBP"), "a WebP file"},
      {riff("WAVE"), "a WAV sound"},
      {riff("AVI "), "an AVI video"},
      {riff("RMID"), "a RIFF file"},
      {"RF64" + riff("WAVE").substr(4), "a WAV sound"},
      {"\0\0\0\x0CjP  \r\n\x87\n"s, "a JPEG 2000 file"},
      {"\xFF\x4F\xFF\x51\0\x2F"s, "a JPEG 2000 codestream"},
      {jpeg_xl_box, "a JPEG XL file"},
      {"\xFF\x0A\xFA\x1F"s, "a JPEG XL codestream"},
      {"GIF87a\1\0"s, "a GIF file"},
      {"GIF89a\1\0"s, "a GIF file"},
      {"II*\0\x08\0\0\0"s, "a TIFF file"},
      {"MM\0*\0\0\0\x08"s, "a TIFF file"},
      {"II+\0\x08\0\0\0"s, "a BigTIFF file"},
      {"MM\0+\0\x08\0\0"s, "a BigTIFF file"},
      {"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0"s, "a BMP file"},
      {"BM\x1a\0\0\0\x15\0\x10\0\x1a\3\0\0\x0c\0\0\0\x7f\0\x40\0"s, "a BMP file"},  // of OS/2, with a hot spot
      {"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\0\0\0\0\x16\0\0\0"s, "an ICO file"},
      {"\0\0\2\0\1\0\x10\x10\0\0\1\0\x20\0\0\0\0\0\x16\0\0\0"s, "a CUR file"},
      {"8BPS\0\1"s, "a PSD file"},
      {"%PDF-1.7\n", "a PDF file"},
      {"P6\n2 2\n\0\0\0"s, "a PNM file"},
      {"P3 1 1 ", "a PNM file"},
      {"P3\n# \xD0\x97\xD0\xBD\xD0\xB0\xD0\xBA \x1B\0\n1 "s, "a PNM file"},
      {"P6\n#wide angle\n9 ", "a PNM file"},  // where a QuickTime video has its first box
      {"P5\v\f1", "a PNM file"},
      {"P3 of the list", "a text", ErrorCode::kBadInput},
      {"P7\nWIDTH 1\nHEIGHT 1\n", "a PAM file"},
      {"PF\n1 1\n-1.0\n", "a PFM file"},
      {"p3 of the list", "a text", ErrorCode::kBadInput},
      {"P1\f", "a text", ErrorCode::kBadInput},
      {"P8 of the list", "a text", ErrorCode::kBadInput},
      {"P0 of the list", "a text", ErrorCode::kBadInput},
      {"P7", "a text", ErrorCode::kBadInput},
      {"Pictures", "a text", ErrorCode::kBadInput},
      {"PK\x03\x04\x14\0"s, "a zip archive"},
      {"\x1F\x8B\x08\0"s, "a gzip file"},
      {std::string(257, 'a') + "ustar", "a tar archive"},
      {packets, "an MPEG transport stream"},
      {"\x93NUMPY\1\0"s, "a NumPy array"},
      {"\0\5\x16\7\0\2\0\0"s, "an AppleDouble file, which macOS leaves beside another"},
      {"<?xml version=\"1.0\"?>\n<!-- drawing -->\n<svg width=\"1\">", "an SVG file"},
      {"  <SVG xmlns='http://www.w3.org/2000/svg'/>", "an SVG file"},
      {"\xEF\xBB\xBF<!DOCTYPE html>\n<title>404</title>", "an HTML page"},
      {"\r\n<HTML><body>Not found", "an HTML page"},
      {"<head><title>Not found", "an HTML page"},
      {"<p>\t<BODY>", "an HTML page"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "an XML or HTML text"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "a Git LFS pointer"},
      {"{\"images\": []}", "a JSON text", ErrorCode::kBadInput},
      {"\n [1, 2]", "a JSON text", ErrorCode::kBadInput},
      {"BM is how this text begins", "a text", ErrorCode::kBadInput},
      {"dog.jpg\t3 caf\xC3\xA9\n", "a text", ErrorCode::kBadInput},
      {"\xFF\xFEh\0i\0"s, "a UTF-16 text", ErrorCode::kBadInput},
      {"\xFE\xFF\0h\0i"s, "a UTF-16 text", ErrorCode::kBadInput},
      {std::string(5000, '\0'), "nothing but zeros", ErrorCode::kBadInput},
  };
}

/// The samples are too short for a picture.
bool is_read(const std::string& kind) {
  return std::ranges::any_of(image_formats(),
                             [&](const ImageFormat& format) { return format.kind == kind && format.open != nullptr; });
}

TEST(ContentKinds, AreNamedByTheirContent) {
  for (const Sample& sample : samples()) {
    const auto format = content_kind(sample.content);
    ASSERT_TRUE(format) << sample.what;
    EXPECT_EQ(format->what, sample.what);
    EXPECT_EQ(format->code, sample.code) << sample.what;
    const Error error = error_of([&] { whole_image(*open_image(bytes_of(sample.content), "a/b.jpg")); });
    const Error again = error_of([&] { read_image_size(bytes_of(sample.content), "a/b.jpg"); });
    EXPECT_TRUE(std::string(error.what()).starts_with("a/b.jpg: ")) << error.what();
    if (is_read(sample.what)) continue;
    EXPECT_TRUE(std::string(error.what()).starts_with("a/b.jpg: " + sample.what + ": ")) << error.what();
    EXPECT_EQ(error.code(), sample.code) << error.what();
    EXPECT_EQ(again.code(), sample.code) << again.what();
  }
}

TEST(ContentKinds, WhatNobodyCanTellIsNotGuessed) {
  for (const std::string& content :
       {"\x01\x02\x03\x04"s, "\xFF\xD8"s, "\0\0\0\1"s, "\0\0\0\x18"s + "ftyp", "\0\0\1\0\0\0\0\0"s, "BM\0\0"s,
        "\0\0\3\0\1\0"s + std::string(20, 'x'), "\0\0\1\0\1\1"s + std::string(20, 'x'),
        "\0\0\1\0\0\0"s + std::string(20, 'x'), "\0\0\1\1\1\0"s + std::string(20, 'x'), "a\x7F"s, "a\x1B[0m"s, "P6x\0"s,
        "P3\n\0"s, "P9\n\0"s, "caf\xC3\xA9\xC3\xA9\xC3\xA9"s, "\xEF\xBB\xBF \n"s,
        std::string(600, '\x47').replace(188, 1, "\1")})
    EXPECT_FALSE(content_kind(content)) << content.size();
  const Error error = error_of([] { open_image(bytes_of("\x01\x02"s), "x.jpg"); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_NE(std::string(error.what()).find("no format is known that begins so"), std::string::npos) << error.what();
}

TEST(ContentKinds, CutAnywhereNothingIsReadPastTheEnd) {
  for (const Sample& sample : samples())
    for (size_t length = 0; length < std::min<size_t>(sample.content.size(), 64); ++length) {
      const std::string cut = sample.content.substr(0, length);  // of its own, so that sanitizers see the end
      content_kind(cut);
    }
}

/// Kinds of JPEG and PNG that begin as those that are read.
TEST(ContentKinds, RelativesOfJpegAndPng) {
  const Error ls =
      error_of([] { open_image(bytes_of("\xFF\xD8\xFF\xF7\0\x0B\x08\0\1\0\1\1\1\x11\0\xFF\xDA"s), "x.jls"); });
  EXPECT_EQ(ls.code(), ErrorCode::kUnsupported);
  EXPECT_NE(std::string(ls.what()).find("JPEG-LS"), std::string::npos) << ls.what();
  const Error apple = error_of([] { open_image(bytes_of("\x89PNG\r\n\x1A\n\0\0\0\4CgBI\x50\0\x20\2"s), "x.png"); });
  EXPECT_EQ(apple.code(), ErrorCode::kUnsupported);
  EXPECT_NE(std::string(apple.what()).find("Apple"), std::string::npos) << apple.what();
}

}  // namespace
}  // namespace effdet::vision
