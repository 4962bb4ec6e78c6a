// Lays out a network's blocks in columns and draws them with their connections.
#include "report/graph_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli.h"
#include "report/svg.h"

namespace effdet::cli {
namespace {

using Kind = StructureBlock::Kind;

constexpr int kBoxWidth = 230, kBoxHeight = 66, kGapX = 70, kGapY = 26, kMargin = 30, kTitle = 56;

constexpr std::string_view kStyle =
    "text{font-family:system-ui,sans-serif;fill:#111827;text-anchor:middle;font-size:12px}"
    ".page{fill:white}.title{font-size:19px;font-weight:700;text-anchor:start}.name{font-size:15px;font-weight:600}"
    ".small{font-size:11px;fill:#4b5563}.flow{fill:none;stroke:#9ca3af;stroke-width:1.6}.tip{fill:#9ca3af}"
    "rect{stroke-width:1.5}.input{fill:#f3f4f6;stroke:#6b7280}.backbone{fill:#dbeafe;stroke:#2563eb}"
    ".pyramid{fill:#dcfce7;stroke:#16a34a}.head{fill:#fef3c7;stroke:#d97706}.other{fill:#f3e8ff;stroke:#9333ea}";

std::string_view style_of(Kind kind) {
  constexpr std::string_view kNames[] = {"input", "backbone", "pyramid", "head", "other"};
  return kNames[static_cast<size_t>(kind)];
}

struct Box {
  int x = 0, y = 0;
};

std::string amount(double value) {
  constexpr std::pair<double, const char*> kUnits[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
  for (const auto& [size, unit] : kUnits)
    if (value >= size) return fmt::format("{:.3g}{}", value / size, unit);
  return fmt::format("{:.0f} ", value);
}

/// Inputs, backbone and all that is not known stand in the first column, each pyramid block in one of its own, heads in
/// the last.
std::vector<Box> place(const std::vector<StructureBlock>& blocks) {
  int columns = 1;
  std::map<int, std::vector<size_t>> members;
  for (size_t i = 0; i < blocks.size(); ++i)
    if (blocks[i].kind == Kind::kPyramid) members[columns++].push_back(i);
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].kind == Kind::kPyramid) continue;
    members[blocks[i].kind == Kind::kHead ? columns : 0].push_back(i);
  }
  size_t tallest = 0;
  for (const auto& [column, list] : members) tallest = std::max(tallest, list.size());
  std::vector<Box> boxes(blocks.size());
  for (const auto& [column, list] : members) {
    const int step = kBoxHeight + kGapY;
    const int top = kTitle + static_cast<int>(tallest - list.size()) * step / 2;
    for (size_t row = 0; row < list.size(); ++row)
      boxes[list[row]] = {kMargin + column * (kBoxWidth + kGapX), top + static_cast<int>(row) * step};
  }
  return boxes;
}

/// Ends at the left or at the top of a box.
void draw_tip(Svg& svg, Point at, bool down) {
  const double dx = down ? 4 : -7, dy = down ? -7 : 4;
  svg.polygon({at, {at.x + dx, at.y + dy}, {at.x + (down ? -4 : dx), at.y + (down ? dy : -4)}}, "tip");
}

void draw_arrow(Svg& svg, Box from, Box to) {
  const auto left = [](Box box) { return Point{double(box.x), box.y + kBoxHeight / 2.0}; };
  if (from.x != to.x) {
    const Point begin{double(from.x + kBoxWidth), left(from).y}, end = left(to);
    const double bend = std::max(30.0, (end.x - begin.x) / 2);
    svg.curve(begin, {begin.x + bend, begin.y}, {end.x - bend, end.y}, end, "flow");
    draw_tip(svg, end, false);
  } else if (to.y > from.y && to.y - from.y <= kBoxHeight + kGapY) {
    const double x = from.x + kBoxWidth / 2.0;
    svg.line({x, double(from.y + kBoxHeight)}, {x, double(to.y)}, "flow");
    draw_tip(svg, {x, double(to.y)}, true);
  } else {  // past the boxes between
    const double side = from.x - kMargin + 8;
    svg.curve(left(from), {side, left(from).y}, {side, left(to).y}, left(to), "flow");
    draw_tip(svg, left(to), false);
  }
}

void draw_box(Svg& svg, const StructureBlock& block, Box box) {
  svg.rectangle({double(box.x), double(box.y)}, kBoxWidth, kBoxHeight, style_of(block.kind));
  const auto line = [&](int y, std::string_view style, const std::string& text) {
    svg.text({box.x + kBoxWidth / 2.0, double(box.y + y)}, text, style);
  };
  line(22, "name", block.name);
  if (!block.shape.empty()) line(40, "shape", shape_text(block.shape));
  if (block.nodes > 0)
    line(56, "small",
         fmt::format("{} node{}, {}weights, {}FLOP", block.nodes, block.nodes == 1 ? "" : "s",
                     amount(static_cast<double>(block.weights)), amount(static_cast<double>(block.flops))));
}

}  // namespace

std::string graph_svg(const std::string& title, const std::vector<StructureBlock>& blocks) {
  const std::vector<Box> boxes = place(blocks);
  int width = 0, height = 0;
  for (const Box& box : boxes) {
    width = std::max(width, box.x + kBoxWidth + kMargin);
    height = std::max(height, box.y + kBoxHeight + kMargin);
  }
  Svg svg(width, height, kStyle);
  svg.rectangle({}, width, height, "page");
  svg.text({double(kMargin), 32}, title, "title");
  for (size_t i = 0; i < blocks.size(); ++i)
    for (size_t source : blocks[i].sources) draw_arrow(svg, boxes[source], boxes[i]);
  for (size_t i = 0; i < blocks.size(); ++i) draw_box(svg, blocks[i], boxes[i]);
  return svg.file();
}

}  // namespace effdet::cli
