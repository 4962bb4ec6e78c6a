// How a convolution is cut into tasks: by rows, which are pixels, and by columns, which are output channels.
#pragma once

#include <cstdint>

namespace effdet::kernels::cpu {

class ConvTasks {
 public:
  struct Layer {
    int64_t pixels, channels;  ///< of the output
    int64_t depth;             ///< values under a window
    int64_t value_bytes;       ///< of the input and the weights
    bool columns_first;        ///< the weights are gone through for each group of pixels
    int64_t overlap = 0;       ///< values between windows that overlap where they lie; 0 where they do not
    // Of the product:
    int64_t row_step, column_step;  ///< register tiles are full for multiples of these
    bool any_rows;                  ///< other numbers of rows are nearly as good
    int64_t least_work;             ///< a task of fewer multiplications is not worth handing to another thread
  };

  /// Large layers are cut by rows, small ones with many channels by columns too.
  explicit ConvTasks(const Layer& layer);

  int64_t count() const { return row_tasks() * column_tasks(); }
  int64_t most_rows() const { return rows_; }

  struct Task {
    int64_t row, rows, column, columns;
  };
  Task task(int64_t i) const;

 private:
  int64_t row_tasks() const { return (pixels_ + rows_ - 1) / rows_; }
  int64_t column_tasks() const { return (channels_ + columns_ - 1) / columns_; }

  int64_t pixels_, channels_, rows_, columns_;
};

}  // namespace effdet::kernels::cpu
