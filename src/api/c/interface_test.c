/* A program in C99 through the whole C interface: results, errors, and what happens to objects after fork().
 * Usage: c_interface_test CHECKPOINT IMAGE FOLDER   (FOLDER: for files that it writes) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "effdet/effdet_c.h"

static int failures = 0;

static void expect(int holds, const char* what, int line) {
  if (holds) return;
  ++failures;
  fprintf(stderr, "line %d: %s; last error: %s\n", line, what, effdet_last_error());
}
#define EXPECT(condition) expect((condition), #condition, __LINE__)
#define EXPECT_OK(call) expect((call) == EFFDET_OK, #call, __LINE__)
#define EXPECT_CODE(code, call) expect((call) == (code) && effdet_last_error()[0], #call " gives " #code, __LINE__)

static char* in_folder(const char* folder, const char* name) {
  char* path = malloc(strlen(folder) + strlen(name) + 2);
  sprintf(path, "%s/%s", folder, name);
  return path;
}

static effdet_model* open_small(const char* checkpoint, int batch) {
  effdet_model_options options;
  effdet_model* model = NULL;
  effdet_model_options_init(&options);
  options.height = 128;
  options.width = 128;
  options.batch = batch;
  EXPECT_OK(effdet_model_open(checkpoint, &options, &model));
  return model;
}

static void describe(const effdet_model* model) {
  effdet_description description;
  effdet_tensor tensor;
  EXPECT_OK(effdet_model_describe(model, &description));
  EXPECT(description.height == 128 && description.batch == 1 && description.num_classes == 6);
  EXPECT(strcmp(description.model, "tf_efficientdet_d0") == 0);
  EXPECT(effdet_model_input_count(model) == 1 && effdet_model_output_count(model) == 10);
  EXPECT_OK(effdet_model_input(model, 0, &tensor));
  EXPECT(tensor.rank == 4 && tensor.shape[3] == 128 && tensor.bytes == 4 * 3 * 128 * 128);
  EXPECT(strcmp(tensor.dtype, "float32") == 0);
  EXPECT_CODE(EFFDET_USAGE, effdet_model_output(model, 10, &tensor));
  EXPECT(effdet_model_class_name(model, 0) != NULL);
  EXPECT(effdet_model_class_name(model, 6) == NULL && effdet_model_class_name(model, -1) == NULL);
  EXPECT(effdet_model_metadata(model, "no such key") == NULL);
}

static void save_and_load(const effdet_model* model, const char* folder) {
  char* path = in_folder(folder, "c.om");
  effdet_model* again = NULL;
  EXPECT_OK(effdet_model_save(model, path));
  EXPECT_OK(effdet_model_open(path, NULL, &again));
  EXPECT(effdet_model_output_count(again) == 10);
  effdet_model_free(again);
  again = NULL;
  EXPECT_CODE(EFFDET_BAD_INPUT, effdet_model_load("EFFDETOM", 8, "eight bytes", &again));
  EXPECT(again == NULL && strstr(effdet_last_error(), "eight bytes") != NULL);
  free(path);
}

static void run(const effdet_model* model) {
  effdet_runner* runner = NULL;
  float* input = calloc(3 * 128 * 128, sizeof(float));
  const void* inputs[1];
  size_t input_bytes[1] = {3 * 128 * 128 * sizeof(float)}, output_bytes[10], i;
  void* outputs[10];
  inputs[0] = input;
  for (i = 0; i < 10; ++i) {
    effdet_tensor tensor;
    EXPECT_OK(effdet_model_output(model, i, &tensor));
    output_bytes[i] = tensor.bytes;
    outputs[i] = malloc(tensor.bytes);
    memset(outputs[i], 0xFF, tensor.bytes);
  }
  EXPECT_OK(effdet_runner_new(model, 1, &runner));
  EXPECT_OK(effdet_runner_run(runner, inputs, input_bytes, 1, outputs, output_bytes, 10));
  for (i = 0; i < 10; ++i) EXPECT(isfinite(((float*)outputs[i])[0]));
  input_bytes[0] = 4;
  EXPECT_CODE(EFFDET_USAGE, effdet_runner_run(runner, inputs, input_bytes, 1, outputs, output_bytes, 10));
  EXPECT_CODE(EFFDET_USAGE, effdet_runner_run(runner, NULL, input_bytes, 1, outputs, output_bytes, 10));
  EXPECT_CODE(EFFDET_USAGE, effdet_runner_run(NULL, inputs, input_bytes, 1, outputs, output_bytes, 10));
  for (i = 0; i < 10; ++i) free(outputs[i]);
  free(input);
  effdet_runner_free(runner);
}

static int same(const effdet_detections* a, const effdet_detections* b) {
  const size_t count = effdet_detections_count(a);
  return count == effdet_detections_count(b) &&
         memcmp(effdet_detections_data(a), effdet_detections_data(b), count * sizeof(effdet_detection)) == 0;
}

static void draw(const effdet_image* image, const effdet_detections* found, const char* folder) {
  effdet_picture* drawn = NULL;
  char* path = in_folder(folder, "drawn.png");
  EXPECT_OK(effdet_annotate(image, effdet_detections_data(found), effdet_detections_count(found), NULL, 0, &drawn));
  EXPECT(effdet_picture_width(drawn) == image->width && effdet_picture_height(drawn) == image->height);
  EXPECT_OK(effdet_picture_write(drawn, path));
  EXPECT_CODE(EFFDET_USAGE, effdet_picture_write(drawn, "drawn.bmp"));
  effdet_picture_free(drawn);
  free(path);
}

static void after_fork(effdet_detector* detector, const effdet_image* image) {
  int status = 0;
  const pid_t child = fork();
  if (child == 0) {
    effdet_detections* found = NULL;
    _exit(effdet_detector_detect(detector, image, NULL, &found) == EFFDET_USAGE ? 0 : 1);
  }
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void detect(const effdet_model* model, const effdet_model* model_of_two, const char* file, const char* folder) {
  effdet_detector *detector = NULL, *of_two = NULL;
  effdet_picture* picture = NULL;
  effdet_image images[3];
  effdet_detections *by_file = NULL, *by_view = NULL, *batch[3] = {NULL, NULL, NULL};
  effdet_detect_options options;
  effdet_timings timings;
  double scale;
  const int category = 2;
  int width, height, i;
  EXPECT_OK(effdet_detector_new(model, 1, NULL, &detector));
  EXPECT_OK(effdet_detector_new(model_of_two, 1, NULL, &of_two));
  EXPECT_OK(effdet_detector_detect_file(detector, file, NULL, &by_file));
  EXPECT(effdet_detections_count(by_file) > 0);
  EXPECT_OK(effdet_picture_read(file, &picture));
  for (i = 0; i < 3; ++i) {
    effdet_image_init(&images[i]);
    images[i].data = effdet_picture_pixels(picture);
    images[i].width = effdet_picture_width(picture);
    images[i].height = effdet_picture_height(picture);
  }
  EXPECT_OK(effdet_detector_detect(detector, &images[0], NULL, &by_view));
  EXPECT(same(by_file, by_view));
  EXPECT_OK(effdet_detector_detect_batch(of_two, images, 3, NULL, batch));
  for (i = 0; i < 3; ++i) EXPECT(same(by_file, batch[i]));
  EXPECT_OK(effdet_detector_timings(of_two, &timings));
  EXPECT(timings.inference > 0 && timings.preprocess > 0);
  EXPECT_OK(effdet_detector_letterbox(detector, 256, 64, &scale, &width, &height));
  EXPECT(scale == 0.5 && width == 128 && height == 32);
  draw(&images[0], by_file, folder);
  after_fork(detector, &images[0]);
  effdet_detections_free(by_view);
  by_view = NULL;

  effdet_detect_options_init(&options);
  options.score_threshold = 7;
  EXPECT_CODE(EFFDET_USAGE, effdet_detector_detect(detector, &images[0], &options, &by_view));
  options.score_threshold = NAN;
  EXPECT_CODE(EFFDET_USAGE, effdet_detector_detect(detector, &images[0], &options, &by_view));
  effdet_detect_options_init(&options);
  options.size = 0;
  EXPECT_CODE(EFFDET_USAGE, effdet_detector_detect(detector, &images[0], &options, &by_view));
  options.size = sizeof(options) + 8;
  EXPECT_CODE(EFFDET_UNSUPPORTED, effdet_detector_detect(detector, &images[0], &options, &by_view));
  options.size = offsetof(effdet_detect_options, iou_threshold);
  options.score_threshold = 1;
  options.max_detections = -5; /* beyond what this caller's version has */
  EXPECT_OK(effdet_detector_detect(detector, &images[0], &options, &by_view));
  EXPECT(effdet_detections_count(by_view) == 0);
  effdet_detections_free(by_view);
  effdet_detect_options_init(&options);
  options.categories = &category;
  options.num_categories = 1;
  options.agnostic = 1;
  EXPECT_OK(effdet_detector_detect(detector, &images[0], &options, &by_view));
  for (i = 0; i < (int)effdet_detections_count(by_view); ++i)
    EXPECT(effdet_detections_data(by_view)[i].category == category);
  effdet_detections_free(by_view);
  options.categories = NULL;
  EXPECT_CODE(EFFDET_USAGE, effdet_detector_detect(detector, &images[0], &options, &by_view));
  images[0].stride = 5;
  EXPECT_CODE(EFFDET_USAGE, effdet_detector_detect(detector, &images[0], NULL, &by_view));
  EXPECT_CODE(EFFDET_USAGE, effdet_detector_detect(detector, NULL, NULL, &by_view));
  EXPECT_CODE(EFFDET_IO, effdet_detector_detect_file(detector, "no such file.jpg", NULL, &by_view));

  for (i = 0; i < 3; ++i) effdet_detections_free(batch[i]);
  effdet_detections_free(by_file);
  effdet_picture_free(picture);
  effdet_detector_free(of_two);
  effdet_detector_free(detector);
}

