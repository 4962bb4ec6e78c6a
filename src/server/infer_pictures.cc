// Detects objects in the pictures of a request.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "effdet/encoded_image.h"
#include "server/http_error.h"
#include "server/infer_answer.h"
#include "server/infer_request.h"
#include "server/inference.h"
#include "server/multipart.h"
#include "server/picture_options.h"
#include "server/stopwatch.h"

namespace effdet::server {
namespace {

constexpr uint64_t kMostPictures = 256;  // of one request

/// Decodes a picture, whose size is looked at before memory is taken for it.
RgbImage decode_picture(std::span<const std::byte> file, Request& request, uint64_t most_pixels) {
  return decode_upright(file, "picture", [&](EncodedSize size) {
    const uint64_t pixels = static_cast<uint64_t>(size.width) * static_cast<uint64_t>(size.height);
    if (pixels > most_pixels)
      throw HttpError(413, "the picture has {} x {} pixels, more than the {} that are allowed", size.width, size.height,
                      most_pixels);
    request.reservation.pay(pixels * 3);
  });
}

std::vector<Detection> detect_timed(Stream& stream, const RgbImage& image, const DetectOptions& options, Work& work) {
  std::vector<Detection> detections = stream.detector->detect(view_of(image), options, "picture");
  const DetectTimings timings = stream.detector->timings();
  work.seconds.input += timings.preprocess;
  work.seconds.infer += timings.inference;
  work.seconds.output += timings.postprocess;
  return detections;
}

/// What was found in all pictures of a request, as tensors: rows of a picture with fewer than others end in zeros.
struct PictureTensors {
  std::vector<int32_t> counts, classes;
  std::vector<float> boxes, scores;

  explicit PictureTensors(const std::vector<std::vector<Detection>>& found) {
    for (const auto& detections : found) most = std::max(most, detections.size());
    classes.resize(found.size() * most);
    scores.resize(found.size() * most);
    boxes.resize(found.size() * most * 4);
    for (size_t i = 0; i < found.size(); ++i) {
      counts.push_back(static_cast<int32_t>(found[i].size()));
      for (size_t k = 0; k < found[i].size(); ++k) {
        const Detection& d = found[i][k];
        const size_t row = i * most + k;
        classes[row] = d.category;
        scores[row] = d.score;
        const float corners[4] = {d.x1, d.y1, d.x2, d.y2};
        std::ranges::copy(corners, boxes.begin() + static_cast<std::ptrdiff_t>(row * 4));
      }
    }
  }

  std::vector<InferResult> results() const {
    const auto pictures = static_cast<int64_t>(counts.size()), rows = static_cast<int64_t>(most);
    return {{"num_detections", find_data_type("INT32"), {pictures}, std::as_bytes(std::span(counts))},
            {"boxes", find_data_type("FP32"), {pictures, rows, 4}, std::as_bytes(std::span(boxes))},
            {"scores", find_data_type("FP32"), {pictures, rows}, std::as_bytes(std::span(scores))},
            {"classes", find_data_type("INT32"), {pictures, rows}, std::as_bytes(std::span(classes))}};
  }

  size_t most = 0;
};

std::vector<std::span<const std::byte>> files_of(const InferRequest& infer) {
  if (infer.inputs.size() != 1) throw HttpError(400, "{} inputs, but the model has 1, 'images'", infer.inputs.size());
  const InferInput& input = infer.inputs.front();
  if (infer.raw) return {input.bytes};
  if (input.name != "images") throw HttpError(400, "the model has no input '{}', only 'images'", input.name);
  if (input.type->protocol != "BYTES")
    throw HttpError(400, "input 'images': datatype {}, but the model's is BYTES", input.type->protocol);
  if (input.shape.size() != 1 || input.shape[0] < 1 || input.shape[0] > static_cast<int64_t>(kMostPictures))
    throw HttpError(400, "input 'images': shape {}, but the model takes [1] to [{}]",
                    nlohmann::json(input.shape).dump(), kMostPictures);
  return bytes_elements(input.bytes, static_cast<uint64_t>(input.shape[0]));
}

nlohmann::ordered_json detections_json(const std::vector<Detection>& detections,
                                       const std::vector<std::string>& names) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Detection& d : detections) {
    const auto index = static_cast<size_t>(d.category - 1);
    list.push_back({{"category_id", d.category},
                    {"category", index < names.size() ? names[index] : "class " + std::to_string(d.category)},
                    {"score", d.score},
                    {"bbox", {d.x1, d.y1, d.x2 - d.x1, d.y2 - d.y1}}});
  }
  return list;
}

