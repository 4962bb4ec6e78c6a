// Counts the coefficients that scans touch, and says how many are too many for the image's size.
#include "vision/jpeg_work.h"

#include <algorithm>

namespace effdet::vision {
namespace {

constexpr uint64_t kLeastLimit = 1'000'000'000, kLimitOfABlock = 256;
constexpr uint64_t kLeastBytes = uint64_t{32} << 20, kBytesOfABlock = 96;

uint64_t work_of_dc(const JpegScan& scan) {
  if (scan.progressive && scan.first > 0) return 0;
  return scan.arithmetic ? 40 : 30;
}

uint64_t work_of_ac(const JpegScan& scan) {
  const int first = scan.progressive ? std::max(scan.first, 1) : 1, last = scan.progressive ? scan.last : 63;
  const auto band = static_cast<uint64_t>(std::clamp(last - first + 1, 0, 63));
  if (band == 0) return 0;
  // A decision for each zero, which takes next to no data where all blocks are alike.
  if (scan.arithmetic) return 20 + band * 4;
  // Zeros come in runs, and whole blocks too, but for a search for coefficients that get another bit.
  return scan.refines ? 8 + band * 5 / 8 : 15;
}

}  // namespace

uint64_t jpeg_scan_work(const JpegScan& scan, uint64_t blocks) {
  constexpr uint64_t kRestart = 12;
  const uint64_t restarts = scan.restart_interval == 0 ? 0 : blocks / scan.restart_interval;
  return blocks * (work_of_dc(scan) + work_of_ac(scan)) + restarts * kRestart;
}

uint64_t jpeg_work_limit(uint64_t blocks, bool arithmetic) {
  return std::max(arithmetic ? 2 * kLeastLimit : kLeastLimit, blocks * kLimitOfABlock);
}

uint64_t jpeg_scan_bytes_limit(uint64_t blocks) { return kLeastBytes + blocks * kBytesOfABlock; }

}  // namespace effdet::vision
