// The error that tests expect.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "effdet/error.h"

namespace effdet::test {

/// The error that action throws, whose message is to be one line; fails the test where it throws none.
template <typename Action>
Error error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {ErrorCode::kInternal, ""};
}

}  // namespace effdet::test
