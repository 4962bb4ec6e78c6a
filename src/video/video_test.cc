// Frames that are written and read again: their times, sizes and colours; files that are cut.
#include "effdet/video.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "support/test_folder.h"

namespace effdet {
namespace {

namespace fs = std::filesystem;

/// Grey, brighter with each frame.
RgbImage frame_of(int width, int height, int number) {
  RgbImage image{width, height, {}};
  image.pixels.assign(static_cast<size_t>(width) * static_cast<size_t>(height) * 3,
                      static_cast<unsigned char>(20 + 8 * number));
  return image;
}

class Video : public testing::Test {
 protected:
  void SetUp() override {
    try {
      VideoReader(folder_.path().string() + "/none.mp4");
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUnsupported) GTEST_SKIP() << error.what();
      EXPECT_EQ(error.code(), ErrorCode::kIo) << error.what();
    }
  }

  /// With a pause after frame 9: a variable rate.
  static double time_of(int number) { return number * 0.04 + (number > 9 ? 0.5 : 0); }
  fs::path make(const std::string& name, int width, int height, int frames) {
    VideoWriter writer(folder_ / name, {.width = width, .height = height, .rate = 25, .rate_num = 25, .rate_den = 1},
                       1);
    for (int i = 0; i < frames; ++i) writer.write(frame_of(width, height, i), time_of(i));
    EXPECT_FALSE(fs::exists(folder_ / name));
    writer.finish();
    return folder_ / name;
  }
  static std::vector<VideoFrame> read_all(VideoReader& reader) {
    std::vector<VideoFrame> frames;
    while (const auto frame = reader.read()) frames.push_back(*frame);
    return frames;
  }

  const test::TestFolder folder_{"video"};
};

TEST_F(Video, ComesBackWithItsTimesAndColours) {
  for (const char* name : {"a.mp4", "a.webm"}) {
    VideoReader reader(make(name, 50, 38, 20).string());
    EXPECT_EQ(reader.info().width, 50);
    EXPECT_FALSE(reader.info().live);
    int count = 0;
    while (const auto frame = reader.read()) {
      EXPECT_EQ(frame->index, count);
      EXPECT_NEAR(frame->seconds, time_of(count), 0.0011) << name;  // WebM counts milliseconds
      EXPECT_NEAR(frame->image.data[3 * (50 * 19 + 25)], 20 + 8 * count, 5) << name;
      ++count;
    }
    EXPECT_EQ(count, 20);
    EXPECT_EQ(reader.broken(), 0);
  }
}

TEST_F(Video, OddSidesAreMadeEven) {
  VideoReader reader(make("odd.mp4", 33, 21, 3).string());
  EXPECT_EQ(reader.info().width, 34);
  EXPECT_EQ(reader.info().height, 22);
  EXPECT_EQ(read_all(reader).size(), 3u);
}

TEST_F(Video, StartsStopsAndSkips) {
  const std::string file = make("a.mp4", 32, 32, 20).string();
  VideoReader part(file, {.start = 0.08, .duration = 0.2});
  const std::vector<VideoFrame> frames = read_all(part);
  ASSERT_EQ(frames.size(), 5u);
  EXPECT_EQ(frames.front().index, 2);
  VideoReader some(file, {.every = 6});
  EXPECT_EQ(read_all(some).size(), 4u);
  EXPECT_THROW(VideoReader(file, {.start = NAN}), Error);
  EXPECT_THROW(VideoReader(file, {.every = 0}), Error);
}

TEST_F(Video, CutAnywhereItEndsOrIsAnError) {
  const std::string whole = read_file(make("a.webm", 64, 48, 20));
  for (size_t length = 0; length < whole.size(); length += whole.size() / 20) {
    write_file(folder_ / "cut.webm", whole.substr(0, length), false);
    try {
      VideoReader reader((folder_ / "cut.webm").string());
      EXPECT_LE(read_all(reader).size(), 20u);
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::kBadInput || error.code() == ErrorCode::kIo) << error.what();
    }
  }
  write_file(folder_ / "a.txt.mp4", "hello", false);
  EXPECT_THROW(VideoReader((folder_ / "a.txt.mp4").string()), Error);
}

TEST_F(Video, NothingIsLeftOfAFileThatIsNotFinished) {
  { VideoWriter writer(folder_ / "b.mp4", {.width = 32, .height = 32}, 1); }
  EXPECT_FALSE(fs::exists(folder_ / "b.mp4") || fs::exists(folder_ / "b.mp4.part"));
  EXPECT_THROW(VideoWriter(folder_ / "b.gif", {.width = 32, .height = 32}), Error);
}

TEST(VideoNames, AreToldFromPictures) {
  for (const char* name : {"a.MP4", "/dev/video0", "rtsp://camera/1", "https://a/b.m3u8?x=1"})
    EXPECT_TRUE(is_video_name(name)) << name;
  for (const char* name : {"a.jpg", "a", "https://a/b.jpg", "mp4"}) EXPECT_FALSE(is_video_name(name)) << name;
}

}  // namespace
}  // namespace effdet
