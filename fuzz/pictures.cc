// Pictures of every format, as their content says.
#include "targets.h"
#include "vision/decode.h"
#include "vision/row_source.h"

namespace effdet::fuzz {
namespace {

constexpr int64_t kMostPixels = 4'000'000;  // more take seconds with sanitizers

void decode(Bytes input) {
  read([&] {
    const vision::ImageSize size = vision::read_image_size(input, "input");
    if (int64_t{size.width} * size.height > kMostPixels) return;
    vision::decode_image(input, "input");
  });
  read([&] { vision::image_orientation(input); });
}

bool begins_with(Bytes input, std::string_view magic) { return text_of(input).starts_with(magic); }

}  // namespace

void jpeg(Bytes input) {
  if (begins_with(input, "\xFF\xD8")) decode(input);
}

void png(Bytes input) {
  if (begins_with(input, "\x89PNG")) decode(input);
}

void picture(Bytes input) {
  if (!begins_with(input, "\xFF\xD8") && !begins_with(input, "\x89PNG")) decode(input);
}

}  // namespace effdet::fuzz
