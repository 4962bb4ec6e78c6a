// How libjpeg's errors leave it: by a jump to whoever called it, and without a word on standard error.
#pragma once

#include <csetjmp>
#include <cstdio>
#include <string>

#include <jpeglib.h>

namespace effdet::vision {

/// Whoever calls libjpeg sets `jump` first.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf jump;
};

inline void jump_out_of_libjpeg(j_common_ptr info) { std::longjmp(reinterpret_cast<JpegErrors*>(info->err)->jump, 1); }

/// What jpeg_std_error() returns, for info.err.
inline jpeg_error_mgr* jump_on_errors(JpegErrors& errors) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = jump_out_of_libjpeg;
  errors.base.output_message = [](j_common_ptr) {};
  return &errors.base;
}

/// libjpeg's words for the error that it left with.
inline std::string jpeg_error_text(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  return text;
}

}  // namespace effdet::vision
