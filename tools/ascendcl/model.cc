// Loading and unloading of models.
#include "model.h"

#include <cstring>
#include <map>
#include <shared_mutex>

#include "device_memory.h"
#include "kernels/ascend/functions.h"
#include "library.h"
#include "settings.h"

namespace effdet::acl {
namespace {

struct Models {
  std::shared_mutex mutex;
  std::map<uint32_t, std::shared_ptr<Model>> by_id;
  uint32_t last = 0;
};
Models& models() {
  static auto& kept = *new Models;
  return kept;
}

/// Memory that a program gives for a model: it is checked, and not used, since a model here has what it needs beside
/// its file. Null: the library's own.
struct GivenMemory {
  void* work = nullptr;
  size_t work_bytes = 0;
  void* weights = nullptr;
  size_t weight_bytes = 0;
};

void check_memory(const GivenMemory& given, const CompiledModel& model) {
  const auto check = [](const void* address, size_t bytes, uint64_t needed, const char* parameter) {
    if (address == nullptr) return;
    require(bytes >= needed, kGeParamInvalid, "{}: {} bytes, the model needs {}", parameter, bytes, needed);
    DeviceMemory::instance().at(address, bytes, parameter);
  };
  check(given.work, given.work_bytes, model.arena_bytes(), "workPtr");
  check(given.weights, given.weight_bytes, model.weight_bytes(), "weightPtr");
}

template <typename Open>
aclError load(const char* function, uint32_t* id, const GivenMemory& memory, Open&& open) {
  return answer(function, [&] {
    uint32_t& out = need(id, "modelId");
    require_initialized();
    std::shared_ptr<Context> context = current_context();
    CompiledModel model = open();
    check_memory(memory, model);
    uint32_t number = 0;
    {
      const std::unique_lock lock(models().mutex);
      number = ++models().last;
    }
    auto loaded = std::make_shared<Model>(std::move(model), number, std::move(context));
    const std::unique_lock lock(models().mutex);
    models().by_id.emplace(number, std::move(loaded));
    out = number;
  });
}

void tell_sizes(const CompiledModel& model, size_t& work, size_t& weights) {
  work = model.arena_bytes();
  weights = model.weight_bytes();
}

/// The last of the options in the vendor's headers.
constexpr unsigned kLastConfigOption = 28;

/// What aclmdlLoadWithConfig is told, option by option.
struct LoadConfig {
  size_t type = 0;
  std::string path;
  const void* model = nullptr;
  size_t model_bytes = 0;
  GivenMemory memory;
};
Handles<LoadConfig>& load_configs() {
  static auto& kept = *new Handles<LoadConfig>(8, "model configuration", kInvalidParam);
  return kept;
}

template <typename T>
T value_of(const void* value, size_t bytes) {
  require(bytes == sizeof(T), kInvalidParam, "valueSize = {}, the option has {} bytes", bytes, sizeof(T));
  T copy;
  std::memcpy(&copy, value, sizeof copy);
  return copy;
}

}  // namespace

Model::Model(CompiledModel compiled, uint32_t id, std::shared_ptr<Context> in)
    : model(std::move(compiled)),
      desc(describe(model, id)),
      context(std::move(in)),
      memory(
          DeviceMemory::instance().reserve(context->device(), model.arena_bytes() + model.weight_bytes(), "a model")),
      runner(model, settings().threads) {
  inputs.resize(model.inputs().size());
  outputs.resize(model.outputs().size());
}

std::optional<size_t> Model::chosen_plan() {
  const std::lock_guard lock(mutex_);
  return plan_;
}

void Model::choose_plan(size_t plan) {
  const std::lock_guard lock(mutex_);
  plan_ = plan;
}

std::shared_ptr<Model> model_of(uint32_t id) {
  const std::shared_lock lock(models().mutex);
  const auto found = models().by_id.find(id);
  require(found != models().by_id.end(), kGeExecModelIdInvalid, "there is no model {}, or it was unloaded", id);
  return found->second;
}

// This processor, whatever the file is: a model of CANN would be handed to AscendCL, which is us.
CompiledModel open_model(const char* path) { return CompiledModel::load(&need(path, "modelPath"), "cpu"); }

CompiledModel open_model(const void* model, size_t bytes) {
  const auto* begin = &need(static_cast<const std::byte*>(model), "model");
  require(bytes > 0, kInvalidParam, "modelSize is 0");
  // A program may have put the file into a device's memory.
  Place place;
  if (DeviceMemory::instance().contains(model)) {
    place = DeviceMemory::instance().at(model, bytes, "model");
    begin = place.data;
  }
  return CompiledModel::load(std::span(begin, bytes), "a model in memory");
}

ACL_EXPORT aclError aclmdlLoadFromFile(const char* path, uint32_t* id) {
  return load("aclmdlLoadFromFile", id, {}, [&] { return open_model(path); });
}
ACL_EXPORT aclError aclmdlLoadFromMem(const void* model, size_t bytes, uint32_t* id) {
  return load("aclmdlLoadFromMem", id, {}, [&] { return open_model(model, bytes); });
}
ACL_EXPORT aclError aclmdlLoadFromFileWithMem(const char* path, uint32_t* id, void* work, size_t work_bytes,
                                              void* weights, size_t weight_bytes) {
  return load("aclmdlLoadFromFileWithMem", id, {work, work_bytes, weights, weight_bytes},
              [&] { return open_model(path); });
}
ACL_EXPORT aclError aclmdlLoadFromMemWithMem(const void* model, size_t bytes, uint32_t* id, void* work,
                                             size_t work_bytes, void* weights, size_t weight_bytes) {
  return load("aclmdlLoadFromMemWithMem", id, {work, work_bytes, weights, weight_bytes},
              [&] { return open_model(model, bytes); });
}

ACL_EXPORT aclError aclmdlUnload(uint32_t id) {
  return answer("aclmdlUnload", [&] {
    require_initialized();
    std::shared_ptr<Model> last;
    {
      const std::unique_lock lock(models().mutex);
      const auto found = models().by_id.find(id);
      require(found != models().by_id.end(), kGeExecModelIdInvalid, "there is no model {}, or it was unloaded", id);
      last = std::move(found->second);
      models().by_id.erase(found);
    }
    const std::lock_guard finished(last->running);  // what runs on a stream keeps the model until then
  });
}

ACL_EXPORT aclError aclmdlQuerySize(const char* path, size_t* work, size_t* weights) {
  return answer("aclmdlQuerySize",
                [&] { tell_sizes(open_model(path), need(work, "workSize"), need(weights, "weightSize")); });
}
ACL_EXPORT aclError aclmdlQuerySizeFromMem(const void* model, size_t bytes, size_t* work, size_t* weights) {
  return answer("aclmdlQuerySizeFromMem",
                [&] { tell_sizes(open_model(model, bytes), need(work, "workSize"), need(weights, "weightSize")); });
}
ACL_EXPORT aclError aclmdlQueryExeOMDesc(const char* path, aclmdlExeOMDesc* sizes) {
  return answer("aclmdlQueryExeOMDesc", [&] {
    aclmdlExeOMDesc& out = need(sizes, "mdlPartitionSize");
    const CompiledModel model = open_model(path);
    out = {};
    tell_sizes(model, out.workSize, out.weightSize);
  });
}

ACL_EXPORT aclmdlConfigHandle* aclmdlCreateConfigHandle() {
  return answer_or<aclmdlConfigHandle*>("aclmdlCreateConfigHandle", nullptr, [] {
    return static_cast<aclmdlConfigHandle*>(load_configs().add(std::make_shared<LoadConfig>()));
  });
}
ACL_EXPORT aclError aclmdlDestroyConfigHandle(aclmdlConfigHandle* config) {
  return answer("aclmdlDestroyConfigHandle", [&] { load_configs().remove(config); });
}
ACL_EXPORT aclError aclmdlSetConfigOpt(aclmdlConfigHandle* handle, aclmdlConfigAttr option, const void* value,
                                       size_t bytes) {
  return answer("aclmdlSetConfigOpt", [&] {
    const auto config = load_configs().get(handle);
    need(static_cast<const std::byte*>(value), "attrValue");
    switch (option) {
      case ACL_MDL_PRIORITY_INT32:
        value_of<int32_t>(value, bytes);
        return;
      case ACL_MDL_LOAD_TYPE_SIZET:
        config->type = value_of<size_t>(value, bytes);
        require(config->type >= 1 && config->type <= 6, kInvalidParam, "load type {} is none from 1 to 6",
                config->type);
        return;
      case ACL_MDL_PATH_PTR:
        config->path = &need(value_of<const char*>(value, bytes), "attrValue");
        return;
      case ACL_MDL_MEM_ADDR_PTR:
        config->model = value_of<const void*>(value, bytes);
        return;
      case ACL_MDL_MEM_SIZET:
        config->model_bytes = value_of<size_t>(value, bytes);
        return;
      case ACL_MDL_WEIGHT_ADDR_PTR:
        config->memory.weights = value_of<void*>(value, bytes);
        return;
      case ACL_MDL_WEIGHT_SIZET:
        config->memory.weight_bytes = value_of<size_t>(value, bytes);
        return;
      case ACL_MDL_WORKSPACE_ADDR_PTR:
        config->memory.work = value_of<void*>(value, bytes);
        return;
      case ACL_MDL_WORKSPACE_MEM_OPTIMIZE:
        require(value_of<size_t>(value, bytes) <= 1, kInvalidParam, "the option is 0 or 1");
        return;
      case ACL_MDL_WORKSPACE_SIZET:
        config->memory.work_bytes = value_of<size_t>(value, bytes);
        return;
    }
    require(static_cast<unsigned>(option) <= kLastConfigOption, kInvalidParam, "there is no option {}",
            static_cast<unsigned>(option));
    fail(kApiNotSupport, "option {} is not supported", static_cast<unsigned>(option));
  });
}
ACL_EXPORT aclError aclmdlLoadWithConfig(const aclmdlConfigHandle* handle, uint32_t* id) {
  std::shared_ptr<LoadConfig> config;
  if (const aclError code = answer("aclmdlLoadWithConfig", [&] { config = load_configs().get(handle); });
      code != kSuccess)
    return code;
  // The ways to load, by the numbers of the interface: from a file or memory, with or without memory for the model.
  static constexpr size_t kFile = 1, kFileWithMemory = 2, kBytes = 3, kBytesWithMemory = 4;
  const bool with_memory = config->type == kFileWithMemory || config->type == kBytesWithMemory;
  return load("aclmdlLoadWithConfig", id, with_memory ? config->memory : GivenMemory{}, [&] {
    if (config->type == kBytes || config->type == kBytesWithMemory)
      return open_model(config->model, config->model_bytes);
    require(config->type == kFile || config->type == kFileWithMemory, kInvalidParam, "load type {} is none from 1 to 4",
            config->type);
    require(!config->path.empty(), kInvalidParam, "ACL_MDL_PATH_PTR was not set");
    return open_model(config->path.c_str());
  });
}

}  // namespace effdet::acl
