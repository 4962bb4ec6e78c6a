// Marker segments of JPEG files that are odd, cut or in the wrong place, each as Pillow 13 takes it.
#include <gtest/gtest.h>

#include "vision/jpeg_test_util.h"

namespace effdet::vision {
namespace {

using namespace std::string_literals;

const std::string& whole_jpeg() {
  static const std::string whole = sample("ycc_420.jpg");
  return whole;
}

std::string behind_start(const std::string& added) {
  return whole_jpeg().substr(0, 2) + added + whole_jpeg().substr(2);
}

bool reads_as_whole(const std::string& data) {
  return std::ranges::equal(decoded_jpeg(data).pixels(), decoded_jpeg(whole_jpeg()).pixels());
}

std::string message_of(const std::string& data) {
  return error_of([&] { decoded_jpeg(data); }).what();
}

TEST(JpegSegments, OddOnesThatMatterToNobody) {
  EXPECT_TRUE(reads_as_whole(behind_start("\xFF\0"s))) << "a stuffed zero";
  EXPECT_TRUE(reads_as_whole(behind_start("\xFF\xCC\0\2"s))) << "conditioning of no table";
  EXPECT_TRUE(reads_as_whole(behind_start("\xFF\xDC\0\4\0\x23"s))) << "the number of lines";
  EXPECT_TRUE(reads_as_whole(behind_start(segment_of(0xEE, "Adobe\0\1"s)))) << "as short as may be";
  EXPECT_TRUE(reads_as_whole(behind_start(segment_of(0xE0, "JFIF\0\1\1"s)))) << "as short as may be";
}

/// As TIFF files and some cameras keep them: a stream of tables alone, then one with the image.
TEST(JpegSegments, TablesMayBeAStreamOfTheirOwn) {
  const std::string& whole = whole_jpeg();
  const size_t scan = segment(whole, 0xDA);
  std::string tables, others;
  for (size_t at = 2; at < scan; at = segment_end(whole, at)) {
    const auto marker = static_cast<uint8_t>(whole[at + 1]);
    (marker == 0xDB || marker == 0xC4 ? tables : others) += whole.substr(at, segment_end(whole, at) - at);
  }
  EXPECT_TRUE(reads_as_whole("\xFF\xD8" + tables + "\xFF\xD9\xFF\xD8" + others + whole.substr(scan)));
}

TEST(JpegSegments, FrameHeadersThatAreNone) {
  const std::string& whole = whole_jpeg();
  const size_t frame = segment(whole, 0xC0), end = segment_end(whole, frame);
  const auto message = [&](const std::string& body, uint8_t marker = 0xC0) {
    return message_of(whole.substr(0, frame) + segment_of(marker, body) + whole.substr(end));
  };
  const std::string at = std::to_string(frame + 4), size = "\0\x23\0\x32"s, component = "\1\x22\0"s;
  EXPECT_EQ(message("\x09" + size + '\1' + component), "x.jpg: JPEG: 9 bits a sample in the frame header");
  EXPECT_EQ(message("\x10" + size + '\1' + component), "x.jpg: JPEG: 16 bits a sample: convert it to 8 bits");
  EXPECT_EQ(message("\x08" + size + '\2' + component + component),
            "x.jpg: JPEG: 2 components in the frame header; 1, 3 or 4 can be");
  for (const std::string& body : {"\x08"s + size, "\x08"s + size + '\1' + "\1\x22"})
    EXPECT_EQ(message(body), "x.jpg: JPEG: segment FFC0 that ends at offset " +
                                 std::to_string(frame + 4 + body.size()) +
                                 " has a wrong length: " + std::to_string(body.size()) + " bytes");
  for (const char marker : {'\xCD', '\xDE'})
    EXPECT_NE(message("\x08" + size + '\1' + component, static_cast<uint8_t>(marker)).find("x.jpg: JPEG: "),
              std::string::npos);
}

TEST(JpegSegments, CutFieldsThatPillowReads) {
  EXPECT_EQ(message_of(behind_start(segment_of(0xE0, "JFIF\0\1"s))),
            "x.jpg: JPEG: segment FFE0 that ends at offset 12 has a wrong length: 6 bytes");
  EXPECT_EQ(message_of(behind_start(segment_of(0xEE, "Adobe\0"s))),
            "x.jpg: JPEG: segment FFEE that ends at offset 12 has a wrong length: 6 bytes");
}

TEST(JpegSegments, MarkersThatAreNone) {
  EXPECT_EQ(message_of(behind_start("\xFF\1"s)), "x.jpg: JPEG: unknown marker FF01 at offset 2");
  EXPECT_EQ(jpeg_code(behind_start("\xFF\xC8"s)), ErrorCode::kUnsupported) << "kept for extensions";
  for (const std::string& marker : {"\xFF\xF0"s, "\xFF\xDF\0\2"s})
    EXPECT_EQ(jpeg_code(behind_start(marker)), ErrorCode::kBadInput);
  for (const std::string& end : {"\xFF"s, "\xFF\xFF\xFF"s, "\xFF\0"s, ""s})
    EXPECT_EQ(message_of(whole_jpeg().substr(0, 20) + end),
              "x.jpg: JPEG: ends at offset " + std::to_string(20 + end.size()) + " before the first scan");
  const std::string header = whole_jpeg().substr(0, segment(whole_jpeg(), 0xDA));
  EXPECT_EQ(message_of(header + "\xFF\xDA\0\2"s),
            "x.jpg: JPEG: cut short: the data end at offset " + std::to_string(header.size() + 4) + " in row 0 of 35");
}

/// Scans of a small image that would keep libjpeg busy with bytes alone.
TEST(JpegSegments, MoreBytesThanScansMayHave) {
  const std::string whole = sample("gray_progressive.jpg");
  const std::string comment = segment_of(0xFE, std::string(65'000, 'x'));
  std::string comments;
  for (int i = 0; i < 530; ++i) comments += comment;
  const size_t second_table = whole.find("\xFF\xC4", segment(whole, 0xDA));
  const std::string stuffed = whole.substr(0, second_table) + comments + whole.substr(second_table);
  EXPECT_NE(message_of(stuffed).find("more work than an image may take"), std::string::npos);
  const std::string before = whole.substr(0, 2) + comments + whole.substr(2);  // they cost no scan anything
  EXPECT_EQ(decoded_jpeg(before).size(), (ImageSize{37, 29}));
}

TEST(JpegSegments, LargeImagesNeedTheirData) {
  const auto open = [](size_t bytes) {
    std::string large = whole_jpeg();
    large.replace(segment(large, 0xC0) + 5, 4, "\x13\x88\x13\x88"s);
    large.resize(std::max(bytes, large.size()));
    return open_image(bytes_of(large), "x.jpg")->size();
  };
  EXPECT_EQ(open(625 * 625 / 8), (ImageSize{5000, 5000}));
  EXPECT_STREQ(error_of([&] { open(48'000); }).what(),
               "x.jpg: JPEG: 48000 bytes cannot hold the 5000 x 5000 pixels of the header");
}

}  // namespace
}  // namespace effdet::vision
