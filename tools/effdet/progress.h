// A line on the terminal that shows how far a long job is.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace effdet::cli {

/// Shows count, rate and time left on stderr; silent where stderr is no terminal. The line vanishes in the end.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// For work of which so much was done before: rate and time left are of the rest.
  void start_at(size_t done) { before_ = done; }

  /// One call at a time. note: what else there is to tell, at the end of the line.
  void update(size_t done, size_t total, std::string_view note = "");

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  bool terminal_;
  bool shown_ = false;
  size_t before_ = 0;
  Clock::time_point start_, last_;
};

/// One bar after the other, for work in stages.
class StageBars {
 public:
  /// One call at a time.
  void update(std::string_view stage, size_t done, size_t total);

 private:
  std::string stage_;
  std::optional<ProgressBar> bar_;
};

}  // namespace effdet::cli
