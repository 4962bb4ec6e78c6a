// The numbered bad inputs 71 to 78: JPEG.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <jpeglib.h>

#include "vision/decode.h"
#include "vision/jpeg_test_util.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

bool same_pixels(const Image& a, const Image& b) {
  return a.size() == b.size() && std::ranges::equal(a.pixels(), b.pixels());
}

std::string with_size(std::string data, int width, int height, uint8_t frame = 0xC0) {
  const size_t at = segment(data, frame);
  data[at + 5] = static_cast<char>(height >> 8);
  data[at + 6] = static_cast<char>(height);
  data[at + 7] = static_cast<char>(width >> 8);
  data[at + 8] = static_cast<char>(width);
  return data;
}

void expect_sample(const std::string& prefix, size_t least) {
  size_t count = 0;
  for (const Expected& line : expected_lines()) {
    if (line.what != "decode" || !line.file.starts_with(prefix)) continue;
    const Image image = decode_image(images_folder() / line.file);
    EXPECT_EQ(sha256_of(std::as_bytes(image.pixels())), line.sha256) << line.file;
    ++count;
  }
  EXPECT_GE(count, least) << prefix;
}

TEST(BadInput, Case71_CutJpeg) {
  for (const char* name : {"gray.jpg", "gray_progressive.jpg", "ycc_420.jpg", "ycc_444.jpg", "progressive_420.jpg",
                           "restart.jpg", "ycck_by_adobe2.jpg"}) {
    const std::string whole = sample(name);
    for (size_t percent : {1, 10, 50, 99})
      EXPECT_EQ(jpeg_code(whole.substr(0, whole.size() * percent / 100)), ErrorCode::kBadInput) << name << percent;
    EXPECT_EQ(jpeg_code(whole.substr(0, whole.size() - 2)), ErrorCode::kBadInput) << name << " without EOI";
  }
}

TEST(BadInput, Case72_HugeSizeInFewBytes) {
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  const std::string header = sample("ycc_420.jpg").substr(0, 200);
  EXPECT_EQ(jpeg_code(with_size(sample("ycc_420.jpg"), 65500, 65500)), ErrorCode::kBadInput);
  // Within the limit for decompression bombs, but not plausible.
  EXPECT_EQ(jpeg_code(with_size(sample("ycc_420.jpg"), 13000, 13000)), ErrorCode::kBadInput);
  EXPECT_EQ(jpeg_code(header), ErrorCode::kBadInput);
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 64 << 10) << "KiB";
}

/// The sample with its second scan, and the table that stands before it, repeated.
std::string with_scans(const std::string& whole, int count) {
  const size_t first = segment(whole, 0xDA);
  const size_t begin = whole.find("\xFF\xC4", first), end = whole.find("\xFF\xC4", begin + 2);
  std::string data = whole.substr(0, begin);
  for (int i = 0; i < count; ++i) data += whole.substr(begin, end - begin);
  return data + whole.substr(end);
}

TEST(BadInput, Case73_ThousandsOfScans) {
  const std::string whole = sample("gray_progressive.jpg");
  // Pillow reads it, and for a small image the work is small.
  EXPECT_TRUE(same_pixels(decoded_jpeg(with_scans(whole, 1200)), decoded_jpeg(whole)));
}

/// A grey progressive JPEG of side x side pixels whose tables have one code each, for differences of 0 and for runs of
/// 2^14 blocks that end at once; scans follow.
std::string grey_progressive(int side) {
  const auto high = static_cast<char>(side >> 8), low = static_cast<char>(side);
  const auto table = [](char id, char symbol) {
    return segment_of(0xC4, id + ("\1" + std::string(15, '\0')) + symbol);
  };
  return "\xFF\xD8" + segment_of(0xDB, '\0' + std::string(64, '\1')) +
         segment_of(0xC2, std::string{8, high, low, high, low, 1, 1, 0x11, 0}) + table(0, 0) + table(0x10, '\xE0');
}

/// One scan of coefficients first to last, at the given bits of approximation.
std::string scan(int first, int last, int bits, const std::string& data) {
  return segment_of(0xDA,
                    std::string{1, 1, 0, static_cast<char>(first), static_cast<char>(last), static_cast<char>(bits)}) +
         data;
}

TEST(BadInput, Case73_WorkBelowTheLimitAndAboveIt) {
  // 2048 x 2048 pixels are 65536 blocks, each of which a scan that refines 63 coefficients looks through: 3 ms.
  const std::string blocks(65536 / 8, '\0'), runs(8, '\0');
  const std::string refining = scan(1, 63, 0x10, runs);
  const std::string data = grey_progressive(2048) + scan(0, 0, 1, blocks);
  const auto repeated = [&](int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += refining;
    return data + all + "\xFF\xD9";
  };
  EXPECT_EQ(decoded_jpeg(repeated(50)).width(), 2048);
  const Error error = error_of([&] { decoded_jpeg(repeated(400)); });
  EXPECT_NE(std::string(error.what()).find("more work than an image may take"), std::string::npos) << error.what();
}

