// Translates the tensor names of zylo117's networks to effdet's.
#include "model/tensor_names.h"

#include <charconv>

#include "base/error.h"
#include "model/backbone.h"

namespace effdet::model {
namespace {

using Modules = std::vector<std::string_view>;

struct Renamed {
  std::string_view effdet, other;
};

// zylo117's names for effdet's modules. Its convolutions that pad lie one module deeper.
constexpr Renamed kSeparableBlock[] = {
    {"conv_dw", "_depthwise_conv.conv"}, {"bn1", "_bn1"}, {"conv_pw", "_project_conv.conv"}, {"bn2", "_bn2"}};
constexpr Renamed kInvertedBlock[] = {{"conv_pw", "_expand_conv.conv"},    {"bn1", "_bn0"},
                                      {"conv_dw", "_depthwise_conv.conv"}, {"bn2", "_bn1"},
                                      {"conv_pwl", "_project_conv.conv"},  {"bn3", "_bn2"}};
constexpr Renamed kSqueezeExcite[] = {{"conv_reduce", "_se_reduce.conv"}, {"conv_expand", "_se_expand.conv"}};
constexpr Renamed kFilter[] = {{"conv_dw", "depthwise_conv.conv"}, {"conv_pw", "pointwise_conv.conv"}, {"bn", "bn"}};
constexpr Renamed kResample[] = {{"conv", "0.conv"}, {"bn", "1"}};
constexpr Renamed kHead[] = {
    {"class_net", "classifier"}, {"box_net", "regressor"}, {"conv_rep", "conv_list"}, {"bn_rep", "bn_list"}};

std::string_view renamed(std::span<const Renamed> table, std::string_view module) {
  for (const Renamed& entry : table)
    if (entry.effdet == module) return entry.other;
  fail(ErrorCode::kInternal, "there is no other name for the module {}", module);
}

Modules split(std::string_view name) {
  Modules modules;
  for (size_t dot; (dot = name.find('.')) != name.npos; name.remove_prefix(dot + 1))
    modules.push_back(name.substr(0, dot));
  modules.push_back(name);
  return modules;
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string of_head(const Modules& m) {
  const std::string_view head = renamed(kHead, m[0]);
  if (m[1] == "predict") return fmt::format("{}.header.{}.{}", head, renamed(kFilter, m[2]), m[3]);
  if (m[1] == "bn_rep") return fmt::format("{}.{}.{}.{}.{}", head, renamed(kHead, m[1]), m[2], m[3], m[4]);
  return fmt::format("{}.{}.{}.{}.{}", head, renamed(kHead, m[1]), m[2], renamed(kFilter, m[3]), m[4]);
}

}  // namespace

TensorNames::TensorNames(const Variant& variant) : variant_(variant) {
  int blocks = 0;
  for (size_t stage = 0; stage < variant.backbone.stages.size(); ++stage) {
    first_block_.push_back(blocks);
    blocks += stage_repeats(variant.backbone, stage);
  }
}

std::string TensorNames::of(const std::string& name) const {
  if (variant_.naming == Naming::kEffdet) return name;
  const Modules modules = split(name);
  if (modules[0] == "fpn") return of_pyramid(modules);
  if (modules[0] == "backbone") return "backbone_net.model." + of_block(modules);
  return of_head(modules);
}

/// backbone.conv_stem.weight, backbone.bn1.bias, backbone.blocks.<stage>.<block>.<module>...
std::string TensorNames::of_block(const Modules& m) const {
  if (m[1] == "conv_stem") return fmt::format("_conv_stem.conv.{}", m[2]);
  if (m[1] == "bn1") return fmt::format("_bn0.{}", m[2]);
  const auto stage = static_cast<size_t>(number(m[2]));
  const std::string block = fmt::format("_blocks.{}", first_block_.at(stage) + number(m[3]));
  if (m[4] == "se") return fmt::format("{}.{}.{}", block, renamed(kSqueezeExcite, m[5]), m[6]);
  const bool separable = variant_.backbone.stages[stage].block == BlockType::kDepthwiseSeparable;
  const std::span<const Renamed> table = separable ? std::span<const Renamed>(kSeparableBlock) : kInvertedBlock;
  return fmt::format("{}.{}.{}", block, renamed(table, m[4]), m[5]);
}

/// fpn.resample.<level>.conv..., fpn.cell.<cell>.fnode.<node>.combine... and .after_combine...
std::string TensorNames::of_pyramid(const Modules& m) const {
  if (m[1] == "resample")
    return fmt::format("bifpn.0.p{0}_to_p{1}.{2}.{3}", number(m[2]) + variant_.min_level - 1,
                       number(m[2]) + variant_.min_level, renamed(kResample, m[4]), m[5]);
  // The first nodes go down to the finest level, the others up from it.
  const int node = number(m[4]), path = variant_.levels() - 1;
  const bool down = node < path;
  const int level = down ? variant_.max_level - 1 - node : variant_.min_level + 1 + node - path;
  const std::string cell = fmt::format("bifpn.{}.", m[2]);
  if (m[5] == "after_combine")  // "up" and "down" as in the figure of the paper: coarse levels below
    return fmt::format("{}conv{}_{}.{}.{}", cell, level, down ? "up" : "down", renamed(kFilter, m[7]), m[8]);
  if (m[6] == "edge_weights") return fmt::format("{}p{}_w{}", cell, level, down ? 1 : 2);
  return fmt::format("{}p{}_down_channel{}.{}.{}", cell, level, down ? "" : "_2", renamed(kResample, m[9]), m[10]);
}

}  // namespace effdet::model
