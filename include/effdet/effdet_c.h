/* effdet for C (C99) and for whoever calls C: models, detection, evaluation.
 *
 * Conventions:
 * - Functions that can fail return effdet_status; what came out is in the last parameters, which are only written where
 *   it is EFFDET_OK. effdet_last_error() then has one line about the last failure on the same thread.
 * - Objects are opaque. Whoever makes one frees it, with the function of its type; NULL may be freed. Pointers into an
 *   object are valid until it is freed.
 * - Structs of options begin with their size, so that programs go on working with later versions of the library, which
 *   have more members: fill them in with their init function first. NULL stands for all defaults.
 * - Strings are UTF-8 and end in a zero. Numbers such as 0 and NULL stand for "not said" where a member says so.
 * - Any thread may use an object; calls for the same detector or runner wait for each other. After fork() the child
 *   makes objects of its own: those of the parent refuse to work there.
 */
#ifndef EFFDET_C_H
#define EFFDET_C_H

#include <stddef.h>
#include <stdint.h>

#include "effdet/export.h"
#include "effdet/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Errors ---------------------------------------------------------------------------------------------------- */

/* The same numbers as the exit codes of the commands (docs/exit-codes.md). */
typedef enum effdet_status {
  EFFDET_OK = 0,
  EFFDET_USAGE = 2,         /* an argument is invalid */
  EFFDET_BAD_INPUT = 3,     /* a file is malformed, truncated or hostile */
  EFFDET_IO = 4,            /* the operating system refused: missing file, no permission, no space */
  EFFDET_UNSUPPORTED = 5,   /* well-formed, but not supported by this version */
  EFFDET_MISMATCH = 6,      /* a check failed, such as the gate of effdet_onnx_quantize() */
  EFFDET_OUT_OF_MEMORY = 7, /* memory ran out */
  EFFDET_INTERNAL = 70      /* a bug in effdet */
} effdet_status;

/* One line about the last call that failed on this thread: file, field, offset and what to do next, where known. Valid
 * until the next failure on this thread; "" before the first. */
EFFDET_API const char* effdet_last_error(void);

/* Version of the library in use, "major.minor.patch". */
EFFDET_API const char* effdet_version(void);

typedef enum effdet_log_level {
  EFFDET_LOG_DEBUG = 0,  /* what happens inside: libraries that are loaded, threads */
  EFFDET_LOG_INFO = 1,   /* what was opened */
  EFFDET_LOG_WARNING = 2 /* what the user should read: assumptions, pictures left out, outputs that are NaN */
} effdet_log_level;
/* What the library has to say besides results and errors goes to this function, one line without its end at a time,
 * from any thread, several at once; NULL: to nobody, as at first. Nothing calls the function before when this returns.
 * The function must not call this one: EFFDET_USAGE. */
typedef void (*effdet_log_function)(effdet_log_level level, const char* text, void* user);
EFFDET_API effdet_status effdet_set_log(effdet_log_function function, void* user);

/* ---- Models ---------------------------------------------------------------------------------------------------- */

typedef enum effdet_precision {
  EFFDET_PRECISION_DEFAULT = 0, /* float32, or that of a compiled model */
  EFFDET_FLOAT32 = 1,
  EFFDET_BFLOAT16 = 2
} effdet_precision;

/* What a checkpoint does not contain, or what is to override it. */
typedef struct effdet_model_options {
  size_t size;
  const char* model;              /* variant, "tf_efficientdet_d0"; NULL: the checkpoint's */
  int num_classes;                /* 0: the checkpoint's */
  int height, width;              /* of the input, in pixels; 0: the checkpoint's or the variant's */
  int batch;                      /* images in one batch; 0: 1 */
  const char* const* class_names; /* class 0 first; NULL: none are given */
  size_t num_class_names;
  int use_ema; /* use the moving average of the weights, if the checkpoint has one */
  effdet_precision precision;
  const char* device;                            /* where a compiled model runs: "ascend:0"; NULL: what it is for */
  void (*on_note)(const char* line, void* user); /* if not NULL: called with what the user should read */
  void* user;
} effdet_model_options;
EFFDET_API void effdet_model_options_init(effdet_model_options* options);

/* A model that is ready to run. */
typedef struct effdet_model effdet_model;

