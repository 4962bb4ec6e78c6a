// Asks AscendCL for the tensors and plans of a model.
#include "ascend/read_model.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <span>

#include "artifact/om_file.h"
#include "base/checked.h"
#include "base/error.h"
#include "kernels/ascend/device.h"
#include "kernels/ascend/library.h"
#include "kernels/ascend/offline_model.h"
#include "ops/aipp.h"

namespace effdet::ascend {
namespace {

namespace acl = kernels::ascend::acl;

using kernels::ascend::Gears;
using kernels::ascend::Library;
using kernels::ascend::OfflineModel;

/// Runs a function at the end of a scope.
class Finally {
 public:
  explicit Finally(std::function<void()> function) : function_(std::move(function)) {}
  ~Finally() { function_(); }
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;

 private:
  std::function<void()> function_;
};

DType dtype_of(acl::aclDataType type, const std::string& name) {
  switch (type) {
    case acl::ACL_FLOAT:
      return DType::kF32;
    case acl::ACL_FLOAT16:
      return DType::kF16;
    case acl::ACL_BF16:
      return DType::kBF16;
    case acl::ACL_DOUBLE:
      return DType::kF64;
    case acl::ACL_INT8:
      return DType::kI8;
    case acl::ACL_UINT8:
      return DType::kU8;
    case acl::ACL_INT16:
      return DType::kI16;
    case acl::ACL_UINT16:
      return DType::kU16;
    case acl::ACL_INT32:
      return DType::kI32;
    case acl::ACL_UINT32:
      return DType::kU32;
    case acl::ACL_INT64:
      return DType::kI64;
    case acl::ACL_UINT64:
      return DType::kU64;
    case acl::ACL_BOOL:
      return DType::kBool;
    default:
      fail(ErrorCode::kUnsupported, "tensor '{}' has AscendCL's type {}", name, static_cast<int>(type));
  }
}

/// A model that is loaded for as long as it is looked at.
class LoadedModel {
 public:
  LoadedModel(const Library& library, const std::filesystem::path& path) : library_(library), path_(path.string()) {
    library_.check(library_.aclmdlLoadFromFile(path_.c_str(), &id_), "aclmdlLoadFromFile", path_);
    desc_ = library_.aclmdlCreateDesc();
    const acl::aclError code = desc_ != nullptr ? library_.aclmdlGetDesc(desc_, id_) : acl::kBadAlloc;
    if (code == acl::kSuccess) return;
    const Finally unload([this] { close(); });
    library_.check(code, "aclmdlGetDesc", path_);
  }
  ~LoadedModel() { close(); }
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;

  std::vector<artifact::Program> programs(const std::string& target, std::span<const artifact::Program> described);

 private:
  struct Side {
    std::vector<std::string> names;
    std::vector<DType> types;
    std::vector<Shape> shapes;  ///< -1 where plans differ
    std::vector<int64_t> bytes;
  };

  void close() {
    if (desc_ != nullptr) library_.aclmdlDestroyDesc(desc_);
    library_.aclmdlUnload(id_);
  }

  Shape shape_of(const acl::aclmdlIODims& dims) const {
    if (dims.dimCount > acl::kMaxDims)
      fail(ErrorCode::kIo, "{}: AscendCL tells of a tensor with {} dimensions", path_, dims.dimCount);
    return {dims.dims, dims.dims + dims.dimCount};
  }

  Side side(bool is_input) const {
    Side all;
    const size_t count = is_input ? library_.aclmdlGetNumInputs(desc_) : library_.aclmdlGetNumOutputs(desc_);
    for (size_t i = 0; i < count; ++i) {
      const char* name =
          is_input ? library_.aclmdlGetInputNameByIndex(desc_, i) : library_.aclmdlGetOutputNameByIndex(desc_, i);
      all.names.emplace_back(name != nullptr ? name : "");
      all.types.push_back(
          dtype_of(is_input ? library_.aclmdlGetInputDataType(desc_, i) : library_.aclmdlGetOutputDataType(desc_, i),
                   all.names.back()));
      acl::aclmdlIODims dims = {};
      library_.check(
          is_input ? library_.aclmdlGetInputDims(desc_, i, &dims) : library_.aclmdlGetOutputDims(desc_, i, &dims),
          is_input ? "aclmdlGetInputDims" : "aclmdlGetOutputDims", path_);
      all.shapes.push_back(shape_of(dims));
      all.bytes.push_back(static_cast<int64_t>(is_input ? library_.aclmdlGetInputSizeByIndex(desc_, i)
                                                        : library_.aclmdlGetOutputSizeByIndex(desc_, i)));
    }
    return all;
  }

