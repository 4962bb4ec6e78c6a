// Reading files by mapping, and writing them whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/output_place.h"

namespace effdet::inline base {

/// A regular file mapped for reading. The mapping lives as long as a copy of owner() does.
class MappedFile {
 public:
  /// Throws Error(kIo) where the file cannot be opened or is not a regular file.
  explicit MappedFile(const std::filesystem::path& path);
  /// Maps an open descriptor, which may be closed then; name is what path() says.
  MappedFile(int descriptor, std::string name);
  /// Copies a file that is in memory.
  MappedFile(std::span<const std::byte> content, std::string name);

  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.get()), size_}; }
  size_t size() const { return size_; }
  const std::string& path() const { return path_; }
  /// Shares the mapping: std::shared_ptr's aliasing constructor makes pointers into it that keep it alive.
  const std::shared_ptr<const std::byte>& owner() const { return bytes_; }
  /// Gives back the memory of bytes [begin, end), which were read. They can be read again, from the file.
  void release(size_t begin, size_t end) const;

 private:
  void map(int descriptor, uint64_t size);

  std::string path_;
  size_t size_ = 0;
  bool is_mapping_ = false;
  std::shared_ptr<const std::byte> bytes_;
};

/// Maps a file that another file names: location is relative to the folder and must stay in it, and no part of it may
/// be a link, so that a hostile model reads nothing else. Throws Error(kBadInput) that begins with `where`, which is
/// to end in what the location is of ("m.onnx: external data").
MappedFile open_below(const std::filesystem::path& folder, const std::string& location, const std::string& where);

/// By which a kind of file is told: with the dot, in lower case.
std::string lower_extension(const std::filesystem::path& path);

/// The whole of a regular file. Throws Error(kIo), and Error(kBadInput) for one above limit bytes.
std::string read_file(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 32);

/// Writes to a temporary file beside the target; commit() syncs and renames it into place. Without commit() nothing is
/// left behind, and a reader sees the old file or the whole new one, never a part.
///
/// What is at the path already stays what it is. A symbolic link is followed, and the file behind it replaced. A file
/// that is replaced hands on its owner, mode, access control list and other attributes; its other hard links keep the
/// old content. Devices, FIFOs, and descriptors (/dev/stdout) are written to by commit(), and so is a file that cannot
/// be replaced: one that is mounted, or lies in a folder where nothing may be made, or whose owner cannot be kept. That
/// is the one case in which a failure of the disk may leave a part.
///
/// Throws Error(kIo), the constructor too: it finds all that can be known before writing.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Makes the file durable and visible. With sync = false it is renamed without fsync: for many small files that can
  /// be made again.
  void commit(bool sync = true);

 private:
  void make_beside_target();
  void make_in_memory();
  bool replace_target();
  void fill_target(bool sync);
  void flush();

  OutputPlace place_;
  std::string temporary_, buffer_;
  int descriptor_ = -1;
};

/// AtomicFile in one call.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes, bool sync = true);
void write_file(const std::filesystem::path& path, std::string_view text, bool sync = true);

/// Throws the errors that an AtomicFile of this path would, for use before long work. Changes nothing.
void check_output_path(const std::filesystem::path& path);

/// Creates a folder and its parents. Throws Error(kIo) with the reason, also where files cannot be made in it.
void make_folder(const std::filesystem::path& path);

}  // namespace effdet::inline base
