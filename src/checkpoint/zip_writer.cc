// Writes local headers with padding, so that data begins at multiples of 64 bytes, and the directory.
#include "checkpoint/zip_writer.h"

#include <zlib.h>

#include "base/error.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/zip_format.h"

namespace effdet::checkpoint {
namespace {

using namespace zip;

constexpr uint64_t kAlignment = 64, kExtraHeader = 4;
constexpr uint16_t kVersionNeeded = 20;
constexpr uint16_t kPaddingExtra = 0x4246;  // "FB", as PyTorch pads
constexpr uint32_t kFirstOfJanuary1980 = 0x00210000;

/// The fields that a local header and a directory record share, from "version needed" to the sizes.
std::string common_fields(uint32_t crc, uint32_t size) {
  std::string fields;
  append_le(fields, kVersionNeeded);
  append_le(fields, kUtf8);
  append_le(fields, kStored);
  append_le(fields, kFirstOfJanuary1980);
  append_le(fields, crc);
  append_le(fields, size);
  append_le(fields, size);
  return fields;
}

/// crc: that of what comes before the bytes.
uint32_t checksum(std::span<const std::byte> bytes, uint32_t crc) {
  if (bytes.empty()) return crc;  // zlib takes a null pointer for "begin"
  return static_cast<uint32_t>(::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

void ZipWriter::add(std::string_view name, std::span<const std::byte> data, std::string_view head) {
  constexpr uint64_t kMostBytes = 0xFFFF0000, kMostRecords = 0xFFFE;
  const uint64_t size = head.size() + uint64_t{data.size()};
  if (count_ >= kMostRecords || data.size() > kMostBytes || offset_ + size > kMostBytes)
    fail(ErrorCode::kUnsupported, "an archive of over 65534 records or 4 GiB is not written");
  const std::string fields =
      common_fields(checksum(data, checksum(std::as_bytes(std::span(head)), 0)), static_cast<uint32_t>(size));
  const uint64_t unpadded = offset_ + kLocalSize + name.size() + kExtraHeader;
  const auto padding = static_cast<uint16_t>((kAlignment - unpadded % kAlignment) % kAlignment);

  std::string local;
  append_le(local, kLocalSignature);
  local += fields;
  append_le(local, static_cast<uint16_t>(name.size()));
  append_le(local, static_cast<uint16_t>(kExtraHeader + padding));
  local += name;
  append_le(local, kPaddingExtra);
  append_le(local, padding);
  local.append(padding, 'Z');

  append_le(directory_, kCentralSignature);
  append_le(directory_, kVersionNeeded);
  directory_ += fields;
  append_le(directory_, static_cast<uint16_t>(name.size()));
  directory_.append(12, '\0');  // no extra field, no comment, disk 0, no attributes
  append_le(directory_, static_cast<uint32_t>(offset_));
  directory_ += name;

  file_.write(local);
  file_.write(head);
  file_.write(data);
  offset_ += local.size() + size;
  ++count_;
}

void ZipWriter::finish() {
  std::string end;
  append_le(end, kEndSignature);
  append_le(end, uint32_t{0});
  append_le(end, static_cast<uint16_t>(count_));
  append_le(end, static_cast<uint16_t>(count_));
  append_le(end, static_cast<uint32_t>(directory_.size()));
  append_le(end, static_cast<uint32_t>(offset_));
  append_le(end, uint16_t{0});
  file_.write(directory_);
  file_.write(end);
}

}  // namespace effdet::checkpoint
