#include "sample_files.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <regex>

#include "cli.h"
#include "effdet/dataset.h"
#include "effdet/error.h"
#include "effdet/executor.h"
#include "output_file.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extension;
}

[[noreturn]] void fail(ErrorCode code, const fs::path& path, const std::string& why) {
  throw Error(code, fmt::format("{}: {}", one_line(path.string()), why));
}

// NPY: this magic, a version, the length of the header (little-endian, 2 bytes in version 1, 4 in later ones), and the
// header: a Python dictionary in text.
constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr size_t kNpyLongestHeader = 4096;

/// Reads the header and leaves the file where the values begin. Returns the header's text.
std::string read_npy_header(std::ifstream& file, const fs::path& path) {
  unsigned char start[12] = {};
  const auto read = [&](void* to, size_t bytes) {
    if (!file.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes)))
      fail(ErrorCode::kBadInput, path, "ends within the .npy header");
  };
  read(start, 8);
  if (std::memcmp(start, kNpyMagic.data(), kNpyMagic.size()) != 0)
    fail(ErrorCode::kBadInput, path, "is no .npy file (offset 0)");
  const size_t digits = start[6] == 1 ? 2 : 4;
  if (start[6] < 1 || start[6] > 3)
    fail(ErrorCode::kBadInput, path, fmt::format(".npy version {} is unknown (offset 6)", start[6]));
  read(start + 8, digits);
  size_t length = 0;
  for (size_t i = 0; i < digits; ++i) length |= size_t{start[8 + i]} << (8 * i);
  if (length > kNpyLongestHeader)
    fail(ErrorCode::kBadInput, path, fmt::format("a .npy header of {} bytes (offset 8)", length));
  std::string header(length, ' ');
  read(header.data(), length);
  return header;
}

/// Throws for values that are not little-endian float32 in C order; what their shape is does not matter.
void check_npy_header(const std::string& header, const fs::path& path) {
  const auto has = [&](const char* pattern) { return std::regex_search(header, std::regex(pattern)); };
  if (!has(R"('descr'\s*:\s*'<f4')"))
    fail(ErrorCode::kBadInput, path, "the .npy header's descr is not '<f4' (float32)");
  if (!has(R"('fortran_order'\s*:\s*False)"))
    fail(ErrorCode::kBadInput, path, "the .npy header's fortran_order is not False");
}

std::string as_text(std::span<const std::byte> bytes) {
  fmt::memory_buffer text;
  for (size_t at = 0; at < bytes.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("{:.6f} "), value);
  }
  if (text.size() != 0) text[text.size() - 1] = '\n';
  return {text.data(), text.size()};
}

}  // namespace

bool is_image(const fs::path& path) {
  const std::string extension = extension_of(path);
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<fs::path> listed_inputs(const std::string& list, const InputSize& size) {
  std::vector<fs::path> paths;
  for (const InfoEntry& entry : read_info(list)) {
    if (!is_image(entry.path) && size.width != 0 && (entry.width != size.width || entry.height != size.height))
      throw Error(
          ErrorCode::kBadInput,
          fmt::format("{}: {} has width {} and height {}, but the model takes {} and {}; preprocess and list the "
                      "images for the model's size",
                      list, one_line(entry.path), entry.width, entry.height, size.width, size.height));
    paths.emplace_back(entry.path);
  }
  return paths;
}

std::vector<fs::path> folder_inputs(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator entries(folder, error); !error && entries != fs::directory_iterator();
       entries.increment(error)) {
    const std::string extension = extension_of(entries->path());
    if (extension == ".bin" || extension == ".npy" || is_image(entries->path())) paths.push_back(entries->path());
  }
  if (error) fail(ErrorCode::kIo, folder, "cannot read the folder: " + error.message());
  if (paths.empty()) fail(ErrorCode::kBadInput, folder, "no .bin, .npy, .jpg or .png files");
  std::ranges::sort(paths);
  return paths;
}

void require_unique_stems(const std::vector<fs::path>& paths) {
  std::map<std::string, fs::path> owners;
  for (const fs::path& path : paths) {
    const auto [owner, is_new] = owners.emplace(path.stem().string(), path);
    if (!is_new)
      throw Error(ErrorCode::kBadInput, fmt::format("{} and {} would share their output files",
                                                    one_line(owner->second.string()), one_line(path.string())));
  }
}

void read_tensor(const fs::path& path, std::span<std::byte> sample) {
  std::error_code error;
  uintmax_t size = fs::file_size(path, error);
  if (error) fail(ErrorCode::kIo, path, "cannot read: " + error.message());
  std::ifstream file(path, std::ios::binary);
  if (extension_of(path) == ".npy") {
    check_npy_header(read_npy_header(file, path), path);
    size -= static_cast<uintmax_t>(file.tellg());
  }
  if (size != sample.size())
    fail(ErrorCode::kBadInput, path,
         fmt::format("arg0 tensorsize: {} filesize: {} not match: it must hold one sample of the model's input",
                     sample.size(), size));
  if (!file.read(reinterpret_cast<char*>(sample.data()), static_cast<std::streamsize>(sample.size())))
    fail(ErrorCode::kIo, path, fmt::format("cannot read: {}", std::strerror(errno)));
}

const char* extension_of(DumpFormat format) {
  return format == DumpFormat::kBin ? ".bin" : format == DumpFormat::kTxt ? ".txt" : ".npy";
}

void write_sample(const fs::path& stem, DumpFormat format, const TensorInfo& info, std::span<const std::byte> bytes) {
  const fs::path path = stem.string() + extension_of(format);
  if (format == DumpFormat::kBin) return write_output(path, bytes);
  if (format == DumpFormat::kTxt) return write_output(path, as_text(bytes));
  HostTensor sample{info.name, info.dtype, info.shape, {bytes.begin(), bytes.end()}};
  sample.shape[0] = 1;
  write_npy(sample, path);
}

}  // namespace effdet::cli
