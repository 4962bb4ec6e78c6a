// LSTM, GRU and RNN against ONNX Runtime 1.32.
#include <gtest/gtest.h>

#include <cmath>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

constexpr int64_t kSteps = 4, kBatch = 2, kInputs = 3, kHidden = 2;

Tensor sines(const Shape& shape, float phase) {
  Tensor tensor(DType::kF32, shape);
  float i = 0;
  for (float& value : tensor.mutable_data<float>()) value = 0.5f * std::sin(0.7f * i++ + phase);
  return tensor;
}

/// Optional inputs that a case has.
struct Extras {
  std::vector<int32_t> lengths = {};
  bool states = false, peepholes = false;
};

struct RecurrentCase {
  std::string op, direction;
  std::map<std::string, ir::Attribute> attributes;
  Extras extras;
  std::vector<std::vector<float>> outputs;
};

TEST(Recurrent, AsOnnxRuntime) {
  const RecurrentCase cases[] = {
      {"LSTM",
       "forward",
       {},
       Extras{},
       {{0.141022f, 0.064291f, 0.103742f, 0.105567f, 0.050663f, 0.089851f, 0.153680f, 0.113484f, 0.105077f, 0.161854f,
         0.059281f, 0.100768f, 0.151552f, 0.144067f, 0.105117f, 0.168401f},
        {0.151552f, 0.144067f, 0.105117f, 0.168401f},
        {0.557563f, 0.419777f, 0.433027f, 0.570105f}}},
      {"LSTM",
       "bidirectional",
       {},
       Extras{.states = true},
       {{0.166323f, 0.041347f, 0.136529f, 0.155051f, -0.284262f, 0.119207f,  -0.367660f, 0.080996f,
         0.045699f, 0.084921f, 0.151499f, 0.140600f, -0.306656f, -0.112417f, -0.275719f, 0.117486f,
         0.104633f, 0.158883f, 0.058267f, 0.107022f, -0.313063f, 0.050202f,  -0.282292f, -0.164752f,
         0.151567f, 0.142410f, 0.104605f, 0.172531f, -0.105561f, 0.011399f,  -0.242905f, -0.074424f},
        {0.151567f, 0.142410f, 0.104605f, 0.172531f, -0.284262f, 0.119207f, -0.367660f, 0.080996f},
        {0.557023f, 0.414623f, 0.431261f, 0.586565f, -0.587749f, 0.244001f, -0.703847f, 0.202248f}}},
      {"LSTM",
       "reverse",
       {{"clip", 0.4f}},
       Extras{.lengths = {4, 2}, .states = true, .peepholes = true},
       {{0.098930f, 0.114044f, 0.127156f, 0.118889f, 0.024199f, 0.115694f, 0.098691f, 0.124149f, 0.095091f, 0.073899f,
         0.000000f, 0.000000f, 0.014400f, 0.010640f, 0.000000f, 0.000000f},
        {0.098930f, 0.114044f, 0.127156f, 0.118889f},
        {0.251699f, 0.292222f, 0.328143f, 0.305406f}}},
      {"GRU",
       "forward",
       {},
       Extras{},
       {{-0.214662f, -0.175955f, -0.146766f, -0.237024f, -0.248064f, -0.170790f, -0.343541f, -0.287777f, -0.341867f,
         -0.327398f, -0.334200f, -0.248826f, -0.493864f, -0.342267f, -0.407054f, -0.370978f},
        {-0.493864f, -0.342267f, -0.407054f, -0.370978f}}},
      {"GRU",
       "bidirectional",
       {{"linear_before_reset", int64_t{1}}},
       Extras{.lengths = {3, 4}, .states = true},
       {{-0.515462f, -0.309314f, -0.392569f, -0.204289f, 0.151148f, 0.267593f, 0.290637f, 0.150823f,
         -0.404239f, -0.147197f, -0.504943f, -0.164707f, 0.503919f, 0.361452f, 0.167652f, 0.252869f,
         -0.408018f, -0.233300f, -0.376548f, -0.047096f, 0.300846f, 0.186552f, 0.533504f, 0.321618f,
         0.000000f,  0.000000f,  -0.378102f, -0.177816f, 0.000000f, 0.000000f, 0.402879f, 0.089797f},
        {-0.408018f, -0.233300f, -0.378102f, -0.177816f, 0.151148f, 0.267593f, 0.290637f, 0.150823f}}},
      {"RNN",
       "reverse",
       {},
       Extras{},
       {{-0.468185f, -0.697456f, -0.504817f, -0.322948f, -0.829110f, -0.241797f, -0.447023f, -0.714470f, -0.385546f,
         -0.333363f, -0.820953f, -0.167394f, -0.064800f, -0.790207f, -0.213365f, -0.586313f},
        {-0.468185f, -0.697456f, -0.504817f, -0.322948f}}},
      {"RNN",
       "forward",
       {{"activations", std::vector<std::string>{"LeakyRelu"}}, {"activation_alpha", std::vector<float>{0.3f}}},
       Extras{.states = true},
       {{-0.107399f, -0.244288f, -0.118490f, -0.179321f, -0.311937f, -0.095599f, -0.049245f, -0.294339f, -0.111146f,
         -0.179766f, -0.306817f, -0.092823f, -0.046151f, -0.295270f, -0.112807f, -0.178455f},
        {-0.046151f, -0.295270f, -0.112807f, -0.178455f}}},
  };
  for (const RecurrentCase& c : cases) {
    SCOPED_TRACE(c.op + ' ' + c.direction);
    const int64_t gates = c.op == "LSTM"  ? 4
                          : c.op == "GRU" ? 3
                                          : 1,
                  directions = c.direction == "bidirectional" ? 2 : 1;
    std::vector<Tensor> inputs{sines({kSteps, kBatch, kInputs}, 0), sines({directions, gates * kHidden, kInputs}, 1),
                               sines({directions, gates * kHidden, kHidden}, 2),
                               sines({directions, 2 * gates * kHidden}, 3)};
    inputs.push_back(c.extras.lengths.empty() ? Tensor() : Tensor::from<int32_t>({kBatch}, c.extras.lengths));
    inputs.push_back(c.extras.states ? sines({directions, kBatch, kHidden}, 4) : Tensor());
    if (c.op == "LSTM") {
      inputs.push_back(c.extras.states ? sines({directions, kBatch, kHidden}, 5) : Tensor());
      inputs.push_back(c.extras.peepholes ? sines({directions, 3 * kHidden}, 6) : Tensor());
    }
    auto attributes = c.attributes;
    attributes["direction"] = c.direction;
    attributes["hidden_size"] = kHidden;
    const std::vector<Tensor> outputs = run_node(c.op, inputs, attributes, 14, c.outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      ASSERT_EQ(static_cast<size_t>(outputs[i].numel()), c.outputs[i].size());
      for (size_t k = 0; k < c.outputs[i].size(); ++k)
        EXPECT_NEAR(outputs[i].data<float>()[k], c.outputs[i][k], 2e-6f) << "output " << i << ", value " << k;
    }
  }
}

