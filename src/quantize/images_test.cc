// Which images calibrate, and what becomes of those that cannot.
#include "quantize/images.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "effdet/error.h"
#include "ir/graph_text_test_util.h"
#include "support/error_of.h"
#include "support/test_folder.h"

namespace effdet::quantize {
namespace {

using test::error_of;

constexpr size_t kNumbers = 3 * 2 * 4;

class CalibrationFiles : public testing::Test {
 protected:
  /// A file of samples whose numbers rise from `first`.
  std::filesystem::path write(const std::string& name, float first, size_t samples = 1, size_t missing = 0) {
    std::vector<float> numbers(samples * kNumbers - missing);
    for (float& x : numbers) x = first++;
    return write(name, numbers);
  }
  std::filesystem::path write(const std::string& name, const std::vector<float>& numbers) {
    write_file(folder_ / name, std::as_bytes(std::span(numbers)), false);
    return folder_ / name;
  }

  CalibrationImages images(std::vector<std::filesystem::path> files, size_t most = 100, uint64_t seed = 0) {
    return {std::move(files), most, seed, graph_,
            [&](const ImageFailure& failure) { told_.push_back(failure.message); }};
  }

  /// The first number of each sample.
  static std::vector<float> all(CalibrationImages& source) {
    std::vector<float> sample(kNumbers), first;
    std::string name;
    while (source.next(std::as_writable_bytes(std::span(sample)), name)) first.push_back(sample[0]);
    return first;
  }

  test::TestFolder folder_{"calibration"};
  ir::Graph graph_ = ir::graph_from_text("input x [1,3,2,4]\n a = Relu(x)\n output a");
  std::vector<std::string> told_;
};

TEST_F(CalibrationFiles, AreTakenInTheOrderOfTheirNamesEachOnce) {
  CalibrationImages source = images({write("b.bin", 100, 2), write("a.bin", 0), folder_ / "b.bin"});
  EXPECT_EQ(all(source), (std::vector<float>{0, 100, 100 + kNumbers}));
  EXPECT_EQ(source.used(), 3u);
  source.rewind();
  EXPECT_EQ(all(source).size(), 3u);
  EXPECT_EQ(source.used(), 3u) << "each is counted once";
}

TEST_F(CalibrationFiles, TheSeedChoosesWhereThereAreMore) {
  const auto file = write("a.bin", 0, 50);
  CalibrationImages first = images({file}, 10, 1), again = images({file}, 10, 1), other = images({file}, 10, 2);
  const std::vector<float> chosen = all(first);
  EXPECT_EQ(chosen.size(), 10u);
  EXPECT_TRUE(std::ranges::is_sorted(chosen));
  EXPECT_EQ(all(again), chosen);
  EXPECT_NE(all(other), chosen);
}

TEST_F(CalibrationFiles, OneThatCannotBeReadIsNamedSkippedAndCounted) {
  CalibrationImages source = images({write("a.bin", 0), write("b.bin", 0, 1, 1), folder_ / "gone.bin",
                                     write("z.bin", 50), write("nan.bin", std::vector<float>(kNumbers, NAN))});
  EXPECT_EQ(all(source), (std::vector<float>{0, 50}));
  ASSERT_EQ(told_.size(), 3u);
  EXPECT_NE(told_[0].find("b.bin: 92 bytes, where samples of 96 bytes are expected"), std::string::npos) << told_[0];
  EXPECT_NE(told_[1].find("gone.bin"), std::string::npos) << told_[1];
  EXPECT_NE(told_[2].find("nan.bin: number 0 is NaN"), std::string::npos) << told_[2];
  EXPECT_EQ(source.failures().size(), 3u);
  EXPECT_EQ(source.used(), 2u);
}

TEST_F(CalibrationFiles, WhereNoneCanBeReadTheFirstSaysWhy) {
  CalibrationImages source = images({folder_ / "a.bin", folder_ / "b.bin"});
  const Error error = error_of([&] { all(source); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_NE(std::string(error.what()).find("a.bin"), std::string::npos) << error.what();
  EXPECT_EQ(error_of([&] { images({}); }).code(), ErrorCode::kUsage);
}

TEST_F(CalibrationFiles, ImagesOfOneColourAreNoCalibration) {
  std::vector<float> black(kNumbers, -2);
  for (size_t i = 0; i < kNumbers; i += 4) black[i] = 0;  // a letterbox
  CalibrationImages blank = images({write("a.bin", black), write("b.bin", std::vector<float>(kNumbers, 1))});
  all(blank);
  const Error error = error_of([&] { blank.require_content(); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_NE(std::string(error.what()).find("all 2 images of the calibration are of one colour"), std::string::npos)
      << error.what();
  CalibrationImages mixed = images({write("a.bin", black), write("c.bin", 0)});
  all(mixed);
  EXPECT_NO_THROW(mixed.require_content());
}

TEST_F(CalibrationFiles, ImagesWantAModelThatSaysHowTheyAreScaled) {
  const Error error = error_of([&] { images({folder_ / "a.jpg"}); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_NE(std::string(error.what()).find(".bin"), std::string::npos) << error.what();
}

}  // namespace
}  // namespace effdet::quantize
