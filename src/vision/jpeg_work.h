// How long the scans of a JPEG take, counted and not measured, so that the verdict on a file is the same on any
// machine.
#pragma once

#include <cstdint>

namespace effdet::vision {

/// What the time to read a scan depends on, apart from its data.
struct JpegScan {
  bool progressive = true, arithmetic = false;
  int first = 0, last = 0;  ///< coefficients of a block, 0 to 63 (spectral selection)
  bool refines = false;     ///< adds a bit to what other scans gave (successive approximation)
  unsigned restart_interval = 0;
};

/// What libjpeg-turbo 2.1 takes for the blocks of a scan that has hardly any data, in nanoseconds of a processor of
/// 2023 (Sapphire Rapids, 3 GHz).
uint64_t jpeg_scan_work(const JpegScan& scan, uint64_t blocks);

/// The same for a scan without blocks: its tables.
constexpr uint64_t kJpegScanOverhead = 1000;

/// The most that all scans of an image may take, whose components together have so many blocks. Huffman coding: a
/// second, and more for the largest images, as many scans as encoders write: libjpeg's ten take 100 to 250 a block,
/// mozjpeg's with three bits of approximation 240. Arithmetic coding, of which a progressive file takes 900 a block:
/// two seconds, which is enough for 32 million pixels of four components and for 90 million of a 4:2:0 image.
uint64_t jpeg_work_limit(uint64_t blocks, bool arithmetic);

/// The most bytes that the scans may have; one takes up to 35 ns with Huffman and 100 ns with arithmetic coding. The
/// samples of an image that hardly compresses have 64 a block.
uint64_t jpeg_scan_bytes_limit(uint64_t blocks);

}  // namespace effdet::vision
