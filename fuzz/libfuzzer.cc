// libFuzzer's functions: the program's name says which target it runs (checkpoint_fuzz).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "target.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace effdet::fuzz {
namespace {

const Target* target = nullptr;

Bytes bytes_of(const uint8_t* data, size_t size) { return {reinterpret_cast<const std::byte*>(data), size}; }

void find_target(std::filesystem::path program) {
  std::string name = program.filename().string();
  if (name.ends_with("_fuzz")) name.resize(name.size() - std::strlen("_fuzz"));
  const auto found = std::ranges::find(kTargets, name, &Target::name);
  if (found == kTargets.end()) {
    std::fprintf(stderr, "there is no target '%s'; call this program by a link NAME_fuzz, of:", name.c_str());
    for (const Target& known : kTargets) std::fprintf(stderr, " %s", std::string(known.name).c_str());
    std::fputc('\n', stderr);
    std::exit(2);
  }
  target = &*found;
}

/// A change by meaning every other time. 0 where there is none that fits.
size_t change_by_meaning(uint8_t* data, size_t size, size_t most, std::mt19937& random) {
  if (target->mutate == nullptr || random() % 2 == 0) return 0;
  const std::vector<std::byte> changed = target->mutate(bytes_of(data, size), random);
  if (changed.size() > most) return 0;
  std::ranges::copy(changed, reinterpret_cast<std::byte*>(data));
  return changed.size();
}

}  // namespace
}  // namespace effdet::fuzz

extern "C" {

int LLVMFuzzerInitialize(int*, char*** argv) {
  effdet::fuzz::find_target(**argv);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  effdet::fuzz::target->run(effdet::fuzz::bytes_of(data, size));
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  std::mt19937 random(seed);
  const size_t changed = effdet::fuzz::change_by_meaning(data, size, most, random);
  return changed != 0 ? changed : LLVMFuzzerMutate(data, size, most);
}
}
