// Memory limits of the process, its resource limits and its control groups, and budgets below them.
#include "base/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/error.h"

namespace effdet::inline base {
namespace {

constexpr uint64_t kNoLimit = UINT64_MAX;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A limit file's number; version 2 says "max" for none, version 1 a number near 2^63.
uint64_t limit_in(const std::filesystem::path& path) {
  const std::string text = text_of(path);
  uint64_t limit = kNoLimit;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  return error == std::errc() ? limit : kNoLimit;
}

/// The least limit of a group and all those that it is in. Within a container the path may be the host's, which is not
/// to be seen there: the container's own group is then the topmost.
uint64_t limit_of_group(const std::filesystem::path& top, std::string_view group, const char* file) {
  uint64_t least = limit_in(top / file);
  std::filesystem::path path = top;
  for (const auto& part : std::filesystem::path(group).relative_path()) {
    path /= part;
    least = std::min(least, limit_in(path / file));
  }
  return least;
}

uint64_t minus(uint64_t limit, uint64_t used) { return limit == kNoLimit ? limit : limit - std::min(limit, used); }

uint64_t resource_limit(int resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : kNoLimit;
}

uint64_t page_bytes() { return static_cast<uint64_t>(std::max(1L, ::sysconf(_SC_PAGESIZE))); }

/// Bytes of a process: address space, resident, and data (with the stack).
struct OwnMemory {
  uint64_t addresses = 0, resident = 0, data = 0;
};

OwnMemory own_memory() {
  const uint64_t page = page_bytes();
  std::ifstream file("/proc/self/statm");
  uint64_t addresses = 0, resident = 0, shared = 0, text = 0, unused = 0, data = 0;
  file >> addresses >> resident >> shared >> text >> unused >> data;
  return {addresses * page, resident * page, data * page};
}

}  // namespace

uint64_t control_group_limit(std::string_view membership, const std::filesystem::path& mounted) {
  uint64_t least = kNoLimit;
  while (!membership.empty()) {
    const size_t end = std::min(membership.find('\n'), membership.size());
    const std::string_view line = membership.substr(0, end);  // "0::/group", or "7:memory:/group" of version 1
    membership.remove_prefix(std::min(end + 1, membership.size()));
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    const std::string_view group = line.substr(second + 1);
    if (controllers == ",,") least = std::min(least, limit_of_group(mounted, group, "memory.max"));
    if (controllers.find(",memory,") != controllers.npos)
      least = std::min(least, limit_of_group(mounted / "memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

uint64_t memory_used() { return own_memory().resident; }

uint64_t memory_left() {
  const auto pages = static_cast<uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  static const uint64_t group = control_group_limit(text_of("/proc/self/cgroup"), "/sys/fs/cgroup");
  const OwnMemory own = own_memory();
  return std::min({minus(pages == 0 ? kNoLimit : pages * page_bytes(), own.resident), minus(group, own.resident),
                   minus(resource_limit(RLIMIT_AS), own.addresses), minus(resource_limit(RLIMIT_DATA), own.data)});
}

void release_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what) {
  constexpr size_t kHugePage = size_t{2} << 20, kCacheLine = 64;
  if (bytes == 0) return nullptr;
  const bool large = bytes >= 2 * kHugePage;
  const size_t alignment = large ? kHugePage : kCacheLine;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  const bool fits = rounded >= bytes && (!large || bytes <= memory_left());
  void* memory = fits ? std::aligned_alloc(alignment, rounded) : nullptr;
  if (memory == nullptr) fail(ErrorCode::kOutOfMemory, "cannot allocate {} bytes for the {}", bytes, what);
  if (large) ::madvise(memory, rounded, MADV_HUGEPAGE);
  return {static_cast<std::byte*>(memory), [](std::byte* p) { std::free(p); }};
}

/// One budget, and those around it.
class MemoryBudget::Account {
 public:
  Account(uint64_t limit, std::shared_ptr<Account> outer) : limit_(limit), outer_(std::move(outer)) {}

  uint64_t left() const {
    const uint64_t here = minus(limit_, used_);
    return outer_ == nullptr ? here : std::min(here, outer_->left());
  }
  void add(uint64_t bytes) {
    const uint64_t now = used_ += bytes;
    uint64_t most = peak_;
    while (most < now && !peak_.compare_exchange_weak(most, now)) {
    }
    if (outer_ != nullptr) outer_->add(bytes);
  }
  void subtract(uint64_t bytes) {
    used_ -= bytes;
    if (outer_ != nullptr) outer_->subtract(bytes);
  }
  uint64_t used() const { return used_; }
  uint64_t peak() const { return peak_; }
  const std::shared_ptr<Account>& outer() const { return outer_; }

  static thread_local std::shared_ptr<Account> current;

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_ = 0, peak_ = 0;
  std::shared_ptr<Account> outer_;
};

thread_local std::shared_ptr<MemoryBudget::Account> MemoryBudget::Account::current;

MemoryBudget::MemoryBudget(uint64_t bytes) : account_(std::make_shared<Account>(bytes, Account::current)) {
  Account::current = account_;
}

MemoryBudget::~MemoryBudget() { Account::current = account_->outer(); }

uint64_t MemoryBudget::used() const { return account_->used(); }
uint64_t MemoryBudget::peak() const { return account_->peak(); }
uint64_t MemoryBudget::left() { return Account::current == nullptr ? kNoLimit : Account::current->left(); }

std::shared_ptr<MemoryBudget::Account> MemoryBudget::take(uint64_t bytes) {
  if (Account::current == nullptr) return nullptr;
  if (bytes > Account::current->left())
    fail(ErrorCode::kOutOfMemory, "a tensor of {} bytes is above the {} that are left", bytes, left());
  Account::current->add(bytes);
  return Account::current;
}

void MemoryBudget::release(Account& account, uint64_t bytes) { account.subtract(bytes); }

}  // namespace effdet::inline base