static void convert(const char* checkpoint, const char* folder) {
  effdet_onnx* onnx = NULL;
  effdet_model* model = NULL;
  effdet_model_options options;
  effdet_quantize_options quantize;
  char* path = in_folder(folder, "c.onnx");
  effdet_model_options_init(&options);
  options.height = options.width = 128;
  EXPECT_OK(effdet_onnx_open(checkpoint, &options, &onnx));
  EXPECT_OK(effdet_onnx_simplify(onnx));
  EXPECT_OK(effdet_onnx_raise_opset(onnx, 17));
  EXPECT_CODE(EFFDET_USAGE, effdet_onnx_raise_opset(onnx, 99));
  EXPECT_OK(effdet_onnx_write(onnx, path));
  EXPECT_OK(effdet_onnx_compile(onnx, EFFDET_BFLOAT16, &model));
  EXPECT(effdet_model_output_count(model) == 10);
  effdet_model_free(model);
  effdet_quantize_options_init(&quantize);
  EXPECT_CODE(EFFDET_USAGE, effdet_onnx_quantize(onnx, &quantize)); /* no images */
  quantize.weights_only = 1;
  EXPECT_OK(effdet_onnx_quantize(onnx, &quantize));
  effdet_onnx_free(onnx);
  EXPECT_OK(effdet_onnx_open(path, NULL, &onnx));
  effdet_onnx_free(onnx);
  EXPECT_OK(effdet_onnx_open(checkpoint, &options, &onnx));
  EXPECT_OK(effdet_onnx_append_nms(onnx, NULL));
  effdet_onnx_free(onnx);
  free(path);
}

