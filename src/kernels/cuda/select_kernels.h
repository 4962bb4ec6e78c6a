// The highest logits of an image: its keys are looked at eight bits at a time, from the highest on, until it is known
// where the last one lies that is taken (radix selection). No sum or order depends on who computes it.
#pragma once

#include "kernels/cuda/number.h"

namespace effdet::kernels::cuda {

/// What is known of an image's selection so far.
struct SelectState {
  uint32_t histogram[256];  ///< keys of each digit, of those that begin with the prefix
  uint64_t prefix;          ///< the highest bits of the last key that is taken
  uint64_t last_key;        ///< that key, or one above it that no other key is below
  uint32_t remaining;       ///< keys to take of those that begin with the prefix
  uint32_t taken;           ///< keys that are collected
  uint32_t nans;            ///< logits that are NaN
  uint32_t is_done;         ///< last_key is known
};

struct SelectArgs {
  static constexpr int kMostLevels = 16;
  const float *classes[kMostLevels], *boxes[kMostLevels];  ///< NCHW maps of each level
  int64_t cells[kMostLevels];
  int levels;
  int64_t planes;  ///< of a class map: anchors of a cell times classes
  int64_t logits;  ///< of an image
  int num_classes;
  int count;            ///< candidates of an image
  SelectState* states;  ///< by image
  uint64_t* keys;       ///< [images][count], in any order
  float *rows, *nans;   ///< [images][count][7], [images]
  int shift;            ///< of the digit that is looked at: 56, 48, ... 0
};

/// A logit by its place in memory: level by level, plane by plane.
struct PlacedLogit {
  float value;
  uint32_t index;  ///< cell, anchor, class: what breaks ties

  static EFFDET_CUDA PlacedLogit at(const SelectArgs& a, int64_t image, int64_t place) {
    int level = 0;
    int64_t base = 0;
    while (place - base >= a.cells[level] * a.planes) base += a.cells[level++] * a.planes;
    const int64_t in_level = place - base, plane = in_level / a.cells[level], cell = in_level % a.cells[level];
    return {a.classes[level][image * a.cells[level] * a.planes + in_level],
            static_cast<uint32_t>(base + cell * a.planes + plane)};
  }
  /// Neither NaN nor -inf.
  EFFDET_CUDA bool counts() const { return value >= -3.402823466e38f; }
  /// The smaller the higher the logit is; of equal ones (-0 and 0 too) the smaller the lower the index is.
  EFFDET_CUDA uint64_t key() const {
    const uint32_t bits = bits_of(value == 0 ? 0.0f : value);
    const uint32_t falling = (bits >> 31) != 0 ? bits : ~(bits | 0x80000000u);
    return uint64_t{falling} << 32 | index;
  }
};

/// A block for each image.
struct StartSelection {
  using Args = SelectArgs;
  static constexpr int kThreads = 256;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    SelectState& state = a.states[block.index()];
    block.each([&](int thread) {
      state.histogram[thread] = 0;
      if (thread > 0) return;
      state.prefix = state.last_key = 0;
      state.remaining = static_cast<uint32_t>(a.count);
      state.taken = state.nans = state.is_done = 0;
    });
  }
};

/// What the passes over all logits share. Blocks: parts within images.
struct LogitParts {
  static constexpr int kThreads = 256, kEach = 16;
  static EFFDET_CUDA int64_t count(const SelectArgs& a) {
    return (a.logits + kThreads * kEach - 1) / (kThreads * kEach);
  }
  /// Calls f(logit) for those of a thread.
  template <typename F>
  static EFFDET_CUDA void for_each(const SelectArgs& a, int64_t image, int64_t part, int thread, F&& f) {
    for (int i = 0; i < kEach; ++i) {
      const int64_t place = (part * kEach + i) * kThreads + thread;
      if (place < a.logits) f(PlacedLogit::at(a, image, place));
    }
  }
};

