// Maps objects of shared memory, and keeps them by name.
#include "server/shared_regions.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "eval/json_reader.h"
#include "server/http_error.h"
#include "server/json_count.h"

namespace effdet::server {
namespace {

/// A name in the folder of shared memory, and no path out of it.
bool is_object_name(std::string_view key) {
  constexpr size_t kLongest = 255;
  if (key.starts_with('/')) key.remove_prefix(1);
  return !key.empty() && key.size() <= kLongest && key != "." && key != ".." &&
         key.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

int open_object(const std::string& key) {
  if (!is_object_name(key)) throw HttpError(400, "key: expected the name of an object of shared memory");
  const int descriptor = ::shm_open(key.c_str(), O_RDWR, 0);
  if (descriptor >= 0) return descriptor;
  const int error = errno;
  const char* why = error == ENOENT   ? "there is none of that name where the server runs"
                    : error == EACCES ? "the server's user may not read and write it"
                                      : std::strerror(error);
  throw HttpError(400, "shared memory '{}': {}", key, why);
}

}  // namespace

void refuse_shared_memory() {
  throw HttpError(400, "shared memory is off: the server was started without --shared-memory");
}

void SharedRegion::Unmap::operator()(std::byte* begin) const { ::munmap(begin, bytes); }

SharedRegion::SharedRegion(std::string key, uint64_t offset, uint64_t bytes)
    : key_(std::move(key)), offset_(offset), file_(open_object(key_)), mapping_(nullptr, {0}) {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode))
    throw HttpError(400, "shared memory '{}': it is none", key_);
  identity_ = {status.st_dev, status.st_ino};
  const auto size = static_cast<uint64_t>(status.st_size);
  if (bytes == 0 || offset > size || bytes > size - offset)
    throw HttpError(400, "shared memory '{}': {} bytes from byte {} on, but it has {}", key_, bytes, offset, size);
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t before = offset % page;
  void* mapped = ::mmap(nullptr, before + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(),
                        static_cast<off_t>(offset - before));
  if (mapped == MAP_FAILED) throw HttpError(503, "shared memory '{}': {}", key_, std::strerror(errno));
  mapping_ = {static_cast<std::byte*>(mapped), Unmap{before + bytes}};
  memory_ = {mapping_.get() + before, bytes};
  guard_.emplace(memory_);
}

void SharedRegion::check_whole() const {
  // The guard does not see an end within a page.
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0 || static_cast<uint64_t>(status.st_size) < offset_ + memory_.size())
    throw HttpError(400, "shared memory '{}' became shorter than its region: register it anew", key_);
  if (guard_->has_lost())
    throw HttpError(400,
                    "shared memory '{}' lost pages: the machine's shared memory was full, or the object was shorter "
                    "for a while; register it anew",
                    key_);
}

bool SharedPlace::overlaps(const SharedPlace& other) const {
  const auto bytes_of = [](const SharedPlace& place) {
    const uint64_t begin =
        place.region->offset() + static_cast<uint64_t>(place.memory.data() - place.region->memory().data());
    return std::pair(begin, begin + place.memory.size());
  };
  const auto [begin, end] = bytes_of(*this);
  const auto [other_begin, other_end] = bytes_of(other);
  return region->same_object(*other.region) && std::max(begin, other_begin) < std::min(end, other_end);
}

void SharedRegions::add(const std::string& name, std::string_view body) {
  std::string key;
  uint64_t offset = 0, bytes = 0;
  eval::JsonReader reader(body, "request");
  eval::MemberSet seen;
  reader.read_object([&](std::string_view member) {
    if (member == "key") {
      seen.add(reader, 0, member);
      key = reader.read_string();
    } else if (member == "byte_size") {
      seen.add(reader, 1, member);
      bytes = read_count(reader, "bytes");
    } else if (member == "offset") {
      seen.add(reader, 2, member);
      offset = read_count(reader, "bytes");
    } else {
      reader.skip();
    }
  });
  reader.finish();
  seen.require(reader, 0, "key");
  seen.require(reader, 1, "byte_size");
  const std::lock_guard lock(mutex_);
  if (regions_.contains(name)) throw HttpError(400, "region '{}' is registered already: unregister it first", name);
  regions_.emplace(name, std::make_shared<const SharedRegion>(std::move(key), offset, bytes));
}

void SharedRegions::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  name.empty() ? regions_.clear() : static_cast<void>(regions_.erase(name));
}

std::string SharedRegions::status(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  if (!name.empty() && !regions_.contains(name)) throw HttpError(400, "region '{}' is not registered", name);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [known, region] : regions_)
    if (name.empty() || name == known)
      list.push_back({{"name", known},
                      {"key", region->key()},
                      {"offset", region->offset()},
                      {"byte_size", region->memory().size()}});
  return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

SharedPlace SharedRegions::find(const SharedPart& part) const {
  const std::lock_guard lock(mutex_);
  const auto found = regions_.find(part.region);
  if (found == regions_.end()) throw HttpError(400, "region '{}' is not registered", part.region);
  const std::span<std::byte> memory = found->second->memory();
  if (part.offset > memory.size() || part.bytes > memory.size() - part.offset)
    throw HttpError(400, "region '{}': {} bytes from byte {} on, but it has {}", part.region, part.bytes, part.offset,
                    memory.size());
  return {found->second, memory.subspan(part.offset, part.bytes)};
}

}  // namespace effdet::server