  /// What each plan is called by, and the kind of that.
  Gears gears(std::vector<std::vector<int64_t>>& values) const {
    const auto all = static_cast<size_t>(-1);  // the index for all inputs
    acl::aclmdlBatch batch = {};
    library_.check(library_.aclmdlGetDynamicBatch(desc_, &batch), "aclmdlGetDynamicBatch", path_);
    for (size_t i = 0; i < std::min(batch.batchCount, acl::kMaxGears); ++i)
      values.push_back({static_cast<int64_t>(batch.batch[i])});
    if (!values.empty()) return Gears::kBatch;
    acl::aclmdlHW sizes = {};
    library_.check(library_.aclmdlGetDynamicHW(desc_, all, &sizes), "aclmdlGetDynamicHW", path_);
    for (size_t i = 0; i < std::min(sizes.hwCount, acl::kMaxGears); ++i)
      values.push_back({static_cast<int64_t>(sizes.hw[i][0]), static_cast<int64_t>(sizes.hw[i][1])});
    if (!values.empty()) return Gears::kHeightWidth;
    size_t count = 0;
    library_.check(library_.aclmdlGetInputDynamicGearCount(desc_, all, &count), "aclmdlGetInputDynamicGearCount",
                   path_);
    std::vector<acl::aclmdlIODims> dims(std::min(count, artifact::kMaxPlans));
    if (!dims.empty())
      library_.check(library_.aclmdlGetInputDynamicDims(desc_, all, dims.data(), dims.size()),
                     "aclmdlGetInputDynamicDims", path_);
    for (const acl::aclmdlIODims& one : dims) values.push_back(shape_of(one));
    return values.empty() ? Gears::kNone : Gears::kDims;
  }

  /// Shapes of the outputs when a plan is chosen.
  std::vector<Shape> output_shapes(const OfflineModel& model, const Side& inputs, const Side& outputs) const;