nlohmann::ordered_json times_json(double queue, double decode, const DetectTimings& timings) {
  return {{"queue", queue * 1e3},
          {"decode", decode * 1e3},
          {"preprocess", timings.preprocess * 1e3},
          {"inference", timings.inference * 1e3},
          {"postprocess", timings.postprocess * 1e3}};
}

Answer jpeg_answer(const RgbImage& image) {
  auto file = std::make_shared<const std::vector<std::byte>>(encode_jpeg(image));
  Answer answer;
  answer.content_type = "image/jpeg";
  answer.parts.push_back(*file);
  answer.owner = std::move(file);
  return answer;
}

bool wants_jpeg(const Request& request) {
  const std::string& accept = request.accept;
  return accept.starts_with("image/jpeg") || accept.starts_with("image/*");
}

}  // namespace

Answer infer_pictures(HostedModel& model, Stream& stream, const std::shared_ptr<Request>& request, uint64_t most_pixels,
                      Work& work) {
  Stopwatch watch;
  const InferRequest infer = parse_infer_request(*request);
  check_timeout(*request, infer.timeout_us);
  const DetectOptions options = picture_options(request->target, model.detect_options(), model.class_names());
  std::vector<std::vector<Detection>> found;
  for (const std::span<const std::byte> file : files_of(infer)) {
    const RgbImage image = decode_picture(file, *request, most_pixels);
    work.seconds.input += watch.lap();
    found.push_back(detect_timed(stream, image, options, work));
    watch.lap();
  }
  work.inferences = found.size();
  const auto tensors = std::make_shared<const PictureTensors>(found);
  Answer answer = infer_answer(model.pictures_name(), infer, tensors->results(), tensors);
  work.seconds.output += watch.lap();
  return answer;
}

Answer detect_picture(HostedModel& model, Stream& stream, const std::shared_ptr<Request>& request, uint64_t most_pixels,
                      Work& work) {
  const double queue = std::chrono::duration<double>(Clock::now() - request->arrival).count();
  const DetectOptions options = picture_options(request->target, model.detect_options(), model.class_names());
  const bool several = is_multipart(request->content_type);
  const std::vector<MultipartFile> files =
      several ? multipart_files(request->body.text(), request->content_type, kMostPictures)
              : std::vector<MultipartFile>{{"", request->body.bytes()}};
  if (wants_jpeg(*request) && files.size() != 1)
    throw HttpError(400, "Accept: image/jpeg is for one picture, and these are {}", files.size());
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  Answer answer;
  for (const MultipartFile& file : files) {
    Stopwatch watch;
    RgbImage image = decode_picture(file.bytes, *request, most_pixels);
    const double decode = watch.lap();
    work.seconds.input += decode;
    const std::vector<Detection> found = detect_timed(stream, image, options, work);
    watch.lap();
    if (wants_jpeg(*request)) {
      answer = jpeg_answer(annotate(std::move(image), found, model.class_names()));
    } else {
      nlohmann::ordered_json result = {{"model", model.name()}};
      if (several) result["image"] = file.name;
      result["width"] = image.width;
      result["height"] = image.height;
      result["detections"] = detections_json(found, model.class_names());
      result["milliseconds"] = times_json(queue, decode, stream.detector->timings());
      list.push_back(std::move(result));
    }
    work.seconds.output += watch.lap();
  }
  work.inferences = files.size();
  if (!list.empty())
    answer.text =
        (several ? list : list[0]).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return answer;
}

}  // namespace effdet::server