/* Loads a compiled model (.om), or compiles an ONNX file or a PyTorch checkpoint. */
EFFDET_API effdet_status effdet_model_open(const char* path, const effdet_model_options* options, effdet_model** model);
/* A compiled model in memory, which is copied; name stands for it in messages. */
EFFDET_API effdet_status effdet_model_load(const void* file, size_t bytes, const char* name, effdet_model** model);
/* Writes a compiled model, whole or not at all. */
EFFDET_API effdet_status effdet_model_save(const effdet_model* model, const char* path);
EFFDET_API void effdet_model_free(effdet_model* model);

/* A tensor that goes in or out. */
typedef struct effdet_tensor {
  const char* name;
  const char* dtype;    /* numpy's name: "float32", "uint8", ...; or "bfloat16" */
  const int64_t* shape; /* outermost dimension first */
  size_t rank;
  size_t bytes; /* of the whole tensor, dense */
} effdet_tensor;

EFFDET_API size_t effdet_model_input_count(const effdet_model* model);
EFFDET_API size_t effdet_model_output_count(const effdet_model* model);
EFFDET_API effdet_status effdet_model_input(const effdet_model* model, size_t index, effdet_tensor* tensor);
EFFDET_API effdet_status effdet_model_output(const effdet_model* model, size_t index, effdet_tensor* tensor);

/* What a detector needs to know of its model. Fails with EFFDET_UNSUPPORTED where the model has no metadata of this
 * library's exporter. */
typedef struct effdet_description {
  const char* model; /* variant */
  int num_classes;
  int height, width; /* of the network's input, in pixels */
  int batch;
} effdet_description;
EFFDET_API effdet_status effdet_model_describe(const effdet_model* model, effdet_description* description);
/* Name of a class, from 0 to num_classes - 1: the model's, COCO's for models with its number of classes, or "class 1";
 * NULL for another index, and where effdet_model_describe() fails. */
EFFDET_API const char* effdet_model_class_name(const effdet_model* model, int index);
/* A text of the model's metadata (docs/onnx-metadata.md); NULL where there is none of that key. */
EFFDET_API const char* effdet_model_metadata(const effdet_model* model, const char* key);

/* ---- Tensors in, tensors out ------------------------------------------------------------------------------------ */

typedef struct effdet_runner effdet_runner;

/* Allocates all that runs need. threads: 0 for EFFDET_NUM_THREADS or all cores. Keeps the model alive. */
EFFDET_API effdet_status effdet_runner_new(const effdet_model* model, int threads, effdet_runner** runner);
/* Runs on the caller's memory: dense tensors in the order and with the bytes that the model tells. */
EFFDET_API effdet_status effdet_runner_run(effdet_runner* runner, const void* const* inputs, const size_t* input_bytes,
                                           size_t num_inputs, void* const* outputs, const size_t* output_bytes,
                                           size_t num_outputs);
EFFDET_API void effdet_runner_free(effdet_runner* runner);

/* ---- Pictures --------------------------------------------------------------------------------------------------- */

typedef enum effdet_pixel_format {
  EFFDET_RGB = 0,
  EFFDET_BGR = 1,  /* OpenCV's */
  EFFDET_RGBA = 2, /* the fourth byte is ignored */
  EFFDET_BGRA = 3,
  EFFDET_GRAY = 4,
  EFFDET_NV12 = 5 /* luma, then interleaved chroma of half the size; BT.601, 16 to 235 */
} effdet_pixel_format;

/* Pixels of 8 bits in the caller's memory; nothing is copied or kept. */
typedef struct effdet_image {
  size_t size; /* of this struct; effdet_image_init() */
  const unsigned char* data;
  int width, height; /* in pixels */
  effdet_pixel_format format;
  ptrdiff_t stride;            /* bytes from row to row, may be negative; 0: rows without padding */
  const unsigned char* chroma; /* of NV12; NULL: after the last row */
  ptrdiff_t chroma_stride;     /* of NV12; 0: as stride */
} effdet_image;
EFFDET_API void effdet_image_init(effdet_image* image);

/* Pixels that the library holds: dense RGB. */
typedef struct effdet_picture effdet_picture;

/* Decodes an image file: the same pixels as Pillow's Image.open(path).convert("RGB"). */
EFFDET_API effdet_status effdet_picture_read(const char* path, effdet_picture** picture);
EFFDET_API effdet_status effdet_picture_decode(const void* file, size_t bytes, const char* name,
                                               effdet_picture** picture);
