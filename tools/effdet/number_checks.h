// What numbers a flag takes: checks for CLI11 that name what is wanted, and read digits as people do.
#pragma once

#include <CLI/CLI.hpp>

namespace effdet::cli {

/// A whole number in [low, high], for Option::transform(). "010" is ten, where the parser alone would read eight.
CLI::Validator between(int low, int high);
/// The same of all that 64 bits hold; the parser would wrap -1 around, and cut larger ones down.
CLI::Validator whole_number();
/// A number in [low, high], for Option::check(). NaN is none.
CLI::Validator real_between(double low, double high);
/// A number of at least low; infinity is one.
CLI::Validator real_above(double low);
/// Any number.
CLI::Validator real_number();

}  // namespace effdet::cli
