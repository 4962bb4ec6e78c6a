// Draws the roofline plot: axes, limits of the machine, and a dot for each step.
#include "report/roofline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "cli.h"
#include "processor.h"
#include "report/svg.h"

namespace effdet::cli {
namespace {

constexpr double kWidth = 1080, kHeight = 660;
constexpr double kLeft = 74, kRight = 800, kTop = 84, kBottom = 592;  // of the plot
constexpr double kLegend = kRight + 24;
// Dots: the smallest still takes a pointer, the largest is this share of the time and above.
constexpr double kLeastRadius = 3, kMostRadius = 20, kLargestShare = 0.15;

constexpr std::string_view kCss = R"(text { font: 13px "Helvetica Neue", Helvetica, Arial, sans-serif; fill: #333 }
.paper { fill: #fff }
.plot { fill: #fafafa; stroke: #bbb }
.beyond { fill: #ececf0 }
.major { stroke: #d4d4d4 }
.minor { stroke: #eaeaea }
.roof { stroke: #222; stroke-width: 2.2; stroke-linecap: round }
.ridge { stroke: #888; stroke-dasharray: 4 4 }
.whole { fill: #fff; stroke: #111; stroke-width: 2 }
.title { font-size: 20px; font-weight: bold; fill: #111 }
.small { font-size: 12px; fill: #666 }
.tick { font-size: 12px; fill: #555 }
.middle { text-anchor: middle }
.end { text-anchor: end }
.bold { font-weight: bold }
circle { stroke: #fff; stroke-width: .8; fill-opacity: .78 }
circle:hover { stroke: #000; stroke-width: 2; fill-opacity: 1 }
)";

// Colours that colour-blind readers tell apart, for the operators that take most time; others are gray.
constexpr std::array<std::string_view, 8> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                      "#e69f00", "#56b4e9", "#8c564b", "#999999"};

/// A logarithmic axis from pixel to pixel.
class LogAxis {
 public:
  LogAxis(double low, double high, double first, double last)
      : low_(rounded(low, false)), high_(rounded(high, true)), first_(first), last_(last) {}

  double low() const { return low_; }
  double high() const { return high_; }
  double at(double value) const {
    return first_ + (last_ - first_) * std::log10(value / low_) / std::log10(high_ / low_);
  }
  /// Calls line(value, whether it is a power of ten) for each whole multiple of a power of ten in the range.
  template <typename Line>
  void each_line(Line&& line) const {
    for (double decade = std::pow(10, std::floor(std::log10(low_))); decade <= high_; decade *= 10)
      for (int i = 1; i < 10; ++i)
        if (i * decade >= low_ * 0.999 && i * decade <= high_ * 1.001) line(i * decade, i == 1);
  }

 private:
  /// The next 1, 2 or 5 times a power of ten.
  static double rounded(double value, bool up) {
    const double decade = std::pow(10, std::floor(std::log10(value)));
    constexpr std::array kSteps = {1.0, 2.0, 5.0, 10.0};
    if (up) return decade * *std::ranges::find_if(kSteps, [&](double s) { return s * decade >= value * 0.999; });
    double result = decade;
    for (const double step : kSteps)
      if (step * decade <= value * 1.001) result = step * decade;
    return result;
  }

  double low_, high_, first_, last_;
};

struct OperatorTime {
  std::string op;
  size_t steps = 0;
  double milliseconds = 0;
};

/// Operators by falling time; all from the last colour on are one.
std::vector<OperatorTime> kinds_of(const Profile& profile) {
  std::map<std::string, OperatorTime> by_name;
  for (size_t i = 0; i < profile.steps.size(); ++i) {
    OperatorTime& kind = by_name[profile.steps[i].op];
    kind.op = profile.steps[i].op;
    ++kind.steps;
    kind.milliseconds += profile.milliseconds[i];
  }
  std::vector<OperatorTime> kinds;
  for (auto& [name, kind] : by_name) kinds.push_back(std::move(kind));
  std::ranges::stable_sort(kinds, std::greater{}, &OperatorTime::milliseconds);
  return kinds;
}

class Roofline {
 public:
  Roofline(const Profile& profile, const std::string& title)
      : profile_(profile),
        kinds_(kinds_of(profile)),
        flops_(profile.peak_flops() * 1e-9),
        bytes_(profile.machine.bytes * 1e-9),
        x_(0.1, 10, kLeft, kRight),
        y_(0.1, 10, kBottom, kTop),
        svg_(kWidth, kHeight, css()) {
    for (size_t i = 0; i < profile.steps.size(); ++i)
      if (profile.milliseconds[i] > 0 && profile.steps[i].flops > 0 && profile.steps[i].bytes > 0) shown_.push_back(i);
    set_axes();
    draw_heading(title);
    draw_frame();
    draw_roofs();
    draw_steps();
    draw_legend();
  }

  std::string file() const { return svg_.file(); }

 private:
  static std::string css() {
    std::string css(kCss);
    for (size_t i = 0; i < kColours.size(); ++i) css += fmt::format(".kind{} {{ fill: {} }}\n", i, kColours[i]);
    return css;
  }

  double intensity(size_t i) const {
    return static_cast<double>(profile_.steps[i].flops) / static_cast<double>(profile_.steps[i].bytes);
  }
  double rate(size_t i) const { return static_cast<double>(profile_.steps[i].flops) / profile_.milliseconds[i] * 1e-6; }
  double ridge() const { return flops_ / bytes_; }
  size_t colour(const std::string& op) const {
    const auto kind = std::ranges::find(kinds_, op, &OperatorTime::op);
    return std::min<size_t>(static_cast<size_t>(kind - kinds_.begin()), kColours.size() - 1);
  }
  double radius(double milliseconds) const {
    const double share = milliseconds / profile_.total() / kLargestShare;
    return std::clamp(kMostRadius * std::sqrt(share), kLeastRadius, kMostRadius);
  }

  void set_axes() {
    double x_low = ridge() / 4, x_high = ridge() * 4, y_low = flops_ / 20, y_high = flops_ * 1.25;
    for (const size_t i : shown_) {
      x_low = std::min(x_low, intensity(i) / 1.3);
      x_high = std::max(x_high, intensity(i) * 1.3);
      y_low = std::min(y_low, rate(i) / 1.3);
      y_high = std::max(y_high, rate(i) * 1.3);
    }
    x_ = LogAxis(x_low, x_high, kLeft, kRight);
    y_ = LogAxis(y_low, y_high, kBottom, kTop);
  }

  void draw_heading(const std::string& title) {
    svg_.rectangle({0, 0}, kWidth, kHeight, "paper");
    svg_.text({kLeft, 36}, title, "title");
    svg_.text({kLeft, 60},
              fmt::format("{}, threads: {}. Dots are steps of the model, {:.2f} ms in all; area: share of the time",
                          processor_name(), profile_.threads, profile_.total()),
              "small");
  }

  void draw_frame() {
    svg_.rectangle({kLeft, kTop}, kRight - kLeft, kBottom - kTop, "plot");
    svg_.polygon(beyond(), "beyond");
    x_.each_line([&](double value, bool major) {
      svg_.line({x_.at(value), kTop}, {x_.at(value), kBottom}, major ? "major" : "minor");
      if (major) svg_.text({x_.at(value), kBottom + 18}, fmt::format("{:g}", value), "tick middle");
    });
    y_.each_line([&](double value, bool major) {
      svg_.line({kLeft, y_.at(value)}, {kRight, y_.at(value)}, major ? "major" : "minor");
      if (major) svg_.text({kLeft - 8, y_.at(value) + 4}, fmt::format("{:g}", value), "tick end");
    });
    svg_.text({(kLeft + kRight) / 2, kBottom + 44}, "arithmetic intensity, operations a byte", "middle");
    svg_.text({24, (kTop + kBottom) / 2}, "achieved GFLOPS", "middle", -90);
  }

  /// Where the slope enters the plot.
  Point slope_start() const {
    const double x = std::max(x_.low(), y_.low() / bytes_);
    return {x_.at(x), y_.at(x * bytes_)};
  }
  Point ridge_point() const { return {x_.at(ridge()), y_.at(flops_)}; }

  /// What the machine cannot reach, unless data comes from the caches.
  std::vector<Point> beyond() const {
    std::vector<Point> corners{{kLeft, kTop}, {kRight, kTop}, {kRight, y_.at(flops_)}, ridge_point(), slope_start()};
    if (slope_start().x > kLeft) corners.push_back({kLeft, kBottom});
    return corners;
  }

  void draw_roofs() {
    const Point start = slope_start(), top = ridge_point();
    svg_.line(start, top, "roof");
    svg_.line(top, {kRight, top.y}, "roof");
    svg_.line(top, {top.x, kBottom}, "ridge");
    svg_.text({kRight - 8, top.y - 8}, fmt::format("matrix multiplication {:.0f} GFLOPS", flops_), "end bold");
    const double angle = std::atan2(top.y - start.y, top.x - start.x) * 180 / M_PI;
    svg_.text({start.x + (top.x - start.x) * 0.25 - 6, start.y + (top.y - start.y) * 0.25 - 8},
              fmt::format("copy {:.1f} GB/s", bytes_), "middle bold", angle);
    svg_.text({top.x + 6, kBottom - 8}, fmt::format("{:.1f} operations a byte", ridge()), "small");
  }

  void draw_steps() {
    // Large dots first, so that they hide no small ones.
    std::ranges::stable_sort(shown_, std::greater{}, [&](size_t i) { return profile_.milliseconds[i]; });
    for (const size_t i : shown_)
      svg_.circle({x_.at(intensity(i)), y_.at(rate(i))}, radius(profile_.milliseconds[i]),
                  fmt::format("kind{}", colour(profile_.steps[i].op)), tooltip(i));
    draw_whole();
  }

  std::string tooltip(size_t i) const {
    const CompiledModel::Step& step = profile_.steps[i];
    const double ms = profile_.milliseconds[i], flops = static_cast<double>(step.flops),
                 bytes = static_cast<double>(step.bytes);
    return fmt::format(
        "{}\n{} by {}, output {}\n{:.3f} ms, {:.1f}% of the time\n{:.1f} GFLOPS, {:.1f} GB/s, {:.2f} operations a "
        "byte\n{:.0f}% of the limit",
        one_line(step.name), step.op, step.implementation, shape_text(step.output_shape), ms,
        100 * ms / profile_.total(), rate(i), bytes / ms * 1e-6, intensity(i),
        100 * share_of_limit(profile_, flops, bytes, ms));
  }

  /// The whole model: a diamond.
  void draw_whole() {
    double flops = 0, bytes = 0;
    for (const CompiledModel::Step& step : profile_.steps) {
      flops += static_cast<double>(step.flops);
      bytes += static_cast<double>(step.bytes);
    }
    if (shown_.empty()) return;
    const double rate = flops / profile_.total() * 1e-6;
    diamond({x_.at(flops / bytes), y_.at(rate)});
    whole_ = fmt::format("whole model: {:.0f} GFLOPS", rate);
  }

  void diamond(Point p) {
    constexpr double kSide = 8;
    svg_.polygon({{p.x - kSide, p.y}, {p.x, p.y - kSide}, {p.x + kSide, p.y}, {p.x, p.y + kSide}}, "whole");
  }

  void draw_legend() {
    double y = kTop + 12;
    svg_.text({kLegend, y}, "operator: steps, share of time", "bold");
    for (const OperatorTime& kind : kinds_) {
      svg_.circle({kLegend + 7, y += 24}, 6, fmt::format("kind{}", colour(kind.op)));
      svg_.text({kLegend + 22, y + 4}, one_line(kind.op), "");
      svg_.text({kWidth - 20, y + 4},
                fmt::format("{}, {:.1f}%", kind.steps, 100 * kind.milliseconds / profile_.total()), "end");
      if (y > kBottom - 120) break;  // a graph of another kind may have a lot of them
    }
    if (!whole_.empty()) {
      diamond({kLegend + 7, y += 30});
      svg_.text({kLegend + 22, y + 4}, whole_, "");
    }
    y += 14;
    for (const char* line :
         {"Point at a dot for its step and figures.", "Above the slope lie steps whose data", "comes from the caches."})
      svg_.text({kLegend, y += 20}, line, "small");
  }

  const Profile& profile_;
  std::vector<OperatorTime> kinds_;
  double flops_, bytes_;  ///< the roofs, in G a second
  LogAxis x_, y_;
  Svg svg_;
  std::vector<size_t> shown_;
  std::string whole_;
};

}  // namespace

std::string roofline_svg(const Profile& profile, const std::string& title) { return Roofline(profile, title).file(); }

}  // namespace effdet::cli
