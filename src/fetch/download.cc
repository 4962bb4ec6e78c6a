// Downloads with resumption, retries and a check of the hash in the file's name.
#include "fetch/download.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/file.h"
#include "base/user_folders.h"
#include "fetch/part_file.h"
#include "fetch/read_url.h"
#include "fetch/sha256.h"
#include "fetch/transfer.h"

namespace effdet::fetch {
namespace {

constexpr size_t kShortestChecksum = 8;
constexpr int kAttempts = 3;  // each goes on where the one before was broken off
constexpr long kHttpRangeRefused = 416;

bool was_broken_off(CURLcode code) {
  return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_OPERATION_TIMEDOUT ||
         code == CURLE_GOT_NOTHING;
}

/// A stall is waited for once more only where something came since the last.
bool is_worth_another_try(CURLcode code, bool something_came) {
  return was_broken_off(code) && (something_came || code != CURLE_OPERATION_TIMEDOUT);
}

void fetch(const std::string& url, PartFile& part, const DownloadOptions& options) {
  for (int attempt = 1;; ++attempt) {
    const uint64_t before = part.size();
    Transfer transfer(url, part, options);
    const CURLcode code = transfer.run();
    if (code == CURLE_OK) break;
    // The server does not resume, or has nothing after what is here: from the start then.
    const bool refused =
        code == CURLE_RANGE_ERROR || (code == CURLE_HTTP_RETURNED_ERROR && transfer.status() == kHttpRangeRefused);
    if (transfer.is_too_large()) part.restart();  // nothing to go on from
    if (attempt == kAttempts || !(is_worth_another_try(code, part.size() > before) || (refused && part.size() > 0)))
      transfer.fail_with(code);
    if (refused || !part.is_kept()) part.restart();
  }
  if (part.size() == 0) bad_input("{}: the server sent an empty file", url);
}

bool has_checksum(const std::filesystem::path& file, std::string_view checksum) {
  return sha256_of(file).starts_with(checksum);
}

}  // namespace

std::string_view checksum_in_name(std::string_view name) {
  const size_t dot = name.rfind('.'), dash = name.rfind('-', dot);
  if (dot == name.npos || dash == name.npos) return {};
  const std::string_view hex = name.substr(dash + 1, dot - dash - 1);
  const bool is_checksum =
      hex.size() >= kShortestChecksum && hex.size() <= 64 && hex.find_first_not_of("0123456789abcdef") == hex.npos;
  return is_checksum ? hex : std::string_view();
}

std::string file_name_of(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  const std::string name = path.substr(path.rfind('/') + 1);
  const bool is_web = is_url(url);
  const bool is_plain = !name.empty() && name[0] != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
  if (!is_web || !is_plain || name.size() > 200 || path.find('/', 8) == path.npos)
    fail(ErrorCode::kUsage, "'{}' is no http or https address of a file", url);
  return name;
}

std::filesystem::path cache_folder() {
  if (auto folder = user_cache_folder(); !folder.empty()) return folder;
  fail(ErrorCode::kUsage, "there is no folder for downloads: neither XDG_CACHE_HOME nor HOME is set; give --cache");
}

std::filesystem::path download(const std::string& url, const DownloadOptions& options) {
  const std::string name = file_name_of(url);
  const std::string_view checksum = checksum_in_name(name);
  const std::filesystem::path folder = options.folder.empty() ? cache_folder() : options.folder;
  const std::filesystem::path target = folder / name;
  std::error_code ignored;
  const auto is_whole = [&] {
    return std::filesystem::is_regular_file(target, ignored) && !checksum.empty() && has_checksum(target, checksum);
  };
  if (is_whole()) return target;
  make_folder(folder);
  PartFile part(target, checksum.empty() ? PartFile::Kind::kTemporary : PartFile::Kind::kKept);
  if (is_whole()) return target;  // another process was faster
  // What an earlier run left may be of another file, which the server had under the name then.
  for (bool resumed = part.size() > 0;; resumed = false) {
    fetch(url, part, options);
    if (checksum.empty() || has_checksum(part.path(), checksum)) break;
    const std::string found = sha256_of(part.path());
    part.restart();
    if (!resumed)
      bad_input("{}: its SHA-256 begins with {}, not with {} as its name says; the download is removed", url,
                found.substr(0, checksum.size()), checksum);
  }
  part.become_target();
  return target;
}

}  // namespace effdet::fetch
