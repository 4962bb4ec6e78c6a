// Pads, cuts into blocks and mixes. A file of its own, since tests are not optimised and this reads millions of pixels.
#include "vision/sha256_test_util.h"

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace effdet::vision {
namespace {

class Sha256 {
 public:
  static std::string hex(std::span<const std::byte> bytes) {
    Sha256 hash;
    std::string message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    message.push_back('\x80');
    while (message.size() % 64 != 56) message.push_back('\0');
    for (int shift = 56; shift >= 0; shift -= 8) message.push_back(static_cast<char>(bytes.size() * 8 >> shift));
    for (size_t at = 0; at < message.size(); at += 64) hash.add_block(message.data() + at);
    std::string text;
    for (uint32_t word : hash.state_)
      for (int shift = 28; shift >= 0; shift -= 4) text.push_back("0123456789abcdef"[word >> shift & 15]);
    return text;
  }

 private:
  /// The first 32 bits of the fraction of root(prime, 2 or 3), for the first primes: the constants of the standard.
  static uint32_t root_fraction(int prime, int degree) {
    // The largest r with r^degree <= prime * 2^(32 * degree), by bisection.
    unsigned __int128 low = 0, high = static_cast<unsigned __int128>(1) << 37;
    while (high - low > 1) {
      const unsigned __int128 middle = (low + high) / 2;
      const unsigned __int128 power = degree == 2 ? middle * middle : middle * middle * middle;
      (power <= static_cast<unsigned __int128>(prime) << (32 * degree) ? low : high) = middle;
    }
    return static_cast<uint32_t>(low);
  }

  static std::vector<uint32_t> constants(size_t count, int degree) {
    std::vector<uint32_t> values;
    for (int n = 2; values.size() < count; ++n) {
      bool prime = true;
      for (int d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
      if (prime) values.push_back(root_fraction(n, degree));
    }
    return values;
  }

  Sha256() : rounds_(constants(64, 3)), state_(constants(8, 2)) {}

  void add_block(const char* block) {
    std::array<uint32_t, 64> w{};
    for (size_t i = 0; i < 64; ++i) w[i / 4 % 16] = w[i / 4 % 16] << 8 | static_cast<uint8_t>(block[i]);
    for (size_t i = 16; i < 64; ++i) {
      const uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    std::vector<uint32_t> s = state_;
    for (size_t i = 0; i < 64; ++i) {
      const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]), majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
      const uint32_t t1 =
          s[7] + (std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25)) + choice + rounds_[i] + w[i];
      const uint32_t t2 = (std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22)) + majority;
      s = {t1 + t2, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
    }
    for (size_t i = 0; i < 8; ++i) state_[i] += s[i];
  }

  std::vector<uint32_t> rounds_, state_;
};

}  // namespace

std::string sha256_of(std::span<const std::byte> bytes) { return Sha256::hex(bytes); }

}  // namespace effdet::vision