TEST(BadInput, Case73_SegmentsOfNothing) {
  const std::string whole = sample("ycc_420.jpg"), progressive = sample("gray_progressive.jpg");
  const auto with = [](const std::string& data, size_t at, const std::string& segment, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += segment;
    return data.substr(0, at) + all + data.substr(at);
  };
  const Image image = decoded_jpeg(whole);
  for (const uint8_t marker : {0xC4, 0xDB, 0xE0, 0xE5, 0xEE, 0xFE})
    EXPECT_TRUE(same_pixels(decoded_jpeg(with(whole, 2, segment_of(marker, ""), 200'000)), image)) << int{marker};
  EXPECT_TRUE(same_pixels(decoded_jpeg(with(whole, 2, "\xFF\xD0", 200'000)), image)) << "restart markers";
  EXPECT_TRUE(same_pixels(decoded_jpeg(with(whole, 2, "\xFF", 200'000)), image)) << "padding";
  // Scans without data are scans.
  const std::string empty = scan(1, 63, 0x10, "");
  EXPECT_EQ(decoded_jpeg(with(progressive, progressive.size() - 2, empty, 1000)).size(),
            decoded_jpeg(progressive).size());
  EXPECT_EQ(jpeg_code(with(progressive, progressive.size() - 2, empty, 1'100'000)), ErrorCode::kBadInput);
}

/// The image as libjpeg writes it, with arithmetic or with Huffman coding.
std::string compressed(const Image& image, bool arithmetic) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(image.width());
  info.image_height = static_cast<JDIMENSION>(image.height());
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  info.arith_code = arithmetic;
  jpeg_start_compress(&info, TRUE);
  for (int y = 0; y < image.height(); ++y) {
    JSAMPROW row = const_cast<uint8_t*>(image.row(y));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const std::unique_ptr<unsigned char, void (*)(void*)> owner(bytes, std::free);
  return {reinterpret_cast<const char*>(bytes), size};
}

TEST(BadInput, Case74_ArithmeticLosslessTwelveBit) {
  const Image image = decode_image(images_folder() / "tall.png");
  EXPECT_TRUE(same_pixels(decoded_jpeg(compressed(image, true)), decoded_jpeg(compressed(image, false))));
  const std::string arithmetic = compressed(image, true);
  EXPECT_EQ(jpeg_code(arithmetic.substr(0, arithmetic.size() / 2)), ErrorCode::kBadInput);

  std::string lossless = sample("ycc_444.jpg"), twelve = lossless, hierarchical = lossless;
  const size_t frame = segment(lossless, 0xC0);
  lossless[frame + 1] = '\xC3';
  EXPECT_EQ(jpeg_code(lossless), ErrorCode::kUnsupported);
  twelve[frame + 4] = 12;
  EXPECT_EQ(jpeg_code(twelve), ErrorCode::kUnsupported);
  hierarchical[frame + 1] = '\xC5';
  EXPECT_EQ(jpeg_code(hierarchical), ErrorCode::kUnsupported);
}

TEST(BadInput, Case75_ColourSpacesAndSampling) {
  expect_sample("gray", 3);
  expect_sample("ycc", 7);
  expect_sample("cmyk", 2);
  expect_sample("rgb_by_adobe0", 1);
  expect_sample("no_markers", 1);
}

TEST(BadInput, Case76_OrientationIsIgnored) {
  expect_sample("exif_", 8);
  const Image upright = decode_image(images_folder() / "exif_1.jpg");
  for (int orientation = 2; orientation <= 8; ++orientation)
    EXPECT_TRUE(same_pixels(decode_image(images_folder() / ("exif_" + std::to_string(orientation) + ".jpg")), upright));
}

TEST(BadInput, Case77_TablesAndFrames) {
  const std::string whole = sample("ycc_420.jpg");
  std::string no_tables = whole;
  while (no_tables.find("\xFF\xDB") != std::string::npos) {
    const size_t at = segment(no_tables, 0xDB);
    no_tables.erase(at, segment_end(no_tables, at) - at);
  }
  EXPECT_EQ(jpeg_code(no_tables), ErrorCode::kBadInput);

  std::string overfull = whole;
  overfull.replace(segment(whole, 0xC4) + 5, 16, std::string(16, '\xFF'));
  EXPECT_EQ(jpeg_code(overfull), ErrorCode::kBadInput);
  std::string short_table = whole;
  short_table[segment(whole, 0xDB) + 3] = 20;
  EXPECT_EQ(jpeg_code(short_table), ErrorCode::kBadInput);

  const size_t frame = segment(whole, 0xC0), frame_end = segment_end(whole, frame);
  const std::string frame_segment = whole.substr(frame, frame_end - frame);
  EXPECT_EQ(jpeg_code(whole.substr(0, frame) + frame_segment + whole.substr(frame)), ErrorCode::kBadInput);
  EXPECT_EQ(jpeg_code(with_size(whole, 50, 0)), ErrorCode::kBadInput);
  EXPECT_EQ(jpeg_code(with_size(whole, 0, 35)), ErrorCode::kBadInput);
  EXPECT_EQ(jpeg_code(whole.substr(0, frame) + whole.substr(frame_end)), ErrorCode::kBadInput) << "no frame header";
}

TEST(BadInput, Case78_JunkAndWrongNames) {
  expect_sample("junk_", 2);
  expect_sample("png_named.jpg", 1);
  // Before the signature Pillow does not take it for an image either.
  EXPECT_EQ(jpeg_code("junk" + sample("ycc_420.jpg")), ErrorCode::kBadInput);
}

}  // namespace
}  // namespace effdet::vision
