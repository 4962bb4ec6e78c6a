// Two-tap bilinear sampling of rows as OpenCV's INTER_LINEAR does it.
#include "vision/sample.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace effdet::vision {

std::vector<RowSampler::Tap> RowSampler::taps(int in_size, int out_size) {
  if (out_size < 1) fail(ErrorCode::kUsage, "an image cannot be resized to {} pixels a side", out_size);
  const double scale = 1.0 / (static_cast<double>(out_size) / in_size);
  std::vector<Tap> taps;
  for (int i = 0; i < out_size; ++i) {
    const auto at = static_cast<float>((i + 0.5) * scale - 0.5);
    const int floor = static_cast<int>(std::floor(at));
    const int last = in_size - 1;
    taps.push_back({std::clamp(floor, 0, last), std::clamp(floor + 1, 0, last), at - static_cast<float>(floor)});
  }
  return taps;
}

RowSampler::RowSampler(RowSource& source, int width, int height)
    : source_(source),
      across_(taps(source.size().width, width)),
      down_(taps(source.size().height, height)),
      row_(3 * across_.size()) {
  for (auto& row : last_) row.resize(static_cast<size_t>(source.size().width) * 3);
}

/// A row that is no earlier than the last but one.
const uint8_t* RowSampler::read_to(int y) {
  for (; read_ <= y; ++read_) source_.read_rows(last_[static_cast<size_t>(read_) % 2].data(), 0, 1);
  return last_[static_cast<size_t>(y) % 2].data();
}

float RowSampler::between(const uint8_t* row, const Tap& tap, size_t channel) const {
  const float first = row[3 * static_cast<size_t>(tap.first) + channel];
  const float second = row[3 * static_cast<size_t>(tap.second) + channel];
  return first * (1 - tap.share) + second * tap.share;
}

std::span<const float> RowSampler::next_row() {
  const Tap& down = down_[done_++];
  const uint8_t* upper = read_to(down.first);
  const uint8_t* lower = read_to(down.second);
  for (size_t x = 0; x < across_.size(); ++x)
    for (size_t channel = 0; channel < 3; ++channel)
      row_[3 * x + channel] =
          between(upper, across_[x], channel) * (1 - down.share) + between(lower, across_[x], channel) * down.share;
  return row_;
}

}  // namespace effdet::vision
