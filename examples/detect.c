/* Detection from C: opens a model, lists what is in an image, and draws it. */
#include <stdio.h>

#include "effdet/effdet_c.h"

static int failed(void) {
  fprintf(stderr, "%s\n", effdet_last_error());
  return 1;
}

int main(int argc, char** argv) {
  effdet_model* model = NULL;
  effdet_detector* detector = NULL;
  effdet_detections* found = NULL;
  effdet_detect_options options;
  const effdet_detection* boxes;
  size_t i;

  if (argc != 3) return puts("usage: example_c MODEL IMAGE"), 2;
  effdet_detect_options_init(&options);
  options.max_detections = 5;
  if (effdet_model_open(argv[1], NULL, &model)) return failed();
  if (effdet_detector_new(model, 0, &options, &detector)) return failed();
  if (effdet_detector_detect_file(detector, argv[2], NULL, &found)) return failed();
  boxes = effdet_detections_data(found);
  for (i = 0; i < effdet_detections_count(found); ++i)
    printf("%s, score %.3f, box %.0f %.0f %.0f %.0f\n", effdet_model_class_name(model, boxes[i].category - 1),
           boxes[i].score, boxes[i].x1, boxes[i].y1, boxes[i].x2, boxes[i].y2);

  effdet_detections_free(found);
  effdet_detector_free(detector);
  effdet_model_free(model);
  return 0;
}
