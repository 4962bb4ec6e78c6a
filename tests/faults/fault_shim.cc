// Preloaded into a command under test (LD_PRELOAD): makes chosen calls to the C library fail, as a machine that is
// full, broken or out of memory would, or does something just before them. What to do is in the environment:
//
//   FAULT_CALL        malloc, open, read, write, fsync, close, rename, mmap, thread, accept, receive, send
//   FAULT_NUMBER      which of these calls since main() began it is, from 1; absent: none
//   FAULT_EVERY       1: the later ones too
//   FAULT_DEED        number of an error: the call fails; "short": reads and writes move half of what was asked;
//                     "interrupt": every other call is interrupted; "signal N": the process gets a signal; "shrink",
//                     "delete", "replace": another process does that to FAULT_FILE, the last with FAULT_FILE.new
//   FAULT_FILE        see there
//   FAULT_COUNT_FILE  gets the number of calls of each kind, a long each in the order of FAULT_CALL
//
// Calls that the C library makes itself are out of reach: fopen, fwrite and their like are taken in place of those.
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>

extern "C" {
// The allocator under its other names: dlsym() allocates and cannot look these up.
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
}

namespace {

enum class Call {
  kNone,
  kMalloc,
  kOpen,
  kRead,
  kWrite,
  kFsync,
  kClose,
  kRename,
  kMmap,
  kThread,
  kAccept,
  kReceive,
  kSend
};
constexpr const char* kNames[] = {"",       "malloc", "open",   "read",   "write",   "fsync", "close",
                                  "rename", "mmap",   "thread", "accept", "receive", "send"};
constexpr size_t kCalls = sizeof kNames / sizeof *kNames;

enum class Deed { kFail, kShort, kInterrupt, kSignal, kShrink, kDelete, kReplace };
constexpr const char* kDeeds[] = {"", "short", "interrupt", "signal ", "shrink", "delete", "replace"};

struct Plan {
  Call call = Call::kNone;
  long number = 0;
  bool every = false;
  Deed deed = Deed::kFail;
  int value = 0;  ///< error or signal
  const char* file = nullptr;
};

Plan plan;
std::atomic<bool> armed = false;
std::atomic<long>* counts = nullptr;  // in the count file, so that they are right however the process ends

Plan read_plan() {
  Plan result;
  const char* call = getenv("FAULT_CALL");
  for (size_t i = 1; call != nullptr && i < kCalls; ++i)
    if (strcmp(call, kNames[i]) == 0) result.call = static_cast<Call>(i);
  const char *number = getenv("FAULT_NUMBER"), *deed = getenv("FAULT_DEED");
  result.number = number != nullptr ? atol(number) : 0;
  result.every = getenv("FAULT_EVERY") != nullptr;
  result.file = getenv("FAULT_FILE");
  if (deed == nullptr) return result;
  for (size_t i = 1; i < sizeof kDeeds / sizeof *kDeeds; ++i)
    if (strncmp(deed, kDeeds[i], strlen(kDeeds[i])) == 0) result.deed = static_cast<Deed>(i);
  result.value = result.deed == Deed::kInterrupt ? EINTR : atoi(deed + strlen(kDeeds[static_cast<int>(result.deed)]));
  return result;
}

void map_counts() {
  static std::atomic<long> own[kCalls];
  counts = own;
  const char* path = getenv("FAULT_COUNT_FILE");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0 || ftruncate(fd, sizeof own) != 0) abort();
  void* memory = mmap(nullptr, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) abort();
  counts = static_cast<std::atomic<long>*>(memory);
  close(fd);
}

/// Counts a call; true where it is one of those that shall not go as usual.
bool chosen(Call call) {
  if (!armed.load(std::memory_order_relaxed)) return false;
  const long now = ++counts[static_cast<size_t>(call)];
  if (plan.call != call) return false;
  if (plan.deed == Deed::kInterrupt) return now % 2 == 1;
  return plan.number > 0 && (now == plan.number || (plan.every && now > plan.number));
}

/// What another process does meanwhile.
void act() {
  struct stat info;
  if (plan.deed == Deed::kSignal) kill(getpid(), plan.value);
  if (plan.deed == Deed::kShrink && stat(plan.file, &info) == 0 && truncate(plan.file, info.st_size / 2) != 0) abort();
  if (plan.deed == Deed::kDelete) unlink(plan.file);
  if (plan.deed != Deed::kReplace) return;
  char other[4096];
  snprintf(other, sizeof other, "%s.new", plan.file);
  syscall(SYS_rename, other, plan.file);  // not the one below
}

/// Counts a call; true, with errno, where it shall fail.
bool fails(Call call) {
  if (!chosen(call) || plan.deed == Deed::kShort) return false;
  if (plan.deed != Deed::kFail && plan.deed != Deed::kInterrupt) return act(), false;
  errno = plan.value;
  return true;
}

/// For functions that hide interruptions from their caller.
bool fails_for_good(Call call) { return plan.deed != Deed::kInterrupt && fails(call); }

/// How many bytes a read or write shall move.
size_t shortened(Call call, size_t size) {
  return plan.deed == Deed::kShort && plan.call == call ? (size + 1) / 2 : size;
}

/// An eventfd or timerfd: neither devices nor their space nor half of a number are at stake.
bool is_counter(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && (info.st_mode & S_IFMT) == 0;
}

template <typename Function>
Function* next(const char* name, Function*) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) abort();
  return reinterpret_cast<Function*>(found);
}