/* Whether a file's name ends as those of the pictures do that this build reads: 1 or 0. */
EFFDET_API int effdet_is_picture_name(const char* path);
EFFDET_API int effdet_picture_width(const effdet_picture* picture);
EFFDET_API int effdet_picture_height(const effdet_picture* picture);
/* 3 * width * height bytes, row by row. */
EFFDET_API const unsigned char* effdet_picture_pixels(const effdet_picture* picture);
/* Writes a JPEG (.jpg, .jpeg) or PNG (.png) file. */
EFFDET_API effdet_status effdet_picture_write(const effdet_picture* picture, const char* path);
EFFDET_API void effdet_picture_free(effdet_picture* picture);

/* ---- Detection -------------------------------------------------------------------------------------------------- */

typedef struct effdet_detection {
  float x1, y1, x2, y2; /* corners of the box in pixels of the image; (x1, y1) is the top left one */
  float score;          /* 0 to 1 */
  int category;         /* class index + 1: COCO's category id for models with 90 classes */
} effdet_detection;

/* Values out of range are EFFDET_USAGE. */
typedef struct effdet_detect_options {
  size_t size;
  float score_threshold; /* 0 to 1; 0 */
  float iou_threshold;   /* of hard NMS, 0 to 1; 0.5. At 1 every candidate is kept */
  int max_candidates;    /* 5000 */
  int max_detections;    /* of an image; 100 */
  int soft_nms;          /* gaussian soft-NMS; 0 */
  int soft_linear;       /* with soft_nms: linear instead of gaussian; 0 */
  int agnostic;          /* boxes of other classes are suppressed, too; 0 */
  const int* categories; /* only these (class index + 1); NULL: all */
  size_t num_categories;
} effdet_detect_options;
EFFDET_API void effdet_detect_options_init(effdet_detect_options* options);

typedef struct effdet_detections effdet_detections;
EFFDET_API size_t effdet_detections_count(const effdet_detections* detections);
/* By falling score. */
EFFDET_API const effdet_detection* effdet_detections_data(const effdet_detections* detections);
EFFDET_API void effdet_detections_free(effdet_detections* detections);

typedef struct effdet_detector effdet_detector;

/* options: those of calls that have none of their own. Keeps the model alive. */
EFFDET_API effdet_status effdet_detector_new(const effdet_model* model, int threads,
                                             const effdet_detect_options* options, effdet_detector** detector);
EFFDET_API void effdet_detector_free(effdet_detector* detector);
/* options: NULL for the detector's. */
EFFDET_API effdet_status effdet_detector_detect(effdet_detector* detector, const effdet_image* image,
                                                const effdet_detect_options* options, effdet_detections** detections);
EFFDET_API effdet_status effdet_detector_detect_file(effdet_detector* detector, const char* path,
                                                     const effdet_detect_options* options,
                                                     effdet_detections** detections);
/* Several images, of any sizes: as many at a time as the model's batch has. detections: room for `count` of them. */
EFFDET_API effdet_status effdet_detector_detect_batch(effdet_detector* detector, const effdet_image* images,
                                                      size_t count, const effdet_detect_options* options,
                                                      effdet_detections** detections);

/* Seconds of the last call's stages. */
typedef struct effdet_timings {
  double preprocess, inference, postprocess;
} effdet_timings;
EFFDET_API effdet_status effdet_detector_timings(effdet_detector* detector, effdet_timings* timings);
/* How an image of this size lies in the model's input: a point (x, y) is at (scale * x, scale * y). */
EFFDET_API effdet_status effdet_detector_letterbox(effdet_detector* detector, int width, int height, double* scale,
                                                   int* scaled_width, int* scaled_height);

/* The image with boxes, class names and scores drawn. class_names: by class index; NULL: "class 1", ... */
EFFDET_API effdet_status effdet_annotate(const effdet_image* image, const effdet_detection* detections, size_t count,
                                         const char* const* class_names, size_t num_class_names,
                                         effdet_picture** picture);

/* ---- From checkpoint to compiled model -------------------------------------------------------------------------- */

typedef struct effdet_onnx effdet_onnx;

/* Reads an ONNX file, or exports a PyTorch checkpoint at opset 11. */
EFFDET_API effdet_status effdet_onnx_open(const char* path, const effdet_model_options* options, effdet_onnx** onnx);
EFFDET_API effdet_status effdet_onnx_write(const effdet_onnx* onnx, const char* path);
EFFDET_API void effdet_onnx_free(effdet_onnx* onnx);
/* Makes the graph simpler without changing what it computes. */
EFFDET_API effdet_status effdet_onnx_simplify(effdet_onnx* onnx);
/* Writes the nodes as a later version of ONNX's operator set has them, 11 to 22. */
EFFDET_API effdet_status effdet_onnx_raise_opset(effdet_onnx* onnx, int opset);
/* Appends decoding and suppression, so that the model gives detections. options: without soft_nms. */
EFFDET_API effdet_status effdet_onnx_append_nms(effdet_onnx* onnx, const effdet_detect_options* options);

