// The chart shows the worst layers, and the model's name as text.
#include "report/sensitivity_chart.h"

#include <gtest/gtest.h>

#include "support/shell.h"

namespace effdet::cli {
namespace {

using test::contains;

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(SensitivityChart, ShowsTheWorstLayersAndWhatTheyComputeIn) {
  QuantizeReport report;
  for (int i = 0; i < 50; ++i)
    report.layers.push_back({.name = "layer" + std::to_string(i), .is_float = i == 49, .error = 1e-6 * (i + 1)});
  report.layers.push_back({.name = "not measured"});
  const std::string svg = sensitivity_chart("<d0> & co", report).file();
  EXPECT_TRUE(contains(svg, "aria-label=\"&lt;d0&gt; &amp; co: the 30 of 50 layers that lose most alone in 8 bits\""))
      << svg;
  EXPECT_EQ(count(svg, "class=\"c0\""), 29 + 1);  // and the key
  EXPECT_EQ(count(svg, "class=\"c4\""), 1 + 1);
  EXPECT_LT(svg.find(">layer49<"), svg.find(">layer48<"));
  EXPECT_TRUE(contains(svg, ">5.00e-05 float32<"));
  EXPECT_TRUE(contains(svg, ">layer20<"));
  EXPECT_FALSE(contains(svg, ">layer19<"));
  EXPECT_FALSE(contains(svg, "not measured"));
  for (const char* tick : {">0<", ">2e-05<", ">4e-05<"}) EXPECT_TRUE(contains(svg, tick)) << tick;
}

TEST(SensitivityChart, SaysWhereNeighboursWereMeasuredTogether) {
  QuantizeReport report{.layers_at_a_time = 23};
  report.layers.push_back({.name = "layer", .error = 1e-6});
  const std::string svg = sensitivity_chart("d7", report).file();
  EXPECT_TRUE(contains(svg, "layers that lose most in 8 bits")) << svg;
  EXPECT_TRUE(contains(svg, "; 23 neighbours at a time share it"));
  EXPECT_FALSE(contains(svg, "alone"));
}

TEST(SensitivityChart, HasNoBarsWhereNothingWasMeasured) {
  const std::string svg = sensitivity_chart("m", {}).file();
  EXPECT_TRUE(contains(svg, "the 0 of 0 layers"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

}  // namespace
}  // namespace effdet::cli
