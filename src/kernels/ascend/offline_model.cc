// The operator's attributes.
#include "kernels/ascend/offline_model.h"

namespace effdet::kernels::ascend {

ir::Node node_of(const OfflineModel& model) {
  ir::Node node;
  node.op = kOfflineModel;
  node.domain = ir::kFusedDomain;
  node.name = "model";
  node.attributes = {{"path", model.path},
                     {"gears", static_cast<int64_t>(model.gears)},
                     {"values", model.values},
                     {"gear_index", model.gear_index},
                     {"gear_bytes", model.gear_bytes},
                     {"input_bytes", model.input_bytes},
                     {"output_bytes", model.output_bytes}};
  return node;
}

OfflineModel offline_model_of(const ir::Node& node) {
  const auto integer = [&](const char* name) { return std::get<int64_t>(node.attributes.at(name)); };
  const auto integers = [&](const char* name) { return std::get<std::vector<int64_t>>(node.attributes.at(name)); };
  return {.path = std::get<std::string>(node.attributes.at("path")),
          .gears = static_cast<Gears>(integer("gears")),
          .values = integers("values"),
          .gear_index = integer("gear_index"),
          .gear_bytes = integer("gear_bytes"),
          .input_bytes = integers("input_bytes"),
          .output_bytes = integers("output_bytes")};
}

}  // namespace effdet::kernels::ascend