typedef struct effdet_quantize_options {
  size_t size;
  const char* const* calibration; /* image files, or .bin files as preprocess writes them */
  size_t num_calibration;
  size_t calibration_images; /* the most that are used; 300 */
  uint64_t seed;
  int weights_only;       /* only weights become int8; takes no calibration */
  const char* validation; /* root of a data set, on which the gate is measured; NULL: no gate */
  double keep;            /* share of float32's mAP that has to remain; 0.99 */
  int threads;            /* 0: all */
} effdet_quantize_options;
EFFDET_API void effdet_quantize_options_init(effdet_quantize_options* options);
/* Makes an 8-bit model of a float32 one. EFFDET_MISMATCH where none passes the gate: the model stays as it was. */
EFFDET_API effdet_status effdet_onnx_quantize(effdet_onnx* onnx, const effdet_quantize_options* options);

/* Compiles for this processor. */
EFFDET_API effdet_status effdet_onnx_compile(const effdet_onnx* onnx, effdet_precision precision, effdet_model** model);

/* ---- Evaluation ------------------------------------------------------------------------------------------------- */

typedef struct effdet_evaluation effdet_evaluation;

/* pycocotools' twelve numbers: AP, AP50, AP75, AP small, medium, large, AR1, AR10, AR100, AR small, medium, large; -1
 * without ground truth. */
EFFDET_API const double* effdet_evaluation_stats(const effdet_evaluation* evaluation);
/* The lines that pycocotools prints. */
EFFDET_API const char* effdet_evaluation_summary(const effdet_evaluation* evaluation);
EFFDET_API size_t effdet_evaluation_images(const effdet_evaluation* evaluation);
typedef struct effdet_category_ap {
  int64_t id;
  const char* name;
  double ap, ap50, ap75; /* -1 without ground truth */
} effdet_category_ap;
EFFDET_API size_t effdet_evaluation_category_count(const effdet_evaluation* evaluation);
EFFDET_API effdet_status effdet_evaluation_category(const effdet_evaluation* evaluation, size_t index,
                                                    effdet_category_ap* category);
EFFDET_API void effdet_evaluation_free(effdet_evaluation* evaluation);

/* pycocotools' Params; what is NULL has its defaults. */
typedef struct effdet_evaluate_options {
  size_t size;
  const char* const* images; /* ids of those that count, as JSON has them: a number, or a string without quotes */
  size_t num_images;
  const char* const* categories; /* ids or names of those that count */
  size_t num_categories;
  int ignore_categories; /* all is one category (useCats = 0) */
  const double* iou_thresholds;
  size_t num_iou_thresholds;
  const double* recall_thresholds;
  size_t num_recall_thresholds;
  const char* const* area_labels; /* with area_ranges */
  const double* area_ranges;      /* pairs of low and high, in square pixels */
  size_t num_areas;
  const size_t* max_detections; /* of an image and category, rising */
  size_t num_max_detections;
  const char* arrays; /* file for COCOeval's arrays (.npz); NULL: none */
  int threads;        /* 0: all */
} effdet_evaluate_options;
EFFDET_API void effdet_evaluate_options_init(effdet_evaluate_options* options);
/* Evaluates a COCO results file against a COCO annotation file, as pycocotools does. */
EFFDET_API effdet_status effdet_evaluate(const char* annotations, const char* results,
                                         const effdet_evaluate_options* options, effdet_evaluation** evaluation);

typedef struct effdet_validate_options {
  size_t size;
  const effdet_detect_options* detect; /* NULL: defaults */
  const char* results;                 /* file for COCO results; NULL: none */
  size_t limit;                        /* number of images at most; 0: all */
  int streams;                         /* batches in the network at the same time; 0: 1 */
  int threads;                         /* 0: all */
  /* If not NULL: called after each image, from any thread; another result than 0 ends the run after it. */
  int (*on_image)(size_t done, size_t total, void* user);
  void* user;
} effdet_validate_options;
EFFDET_API void effdet_validate_options_init(effdet_validate_options* options);
/* Evaluates a model on a data set, from images to mAP. root: the data set's folder. */
EFFDET_API effdet_status effdet_validate(const effdet_model* model, const char* root,
                                         const effdet_validate_options* options, effdet_evaluation** evaluation);

#ifdef __cplusplus
}
#endif

#endif /* EFFDET_C_H */
