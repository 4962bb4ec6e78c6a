// Between libeffdet and its module for videos, which alone is linked with FFmpeg and is loaded with the first video.
// Plain functions and structs, so that neither exceptions nor classes cross the border.
#pragma once

#include <cstddef>
#include <cstdint>

namespace effdet::video {

constexpr int kModuleVersion = 1;
constexpr const char* kModuleEntry = "effdet_video_module";

/// What went wrong: a line of text, and whether it lies in the file (else in the system or network).
struct ModuleError {
  char text[512];
  bool is_in_file;
};

struct ModuleInput {
  const char* name;       ///< path, device or address
  double timeout;         ///< seconds without data after which to give up
  const char* protocols;  ///< that FFmpeg may use, with commas
  int threads;            ///< to decode with
  bool is_camera;         ///< a device of Video4Linux
};

struct ModuleInfo {
  int width, height;       ///< of upright frames
  int rate_num, rate_den;  ///< frames a second; 0: unknown
  double seconds;          ///< 0: unknown, of a stream that goes on
  int64_t frames;          ///< 0: unknown
};

struct ModuleFrame {
  const uint8_t* rgb;  ///< 3 * width bytes a row, until the next call
  int width, height;
  double seconds;  ///< since the first frame of the file
};

struct ModuleOutput {
  const char* path;    ///< of the file that is written
  const char* format;  ///< "mp4" or "webm"
  int width, height, rate_num, rate_den;
  int threads;
};

/// Functions return false, or null, and fill the error where they fail.
struct ModuleFunctions {
  int version;
  void* (*open)(const ModuleInput* input, ModuleInfo* info, ModuleError* error);
  /// Goes to the last key frame at or before a time.
  bool (*seek)(void* reader, double seconds, ModuleError* error);
  /// 1: a frame; 0: the end; -1: an error. skip: the frame is not wanted, and not converted.
  int (*read)(void* reader, bool skip, ModuleFrame* frame, ModuleError* error);
  /// Packets so far that could not be decoded.
  int64_t (*broken)(void* reader);
  void (*close)(void* reader);
  void* (*create)(const ModuleOutput* output, ModuleError* error);
  bool (*write)(void* writer, const uint8_t* rgb, double seconds, ModuleError* error);
  /// Writes what is left and closes the writer.
  bool (*finish)(void* writer, ModuleError* error);
  void (*discard)(void* writer);
};

}  // namespace effdet::video
