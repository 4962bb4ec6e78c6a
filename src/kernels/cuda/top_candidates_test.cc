// The selection of the highest logits against the reference kernel, ties and special values included.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

/// Two or three levels of maps. values: of the class maps, in turn.
Case candidates_case(int64_t count, int64_t batch, int64_t classes, int64_t side, const std::vector<float>& values) {
  constexpr int64_t kAnchors = 3;
  Case c("TopCandidates", {{"count", count}, {"classes", classes}});
  std::vector<Shape> levels;
  for (; side > 0; side /= 3) levels.push_back({batch, kAnchors * classes, side, side + 1});
  size_t next = 0;
  for (const Shape& level : levels) {
    Tensor map = random_tensor(level, static_cast<uint32_t>(level[2]));
    if (!values.empty())
      for (float& value : map.mutable_data<float>()) value = values[(next += 1 + next / 7) % values.size()];
    c.add(map);
  }
  for (Shape level : levels) {
    level[1] = kAnchors * 4;
    c.add(random_tensor(level, 9));
  }
  c.want(2);
  return c;
}

TEST_P(Kernels, TopCandidates) {
  if (!on_gpu()) GTEST_SKIP() << "the CPU decodes the heads themselves";
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<std::vector<float>> kinds = {
      {}, {1, 1, 1, 2}, {0.0f, -0.0f, -1}, {NAN, 3, -inf, 4, inf, -3e38f, 1e-40f, -1e-40f}, {-inf, NAN, -5}};
  for (const auto& values : kinds)
    for (const auto& [count, batch, classes, side] :
         {std::tuple{1, 2, 1, 1}, {7, 1, 2, 5}, {100, 3, 4, 10}, {300, 2, 1, 9}, {5000, 1, 7, 17}}) {
      const Case c = candidates_case(count, batch, classes, side, values);
      const std::vector<Tensor> want = run(c, true, 1), got = run(c, false, 1, "");
      for (size_t i = 0; i < want.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(got[i].bytes(), want[i].bytes()))
            << "output " << i << ", " << count << " of side " << side << ", kind " << &values - kinds.data();
    }
}

}  // namespace
}  // namespace effdet::kernels
