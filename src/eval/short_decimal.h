// Numbers as nearly all are in files, without exponent and of few digits: read in one pass, eight characters at a time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace effdet::eval {

/// Eight characters as a number whose lowest byte is the first of them.
inline uint64_t load_eight(const char* first) {
  uint64_t word = 0;
  std::memcpy(&word, first, sizeof(word));
  return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

inline constexpr std::array<uint64_t, 20> kPowersOfTen = [] {
  std::array<uint64_t, 20> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

/// digits / 10^places, or minus that.
struct ShortDecimal {
  /// Digits before and behind the point together, so that they fit in 64 bits.
  static constexpr unsigned kMaxDigits = 19;

  uint64_t digits = 0;
  unsigned places = 0;
  bool is_negative = false;
  /// Characters in the text; 0 where no such number stands there.
  size_t length = 0;

  /// The nearest double, of two equally near ones the even one.
  double value() const;
};

/// Bytes behind the first of a number that scan_padded_decimal() may look at.
inline constexpr size_t kDecimalPadding = 64;

inline constexpr uint64_t kOnes = 0x0101010101010101;

/// Characters as digits: '0' to '9' become 0 to 9.
inline uint64_t to_digits(uint64_t word) { return word ^ kOnes * '0'; }

/// Sets the highest bit of each byte that is above 9, and no other.
inline uint64_t above_nine(uint64_t word) { return (((word & kOnes * 0x7F) + kOnes * 0x76) | word) & kOnes * 0x80; }

/// The number that the first count bytes of a word are the digits of; count: 1 to 8.
inline uint64_t join_digits(uint64_t word, unsigned count) {
  // Moved to the end of the word, with zeros before them; then digits are joined to pairs, pairs to fours, fours.
  uint64_t joined = word << (64 - 8 * count);
  joined = joined * 10 + (joined >> 8);
  return (((joined & 0x000000FF000000FF) * 0x000F424000000064) +
          ((joined >> 16 & 0x000000FF000000FF) * 0x0000271000000001)) >>
         32;
}

/// Reads the digits at first into value, eight at a time. Returns their count; above kMaxDigits the value means
/// nothing.
inline unsigned scan_digits(const char* first, uint64_t& value) {
  unsigned total = 0;
  while (total <= ShortDecimal::kMaxDigits) {
    const uint64_t word = to_digits(load_eight(first + total));
    const uint64_t others = above_nine(word);
    const auto count = others == 0 ? 8U : static_cast<unsigned>(std::countr_zero(others)) / 8;
    if (count == 0) break;
    value = value * kPowersOfTen[count] + join_digits(word, count);
    total += count;
    if (count < 8) break;
  }
  return total;
}

/// Reads a number of at most seven characters, without a sign, from a single word: what comes next waits for the length
/// of this one, which is found in half as many steps. length is 0 where there is another.
inline ShortDecimal scan_word_decimal(const char* first) {
  const uint64_t word = to_digits(load_eight(first));
  const uint64_t point_word = word ^ kOnes * ('.' ^ '0');
  const uint64_t not_digits = above_nine(word);
  const uint64_t points = ~(((point_word & kOnes * 0x7F) + kOnes * 0x7F) | point_word) & kOnes * 0x80;
  const uint64_t others = not_digits & ~points;
  if (others == 0) return {};
  const auto length = static_cast<unsigned>(std::countr_zero(others)) / 8;
  const auto whole = static_cast<unsigned>(std::countr_zero(not_digits)) / 8;
  const auto last = static_cast<unsigned char>(word >> 8 * length ^ '0');
  if (whole == 0 || (whole > 1 && (word & 0xFF) == 0) || last == 'e' || last == 'E') return {};
  if (whole == length) return {.digits = join_digits(word, whole), .length = length};
  const unsigned places = length - whole - 1;
  const uint64_t below_point = (uint64_t{1} << 8 * whole) - 1;
  const uint64_t digits = (word & below_point) | (word >> 8 & ~below_point);  // without the point
  if (places == 0 || (points & (points - 1)) << (64 - 8 * length) != 0) return {};
  return {.digits = join_digits(digits, length - 1), .places = places, .length = length};
}

/// As scan_short_decimal(), where kDecimalPadding bytes can be read.
inline ShortDecimal scan_padded_decimal(const char* first) {
  ShortDecimal number = scan_word_decimal(first);
  if (number.length != 0) return number;
  const char* at = first;
  number.is_negative = *at == '-';
  if (number.is_negative) ++at;
  const unsigned whole = scan_digits(at, number.digits);
  if (whole == 0 || whole > ShortDecimal::kMaxDigits || (whole > 1 && *at == '0')) return {};
  at += whole;
  if (*at == '.') {
    ++at;
    number.places = scan_digits(at, number.digits);
    if (number.places == 0 || whole + number.places > ShortDecimal::kMaxDigits) return {};
    at += number.places;
  }
  if (*at == 'e' || *at == 'E') return {};
  number.length = static_cast<size_t>(at - first);
  return number;
}

/// The number at the front of text as RFC 8259 has it. length is 0 where there is none, or one with an exponent or more
/// than kMaxDigits digits.
inline ShortDecimal scan_short_decimal(std::string_view text) {
  if (text.size() >= kDecimalPadding) [[likely]]
    return scan_padded_decimal(text.data());
  std::array<char, kDecimalPadding> padded{};
  std::copy(text.begin(), text.end(), padded.begin());
  return scan_padded_decimal(padded.data());
}

inline double ShortDecimal::value() const {
  constexpr uint64_t kExact = uint64_t{1} << 53;
  double magnitude = 0;
  if (digits <= kExact) {
    // Both are exact as doubles (10^places is up to 10^22), so that the division rounds once.
    magnitude = static_cast<double>(digits) / static_cast<double>(kPowersOfTen[places]);
  } else {
    // Both are moved to the top of their words: the quotient has 63 or 64 bits, and its last one stands for what the
    // division leaves. Converting it to double then rounds once, and the power of two is exact.
    const int shift = std::countl_zero(digits), divisor_shift = std::countl_zero(kPowersOfTen[places]);
    const auto dividend = static_cast<unsigned __int128>(digits << shift) << 63;
    const uint64_t divisor = kPowersOfTen[places] << divisor_shift;
    const auto quotient = static_cast<uint64_t>(dividend / divisor);
    const bool leaves = dividend != static_cast<unsigned __int128>(quotient) * divisor;
    const auto exponent = static_cast<uint64_t>(1023 - 63 + divisor_shift - shift);
    magnitude = static_cast<double>(quotient | static_cast<uint64_t>(leaves)) * std::bit_cast<double>(exponent << 52);
  }
  return is_negative ? -magnitude : magnitude;
}

}  // namespace effdet::eval
