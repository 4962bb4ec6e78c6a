// Attention. Values are worked out by hand: weights are exponentials of products, divided by their sum.
#include <cmath>

#include "ops/spelled_out.h"
#include "ops/test_util.h"
#include "support/error_of.h"

namespace effdet::ops {
namespace {

/// Two queries, three keys, one head of two numbers; values are of one number. Scale 1 makes the products
/// [0, 1, 2] and [1, 0, 1].
struct Example {
  Tensor q = floats({1, 1, 2, 2}, {1, 0, 0, 1}), k = floats({1, 1, 3, 2}, {0, 1, 1, 0, 2, 1}),
         v = floats({1, 1, 3, 1}, {1, 10, 100});
};

std::vector<Tensor> attend(const std::vector<Tensor>& inputs, std::map<std::string, ir::Attribute> attributes,
                           size_t outputs = 1) {
  attributes.emplace("scale", 1.0f);
  return run_node("Attention", inputs, std::move(attributes), 25, outputs);
}

/// The mean of numbers, each counting as much as the exponential of its weight.
double mean(std::initializer_list<std::pair<double, double>> weights_and_values) {
  double sum = 0, weights = 0;
  for (const auto& [weight, value] : weights_and_values) sum += std::exp(weight) * value, weights += std::exp(weight);
  return sum / weights;
}

void expect_attended(const Tensor& result, const Shape& shape, const std::vector<double>& expected) {
  EXPECT_EQ(result.shape(), shape);
  const auto found = values<double>(result.to(DType::kF64));
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5 * (1 + std::abs(expected[i])));
}

TEST(Attention, IsTheMeanOfValues) {
  const Example e;
  expect_attended(attend({e.q, e.k, e.v}, {})[0], {1, 1, 2, 1},
                  {mean({{0, 1}, {1, 10}, {2, 100}}), mean({{1, 1}, {0, 10}, {1, 100}})});
  const double scale = 1 / std::sqrt(2.0);  // without one: of the size of a head
  expect_attended(run_node("Attention", {e.q, e.k, e.v}, {}, 23)[0], {1, 1, 2, 1},
                  {mean({{0, 1}, {scale, 10}, {2 * scale, 100}}), mean({{scale, 1}, {0, 10}, {scale, 100}})});
  expect_attended(attend({e.q, e.k, e.v}, {{"softcap", 0.5f}})[0], {1, 1, 2, 1},
                  {mean({{0, 1}, {0.5 * std::tanh(2), 10}, {0.5 * std::tanh(4), 100}}),
                   mean({{0.5 * std::tanh(2), 1}, {0, 10}, {0.5 * std::tanh(2), 100}})});
}

TEST(Attention, MasksHideKeys) {
  const Example e;
  const std::vector<double> first_hidden{mean({{1, 10}, {2, 100}}), mean({{0, 10}, {1, 100}})};
  expect_attended(attend({e.q, e.k, e.v, bools({0, 1, 1})}, {})[0], {1, 1, 2, 1}, first_hidden);
  expect_attended(attend({e.q, e.k, e.v, floats({1, 3}, {-kInf, 0, 0})}, {})[0], {1, 1, 2, 1}, first_hidden);
  expect_attended(attend({e.q, e.k, e.v, floats({1, 1, 2, 3}, {2, 1, 0, 0, 1, 0})}, {})[0], {1, 1, 2, 1},
                  {mean({{2, 1}, {2, 10}, {2, 100}}), mean({{1, 1}, {1, 10}, {1, 100}})});
  // Keys behind the mask's end are hidden; a query that sees none gets zeros.
  expect_attended(attend({e.q, e.k, e.v, floats({2, 2}, {1, 1, 0, 0}).to(DType::kBool)}, {})[0], {1, 1, 2, 1},
                  {mean({{0, 1}, {1, 10}}), 0});
  expect_attended(attend({e.q, e.k, e.v}, {{"is_causal", int64_t{1}}})[0], {1, 1, 2, 1}, {1, mean({{1, 1}, {0, 10}})});
  expect_attended(attend({e.q, e.k, e.v}, {{"left_window_size", int64_t{0}}})[0], {1, 1, 2, 1},
                  {mean({{0, 1}, {1, 10}, {2, 100}}), mean({{0, 10}, {1, 100}})});
  expect_attended(attend({e.q, e.k, e.v}, {{"left_window_size", int64_t{0}}, {"right_window_size", int64_t{0}}})[0],
                  {1, 1, 2, 1}, {1, 10});
}

TEST(Attention, PaddingIsHiddenAndQueriesLieBeforeIt) {
  const Example e;
  const Tensor two = Tensor::from<int64_t>({1}, std::vector<int64_t>{2}),
               three = Tensor::from<int64_t>({1}, std::vector<int64_t>{3});
  expect_attended(attend({e.q, e.k, e.v, {}, {}, {}, two}, {})[0], {1, 1, 2, 1},
                  {mean({{0, 1}, {1, 10}}), mean({{1, 1}, {0, 10}})});
  const std::map<std::string, ir::Attribute> causal{{"is_causal", int64_t{1}}};
  expect_attended(attend({e.q, e.k, e.v, {}, {}, {}, two}, causal)[0], {1, 1, 2, 1}, {1, mean({{1, 1}, {0, 10}})});
  expect_attended(attend({e.q, e.k, e.v, {}, {}, {}, three}, causal)[0], {1, 1, 2, 1},
                  {mean({{0, 1}, {1, 10}}), mean({{1, 1}, {0, 10}, {1, 100}})});
}

TEST(Attention, GoesOnBehindPastKeys) {
  const Example e;
  const Tensor past_k = floats({1, 1, 1, 2}, {3, 0}), past_v = floats({1, 1, 1, 1}, {1000});
  const auto results = attend({e.q, e.k, e.v, {}, past_k, past_v},
                              {{"is_causal", int64_t{1}}, {"qk_matmul_output_mode", int64_t{2}}}, 4);
  expect_attended(results[0], {1, 1, 2, 1}, {mean({{3, 1000}, {0, 1}}), mean({{0, 1000}, {1, 1}, {0, 10}})});
  expect_attended(results[1], {1, 1, 4, 2}, {3, 0, 0, 1, 1, 0, 2, 1});
  expect_attended(results[2], {1, 1, 4, 1}, {1000, 1, 10, 100});
  EXPECT_EQ(values<float>(results[3]), (Floats{3, 0, -kInf, -kInf, 0, 1, 0, -kInf}));
}

TEST(Attention, HeadsLieInTheLastDimensionAndAreShared) {
  // Two heads of queries for one of keys, side by side in rows: query heads [1, 0] and [0, 1].
  const Example e;
  const Tensor q = floats({1, 1, 4}, {1, 0, 0, 1}), k = floats({1, 3, 2}, values<float>(e.k)),
               v = floats({1, 3, 1}, values<float>(e.v));
  const std::map<std::string, ir::Attribute> heads{{"q_num_heads", int64_t{2}}, {"kv_num_heads", int64_t{1}}};
  const auto results = attend({q, k, v}, heads, 4);
  expect_attended(results[0], {1, 1, 2}, {mean({{0, 1}, {1, 10}, {2, 100}}), mean({{1, 1}, {0, 10}, {1, 100}})});
  expect_attended(results[1], {1, 1, 3, 2}, {0, 1, 1, 0, 2, 1});
  expect_attended(results[3], {1, 2, 1, 3}, {0, 1, 2, 1, 0, 1});
  // Four heads for two: neighbours share.
  const Tensor q4 = floats({1, 4, 1, 1}, {1, 1, 1, 1}), k2 = floats({1, 2, 1, 1}, {1, 1}),
               v2 = floats({1, 2, 1, 1}, {5, 7});
  expect_attended(attend({q4, k2, v2}, {})[0], {1, 4, 1, 1}, {5, 5, 7, 7});
}

TEST(Attention, RefusesWhatDoesNotFit) {
  const Example e;
  const auto expect = [](const std::vector<Tensor>& inputs, std::map<std::string, ir::Attribute> attributes,
                         const std::string& message) {
    const Error error = test::error_of([&] { attend(inputs, attributes); });
    EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
  };
  const Tensor three = floats({1, 3, 2}, {1, 2, 3, 4, 5, 6});
  expect({three, three, three}, {}, "q_num_heads is 0 for inputs of three dimensions");
  expect({three, three, three}, {{"q_num_heads", int64_t{4}}, {"kv_num_heads", int64_t{1}}}, "has not 4 heads");
  expect({e.q, e.k, three}, {}, "input 2 of shape 1x3x2");
  expect({e.q, e.k, floats({1, 1, 2, 1}, {1, 2})}, {}, "numbers of keys and values: 3 and 2");
  expect({e.q, floats({1, 1, 3, 1}, {1, 2, 3}), e.v}, {}, "queries and keys of sizes 2 and 1");
  expect({e.q, e.k, e.v, counting({3, 2})}, {}, "shapes 3x3 and 1x1x2x3 do not broadcast");
  expect({e.q, e.k, e.v, floats({2, 1}, {1, 2})}, {}, "a mask of one key for 3 is not supported");
  expect({e.q, e.k, e.v, floats({4}, {1, 2, 3, 4})}, {}, "shapes 4 and 1x1x2x3 do not broadcast");
  expect({e.q, e.k, e.v, counting({2, 1, 1, 3})}, {}, "a mask of shape 2x1x1x3 for scores of 1x1x2x3");
  expect({e.q, e.k, e.v, e.v.to(DType::kI64)}, {}, "a mask of int64 is not supported");
  expect({e.q, e.k, e.v, {}, e.k}, {}, "past keys and past values go together");
  expect({e.q, e.k, e.v}, {{"qk_matmul_output_mode", int64_t{4}}}, "qk_matmul_output_mode is 4");
  expect({e.q, e.k, e.v}, {{"left_window_size", int64_t{-2}}}, "a window of -2 keys");
}

/// Shapes follow where sizes are open; the graph of other nodes needs them.
TEST(Attention, SizesMayBeOpen) {
  const ir::Node node{"Attention", "", "test", {0, 1, 2}, {9}};
  std::vector<InputInfo> infos(3);
  for (InputInfo& info : infos) info = {.present = true, .dtype = DType::kF32, .shape = Shape{-1, 8, -1, 32}};
  EXPECT_EQ(infer_node(node, 23, infos)[0].shape, (Shape{-1, 8, -1, 32}));
  EXPECT_FALSE(spelled_out(node, 23, infos));
  infos[1].shape.reset();
  EXPECT_FALSE(infer_node(node, 23, infos)[0].shape);
  EXPECT_FALSE(spelled_out(node, 23, infos));
}

}  // namespace
}  // namespace effdet::ops
