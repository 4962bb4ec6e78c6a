// C interface: image files, and detections drawn.
#include "api/c/picture.h"

#include "api/c/call.h"
#include "api/c/detections.h"
#include "effdet/detector.h"

namespace effdet::api {

ImageView view_of(const effdet_image* given) {
  need(given, "image");
  const effdet_image image = taken(given, effdet_image_init, "effdet_image");
  return {image.data,   image.width,  image.height,       static_cast<PixelFormat>(image.format),
          image.stride, image.chroma, image.chroma_stride};
}

static_assert(static_cast<int>(PixelFormat::kNv12) == EFFDET_NV12 &&
              static_cast<int>(PixelFormat::kGray) == EFFDET_GRAY &&
              static_cast<int>(PixelFormat::kBgra) == EFFDET_BGRA &&
              static_cast<int>(PixelFormat::kRgba) == EFFDET_RGBA && static_cast<int>(PixelFormat::kBgr) == EFFDET_BGR);

}  // namespace effdet::api

using namespace effdet;
using namespace effdet::api;

void effdet_image_init(effdet_image* image) {
  if (image) *image = {.size = sizeof(*image)};
}

effdet_status effdet_picture_read(const char* path, effdet_picture** picture) {
  return call([&] {
    need(picture, "picture");
    *picture = new effdet_picture{read_image(need_text(path, "path"))};
  });
}

effdet_status effdet_picture_decode(const void* file, size_t bytes, const char* name, effdet_picture** picture) {
  return call([&] {
    need(picture, "picture");
    const std::span content(&need(static_cast<const std::byte*>(file), "file"), bytes);
    *picture = new effdet_picture{decode_image(content, need_text(name, "name"))};
  });
}

int effdet_is_picture_name(const char* path) {
  int is_one = 0;
  if (path != nullptr) call([&] { is_one = is_image_name(path) ? 1 : 0; });
  return is_one;
}

int effdet_picture_width(const effdet_picture* picture) { return picture ? picture->image.width : 0; }
int effdet_picture_height(const effdet_picture* picture) { return picture ? picture->image.height : 0; }
const unsigned char* effdet_picture_pixels(const effdet_picture* picture) {
  return picture ? picture->image.pixels.data() : nullptr;
}

effdet_status effdet_picture_write(const effdet_picture* picture, const char* path) {
  return call([&] { write_image(need_text(path, "path"), need(picture, "picture").image); });
}

void effdet_picture_free(effdet_picture* picture) { delete picture; }

effdet_status effdet_annotate(const effdet_image* image, const effdet_detection* detections, size_t count,
                              const char* const* class_names, size_t num_class_names, effdet_picture** picture) {
  return call([&] {
    need(picture, "picture");
    std::vector<Detection> boxes;
    for (size_t i = 0; i < count; ++i) {
      const effdet_detection& box = (&need(detections, "detections"))[i];
      boxes.push_back({box.x1, box.y1, box.x2, box.y2, box.score, box.category});
    }
    const auto names = list_of<std::string>(class_names, num_class_names, "class_names");
    *picture = new effdet_picture{annotate(to_rgb(view_of(image)), boxes, names)};
  });
}
