// The functions that libeffdet calls.
#include <new>

#include "video/module/reader.h"
#include "video/module/writer.h"

namespace effdet::video {
namespace {

/// Runs a part of the work; where it fails, fills the error and gives `failed`.
template <typename Work, typename Result>
Result guarded(ModuleError* error, Result failed, Work work) {
  try {
    return work();
  } catch (const Failure& failure) {
    fill(*error, failure);
  } catch (const std::bad_alloc&) {
    fill(*error, {"no memory", false});
  }
  return failed;
}

void* open_reader(const ModuleInput* input, ModuleInfo* info, ModuleError* error) {
  return guarded<>(error, static_cast<void*>(nullptr), [&]() -> void* {
    auto reader = std::make_unique<Reader>(*input);
    *info = reader->info();
    return reader.release();
  });
}

bool seek(void* reader, double seconds, ModuleError* error) {
  return guarded(error, false, [&] { return static_cast<Reader*>(reader)->seek(seconds), true; });
}

int read(void* reader, bool skip, ModuleFrame* frame, ModuleError* error) {
  return guarded(error, -1, [&] { return static_cast<Reader*>(reader)->read(skip, *frame) ? 1 : 0; });
}

int64_t broken(void* reader) { return static_cast<Reader*>(reader)->broken(); }
void close_reader(void* reader) { delete static_cast<Reader*>(reader); }

void* create(const ModuleOutput* output, ModuleError* error) {
  return guarded(error, static_cast<void*>(nullptr), [&]() -> void* { return new Writer(*output); });
}

bool write(void* writer, const uint8_t* rgb, double seconds, ModuleError* error) {
  return guarded(error, false, [&] { return static_cast<Writer*>(writer)->write(rgb, seconds), true; });
}

bool finish(void* writer, ModuleError* error) {
  const std::unique_ptr<Writer> owner(static_cast<Writer*>(writer));
  return guarded(error, false, [&] { return owner->finish(), true; });
}

void discard(void* writer) { delete static_cast<Writer*>(writer); }

constexpr ModuleFunctions kFunctions{kModuleVersion, open_reader, seek,  read,   broken,
                                     close_reader,   create,      write, finish, discard};

}  // namespace
}  // namespace effdet::video

extern "C" __attribute__((visibility("default"))) const effdet::video::ModuleFunctions* effdet_video_module() {
  return &effdet::video::kFunctions;
}
