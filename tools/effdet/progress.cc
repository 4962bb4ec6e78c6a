// Draws the bar with counts and remaining time, at most some times a second.
#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "log.h"
#include "status_line.h"

namespace effdet::cli {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

std::string time_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)),
      terminal_(!is_quiet() && ::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

ProgressBar::~ProgressBar() { erase_status_line(); }

void ProgressBar::update(size_t done, size_t total, std::string_view note) {
  if (!terminal_ || total == 0) return;
  const auto now = Clock::now();
  if (shown_ && done < total && now - last_ < kInterval) return;
  last_ = now;
  shown_ = true;
  constexpr size_t kWidth = 24;
  const size_t filled = kWidth * done / total;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = seconds > 0 && done > before_ ? static_cast<double>(done - before_) / seconds : 0;
  const std::string left = rate > 0 ? time_text(static_cast<double>(total - done) / rate) : "?";
  show_status_line(fmt::format("{} [{:=<{}}{:<{}}] {}/{}  {:.2f}/s  {} left{}{}", label_, "", filled, "",
                               kWidth - filled, done, total, rate, left, note.empty() ? "" : "  ", note));
}

void StageBars::update(std::string_view stage, size_t done, size_t total) {
  if (!bar_ || stage_ != stage) {
    stage_ = stage;
    bar_.emplace(stage_);
  }
  bar_->update(done, total);
}

}  // namespace effdet::cli
