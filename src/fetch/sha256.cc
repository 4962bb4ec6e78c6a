// SHA-256 by libcrypto, which is loaded when it is first needed.
#include "fetch/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "base/error.h"
#include "base/file.h"
#include "base/shared_library.h"
#include "effdet/file_hash.h"

namespace effdet::fetch {

std::string sha256_of(std::span<const std::byte> bytes) {
  const SharedLibrary crypto("libcrypto.so.3", "libssl3");
  auto* const digest_of = crypto.function<decltype(EVP_Digest)>("EVP_Digest");
  auto* const sha256 = crypto.function<decltype(EVP_sha256)>("EVP_sha256");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (digest_of(bytes.data(), bytes.size(), digest.data(), &length, sha256(), nullptr) != 1)
    fail(ErrorCode::kInternal, "SHA-256 of {} bytes failed", bytes.size());
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256_of(const std::filesystem::path& path) { return sha256_of(MappedFile(path).bytes()); }

}  // namespace effdet::fetch

namespace effdet {

std::string file_sha256(const std::filesystem::path& path) { return fetch::sha256_of(path); }

}  // namespace effdet
