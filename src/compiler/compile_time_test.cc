// The time to compile grows with the graph, and not with its square.
#include <ctime>
#include <map>

#include "base/sanitizer.h"
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

/// Seconds of this thread's own work.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The least of some runs.
double seconds_to_compile(const ir::Graph& graph) {
  double least = INFINITY;
  for (int run = 0; run < 3; ++run) {
    const double start = cpu_seconds();
    compile(graph, {.split_batch = false});
    least = std::min(least, cpu_seconds() - start);
  }
  return least;
}

using Grow = void (*)(Builder&, int);
const std::map<std::string, Grow> kGrowing = {
    {"residuals",
     [](Builder& b, int n) {
       ir::ValueId value = b.x;
       for (int i = 0; i < n; ++i) {
         const std::string name = "r" + std::to_string(i);
         value = b.node("Add", name + ".sum", {b.conv(name, value, {2, 2, 1, 1}), value});
       }
       b.graph.outputs = {value};
     }},
    {"norms after shared weights, under one name",
     [](Builder& b, int n) {
       ir::ValueId value = b.x;
       const auto weights = b.constant("w", waves({2, 2, 1, 1})), ones = b.constant("ones", floats({2}, {1, 1}));
       for (int i = 0; i < n; ++i) {
         value = b.node("Conv", "same", {value, weights});
         b.graph.value(value).name = "c" + std::to_string(i);
         value = b.node("BatchNormalization", "same", {value, ones, ones, ones, ones});
         b.graph.value(value).name = "n" + std::to_string(i);
       }
       b.graph.outputs = {value};
     }},
    {"readers of one value, all alive at the end",
     [](Builder& b, int n) {
       std::vector<ir::ValueId> parts;
       for (int i = 0; i < n; ++i) parts.push_back(b.scale("s" + std::to_string(i), b.x, static_cast<float>(i + 2)));
       b.graph.outputs = {b.node("Concat", "y", parts, {{"axis", int64_t{1}}})};
     }},
    {"outputs, each twice",
     [](Builder& b, int n) {
       for (int i = 0; i < n; ++i) {
         const auto value = b.scale("s" + std::to_string(i), b.x, static_cast<float>(i + 2));
         b.graph.outputs.insert(b.graph.outputs.end(), {value, value});
       }
     }},
    {"scales in a row",
     [](Builder& b, int n) {
       ir::ValueId value = b.x;
       for (int i = 0; i < n; ++i) value = b.scale("s" + std::to_string(i), value, 1.01f);
       b.graph.outputs = {value};
     }},
};

/// Eight times the graph may take eight times as long, and some; what looks at each pair takes 64 times as long.
TEST(Compile, TimeGrowsWithTheGraph) {
  if (kSanitized) GTEST_SKIP() << "sanitizers have costs of their own";
  constexpr int kLayers = 250, kTimes = 8;
  for (const auto& [name, grow] : kGrowing) {
    Builder small({1, 2, 2, 2}), large({1, 2, 2, 2});
    grow(small, kLayers);
    grow(large, kTimes * kLayers);
    EXPECT_LT(seconds_to_compile(large.graph), 3 * kTimes * seconds_to_compile(small.graph)) << name;
  }
}

}  // namespace
}  // namespace effdet::compiler
