#include "fetch/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "base/error.h"
#include "base/file.h"

namespace effdet {

std::string sha256_of(const std::filesystem::path& path) {
  const MappedFile file(path);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(file.bytes().data(), file.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    fail(ErrorCode::kInternal, "{}: SHA-256 failed", file.path());
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace effdet
