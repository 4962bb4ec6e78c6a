// Telling the variant from tensors, the file's name and the caller's wishes.
#include "model/infer_variant.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "model/test_checkpoint.h"

namespace effdet::model {
namespace {

std::string inferred(std::string_view variant, std::string path, std::string_view model = {},
                     std::string_view preferred = {}) {
  const checkpoint::Checkpoint checkpoint = zero_checkpoint(variant, std::move(path));
  return std::string(infer_variant(checkpoint, {.model = model, .preferred = preferred}).config.variant.name);
}

/// The tensors of a variant with an option of its configuration changed.
checkpoint::Checkpoint checkpoint_with(std::string_view variant, const std::vector<Setting>& settings,
                                       std::string path = "best.pth") {
  ModelConfig config = default_config(*find_variant(variant), 2);
  for (const Setting& setting : settings) apply_setting(setting, config);
  return zero_checkpoint(config, std::move(path));
}

const Setting kNoBias{"redundant_bias", "False"}, kBias{"redundant_bias", "True"};

TEST(InferVariant, EveryVariantFitsItsOwnTensors) {
  for (const Variant& variant : variants()) {
    const auto fits = fitting_variants(zero_checkpoint(variant.name));
    EXPECT_TRUE(std::ranges::any_of(fits, [&](const Candidate& c) { return c.text() == variant.name; }))
        << variant.name;
    const std::string path = std::string(variant.name) + "_49-f56376d9.pth";
    EXPECT_EQ(inferred(variant.name, path), variant.name);
  }
}

TEST(InferVariant, ClassesAndAnchorsComeFromTheHeads) {
  ModelConfig config = default_config(*find_variant("tf_efficientdet_d1"), 7);
  config.num_scales = 2;
  const InferredModel model = infer_variant(zero_checkpoint(config, "tf_efficientdet_d1.pth"));
  EXPECT_EQ(model.config.num_classes, 7);
  EXPECT_EQ(model.anchors, 6);
  EXPECT_NE(error_of([&] { config_of(model); }).find("6 anchors a cell, but 3 scales x 3 aspect ratios are 9"),
            std::string::npos);
  EXPECT_EQ(config_of(model, {.num_scales = 2}).num_scales, 2);
  EXPECT_EQ(config_of(model, {.anchor_scale = 5, .num_scales = 1, .aspect_ratios = {6, {2.0, 0.5}}}).anchors(), 6);
  EXPECT_NE(error_of([&] { config_of(model, {.anchor_scale = -1, .num_scales = 2}); }), "");
  EXPECT_NE(error_of([&] { config_of(model, {.num_scales = 2, .aspect_ratios = {3, {0.0, 1.0}}}); }), "");
}

TEST(InferVariant, TheFileNameDecidesBetweenEquals) {
  EXPECT_EQ(inferred("tf_efficientdet_d7", "/models/d7.pth"), "tf_efficientdet_d7");
  EXPECT_EQ(inferred("tf_efficientdet_d7", "tf_efficientdet_d6_52-4eda3773.pth", {}, "tf_efficientdet_d7"),
            "tf_efficientdet_d6");
  EXPECT_EQ(inferred("tf_efficientdet_d0", "TF-EfficientDet-D0_AP.pth"), "tf_efficientdet_d0_ap");
  EXPECT_EQ(inferred("tf_efficientdet_d0", "my.d0.best.pth"), "tf_efficientdet_d0");
  EXPECT_EQ(inferred("tf_efficientdet_d0", "d0_ap-d0cdbd0a.pth"), "tf_efficientdet_d0_ap");
  EXPECT_EQ(inferred("efficientdet_d4", "efficientdet_d4.pth"), "efficientdet_d4");
  EXPECT_EQ(inferred("efficientdet_d4", "tf_efficientdet_d4.pth"), "tf_efficientdet_d4");
}

TEST(InferVariant, AFileNameThatDoesNotFitIsNoGuide) {
  EXPECT_EQ(inferred("efficientdet_q0", "tf_efficientdet_d0.pth"), "efficientdet_q0");
  EXPECT_EQ(inferred("tf_efficientdet_d7", "d0.pth", {}, "tf_efficientdet_d7"), "tf_efficientdet_d7");
}

TEST(InferVariant, PreferredCountsWhereItFits) {
  EXPECT_EQ(inferred("tf_efficientdet_d6", "best.pth", {}, "tf_efficientdet_d7"), "tf_efficientdet_d7");
  const std::string error = error_of([] { inferred("tf_efficientdet_d5", "best.pth", {}, "tf_efficientdet_d7"); });
  EXPECT_EQ(error,
            "best.pth: fits tf_efficientdet_d5, tf_efficientdet_d5_ap, efficientdet_d5, which differ in padding, batch "
            "norms' epsilon, mean and deviation, fill: say which with --model");
}

TEST(InferVariant, TheUsersModelWins) {
  EXPECT_EQ(inferred("tf_efficientdet_d6", "d6.pth", "tf_efficientdet_d7"), "tf_efficientdet_d7");
  const std::string error = error_of([] { inferred("tf_efficientdet_d0", "d0.pth", "tf_efficientdet_d1"); });
  EXPECT_TRUE(error.starts_with("d0.pth: does not fit tf_efficientdet_d1: ")) << error;
  EXPECT_TRUE(
      error.ends_with("; it fits tf_efficientdet_d0, tf_efficientdet_d0_ap, efficientdet_d0 with "
                      "redundant_bias=True"))
      << error;
  EXPECT_TRUE(
      error_of([] { inferred("tf_efficientdet_d0", "d0.pth", "d0"); }).starts_with("unknown model 'd0'; known"));
}

/// A tf_* network without redundant biases has the tensors of efficientdet_*, which pads otherwise.
TEST(InferVariant, MissingBiasesAreNoProofOfAnotherVariant) {
  const checkpoint::Checkpoint bare = checkpoint_with("tf_efficientdet_d0", {kNoBias});
  EXPECT_EQ(error_of([&] { infer_variant(bare); }),
            "best.pth: fits efficientdet_d0, tf_efficientdet_d0 with redundant_bias=False, tf_efficientdet_d0_ap with "
            "redundant_bias=False, which differ in padding, batch norms' epsilon, mean and deviation, fill: say which "
            "with --model");
  for (const char* name : {"efficientdet_d0", "tf_efficientdet_d0", "tf_efficientdet_d0_ap"}) {
    const InferredModel model = infer_variant(bare, {.model = name});
    EXPECT_EQ(model.config.variant.name, name);
    EXPECT_FALSE(model.config.variant.redundant_bias);
    EXPECT_EQ(model.config.variant.padding, find_variant(name)->padding);
    EXPECT_EQ(model.notes.empty(), std::string_view(name) == "efficientdet_d0");
  }
  const InferredModel named = infer_variant(checkpoint_with("tf_efficientdet_d0", {kNoBias}, "tf_efficientdet_d0.pth"));
  EXPECT_EQ(named.config.variant.name, "tf_efficientdet_d0");
  EXPECT_EQ(named.notes, std::vector<std::string>{"tf_efficientdet_d0.pth: taken for tf_efficientdet_d0 with "
                                                  "redundant_bias=False, as its tensors are"});
  // "d0" stands for both.
  EXPECT_NE(error_of([] { infer_variant(checkpoint_with("tf_efficientdet_d0", {kNoBias}, "d0.pth")); }), "");
  // Said with the option, the variant without biases of its own is still one of them.
  EXPECT_NE(error_of([&] {
              infer_variant(bare, {.settings = {&kNoBias, 1}});
            }).find("which differ in"),
            std::string::npos);
  EXPECT_NE(error_of([&] { infer_variant(bare, {.model = "tf_efficientdet_d0", .settings = {&kBias, 1}}); }), "");
  // Nobody else has the tensors of a quad pyramid with biases.
  EXPECT_EQ(infer_variant(checkpoint_with("efficientdet_q0", {kBias})).notes.size(), 1u);
}

TEST(InferVariant, TheFilesOwnWordsCount) {
  checkpoint::Checkpoint checkpoint = checkpoint_with("tf_efficientdet_d0", {kNoBias});
  const auto inferred_with = [&](std::vector<checkpoint::Hint> hints, ModelRequest request = {}) {
    checkpoint.hints = std::move(hints);
    return infer_variant(checkpoint, request);
  };
  for (const char* key :
       {"arch", "args.model", "config.name", "hyper_parameters.model_architecture", "effdet.variant"}) {
    const InferredModel model = inferred_with({{key, "\"tf_efficientdet_d0\""}});
    EXPECT_EQ(model.config.variant.name, "tf_efficientdet_d0") << key;
    EXPECT_EQ(model.notes, std::vector<std::string>()) << key;
  }
  EXPECT_EQ(inferred_with({{"arch", "\"timm/TF-EfficientDet-D0-AP\""}}).config.variant.name, "tf_efficientdet_d0_ap");

  const InferredModel told = inferred_with({{"arch", "\"tf_efficientdet_d0\""},
                                            {"args.head_act_type", "\"relu\""},
                                            {"args.mean", "[0.5,0.25,0.125]"},
                                            {"args.lr", "0.1"},
                                            {"config.image_size", "[256,384]"},
                                            {"config.aspect_ratios", "[1.0,4.0,[0.5,2.0]]"},
                                            {"config.norm_kwargs.eps", "0.01"}});
  EXPECT_EQ(told.config.variant.head_activation, Activation::kRelu);
  EXPECT_EQ(told.config.variant.mean, (std::array<double, 3>{0.5, 0.25, 0.125}));
  EXPECT_EQ(told.config.variant.fill, (std::array<uint8_t, 3>{128, 64, 32})) << "the fill is the mean";
  EXPECT_EQ(told.config.variant.bn_epsilon, 0.01f);
  EXPECT_EQ(std::pair(told.config.image_height, told.config.image_width), std::pair(256, 384));
  EXPECT_EQ(told.config.aspect_ratios, (std::vector<Ratio>{{1, 1}, {2, 0.5}, {0.5, 2}}));

  // The file's words are stronger than the user's, who is told.
  const Setting silu{"head_act_type", "silu"};
  const InferredModel contradicted =
      inferred_with({{"arch", "\"tf_efficientdet_d0\""}, {"args.head_act_type", "\"relu\""}},
                    {.model = "efficientdet_d0", .settings = {&silu, 1}});
  EXPECT_EQ(contradicted.config.variant.name, "tf_efficientdet_d0");
  EXPECT_EQ(contradicted.config.variant.head_activation, Activation::kRelu);
  ASSERT_EQ(contradicted.notes.size(), 2u);
  EXPECT_NE(contradicted.notes[0].find("(arch), which counts, and not --model efficientdet_d0"), std::string::npos);
  EXPECT_NE(contradicted.notes[1].find("head_act_type \"relu\" (args.head_act_type), which counts, and not silu"),
            std::string::npos);
  const InferredModel ignored =
      inferred_with({{"arch", "\"tf_efficientdet_d0\""}}, {.model = "efficientdet_d0", .use_hints = false});
  EXPECT_EQ(ignored.config.variant.name, "efficientdet_d0");
}

TEST(InferVariant, WordsThatDoNotFitAreToldAndLeftOut) {
  checkpoint::Checkpoint checkpoint = zero_checkpoint("tf_efficientdet_d1", "tf_efficientdet_d1.pth");
  const auto notes_with = [&](std::vector<checkpoint::Hint> hints) {
    checkpoint.hints = std::move(hints);
    const InferredModel model = infer_variant(checkpoint);
    EXPECT_EQ(model.config.variant.name, "tf_efficientdet_d1");
    EXPECT_EQ(model.config.image_height, 640);
    return fmt::format("{}", fmt::join(model.notes, "\n"));
  };
  EXPECT_EQ(notes_with({{"arch", "\"detbenchtrain\""}, {"args.model", "null"}, {"mean", "0.3"}}), "");
  EXPECT_EQ(notes_with({{"arch", "\"tf_efficientdet_d0\""}}),
            "tf_efficientdet_d1.pth: the file says tf_efficientdet_d0 (arch), which does not fit its tensors, and does "
            "not count");
  EXPECT_NE(notes_with({{"args.mean", "[123.675,116.28,103.53]"}}).find("the file's args.mean does not count"),
            std::string::npos);
  EXPECT_NE(notes_with({{"args.interpolation", "\"bicubic\""}}).find("is not built here"), std::string::npos);
  EXPECT_NE(notes_with({{"args.img_size", "500"}}).find("the size that the file says does not count"),
            std::string::npos);
  EXPECT_NE(notes_with({{"config.fpn_channels", "64"}}).find("does not fit its tensors"), std::string::npos);
  EXPECT_NE(notes_with({{"arch", "\"tf_efficientdet_d1\""},
                        {"config.name", "\"tf_efficientdet_d1\""},
                        {"model_name", "\"tf_efficientdet_d1_ap\""}})
                .find("(model_name), too, which does not count"),
            std::string::npos);
}

TEST(InferVariant, ChoicesThatAreNotCertainAreAnnounced) {
  const auto notes = [](std::string_view variant, std::string path, ModelRequest request = {}) {
    return infer_variant(zero_checkpoint(variant, std::move(path)), request).notes;
  };
  EXPECT_TRUE(notes("tf_efficientdet_d7", "tf_efficientdet_d7.pth").empty());
  EXPECT_TRUE(notes("tf_efficientdet_d7", "best.pth", {.model = "tf_efficientdet_d7"}).empty());
  EXPECT_EQ(notes("tf_efficientdet_d7", "d7.pth"),
            std::vector<std::string>{"d7.pth: fits tf_efficientdet_d6, tf_efficientdet_d7, which differ in image size, "
                                     "anchors: taken for tf_efficientdet_d7 by its name; --model chooses another"});
  EXPECT_EQ(notes("tf_efficientdet_d6", "best.pth", {.preferred = "tf_efficientdet_d7"}).size(), 1u);
}

TEST(InferVariant, BatchNormsOfTheHeadsMayBeListedEitherWay) {
  for (const char* name : {"tf_efficientdet_d0", "efficientdet_q0"}) {
    ModelConfig config = default_config(*find_variant(name), 2);
    config.variant.head_bn_level_first ^= true;  // effdet's toggle_head_bn_level_first
    const InferredModel model = infer_variant(zero_checkpoint(config, std::string(name) + ".pth"));
    EXPECT_EQ(model.config.variant.head_bn_level_first, config.variant.head_bn_level_first);
    EXPECT_EQ(model.notes.size(), 0u);
  }
}

TEST(InferVariant, Zylo117sNamesAreRecognised) {
  EXPECT_EQ(inferred("zylo117_efficientdet_d0", "best.pth"), "zylo117_efficientdet_d0");
  EXPECT_EQ(inferred("zylo117_efficientdet_d6", "efficientdet-d6.pth"), "zylo117_efficientdet_d6");
  EXPECT_EQ(inferred("zylo117_efficientdet_d7", "weights/efficientdet-d7.pth"), "zylo117_efficientdet_d7");
  EXPECT_EQ(inferred("zylo117_efficientdet_d8", "x.pth"), "zylo117_efficientdet_d8");
  const InferredModel custom = infer_variant(zero_checkpoint("zylo117_efficientdet_d2", "my.pth", 3));
  EXPECT_EQ(custom.config.num_classes, 3);
  EXPECT_EQ(custom.anchors, 9);
  EXPECT_EQ(error_of([] { inferred("zylo117_efficientdet_d7", "best.pth"); }),
            "best.pth: fits zylo117_efficientdet_d6, zylo117_efficientdet_d7, which differ in image size, anchors: say "
            "which with --model");
  EXPECT_NE(error_of([] { inferred("tf_efficientdet_d0", "d0.pth", "zylo117_efficientdet_d0"); }), "");
}

TEST(BadInput, InferVariant_Zylo117sKeysAreNamed) {
  const auto error_with = [](auto&& change) {
    checkpoint::Checkpoint checkpoint = zero_checkpoint("zylo117_efficientdet_d0", "zylo.pth");
    change(checkpoint);
    return error_of([&] { infer_variant(checkpoint); });
  };
  const auto without = [&](std::string_view name) {
    return error_with(
        [&](checkpoint::Checkpoint& c) { std::erase_if(c.tensors, [&](auto& t) { return t.name == name; }); });
  };
  const std::string nearest = "zylo.pth: fits no known variant; nearest is zylo117_efficientdet_d0 with 90 classes: ";
  EXPECT_EQ(without("bifpn.0.p6_w1"), nearest + "1 tensor missing (bifpn.0.p6_w1 2)");
  EXPECT_EQ(without("backbone_net.model._blocks.5._depthwise_conv.conv.weight"),
            nearest + "1 tensor missing (backbone_net.model._blocks.5._depthwise_conv.conv.weight 240x1x3x3)");
  EXPECT_NE(without("classifier.header.pointwise_conv.conv.weight").find("or classifier.header.pointwise_conv.conv"),
            std::string::npos);
  EXPECT_EQ(without("regressor.header.pointwise_conv.conv.weight"),
            "zylo.pth: is not an EfficientDet checkpoint: of its 783 tensors none is "
            "regressor.header.pointwise_conv.conv.weight");
  const auto reshaped = [](std::string_view name, Shape shape) {
    return [name, shape](checkpoint::Checkpoint& c) { tensor_named(c, name).tensor = Tensor(DType::kF32, shape); };
  };
  EXPECT_EQ(error_with(reshaped("regressor.bn_list.4.2.running_var", {63})),
            nearest + "1 of another shape (regressor.bn_list.4.2.running_var: 63 where 64 is expected)");
  EXPECT_NE(error_with(reshaped("classifier.header.pointwise_conv.conv.weight", {3})).find("not that of a convolution"),
            std::string::npos);
  EXPECT_EQ(error_with([](checkpoint::Checkpoint& c) {
              c.tensors.push_back({"bifpn.9.p6_w1", Tensor(DType::kF32, {2})});
            }),
            nearest + "1 left over (bifpn.9.p6_w1 2)");
}

TEST(BadInput, InferVariant_NothingFits) {
  checkpoint::Checkpoint checkpoint = zero_checkpoint("tf_efficientdet_d0", "broken.pth");
  std::erase_if(checkpoint.tensors, [](const checkpoint::NamedTensor& t) { return t.name == "backbone.bn1.weight"; });
  EXPECT_EQ(error_of([&] { infer_variant(checkpoint); }),
            "broken.pth: fits no known variant; nearest is tf_efficientdet_d0 with 90 classes: 1 tensor missing "
            "(backbone.bn1.weight 32)");
}

TEST(BadInput, InferVariant_HeadsThatMakeNoSense) {
  const auto error_with = [](Shape classes, Shape boxes) {
    checkpoint::Checkpoint checkpoint{"odd.pth", "", {}};
    checkpoint.tensors.push_back({"class_net.predict.conv_pw.weight", Tensor(DType::kF32, std::move(classes))});
    checkpoint.tensors.push_back({"box_net.predict.conv_pw.weight", Tensor(DType::kF32, std::move(boxes))});
    return error_of([&] { infer_variant(checkpoint); });
  };
  EXPECT_NE(error_with({}, {36, 64, 1, 1}).find("not that of a convolution"), std::string::npos);
  EXPECT_NE(error_with({810, 64, 1, 1}, {35, 64, 1, 1}).find("35 outputs"), std::string::npos);
  EXPECT_NE(error_with({0, 64, 1, 1}, {0, 64, 1, 1}).find("0 outputs"), std::string::npos);
  EXPECT_NE(error_with({811, 64, 1, 1}, {36, 64, 1, 1}).find("811 outputs"), std::string::npos);
  EXPECT_NE(error_with({810, 65, 1, 1}, {36, 65, 1, 1}).find("fits no known variant"), std::string::npos);
  EXPECT_NE(error_of([] {
              infer_variant(checkpoint::Checkpoint{"empty.pth", "", {}});
            }).find("is not an EfficientDet checkpoint"),
            std::string::npos);
}

}  // namespace
}  // namespace effdet::model
