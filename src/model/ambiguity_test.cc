// What tensors do not tell: every pair of variants, and every option of effdet's configuration. For each the right
// value must come from elsewhere, or the checkpoint must be refused or the choice announced.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "model/infer_variant.h"
#include "model/test_checkpoint.h"

namespace effdet::model {
namespace {

/// All tensors' names and shapes in one text; the order is none of them.
std::string fingerprint(const ModelConfig& config) {
  std::vector<std::string> lines;
  for (const ExpectedTensor& tensor : expected_tensors(config)) lines.push_back(tensor.name + shape_text(tensor.shape));
  std::ranges::sort(lines);
  return fmt::format("{}", fmt::join(lines, "\n"));
}

struct Form {
  const Variant* variant;
  bool other_bias;
};

ModelConfig config_of_form(const Form& form) {
  ModelConfig config = default_config(*form.variant, 2);
  config.variant.redundant_bias ^= form.other_bias;
  return config;
}

std::string text_of(const Form& form) { return Candidate{config_of_form(form), form.other_bias}.text(); }

TEST(Ambiguity, EveryPairOfVariantsWithTheSameTensorsIsToldApartOrRefused) {
  std::map<std::string, std::vector<Form>> by_tensors;
  for (const bool other_bias : {false, true})
    for (const Variant& variant : variants()) {
      const Form form{&variant, other_bias};
      if (!other_bias || variant.naming == Naming::kEffdet)
        by_tensors[fingerprint(config_of_form(form))].push_back(form);
    }
  size_t pairs = 0;
  for (const auto& [tensors, forms] : by_tensors) {
    pairs += forms.size() * (forms.size() - 1) / 2;
    if (forms.size() == 1) continue;
    checkpoint::Checkpoint checkpoint = zero_checkpoint(config_of_form(forms[0]), "best.pth");
    std::string all;
    for (const Form& form : forms) all += (all.empty() ? "" : ", ") + text_of(form);
    // Alone the tensors are refused, and all candidates named.
    const std::string error = error_of([&] { infer_variant(checkpoint); });
    EXPECT_TRUE(error.starts_with("best.pth: fits " + all + ", which differ in ")) << error;
    for (const Form& form : forms) {
      const auto expect_form = [&](const InferredModel& model, const char* by) {
        EXPECT_EQ(model.config.variant.name, form.variant->name) << by;
        EXPECT_EQ(model.config.variant.redundant_bias, form.variant->redundant_bias != form.other_bias) << by;
        EXPECT_EQ(model.config.variant.padding, form.variant->padding) << by;
        EXPECT_EQ(model.config.variant.backbone.padding, form.variant->backbone.padding) << by;
      };
      expect_form(infer_variant(checkpoint, {.model = form.variant->name}), "--model");
      // The file's own words are stronger than any --model.
      checkpoint.hints = {{"arch", fmt::format("\"{}\"", form.variant->name)}};
      expect_form(infer_variant(checkpoint), "arch");
      expect_form(infer_variant(checkpoint, {.model = forms[0].variant->name}), "arch against --model");
      checkpoint.hints.clear();
    }
  }
  // D0 to D3 threefold without biases and threefold with them, D4 and D5 threefold both ways, D6 and D7 twofold both
  // ways; zylo117's D6 and D7.
  EXPECT_EQ(pairs, 4 * 6 + 2 * 6 + 2 + 1);
}

/// An option of default_detection_model_configs() and another value than tf_efficientdet_d0's.
struct Option {
  enum class Told { kByTensors, kElsewhere, kNowhere };