/// Counts the digits at the shift, of keys that begin with the prefix. Threads that run together have counters of their
/// own: most logits have the same first digit.
struct CountDigits {
  using Args = SelectArgs;
  static constexpr int kThreads = LogitParts::kThreads, kCopies = 32;
  static constexpr int64_t kSharedBytes = 256 * kCopies * sizeof(uint32_t);

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const int64_t parts = LogitParts::count(a), image = block.index() / parts, part = block.index() % parts;
    SelectState& state = a.states[image];
    if (state.is_done != 0) return;
    const bool is_first = a.shift == 56;
    uint32_t* counts = block.template shared<uint32_t>();
    block.each([&](int thread) {
      for (int i = thread; i < 256 * kCopies; i += kThreads) counts[i] = 0;
    });
    block.each([&](int thread) {
      LogitParts::for_each(a, image, part, thread, [&](const PlacedLogit& logit) {
        if (is_first && logit.value != logit.value) block.add(&state.nans, 1);
        if (!logit.counts()) return;
        const uint64_t key = logit.key();
        if (!is_first && key >> a.shift >> 8 != state.prefix) return;
        block.add(&counts[(key >> a.shift & 255) * kCopies + static_cast<unsigned>(thread % kCopies)], 1);
      });
    });
    block.each([&](int thread) {
      uint32_t sum = 0;
      for (int copy = 0; copy < kCopies; ++copy) sum += counts[thread * kCopies + (copy + thread) % kCopies];
      if (sum > 0) block.add(&state.histogram[thread], sum);
    });
  }
};

/// Finds the digit of the last key that is taken. A block for each image.
struct ChooseDigit {
  using Args = SelectArgs;
  static constexpr int kThreads = 256;
  static constexpr int64_t kSharedBytes = kThreads * sizeof(uint32_t);

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    SelectState& state = a.states[block.index()];
    if (state.is_done != 0) return;
    uint32_t* counts = block.template shared<uint32_t>();
    block.each([&](int thread) {
      counts[thread] = state.histogram[thread];
      state.histogram[thread] = 0;
    });
    block.each([&](int thread) {
      if (thread > 0) return;
      uint32_t before = 0;
      int digit = 0;
      while (digit < 256 && before + counts[digit] < state.remaining) before += counts[digit++];
      if (digit == 256) {  // there are not as many: all are taken
        state.last_key = ~uint64_t{0};
        state.is_done = 1;
        return;
      }
      state.remaining -= before;
      state.prefix = state.prefix << 8 | static_cast<unsigned>(digit);
      if (counts[digit] != state.remaining) return;
      state.last_key = ((state.prefix + 1) << a.shift) - 1;  // all of this digit
      state.is_done = 1;
    });
  }
};

/// Collects the keys up to the last one.
struct CollectKeys {
  using Args = SelectArgs;
  static constexpr int kThreads = LogitParts::kThreads;
  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const int64_t parts = LogitParts::count(a), image = block.index() / parts, part = block.index() % parts;
    SelectState& state = a.states[image];
    block.each([&](int thread) {
      LogitParts::for_each(a, image, part, thread, [&](const PlacedLogit& logit) {
        if (!logit.counts() || logit.key() > state.last_key) return;
        a.keys[image * a.count + block.add(&state.taken, 1)] = logit.key();
      });
    });
  }
};

/// Writes each key's row to the place that its rank among them gives. Blocks: rows within images.
struct WriteRanked {
  using Args = SelectArgs;
  static constexpr int kThreads = 256, kValues = 7;

  template <typename Block>
  static EFFDET_CUDA void run(Block& block, const Args& a) {
    const int64_t parts = (a.count + kThreads - 1) / kThreads, image = block.index() / parts;
    const int first = static_cast<int>(block.index() % parts) * kThreads;
    const SelectState& state = a.states[image];
    block.each([&](int thread) {
      const int number = first + thread;
      if (number == 0) a.nans[image] = state.nans != 0 ? 1 : 0;
      if (number >= a.count) return;
      float* rows = a.rows + image * a.count * kValues;
      if (number >= static_cast<int>(state.taken)) {
        for (int k = 0; k < kValues; ++k) rows[number * kValues + k] = k == 0 ? -INFINITY : 0;
        return;
      }
      const uint64_t* keys = a.keys + image * a.count;
      const uint64_t key = keys[number];
      int rank = 0;
      for (int i = 0; i < static_cast<int>(state.taken); ++i) rank += keys[i] < key ? 1 : 0;
      write(a, image, static_cast<uint32_t>(key), rows + rank * kValues);
    });
  }

 private:
  static EFFDET_CUDA void write(const Args& a, int64_t image, int64_t index, float* row) {
    const int64_t anchors = a.planes / a.num_classes, anchor = index / a.num_classes;
    int level = 0;
    int64_t cell = anchor / anchors;
    while (cell >= a.cells[level]) cell -= a.cells[level++];
    const int64_t cells = a.cells[level];
    row[0] = a.classes[level][(image * a.planes + index % a.planes) * cells + cell];
    row[1] = static_cast<float>(anchor);
    row[2] = static_cast<float>(index % a.num_classes);
    for (int k = 0; k < 4; ++k)
      row[3 + k] = a.boxes[level][((image * anchors + anchor % anchors) * 4 + k) * cells + cell];
  }
};

}  // namespace effdet::kernels::cuda
