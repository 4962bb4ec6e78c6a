// Looks at all programs and shared libraries below folders: where they let the loader search, and what protects them.
//
//   check_binaries [--hardened [--fortified]] FOLDER...
//
// Prints one line for each fault; the exit code is 1 where there is one. Empty and relative elements of a run path make
// the loader search the current folder, which may be anybody's. --hardened also wants what the release build is linked
// and compiled with (cmake/hardening.cmake), --fortified what optimised code has besides: tests are not optimised.
#include <elf.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// The parts of an ELF file of this machine that the loader works with. The build's own files: not checked for damage
/// beyond their ranges.
class Binary {
 public:
  explicit Binary(std::string bytes) : bytes_(std::move(bytes)) {
    for (const Elf64_Phdr& segment : array<Elf64_Phdr>(header().e_phoff, header().e_phnum)) {
      segments_.push_back(segment);
      if (segment.p_type != PT_DYNAMIC) continue;
      for (const Elf64_Dyn& entry : array<Elf64_Dyn>(segment.p_offset, segment.p_filesz / sizeof(Elf64_Dyn)))
        if (entry.d_tag != DT_NULL) dynamic_.push_back(entry);
    }
  }

  static bool is_one(std::string_view bytes) {
    Elf64_Ehdr header;
    if (bytes.size() < sizeof header || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) return false;
    std::memcpy(&header, bytes.data(), sizeof header);
    return header.e_ident[EI_CLASS] == ELFCLASS64 && (header.e_type == ET_DYN || header.e_type == ET_EXEC);
  }

  Elf64_Ehdr header() const { return array<Elf64_Ehdr>(0, 1)[0]; }

  const Elf64_Phdr* segment(Elf64_Word type) const {
    for (const Elf64_Phdr& segment : segments_)
      if (segment.p_type == type) return &segment;
    return nullptr;
  }

  std::optional<Elf64_Xword> value(Elf64_Sxword tag) const {
    for (const Elf64_Dyn& entry : dynamic_)
      if (entry.d_tag == tag) return entry.d_un.d_val;
    return std::nullopt;
  }

  /// The strings that entries of a kind name.
  std::vector<std::string> strings(Elf64_Sxword tag) const {
    std::vector<std::string> result;
    for (const Elf64_Dyn& entry : dynamic_)
      if (entry.d_tag == tag) result.emplace_back(bytes_.c_str() + offset_of(*value(DT_STRTAB)) + entry.d_un.d_val);
    return result;
  }

  /// Whether a name that ends so is among the dynamic symbols. Names lie one after the other.
  bool names_symbol(std::string_view ending) const {
    const std::string_view names(bytes_.data() + offset_of(*value(DT_STRTAB)), *value(DT_STRSZ));
    return names.find(std::string(ending) + '\0') != names.npos;
  }

 private:
  template <typename T>
  std::vector<T> array(size_t offset, size_t count) const {
    std::vector<T> result(count);
    if (offset + count * sizeof(T) <= bytes_.size())
      std::memcpy(result.data(), bytes_.data() + offset, count * sizeof(T));
    return result;
  }

  size_t offset_of(Elf64_Addr address) const {
    for (const Elf64_Phdr& segment : segments_)
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
        return address - segment.p_vaddr + segment.p_offset;
    return 0;
  }

  std::string bytes_;
  std::vector<Elf64_Phdr> segments_;
  std::vector<Elf64_Dyn> dynamic_;
};

std::vector<std::string> elements(const std::string& path) {
  std::vector<std::string> result{""};
  for (const char c : path) {
    if (c == ':') {
      result.emplace_back();
    } else {
      result.back() += c;
    }
  }
  return result;
}

int faults = 0;

void fault(const fs::path& file, const std::string& text) {
  std::printf("%s: %s\n", file.c_str(), text.c_str());
  ++faults;
}

void check_paths(const fs::path& file, const Binary& binary) {
  for (const Elf64_Sxword tag : {DT_RPATH, DT_RUNPATH})
    for (const std::string& path : binary.strings(tag))
      for (const std::string& element : elements(path))
        if (!element.starts_with('/') && !element.starts_with("$ORIGIN") && !element.starts_with("${ORIGIN}"))
          fault(file, "run path '" + path + "' has the element '" + element + "', which is not absolute");
  for (const std::string& needed : binary.strings(DT_NEEDED))
    if (needed.find('/') != needed.npos && needed[0] != '/')
      fault(file, "needs the library '" + needed + "' by a path");
}

void check_protection(const fs::path& file, const Binary& binary) {
  const bool binds_now = (binary.value(DT_FLAGS).value_or(0) & DF_BIND_NOW) != 0 ||
                         (binary.value(DT_FLAGS_1).value_or(0) & DF_1_NOW) != 0 || binary.value(DT_BIND_NOW);
  if (!binds_now) fault(file, "binds symbols lazily (-z now)");
  if (binary.segment(PT_GNU_RELRO) == nullptr) fault(file, "relocations stay writable (-z relro)");
  const Elf64_Phdr* stack = binary.segment(PT_GNU_STACK);
  if (stack == nullptr || (stack->p_flags & PF_X) != 0) fault(file, "the stack is executable");
  if (binary.header().e_type != ET_DYN) fault(file, "has a fixed address (-pie)");
  if (!binary.names_symbol("__stack_chk_fail")) fault(file, "has no stack protector");
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> folders(argv + 1, argv + argc);
  const bool hardened = std::erase(folders, "--hardened") > 0, fortified = std::erase(folders, "--fortified") > 0;
  std::erase(folders, "");
  int binaries = 0;
  for (const std::string& folder : folders) {
    for (auto at = fs::recursive_directory_iterator(folder); at != fs::recursive_directory_iterator(); ++at) {
      const fs::directory_entry& entry = *at;
      if (entry.path().filename() == "CMakeFiles") at.disable_recursion_pending();  // CMake's own trials
      if (!entry.is_regular_file() || entry.is_symlink() || entry.path().extension() == ".o") continue;
      std::ifstream stream(entry.path(), std::ios::binary);
      char start[sizeof(Elf64_Ehdr)];
      if (!stream.read(start, sizeof start) || !Binary::is_one({start, sizeof start})) continue;
      std::string bytes(entry.file_size(), '\0');
      stream.seekg(0).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      const Binary binary(std::move(bytes));
      ++binaries;
      check_paths(entry.path(), binary);
      if (hardened) check_protection(entry.path(), binary);
      // Modules are small, and may call nothing but what they are for.
      const bool is_module = entry.path().filename().string().starts_with("libeffdet_");
      if (fortified && !is_module && !binary.names_symbol("_chk"))
        fault(entry.path(), "calls no checked function of the C library (_FORTIFY_SOURCE)");
    }
  }
  std::printf("%d programs and libraries, %d faults\n", binaries, faults);
  return binaries == 0 || faults > 0 ? 1 : 0;
}
