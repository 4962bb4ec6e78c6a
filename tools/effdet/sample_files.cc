// Reads samples out of .bin and .npy files, singly, by batches and from lists.
#include "sample_files.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "cli.h"
#include "effdet/dataset.h"
#include "effdet/error.h"
#include "effdet/executor.h"
#include "effdet/image.h"
#include "effdet/output_file.h"
#include "input_paths.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(ErrorCode code, const fs::path& path, const std::string& why) {
  throw Error(code, fmt::format("{}: {}", path.string(), why));
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

std::vector<fs::path> listed_inputs(const std::string& list, const InputSize& size) {
  std::vector<fs::path> paths;
  for (const InfoEntry& entry : read_info(list)) {
    if (!is_image_name(entry.path) && size.width != 0 && (entry.width != size.width || entry.height != size.height))
      throw Error(
          ErrorCode::kBadInput,
          fmt::format("{}: {} has width {} and height {}, but the model takes {} and {}; preprocess and list the "
                      "images for the model's size",
                      list, entry.path, entry.width, entry.height, size.width, size.height));
    paths.emplace_back(entry.path);
  }
  return paths;
}

std::vector<fs::path> folder_inputs(const std::string& folder) {
  const std::vector<fs::path> paths = files_of(folder, [](const fs::path& path) {
    return extension_of(path) == ".bin" || extension_of(path) == ".npy" || is_image_name(path);
  });
  if (paths.empty())
    fail(ErrorCode::kBadInput, folder,
         fmt::format("no tensors (.bin, .npy) and no pictures ({}) in this folder", image_extensions()));
  return paths;
}

void require_unique_stems(const std::vector<fs::path>& paths) {
  std::map<std::string, fs::path> owners;
  for (const fs::path& path : paths) {
    const auto [owner, is_new] = owners.emplace(path.stem().string(), path);
    if (!is_new)
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{} and {} would share their output files", owner->second.string(), path.string()));
  }
}

size_t samples_in(const fs::path& path, size_t tensor_bytes, size_t batch) {
  if (is_image_name(path)) return 1;
  std::error_code error;
  const uintmax_t bytes =
      extension_of(path) == ".npy" ? effdet::read_tensor(path).bytes.size() : fs::file_size(path, error);
  if (error) fail(ErrorCode::kIo, path, "cannot read: " + error.message());
  const size_t sample_bytes = tensor_bytes / batch;
  if (bytes == 0 || tensor_bytes % bytes != 0 || bytes % sample_bytes != 0)
    fail(ErrorCode::kBadInput, path,
         fmt::format(
             "arg0 tensorsize: {} filesize: {} not match: it must hold {}", tensor_bytes, bytes,
             batch == 1
                 ? "the model's input"
                 : fmt::format("the model's input, which is a batch of {} samples, or an even part of them", batch)));
  return bytes / sample_bytes;
}

void read_tensor(const fs::path& path, const std::string& dtype, std::span<std::byte> samples) {
  const auto check_size = [&](uintmax_t bytes) {
    if (bytes != samples.size())
      fail(ErrorCode::kBadInput, path,
           fmt::format("holds {} bytes, and the files before it {}", bytes, samples.size()));
  };
  if (extension_of(path) == ".npy") {
    const HostTensor tensor = effdet::read_tensor(path);
    if (tensor.dtype != dtype)
      fail(ErrorCode::kBadInput, path, fmt::format("holds {}, but the model takes {}", tensor.dtype, dtype));
    check_size(tensor.bytes.size());
    return void(std::ranges::copy(tensor.bytes, samples.begin()));
  }
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (error) fail(ErrorCode::kIo, path, "cannot read: " + error.message());
  check_size(size);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(samples.data()), static_cast<std::streamsize>(samples.size())))
    fail(ErrorCode::kIo, path, fmt::format("cannot read: {}", std::strerror(errno)));
}

const char* extension_of(DumpFormat format) {
  return format == DumpFormat::kBin ? ".bin" : format == DumpFormat::kTxt ? ".txt" : ".npy";
}

void write_part(const fs::path& stem, DumpFormat format, const TensorInfo& output, std::span<const std::byte> bytes,
                const OutputPart& part) {
  HostTensor tensor{output.name, output.dtype, output.shape, {}};
  size_t rows = 1;  // what lies before the axis
  for (size_t i = 0; i < part.axis; ++i) rows *= static_cast<size_t>(output.shape[i]);
  if (!tensor.shape.empty()) tensor.shape[part.axis] /= static_cast<int64_t>(part.count);
  const size_t row = bytes.size() / rows, width = row / part.count;
  if (rows == 1) {
    bytes = bytes.subspan(part.index * width, width);
  } else {
    tensor.bytes.reserve(rows * width);
    for (size_t i = 0; i < rows; ++i) {
      const auto run = bytes.subspan((i * row) + (part.index * width), width);
      tensor.bytes.insert(tensor.bytes.end(), run.begin(), run.end());
    }
    bytes = tensor.bytes;
  }
  const fs::path path = stem.string() + extension_of(format);
  if (format == DumpFormat::kBin) return write_output(path, bytes);
  if (format == DumpFormat::kTxt) return write_output(path, as_text(bytes));
  if (rows == 1) tensor.bytes.assign(bytes.begin(), bytes.end());
  write_npy(tensor, path);
}

}  // namespace effdet::cli
