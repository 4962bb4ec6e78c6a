// Sums of products along axes. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, SumsOfProducts) {
  expect_values({
      {"CumSum", {list({1, 2, 3}), ints({0})}, {1, 3, 6}},
      {"CumSum", {list({1, 2, 3}), ints({0})}, {5, 3, 0}, {{"exclusive", int64_t{1}}, {"reverse", int64_t{1}}}},
      {"EyeLike", {counting({2, 3})}, {0, 1, 0, 0, 0, 1}, {{"k", int64_t{1}}}},
      {"Einsum", {counting({2, 2}), counting({2, 2})}, {2, 3, 6, 11}, {{"equation", std::string("ij,jk->ik")}}},
      {"Einsum", {counting({2, 2})}, {3}, {{"equation", std::string("ii")}}},
      {"Einsum", {counting({2, 1, 2}), list({1, 2})}, {2, 8}, {{"equation", std::string("...i,i->...")}}},
  });
}

}  // namespace
}  // namespace effdet::ops
