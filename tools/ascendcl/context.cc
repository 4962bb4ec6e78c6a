// The context of each thread; the context functions of the interface.
#include "context.h"

#include "device.h"
#include "kernels/ascend/functions.h"

namespace effdet::acl {
namespace {

thread_local void* current = nullptr;

}  // namespace

std::shared_ptr<Stream> Context::default_stream() {
  const std::lock_guard lock(mutex_);
  if (default_stream_ == nullptr) {
    default_stream_ = std::make_shared<Stream>(handle_);
    default_stream_handle_ = streams().add(default_stream_);
  }
  return default_stream_;
}

void Context::drop_default_stream() {
  const std::lock_guard lock(mutex_);
  default_stream_ = nullptr;
}

void* Context::default_stream_handle() {
  default_stream();
  return default_stream_handle_;
}

Handles<Context>& contexts() {
  static auto& kept = *new Handles<Context>(1, "context", kRtContextNull);
  return kept;
}

void* add_context(std::shared_ptr<Context> context) {
  Context& added = *context;
  added.handle_ = contexts().add(std::move(context));
  return added.handle_;
}

std::shared_ptr<Context> current_context() {
  require(current != nullptr, kRtContextNull,
          "this thread has no context: call aclrtSetDevice or aclrtSetCurrentContext");
  return contexts().get(current);
}

void set_current_context(void* handle) { current = handle; }

void synchronize_context(const Context& context, std::optional<std::chrono::milliseconds> timeout) {
  for (const auto& stream : streams().all())
    if (stream->context() == context.handle()) stream->synchronize(timeout);
}

void destroy_context(void* handle) {
  const std::shared_ptr<Context> context = contexts().remove(handle);
  context->drop_default_stream();
  for (const auto& stream : streams().remove_if([&](const Stream& s) { return s.context() == handle; }))
    stream->drop_tasks();
  if (current == handle) current = nullptr;
}

ACL_EXPORT aclError aclrtCreateContext(aclrtContext* context, int32_t device) {
  return answer("aclrtCreateContext", [&] {
    aclrtContext& out = need(context, "context");
    require_device(device);
    out = add_context(std::make_shared<Context>(device));
    set_current_context(out);
  });
}

ACL_EXPORT aclError aclrtDestroyContext(aclrtContext context) {
  return answer("aclrtDestroyContext", [&] {
    require(context != nullptr, kInvalidParam, "context is null");
    require(!contexts().get(context)->is_of_device(), kRtContextNull,
            "a device's own context goes with aclrtResetDevice");
    destroy_context(context);
  });
}

ACL_EXPORT aclError aclrtSetCurrentContext(aclrtContext context) {
  return answer("aclrtSetCurrentContext", [&] {
    require(context != nullptr, kInvalidParam, "context is null");
    contexts().get(context);
    set_current_context(context);
  });
}

ACL_EXPORT aclError aclrtGetCurrentContext(aclrtContext* context) {
  return answer("aclrtGetCurrentContext", [&] { need(context, "context") = current_context()->handle(); });
}

ACL_EXPORT aclError aclrtCtxGetCurrentDefaultStream(aclrtStream* stream) {
  return answer("aclrtCtxGetCurrentDefaultStream",
                [&] { need(stream, "stream") = current_context()->default_stream_handle(); });
}

}  // namespace effdet::acl
