// Telling the variant from tensors, the file's name and the caller's wishes.
#include "model/infer_variant.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/test_checkpoint.h"

namespace effdet::model {
namespace {

std::string inferred(std::string_view variant, std::string path, std::string_view model = {},
                     std::string_view preferred = {}) {
  return std::string(infer_variant(zero_checkpoint(variant, std::move(path)), model, preferred).variant->name);
}

TEST(InferVariant, EveryVariantFitsItsOwnTensors) {
  for (const Variant& variant : variants()) {
    const auto fits = fitting_variants(zero_checkpoint(variant.name));
    EXPECT_NE(std::find(fits.begin(), fits.end(), &variant), fits.end()) << variant.name;
    const std::string path = std::string(variant.name) + "_49-f56376d9.pth";
    EXPECT_EQ(inferred(variant.name, path), variant.name);
  }
}

TEST(InferVariant, ClassesAndAnchorsComeFromTheHeads) {
  ModelConfig config = default_config(*find_variant("tf_efficientdet_d1"), 7);
  config.num_scales = 2;
  const InferredModel model = infer_variant(zero_checkpoint(config, "tf_efficientdet_d1.pth"));
  EXPECT_EQ(model.num_classes, 7);
  EXPECT_EQ(model.anchors, 6);
  EXPECT_NE(error_of([&] { config_of(model); }).find("6 anchors a cell, but 3 scales x 3 aspect ratios are 9"),
            std::string::npos);
  EXPECT_EQ(config_of(model, {.num_scales = 2}).num_scales, 2);
  EXPECT_EQ(config_of(model, {.anchor_scale = 5, .num_scales = 1, .aspect_ratios = {6, {2.0, 0.5}}}).anchors(), 6);
  EXPECT_NE(error_of([&] { config_of(model, {.anchor_scale = -1, .num_scales = 2}); }), "");
  EXPECT_NE(error_of([&] { config_of(model, {.num_scales = 2, .aspect_ratios = {3, {0.0, 1.0}}}); }), "");
  EXPECT_EQ(config_of({find_variant("tf_efficientdet_d1"), 7, 9}).num_classes, 7);
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
  EXPECT_EQ(inferred("efficientdet_d0", "tf_efficientdet_d0.pth"), "efficientdet_d0");
  EXPECT_EQ(inferred("tf_efficientdet_d7", "d0.pth", {}, "tf_efficientdet_d7"), "tf_efficientdet_d7");
}

TEST(InferVariant, PreferredCountsWhereItFits) {
  EXPECT_EQ(inferred("tf_efficientdet_d6", "best.pth", {}, "tf_efficientdet_d7"), "tf_efficientdet_d7");
  const std::string error = error_of([] { inferred("tf_efficientdet_d5", "best.pth", {}, "tf_efficientdet_d7"); });
  EXPECT_EQ(error, "best.pth: fits tf_efficientdet_d5, tf_efficientdet_d5_ap, efficientdet_d5; say which with --model");
}

TEST(InferVariant, TheUsersModelWins) {
  EXPECT_EQ(inferred("tf_efficientdet_d6", "d6.pth", "tf_efficientdet_d7"), "tf_efficientdet_d7");
  const std::string error = error_of([] { inferred("tf_efficientdet_d0", "d0.pth", "tf_efficientdet_d1"); });
  EXPECT_TRUE(error.starts_with("d0.pth: does not fit tf_efficientdet_d1: ")) << error;
  EXPECT_TRUE(error.ends_with("; it fits tf_efficientdet_d0, tf_efficientdet_d0_ap")) << error;
  EXPECT_TRUE(
      error_of([] { inferred("tf_efficientdet_d0", "d0.pth", "d0"); }).starts_with("unknown model 'd0'; known"));
}

TEST(InferVariant, Zylo117sNamesAreRecognised) {
  EXPECT_EQ(inferred("zylo117_efficientdet_d0", "best.pth"), "zylo117_efficientdet_d0");
  EXPECT_EQ(inferred("zylo117_efficientdet_d6", "efficientdet-d6.pth"), "zylo117_efficientdet_d6");
  EXPECT_EQ(inferred("zylo117_efficientdet_d7", "weights/efficientdet-d7.pth"), "zylo117_efficientdet_d7");
  EXPECT_EQ(inferred("zylo117_efficientdet_d8", "x.pth"), "zylo117_efficientdet_d8");
  const InferredModel custom = infer_variant(zero_checkpoint("zylo117_efficientdet_d2", "my.pth", 3));
  EXPECT_EQ(custom.num_classes, 3);
  EXPECT_EQ(custom.anchors, 9);
  EXPECT_EQ(error_of([] { inferred("zylo117_efficientdet_d7", "best.pth"); }),
            "best.pth: fits zylo117_efficientdet_d6, zylo117_efficientdet_d7; say which with --model");
  EXPECT_NE(error_of([] { inferred("tf_efficientdet_d0", "d0.pth", "zylo117_efficientdet_d0"); }), "");
}

TEST(BadInput, InferVariant_Zylo117sKeysAreNamed) {
  const auto error_with = [](auto&& change) {
    Checkpoint checkpoint = zero_checkpoint("zylo117_efficientdet_d0", "zylo.pth");
    change(checkpoint);
    return error_of([&] { infer_variant(checkpoint); });
  };
  const auto without = [&](std::string_view name) {
    return error_with([&](Checkpoint& c) { std::erase_if(c.tensors, [&](auto& t) { return t.name == name; }); });
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
    return [name, shape](Checkpoint& c) { tensor_named(c, name).tensor = Tensor(DType::kF32, shape); };
  };
  EXPECT_EQ(error_with(reshaped("regressor.bn_list.4.2.running_var", {63})),
            nearest + "1 of another shape (regressor.bn_list.4.2.running_var: 63 where 64 is expected)");
  EXPECT_NE(error_with(reshaped("classifier.header.pointwise_conv.conv.weight", {3})).find("not that of a convolution"),
            std::string::npos);
  EXPECT_EQ(error_with([](Checkpoint& c) {
              c.tensors.push_back({"bifpn.9.p6_w1", Tensor(DType::kF32, {2})});
            }),
            nearest + "1 left over (bifpn.9.p6_w1 2)");
}

TEST(BadInput, InferVariant_NothingFits) {
  Checkpoint checkpoint = zero_checkpoint("tf_efficientdet_d0", "broken.pth");
  std::erase_if(checkpoint.tensors, [](const NamedTensor& t) { return t.name == "backbone.bn1.weight"; });
  EXPECT_EQ(error_of([&] { infer_variant(checkpoint); }),
            "broken.pth: fits no known variant; nearest is tf_efficientdet_d0 with 90 classes: 1 tensor missing "
            "(backbone.bn1.weight 32)");
}

TEST(BadInput, InferVariant_HeadsThatMakeNoSense) {
  const auto error_with = [](Shape classes, Shape boxes) {
    Checkpoint checkpoint{"odd.pth", "", {}};
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
              infer_variant(Checkpoint{"empty.pth", "", {}});
            }).find("is not an EfficientDet checkpoint"),
            std::string::npos);
}

}  // namespace
}  // namespace effdet::model