  const Library& library_;
  const std::string path_;
  uint32_t id_ = 0;
  acl::aclmdlDesc* desc_ = nullptr;
};

std::vector<Shape> LoadedModel::output_shapes(const OfflineModel& model, const Side& inputs,
                                              const Side& outputs) const {
  if (model.gears == Gears::kNone) return outputs.shapes;
  void* memory = nullptr;
  library_.check(library_.aclrtMalloc(&memory, static_cast<size_t>(model.gear_bytes), acl::ACL_MEM_MALLOC_HUGE_FIRST),
                 "aclrtMalloc", path_);
  acl::aclmdlDataset* set = library_.aclmdlCreateDataset();
  std::vector<acl::aclDataBuffer*> buffers;
  const Finally release([&] {
    for (const acl::aclDataBuffer* buffer : buffers) library_.aclDestroyDataBuffer(buffer);
    if (set != nullptr) library_.aclmdlDestroyDataset(set);
    library_.aclrtFree(memory);
  });
  // The other inputs are not looked at, so that each may be the same memory.
  for (size_t i = 0; i < inputs.names.size(); ++i) {
    buffers.push_back(library_.aclCreateDataBuffer(memory, static_cast<size_t>(model.gear_bytes)));
    library_.check(library_.aclmdlAddDatasetBuffer(set, buffers.back()), "aclmdlAddDatasetBuffer", path_);
  }
  kernels::ascend::choose_plan(library_, model, id_, set);
  std::vector<Shape> shapes;
  for (size_t i = 0; i < outputs.names.size(); ++i) {
    acl::aclmdlIODims dims = {};
    library_.check(library_.aclmdlGetCurOutputDims(desc_, i, &dims), "aclmdlGetCurOutputDims", path_);
    shapes.push_back(shape_of(dims));
  }
  return shapes;
}

/// The shapes of the inputs, in the places of which that are open stand a plan's values.
std::vector<Shape> input_shapes(const OfflineModel& model, const std::vector<Shape>& open) {
  std::vector<Shape> shapes = open;
  size_t next = 0;
  for (Shape& shape : shapes)
    for (int64_t& dim : shape) {
      if (model.gears == Gears::kDims) {
        dim = model.values.at(next++);
      } else if (dim < 0) {
        // A batch is the same in all inputs; height and width are the open dimensions of one.
        dim = model.values.at(model.gears == Gears::kBatch ? 0 : next++ % model.values.size());
      }
    }
  return shapes;
}

std::vector<artifact::Program> LoadedModel::programs(const std::string& target,
                                                     std::span<const artifact::Program> described) {
  Side inputs = side(true);
  const Side outputs = side(false);
  if (inputs.names.empty() || outputs.names.empty())
    fail(ErrorCode::kIo, "{}: AscendCL tells of {} inputs and {} outputs", path_, inputs.names.size(),
         outputs.names.size());
  OfflineModel model{.path = path_};
  std::vector<std::vector<int64_t>> plans;
  model.gears = gears(plans);
  if (plans.empty()) plans.emplace_back();
  const Side given = inputs;  // with the input that chooses
  if (model.gears != Gears::kNone) {
    size_t index = 0;
    library_.check(library_.aclmdlGetInputIndexByName(desc_, acl::kDynamicTensorName, &index),
                   "aclmdlGetInputIndexByName", path_);
    if (index >= inputs.names.size())
      fail(ErrorCode::kIo, "{}: AscendCL tells of {} inputs, and that input {} chooses the shape", path_,
           inputs.names.size(), index);
    model.gear_index = static_cast<int64_t>(index);
    model.gear_bytes = inputs.bytes.at(index);
    const auto at = static_cast<ptrdiff_t>(index);
    inputs.names.erase(inputs.names.begin() + at);
    inputs.types.erase(inputs.types.begin() + at);
    inputs.shapes.erase(inputs.shapes.begin() + at);
    inputs.bytes.erase(inputs.bytes.begin() + at);
  }
  model.input_bytes = inputs.bytes;
  model.output_bytes = outputs.bytes;

  std::vector<artifact::Program> programs;
  for (std::vector<int64_t>& values : plans) {
    model.values = std::move(values);
    artifact::Program program;
    program.target = target;
    program.graph.name = "offline model";
    program.graph.opset = 11;
    ir::Node node = kernels::ascend::node_of(model);
    if (!described.empty()) {
      const ir::Graph& graph = described[std::min(programs.size(), described.size() - 1)].graph;
      program.graph.metadata = graph.metadata;
      if (const auto aipp = ops::input_aipp(graph)) node.attributes.merge(ops::aipp_attributes(*aipp));
    }
    const auto add = [&](const Side& tensors, const std::vector<Shape>& shapes, artifact::Placement::Space space,
                         std::vector<ir::ValueId>& of_graph, std::vector<ir::ValueId>& of_node,
                         const std::vector<int64_t>& most) {
      for (size_t i = 0; i < tensors.names.size(); ++i) {
        const auto count = checked_numel(shapes[i]);
        if (!count || static_cast<int64_t>(*count * dtype_size(tensors.types[i])) > most[i])
          fail(ErrorCode::kUnsupported,
               "{}: the shape of tensor '{}' is {}, which is open, or does not fit its {} bytes", path_,
               tensors.names[i], shape_text(shapes[i]), most[i]);
        const ir::ValueId id = program.graph.add_value({tensors.names[i], tensors.types[i], shapes[i], {}});
        program.placements.push_back({space, i});
        of_graph.push_back(id);
        of_node.push_back(id);
      }
    };
    add(inputs, input_shapes(model, inputs.shapes), artifact::Placement::Space::kInput, program.graph.inputs,
        node.inputs, model.input_bytes);
    add(outputs, output_shapes(model, given, outputs), artifact::Placement::Space::kOutput, program.graph.outputs,
        node.outputs, model.output_bytes);
    program.graph.nodes.push_back(std::move(node));
    programs.push_back(std::move(program));
  }
  return programs;
}

}  // namespace

std::vector<artifact::Program> read_model(const std::filesystem::path& path, const std::string& target) {
  const kernels::Device& device = kernels::ascend::device(target);
  std::vector<artifact::Program> ours;  // what the file itself says, where we can read it
  if (artifact::is_om(path)) ours = artifact::read_om(path);
  const std::unique_ptr<kernels::Queue> queue = device.make_queue();  // a context for this thread
  LoadedModel model(Library::instance(), std::filesystem::absolute(path));
  return model.programs(std::string(device.target().name), ours);
}

}  // namespace effdet::ascend
