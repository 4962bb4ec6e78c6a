// Cards as devices: a session has a context and a loaded model on one of them; copies and runs are of that context.
#include "kernels/ascend/device.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <mutex>
#include <set>

#include "base/error.h"
#include "kernels/ascend/library.h"
#include "kernels/ascend/offline_model.h"

namespace effdet::kernels::ascend {
namespace {

/// A number from 0 on.
int card_of(std::string_view text, std::string_view target) {
  int card = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), card);
  if (error != std::errc() || end != text.data() + text.size() || card < 0)
    fail(ErrorCode::kUsage, "device '{}': '{}' is no number of a card; write ascend, ascend:1 or ascend:0,1", target,
         text);
  return card;
}

std::vector<int> cards_of(std::string_view target) {
  if (target == kTarget) return {0};
  std::vector<int> cards;
  std::string_view rest = target.substr(kTarget.size() + 1);
  for (;;) {
    const size_t comma = rest.find(',');
    cards.push_back(card_of(rest.substr(0, comma), target));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (std::set(cards.begin(), cards.end()).size() != cards.size())
    fail(ErrorCode::kUsage, "device '{}': a card is named twice", target);
  return cards;
}

/// A data set over memory that belongs to others.
class Dataset {
 public:
  explicit Dataset(const Library& library) : library_(library), set_(library.aclmdlCreateDataset()) {
    if (set_ == nullptr) library_.check(acl::kBadAlloc, "aclmdlCreateDataset", "a data set");
  }
  ~Dataset() {
    for (const acl::aclDataBuffer* buffer : buffers_) library_.aclDestroyDataBuffer(buffer);
    library_.aclmdlDestroyDataset(set_);
  }
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  void add(void* memory, size_t bytes) {
    acl::aclDataBuffer* buffer = library_.aclCreateDataBuffer(memory, bytes);
    if (buffer == nullptr) library_.check(acl::kBadAlloc, "aclCreateDataBuffer", "a data set");
    buffers_.push_back(buffer);
    library_.check(library_.aclmdlAddDatasetBuffer(set_, buffer), "aclmdlAddDatasetBuffer", "a data set");
  }
  acl::aclmdlDataset* get() const { return set_; }

 private:
  const Library& library_;
  acl::aclmdlDataset* set_;
  std::vector<acl::aclDataBuffer*> buffers_;
};

/// A context on a card. Memory and models keep it alive.
class Context : public std::enable_shared_from_this<Context> {
 public:
  Context(const Library& library, int card) : library_(library), card_(card) {
    library_.check(library_.aclrtSetDevice(card), "aclrtSetDevice", name());
    const acl::aclError code = library_.aclrtCreateContext(&context_, card);
    if (code != acl::kSuccess) library_.aclrtResetDevice(card);
    library_.check(code, "aclrtCreateContext", name());
  }
  // Failures are not looked at: a card that is lost has told so before.
  ~Context() {
    library_.aclrtDestroyContext(context_);
    library_.aclrtResetDevice(card_);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  std::string name() const { return fmt::format("card {}", card_); }

  /// Contexts are of threads, and the streams of a run move between them.
  void enter() {
    library_.check(library_.aclrtSetCurrentContext(context_), "aclrtSetCurrentContext", name());
    entered_ = weak_from_this();
  }
  /// That of the calling thread. Null where it has none.
  static std::shared_ptr<Context> entered() { return entered_.lock(); }

  std::shared_ptr<std::byte> allocate(size_t bytes, const std::string& what) {
    void* memory = nullptr;
    library_.check(library_.aclrtMalloc(&memory, bytes, acl::ACL_MEM_MALLOC_HUGE_FIRST), "aclrtMalloc", what);
    return {static_cast<std::byte*>(memory), [self = shared_from_this()](std::byte* freed) {
              self->library_.aclrtSetCurrentContext(self->context_);
              self->library_.aclrtFree(freed);
            }};
  }

 private:
  const Library& library_;
  const int card_;
  acl::aclrtContext context_ = nullptr;
  static thread_local std::weak_ptr<Context> entered_;
};
thread_local std::weak_ptr<Context> Context::entered_;

/// What a session runs with: a context, and the models that are loaded in it.
class CardQueue : public Queue {
 public:
  CardQueue(const Library& library, int card) : library_(library), context_(std::make_shared<Context>(library, card)) {
    context_->enter();
  }
  ~CardQueue() override {
    try {
      context_->enter();
    } catch (const Error&) {  // models cannot be unloaded then
      return;
    }
    for (const auto& [path, model] : models_) library_.aclmdlUnload(model.id);
  }
  CardQueue(const CardQueue&) = delete;
  CardQueue& operator=(const CardQueue&) = delete;

  void upload(std::span<const std::byte> from, std::byte* to) override {
    copy(to, from.data(), from.size(), acl::ACL_MEMCPY_HOST_TO_DEVICE);
  }
  void download(const std::byte* from, std::span<std::byte> to) override {
    copy(to.data(), from, to.size(), acl::ACL_MEMCPY_DEVICE_TO_HOST);
  }
  void wait() override {}  // all calls return when they are done

  /// Loads the model, where it is not.
  void load(const OfflineModel& model) {
    if (models_.contains(model.path)) return;
    context_->enter();
    Loaded loaded;
    if (model.gear_index >= 0) loaded.gear = context_->allocate(static_cast<size_t>(model.gear_bytes), model.path);
    library_.check(library_.aclmdlLoadFromFile(model.path.c_str(), &loaded.id), "aclmdlLoadFromFile", model.path);
    models_.emplace(model.path, std::move(loaded));
  }

  void run(const OfflineModel& model, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs) {
    const Loaded& loaded = models_.at(model.path);
    context_->enter();
    Dataset given(library_), made(library_);
    for (size_t i = 0, k = 0; i < inputs.size() + (model.gear_index >= 0 ? 1 : 0); ++i) {
      if (static_cast<int64_t>(i) == model.gear_index) {
        given.add(loaded.gear.get(), static_cast<size_t>(model.gear_bytes));
      } else {
        given.add(const_cast<std::byte*>(inputs[k]), static_cast<size_t>(model.input_bytes[k]));
        ++k;
      }
    }
    for (size_t i = 0; i < outputs.size(); ++i) made.add(outputs[i], static_cast<size_t>(model.output_bytes[i]));
    choose_plan(library_, model, loaded.id, given.get());
    library_.check(library_.aclmdlExecute(loaded.id, given.get(), made.get()), "aclmdlExecute",
                   fmt::format("{}, {}", context_->name(), model.path));
  }

 private:
  struct Loaded {
    uint32_t id = 0;
    std::shared_ptr<std::byte> gear;  ///< the memory of the input that chooses a plan
  };

  void copy(void* to, const void* from, size_t bytes, acl::aclrtMemcpyKind kind) const {
    if (bytes == 0) return;
    context_->enter();
    library_.check(library_.aclrtMemcpy(to, bytes, from, bytes, kind), "aclrtMemcpy", context_->name());
  }

  const Library& library_;
  const std::shared_ptr<Context> context_;
  std::map<std::string, Loaded> models_;
};

class OfflineModelKernel : public Kernel {
 public:
  explicit OfflineModelKernel(OfflineModel model) : model_(std::move(model)) {}
  void prepare(Queue* queue) const override { dynamic_cast<CardQueue&>(*queue).load(model_); }
  void run(const RunContext& context) const override {
    dynamic_cast<CardQueue&>(*context.queue).run(model_, context.inputs, context.outputs);
  }

 private:
  OfflineModel model_;
};

Plan plan_offline_model(const PlanContext& context) {
  return {std::make_unique<OfflineModelKernel>(offline_model_of(context.node)), ""};
}

constexpr Implementation kImplementations[] = {
    {ir::kFusedDomain, kOfflineModel, "ascend:model", plan_offline_model},
};

class Cards : public Device {
 public:
  explicit Cards(std::string name) : name_(std::move(name)), cards_(cards_of(name_)), target_{.name = name_} {}

  const ops::Target& target() const override { return target_; }
  std::span<const Implementation> implementations() const override { return kImplementations; }
  bool uses_host_memory() const override { return false; }

  std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what) const override {
    if (bytes == 0) return nullptr;
    const std::shared_ptr<Context> context = Context::entered();
    if (context == nullptr) fail(ErrorCode::kInternal, "memory for {} on a card without a context", what);
    return context->allocate(bytes, fmt::format("{} bytes for {}", bytes, what));
  }

  std::unique_ptr<Queue> make_queue() const override {
    const Library& library = Library::instance();
    uint32_t count = 0;
    library.check(library.aclrtGetDeviceCount(&count), "aclrtGetDeviceCount", "number of cards");
    const int card = cards_[next_++ % cards_.size()];
    if (card >= static_cast<int>(count))
      fail(ErrorCode::kUsage, "device '{}': there is no card {}, but {}, from 0 on", name_, card, count);
    return std::make_unique<CardQueue>(library, card);
  }

  std::string hardware() const override {
    const Library& library = Library::instance();
    const char* name = library.aclrtGetSocName != nullptr ? library.aclrtGetSocName() : nullptr;
    return name != nullptr ? name : "ascend";
  }

 private:
  const std::string name_;
  const std::vector<int> cards_;
  const ops::Target target_;
  mutable std::atomic<size_t> next_ = 0;
};

}  // namespace

bool is_target(std::string_view target) {
  return target == kTarget ||
         (target.starts_with(kTarget) && target.size() > kTarget.size() && target[kTarget.size()] == ':');
}

const Device& device(std::string_view target) {
  static std::mutex mutex;
  static auto& known = *new std::map<std::string, Cards, std::less<>>;
  const std::lock_guard lock(mutex);
  auto found = known.find(target);
  if (found == known.end()) found = known.try_emplace(std::string(target), std::string(target)).first;
  return found->second;
}

}  // namespace effdet::kernels::ascend