static char* write_text(const char* folder, const char* name, const char* text) {
  char* path = in_folder(folder, name);
  FILE* file = fopen(path, "w");
  fputs(text, file);
  fclose(file);
  return path;
}

static void evaluate(const char* folder) {
  effdet_evaluation* evaluation = NULL;
  effdet_evaluate_options options;
  effdet_category_ap category;
  const double iou = 0.5;
  char* annotations = write_text(folder, "annotations.json",
                                 "{\"images\":[{\"id\":1,\"width\":99,\"height\":99}],"
                                 "\"categories\":[{\"id\":3,\"name\":\"car\"}],"
                                 "\"annotations\":[{\"id\":1,\"image_id\":1,\"category_id\":3,\"bbox\":[10,10,20,20],"
                                 "\"area\":400,\"iscrowd\":0}]}");
  char* results =
      write_text(folder, "results.json", "[{\"image_id\":1,\"category_id\":3,\"bbox\":[10,10,20,20],\"score\":0.9}]");
  EXPECT_OK(effdet_evaluate(annotations, results, NULL, &evaluation));
  EXPECT(effdet_evaluation_stats(evaluation)[0] > 0.999 && effdet_evaluation_images(evaluation) == 1);
  EXPECT(strstr(effdet_evaluation_summary(evaluation), "Average Precision") != NULL);
  EXPECT(effdet_evaluation_category_count(evaluation) == 1);
  EXPECT_OK(effdet_evaluation_category(evaluation, 0, &category));
  EXPECT(category.id == 3 && category.ap > 0.999 && strcmp(category.name, "car") == 0);
  EXPECT_CODE(EFFDET_USAGE, effdet_evaluation_category(evaluation, 1, &category));
  effdet_evaluation_free(evaluation);
  effdet_evaluate_options_init(&options);
  options.iou_thresholds = &iou;
  options.num_iou_thresholds = 1;
  EXPECT_OK(effdet_evaluate(annotations, results, &options, &evaluation));
  effdet_evaluation_free(evaluation);
  EXPECT_CODE(EFFDET_USAGE, effdet_evaluate(results, annotations, NULL, &evaluation)); /* swapped */
  free(annotations);
  free(results);
}

