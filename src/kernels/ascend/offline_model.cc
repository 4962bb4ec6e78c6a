// The operator's attributes, and how a loaded model is told which of its plans is meant.
#include "kernels/ascend/offline_model.h"

#include <algorithm>

#include "kernels/ascend/library.h"

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

void choose_plan(const Library& library, const OfflineModel& model, uint32_t id, acl::aclmdlDataset* inputs) {
  const auto index = static_cast<size_t>(model.gear_index);
  const auto value = [&](size_t i) { return static_cast<uint64_t>(model.values.at(i)); };
  switch (model.gears) {
    case Gears::kNone:
      return;
    case Gears::kBatch:
      return library.check(library.aclmdlSetDynamicBatchSize(id, inputs, index, value(0)), "aclmdlSetDynamicBatchSize",
                           model.path);
    case Gears::kHeightWidth:
      return library.check(library.aclmdlSetDynamicHWSize(id, inputs, index, value(0), value(1)),
                           "aclmdlSetDynamicHWSize", model.path);
    case Gears::kDims: {
      acl::aclmdlIODims dims = {};
      dims.dimCount = model.values.size();
      std::ranges::copy(model.values, dims.dims);
      return library.check(library.aclmdlSetInputDynamicDims(id, inputs, index, &dims), "aclmdlSetInputDynamicDims",
                           model.path);
    }
  }
}

}  // namespace effdet::kernels::ascend
