// Concat and Split against the reference kernels.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, ConcatAndSplit) {
  for (const Row& row : window_rows())
    for (const int64_t axis : {-1, 1, 0}) {
      const Shape shape{row.batch, row.height, row.width, row.channels};
      Case joined("Concat", {{"axis", axis}});
      joined.node.domain = "";
      Ints parts;
      for (const int64_t part : {1, 4, 2}) {
        parts.push_back(part);
        Shape piece = shape;
        piece[axis < 0 ? 3 : static_cast<size_t>(axis)] = part;
        joined.add(random_tensor(piece, static_cast<uint32_t>(part)));
      }
      check(joined, "cpu:concat", row.text());
      Case apart("Split", {{"axis", axis}, {"split", parts}});
      apart.node.domain = "";
      apart.want(parts.size());
      apart.add(run(joined, /*reference_only=*/true, 1)[0]);
      check(apart, "cpu:split", row.text());
    }
}

}  // namespace
}  // namespace effdet::kernels