  const char* name;
  const char* value;
  Told told;  ///< kNowhere: it has no influence on what the network computes
};
constexpr auto kByTensors = Option::Told::kByTensors, kElsewhere = Option::Told::kElsewhere,
               kNowhere = Option::Told::kNowhere;

constexpr Option kOptions[] = {
    {"name", "mine", kNowhere},
    {"backbone_name", "efficientnet_b0", kElsewhere},
    {"backbone_args.feature_location", "expansion", kByTensors},
    {"backbone_args.drop_path_rate", "0.2", kNowhere},
    {"backbone_indices", "[2,3,4]", kNowhere},  // others change shapes, and fit nothing
    {"image_size", "[640,640]", kElsewhere},
    {"num_classes", "3", kNowhere},  // the heads' shapes tell
    {"min_level", "3", kNowhere},
    {"max_level", "8", kByTensors},
    {"num_levels", "6", kNowhere},  // follows from the levels
    {"num_scales", "1", kByTensors},
    {"aspect_ratios", "[1.0,2.0,0.5]", kElsewhere},
    {"anchor_scale", "3.0", kElsewhere},
    {"pad_type", "", kElsewhere},
    {"act_type", "relu6", kElsewhere},
    {"norm_kwargs.eps", "1e-5", kElsewhere},
    {"norm_kwargs.momentum", "0.1", kNowhere},
    {"box_class_repeats", "4", kByTensors},
    {"fpn_cell_repeats", "4", kByTensors},
    {"fpn_channels", "88", kByTensors},
    {"separable_conv", "False", kByTensors},
    {"apply_resample_bn", "False", kByTensors},
    {"conv_bn_relu_pattern", "True", kByTensors},  // by the biases; without them elsewhere
    {"downsample_type", "avg", kElsewhere},
    {"upsample_type", "bilinear", kElsewhere},
    {"redundant_bias", "False", kByTensors},
    {"head_bn_level_first", "True", kByTensors},
    {"head_act_type", "mish", kElsewhere},
    {"fpn_name", "bifpn_sum", kByTensors},
    {"fpn_name", "bifpn_attn", kElsewhere},
    {"fpn_name", "pan_fa", kByTensors},
    {"fpn_drop_path_rate", "0.1", kNowhere},
    {"alpha", "0.3", kNowhere},
    {"gamma", "2.0", kNowhere},
    {"label_smoothing", "0.1", kNowhere},
    {"legacy_focal", "True", kNowhere},
    {"jit_loss", "True", kNowhere},
    {"delta", "0.2", kNowhere},
    {"box_loss_weight", "10.0", kNowhere},
    {"soft_nms", "True", kNowhere},  // --soft-nms
    {"max_detection_points", "1000", kNowhere},
    {"max_det_per_image", "10", kNowhere},
    {"mean", "[0.5,0.5,0.5]", kElsewhere},
    {"std", "[0.5,0.5,0.5]", kElsewhere},
    {"fill_color", "0", kElsewhere},
};

/// Everything of a configuration that changes what is found in an image, as text.
std::string meaning(const ModelConfig& config) {
  ShapeRecorder recorder;
  const ir::Graph graph = build_graph(config, recorder);
  std::string text = ir::to_text(graph);
  for (const auto& [key, value] : graph.metadata) text += key + value;
  // How a sum is weighted is in its weights alone.
  return text + std::to_string(static_cast<int>(config.variant.fusion));
}

TEST(Ambiguity, EveryOptionIsToldByTensorsOrElsewhere) {
  const Variant& variant = *find_variant("tf_efficientdet_d0");
  const ModelConfig usual = default_config(variant, 2);
  const std::string tensors = fingerprint(usual), sense = meaning(usual);
  for (const auto& [name, value, told] : kOptions) {
    const Setting setting{name, value};
    if (told == kNowhere) {
      if (!is_setting(name)) continue;
      ModelConfig same = usual;
      apply_setting(setting, same);
      EXPECT_EQ(meaning(same), sense) << name;
      continue;
    }
    ASSERT_TRUE(is_setting(name)) << name;
    ModelConfig config = usual;
    apply_setting(setting, config);
    EXPECT_EQ(fingerprint(config) != tensors, told == kByTensors) << name;
    EXPECT_NE(meaning(config), sense) << name;

    checkpoint::Checkpoint checkpoint = zero_checkpoint(config, "best.pth");
    const auto expect_sense = [&](const ModelRequest& request, const char* by) {
      const InferredModel model = infer_variant(checkpoint, request);
      EXPECT_EQ(meaning(model.config), meaning(config)) << name << " by " << by;
    };
    expect_sense({.model = variant.name, .settings = {&setting, 1}}, "the user's option");
    checkpoint.hints = {{"args.model", "\"tf_efficientdet_d0\""},
                        {fmt::format("config.{}", name), fmt::format("\"{}\"", value)}};
    expect_sense({}, "the file's configuration");
    const Setting contrary{name, told == kElsewhere ? "null" : value};
    expect_sense({.settings = {&contrary, 1}}, "the file's, whatever the user says");
  }
}

/// Without biases even the order of convolution and activation leaves no trace.
TEST(Ambiguity, OrdersOfConvolutionAndActivationWithoutBiases) {
  ModelConfig config = default_config(*find_variant("efficientdet_d0"), 2);
  const std::string usual = fingerprint(config);
  apply_setting({"conv_bn_relu_pattern", "True"}, config);
  EXPECT_EQ(fingerprint(config), usual);
}

TEST(BadInput, Settings_ThatMakeNoSense) {
  const auto error = [](const char* name, const std::string& value) {
    ModelConfig config = default_config(*find_variant("tf_efficientdet_d0"));
    return error_of([&] { apply_setting({name, value}, config); });
  };
  EXPECT_TRUE(
      error("padtype", "same").starts_with("there is no option 'padtype' in a model's configuration; there are "));
  EXPECT_EQ(error("redundant_bias", "maybe"), "redundant_bias maybe is not true or false");
  EXPECT_NE(error("pad_type", "valid").find("pad_type 'valid' is not built here, only same, '', symmetric"),
            std::string::npos);
  EXPECT_NE(error("act_type", "gelu").find("'gelu' is not built here"), std::string::npos);
  EXPECT_NE(error("backbone_name", "resnet18"), "");
  EXPECT_NE(error("norm_layer", "GroupNorm"), "");
  for (const char* size : {"0", "-1", "1e9", "12.5", "[1,2,3,4]", "[]", "x", "[[512]]"})
    EXPECT_NE(error("image_size", size), "") << size;
  for (const char* ratios : {"1", "[]", "[0]", "[[1,2,3]]", "[[1,-1]]", "[1e9]"})
    EXPECT_NE(error("aspect_ratios", ratios), "") << ratios;
  for (const char* mean : {"[1,2]", "[123,116,103]", "[-1,0,0]", "x"}) EXPECT_NE(error("mean", mean), "") << mean;
  EXPECT_NE(error("std", "0"), "");
  EXPECT_NE(error("fill_color", "300"), "");
  EXPECT_NE(error("norm_kwargs.eps", "nan"), "");
  EXPECT_NE(error("fpn_channels", std::string(1 << 16, '9')), "");
  EXPECT_EQ(error("head_act_type", "None"), "") << "stays the variant's own";
  EXPECT_EQ(error("image_size", "(256, 512)"), "");
  EXPECT_EQ(error("image_size", "256,512"), "");
}

}  // namespace
}  // namespace effdet::model