/* The lines of the log, one after the other. */
static void keep_line(effdet_log_level level, const char* text, void* user) {
  char* all = user;
  EXPECT(level >= EFFDET_LOG_DEBUG && level <= EFFDET_LOG_WARNING);
  strncat(all, text, 4095 - strlen(all));
}

static void log_lines(const char* checkpoint) {
  char lines[4096] = "";
  effdet_model* model;
  EXPECT_OK(effdet_set_log(keep_line, lines));
  model = open_small(checkpoint, 1);
  EXPECT(strstr(lines, checkpoint) != NULL && strstr(lines, "is open") != NULL);
  EXPECT_OK(effdet_set_log(NULL, NULL));
  effdet_model_free(model);
  EXPECT(effdet_is_picture_name("a/b.JPG") == 1 && effdet_is_picture_name("b.txt") == 0 &&
         effdet_is_picture_name(NULL) == 0);
}

int main(int argc, char** argv) {
  effdet_model *model, *model_of_two, *none = NULL;
  if (argc != 4) return 2;
  EXPECT(effdet_last_error()[0] == 0);
  EXPECT(strlen(effdet_version()) >= 5);
  EXPECT_CODE(EFFDET_IO, effdet_model_open("no such file.om", NULL, &none));
  EXPECT_CODE(EFFDET_USAGE, effdet_model_open(NULL, NULL, &none));
  EXPECT_CODE(EFFDET_USAGE, effdet_model_open(argv[1], NULL, NULL));
  effdet_model_free(NULL);
  model = open_small(argv[1], 1);
  model_of_two = open_small(argv[1], 2);
  log_lines(argv[1]);
  describe(model);
  save_and_load(model, argv[3]);
  run(model);
  detect(model, model_of_two, argv[2], argv[3]);
  effdet_model_free(model_of_two);
  effdet_model_free(model);
  convert(argv[1], argv[3]);
  evaluate(argv[3]);
  printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