TEST(BadInput, Case60_RecurrentLayersThatDoNotFit) {
  const Tensor x = sines({4, 2, 3}, 0), w = sines({1, 8, 3}, 1), r = sines({1, 8, 2}, 2);
  const auto refuse = [](std::vector<Tensor> inputs, std::map<std::string, ir::Attribute> attributes = {}) {
    EXPECT_THROW(run_node("LSTM", inputs, std::move(attributes), 14, 3), Error);
  };
  refuse({x, w, sines({1, 8, 3}, 2)});
  refuse({x, w, r}, {{"hidden_size", int64_t{3}}});
  refuse({x, w, r}, {{"direction", std::string("sideways")}});
  refuse({x, w, r}, {{"direction", std::string("bidirectional")}});
  refuse({x, w, r}, {{"activations", std::vector<std::string>{"Tanh"}}});
  refuse({x, w, r}, {{"activations", std::vector<std::string>{"Sigmoid", "Tanh", "Nothing"}}});
  refuse({x, w, r, sines({1, 8}, 0)});
  refuse({x, w, r, Tensor(), Tensor::from<int32_t>({2}, std::vector<int32_t>{5, 1})});
  refuse({x, w, r, Tensor(), Tensor::from<int32_t>({2}, std::vector<int32_t>{-1, 1})});
  refuse({x, w, r, Tensor(), Tensor(), sines({1, 2, 3}, 0)});
  refuse({sines({4, 2}, 0), w, r});
}

}  // namespace
}  // namespace effdet::ops