/// The C library's own function of that name, looked up once.
#define REAL(function)                                   \
  ([]() -> decltype(&function) {                         \
    static const auto real = next(#function, &function); \
    return real;                                         \
  }())

int (*real_main)(int, char**, char**) = nullptr;

int main_with_faults(int argc, char** argv, char** environment) {
  plan = read_plan();
  map_counts();
  armed = true;
  const int code = real_main(argc, argv, environment);
  armed = false;
  return code;
}

}  // namespace

extern "C" {

int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(), void (*fini)(),
                      void (*rtld_fini)(), void* stack_end) {
  real_main = main;
  return REAL(__libc_start_main)(main_with_faults, argc, argv, init, fini, rtld_fini, stack_end);
}

// What the C library runs at the end, gcov's counters among it, is no part of the test.
[[noreturn]] void exit(int code) {
  armed = false;
  REAL(exit)(code);
  __builtin_unreachable();
}

void* malloc(size_t size) { return fails(Call::kMalloc) ? nullptr : __libc_malloc(size); }
void* calloc(size_t number, size_t size) { return fails(Call::kMalloc) ? nullptr : __libc_calloc(number, size); }
void* realloc(void* old, size_t size) { return fails(Call::kMalloc) ? nullptr : __libc_realloc(old, size); }
void* memalign(size_t alignment, size_t size) {
  return fails(Call::kMalloc) ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return fails(Call::kOpen) ? -1 : REAL(open)(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return open(path, flags, mode);
}
// The names that calls have where _FORTIFY_SOURCE checks them.
int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open(path, flags); }
FILE* fopen(const char* path, const char* mode) { return fails(Call::kOpen) ? nullptr : REAL(fopen)(path, mode); }
FILE* fopen64(const char* path, const char* mode) { return fopen(path, mode); }
DIR* opendir(const char* path) { return fails(Call::kOpen) ? nullptr : REAL(opendir)(path); }

ssize_t read(int fd, void* bytes, size_t size) {
  if (is_counter(fd)) return REAL(read)(fd, bytes, size);
  return fails(Call::kRead) ? -1 : REAL(read)(fd, bytes, shortened(Call::kRead, size));
}
ssize_t __read_chk(int fd, void* bytes, size_t size, size_t) { return read(fd, bytes, size); }
ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  return fails(Call::kRead) ? -1 : REAL(pread)(fd, bytes, shortened(Call::kRead, size), offset);
}
ssize_t pread64(int fd, void* bytes, size_t size, off64_t offset) { return pread(fd, bytes, size, offset); }
ssize_t __pread_chk(int fd, void* bytes, size_t size, off_t offset, size_t) { return pread(fd, bytes, size, offset); }
ssize_t __pread64_chk(int fd, void* bytes, size_t size, off64_t offset, size_t) {
  return pread(fd, bytes, size, offset);
}
struct dirent* readdir(DIR* folder) {
  return fails_for_good(Call::kRead) ? nullptr : REAL(readdir)(folder);
}
struct dirent64* readdir64(DIR* folder) {
  return fails_for_good(Call::kRead) ? nullptr : REAL(readdir64)(folder);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  if (is_counter(fd)) return REAL(write)(fd, bytes, size);
  return fails(Call::kWrite) ? -1 : REAL(write)(fd, bytes, shortened(Call::kWrite, size));
}
ssize_t writev(int fd, const struct iovec* parts, int number) {
  return fails(Call::kWrite) ? -1 : REAL(writev)(fd, parts, number);
}
size_t fwrite(const void* bytes, size_t size, size_t number, FILE* file) {
  return file != stderr && fails_for_good(Call::kWrite) ? 0 : REAL(fwrite)(bytes, size, number, file);
}

int accept(int fd, struct sockaddr* address, socklen_t* length) {
  return fails(Call::kAccept) ? -1 : REAL(accept)(fd, address, length);
}
int accept4(int fd, struct sockaddr* address, socklen_t* length, int flags) {
  return fails(Call::kAccept) ? -1 : REAL(accept4)(fd, address, length, flags);
}
ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  return fails(Call::kReceive) ? -1 : REAL(recv)(fd, bytes, shortened(Call::kReceive, size), flags);
}
ssize_t __recv_chk(int fd, void* bytes, size_t size, size_t, int flags) { return recv(fd, bytes, size, flags); }
ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  return fails(Call::kSend) ? -1 : REAL(send)(fd, bytes, shortened(Call::kSend, size), flags);
}
ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  return fails(Call::kSend) ? -1 : REAL(sendmsg)(fd, message, flags);
}

int fsync(int fd) { return fails(Call::kFsync) ? -1 : REAL(fsync)(fd); }

// The descriptor is gone even where close() fails.
int close(int fd) {
  const int result = REAL(close)(fd);
  return fails(Call::kClose) ? -1 : result;
}

int rename(const char* from, const char* to) { return fails(Call::kRename) ? -1 : REAL(rename)(from, to); }

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  return fails(Call::kMmap) ? MAP_FAILED : REAL(mmap)(address, size, protection, flags, fd, offset);
}
void* mmap64(void* address, size_t size, int protection, int flags, int fd, off64_t offset) {
  return mmap(address, size, protection, flags, fd, offset);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  return fails(Call::kThread) ? plan.value : REAL(pthread_create)(thread, attributes, start, argument);
}

}  // extern "C"
