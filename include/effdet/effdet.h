// The whole public API.
#pragma once

#include "effdet/anchor_options.h"
#include "effdet/checkpoint_tools.h"
#include "effdet/compiled_model.h"
#include "effdet/dataset.h"
#include "effdet/detection.h"
#include "effdet/detector.h"
#include "effdet/download.h"
#include "effdet/error.h"
#include "effdet/executor.h"
#include "effdet/export.h"
#include "effdet/onnx_model.h"
#include "effdet/output_file.h"
#include "effdet/output_memory.h"
#include "effdet/streams.h"
#include "effdet/structure.h"
