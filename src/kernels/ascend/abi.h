// AscendCL's binary interface: types, sizes and error codes as libascendcl.so has them on 64-bit Linux. For those who
// call that library, and for the one that runs on a CPU (tools/ascendcl). functions.inc has the functions. Checked
// against the vendor's own headers by bench/ascend/check_abi.
#pragma once

#include <cstddef>
#include <cstdint>

namespace effdet::kernels::ascend::acl {

using aclError = int;
using aclrtContext = void*;
using aclrtStream = void*;
using aclrtEvent = void*;
using aclFloat16 = uint16_t;
using aclrtCallback = void (*)(void* user_data);
using aclrtHostFunc = void (*)(void* arguments);

// Known by pointers alone.
struct aclDataBuffer;
struct aclTensorDesc;
struct aclmdlDataset;
struct aclmdlDesc;
struct aclmdlAIPP;
struct aclmdlConfigHandle;
struct aclmdlExecConfigHandle;
struct aclAippExtendInfo;
struct aclprofConfig;
struct aclprofAicoreEvents;

/// The codes that this program gives or looks for: kRtParamInvalid is ACL_ERROR_RT_PARAM_INVALID, and so on. Those from
/// 100000 are of AscendCL itself, from 107000, 207000 and 507000 of its runtime, from 145000, 245000 and 545000 of what
/// loads and runs models (GE).
enum Code : int {
  kSuccess = 0,
  kInvalidParam = 100000,
  kUninitialize = 100001,
  kRepeatInitialize = 100002,
  kInvalidFile = 100003,
  kParseFile = 100006,
  kRepeatFinalize = 100037,
  kStorageOverLimit = 300000,
  kBadAlloc = 200000,
  kApiNotSupport = 200001,
  kInternalError = 500000,
  kRtParamInvalid = 107000,
  kRtInvalidDeviceid = 107001,
  kRtContextNull = 107002,
  kRtStreamContext = 107003,
  kRtModelContext = 107004,
  kRtEventTimestampInvalid = 107006,
  kRtEventTimestampReversal = 107007,
  kRtStreamSubscribe = 107011,
  kRtThreadSubscribe = 107012,
  kRtStreamNoCbReg = 107015,
  kRtInvalidHandle = 107017,
  kRtMemoryAllocation = 207001,
  kRtModelRunning = 107037,
  kRtDeviceOom = 207018,
  kRtModelExecute = 507011,
  kRtReportTimeout = 507012,
  kRtStreamSyncTimeout = 507046,
  kRtEventSyncTimeout = 507047,
  kGeParamInvalid = 145000,
  kGeExecNotInit = 145001,
  kGeExecModelPathInvalid = 145002,
  kGeExecModelIdInvalid = 145003,
  kGeDynamicInputLengthInvalid = 145012,
  kGeDynamicBatchSizeInvalid = 145013,
  kGeAippNotExist = 145015,
  kGeMemoryAllocation = 245000,
  kGeLoadModel = 545001,
};

enum aclDataType : int {
  ACL_DT_UNDEFINED = -1,
  ACL_FLOAT = 0,
  ACL_FLOAT16 = 1,
  ACL_INT8 = 2,
  ACL_INT32 = 3,
  ACL_UINT8 = 4,
  ACL_INT16 = 6,
  ACL_UINT16 = 7,
  ACL_UINT32 = 8,
  ACL_INT64 = 9,
  ACL_UINT64 = 10,
  ACL_DOUBLE = 11,
  ACL_BOOL = 12,
  ACL_STRING = 13,
  ACL_COMPLEX64 = 16,
  ACL_COMPLEX128 = 17,
  ACL_BF16 = 27,
  ACL_INT4 = 29,
  ACL_UINT1 = 30,
  ACL_COMPLEX32 = 33,
  ACL_HIFLOAT8 = 34,
  ACL_FLOAT8_E5M2 = 35,
  ACL_FLOAT8_E4M3FN = 36,
  ACL_FLOAT8_E8M0 = 37,
};

enum aclFormat : int {
  ACL_FORMAT_UNDEFINED = -1,
  ACL_FORMAT_NCHW = 0,
  ACL_FORMAT_NHWC = 1,
  ACL_FORMAT_ND = 2,
};

enum aclLogLevel : unsigned { ACL_DEBUG, ACL_INFO, ACL_WARNING, ACL_ERROR };
enum aclMemType : unsigned { ACL_MEMTYPE_DEVICE, ACL_MEMTYPE_HOST, ACL_MEMTYPE_HOST_COMPILE_INDEPENDENT };
enum aclrtRunMode : unsigned { ACL_DEVICE, ACL_HOST };
enum aclrtEventStatus : unsigned { ACL_EVENT_STATUS_COMPLETE, ACL_EVENT_STATUS_NOT_READY };
/// The other way round than aclrtEventStatus.
enum aclrtEventRecordedStatus : unsigned { ACL_EVENT_RECORDED_STATUS_NOT_READY, ACL_EVENT_RECORDED_STATUS_COMPLETE };
enum aclrtEventWaitStatus : unsigned { ACL_EVENT_WAIT_STATUS_COMPLETE, ACL_EVENT_WAIT_STATUS_NOT_READY };
enum aclrtStreamStatus : unsigned { ACL_STREAM_STATUS_COMPLETE, ACL_STREAM_STATUS_NOT_READY };
enum aclrtCallbackBlockType : unsigned { ACL_CALLBACK_NO_BLOCK, ACL_CALLBACK_BLOCK };
enum aclrtMemcpyKind : unsigned {
  ACL_MEMCPY_HOST_TO_HOST,
  ACL_MEMCPY_HOST_TO_DEVICE,
  ACL_MEMCPY_DEVICE_TO_HOST,
  ACL_MEMCPY_DEVICE_TO_DEVICE,
  ACL_MEMCPY_DEFAULT,
  ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE,
};
enum aclrtMemMallocPolicy : unsigned {
  ACL_MEM_MALLOC_HUGE_FIRST,
  ACL_MEM_MALLOC_HUGE_ONLY,
  ACL_MEM_MALLOC_NORMAL_ONLY
};
enum aclrtMemAttr : unsigned { ACL_DDR_MEM, ACL_HBM_MEM };
enum aclrtLastErrLevel : unsigned { ACL_RT_THREAD_LEVEL };
enum aclrtDeviceStatus : unsigned { ACL_RT_DEVICE_STATUS_NORMAL, ACL_RT_DEVICE_STATUS_ABNORMAL };

enum aclAippInputFormat : unsigned {
  ACL_YUV420SP_U8 = 1,
  ACL_XRGB8888_U8 = 2,
  ACL_RGB888_U8 = 3,
  ACL_YUV400_U8 = 4,
};
enum aclmdlInputAippType : unsigned { ACL_DATA_WITHOUT_AIPP, ACL_DATA_WITH_STATIC_AIPP, ACL_DATA_WITH_DYNAMIC_AIPP };
enum aclmdlExecConfigAttr : unsigned { ACL_MDL_STREAM_SYNC_TIMEOUT, ACL_MDL_EVENT_SYNC_TIMEOUT };
enum aclmdlConfigAttr : unsigned {
  ACL_MDL_PRIORITY_INT32,
  ACL_MDL_LOAD_TYPE_SIZET,
  ACL_MDL_PATH_PTR,
  ACL_MDL_MEM_ADDR_PTR,
  ACL_MDL_MEM_SIZET,
  ACL_MDL_WEIGHT_ADDR_PTR,
  ACL_MDL_WEIGHT_SIZET,
  ACL_MDL_WORKSPACE_ADDR_PTR,
  ACL_MDL_WORKSPACE_SIZET,
  ACL_MDL_WORKSPACE_MEM_OPTIMIZE = 13,
};
enum aclprofAicoreMetrics : unsigned { ACL_AICORE_ARITHMETIC_UTILIZATION };
enum aclprofConfigType : unsigned { ACL_PROF_ARGS_MIN };

/// Names and entries of a list that are handed over in arrays of a fixed length.
inline constexpr size_t kMaxNameBytes = 128, kMaxDims = 128, kMaxGears = 128;
/// The input of a model with several plans by which its caller says which one is meant.
inline constexpr const char* kDynamicTensorName = "ascend_mbatch_shape_data";

struct aclmdlIODims {
  char name[kMaxNameBytes];
  size_t dimCount;
  int64_t dims[kMaxDims];
};
struct aclmdlIODimsRange {
  size_t rangeCount;
  int64_t range[kMaxDims][2];
};
struct aclmdlBatch {
  size_t batchCount;
  uint64_t batch[kMaxGears];
};
struct aclmdlHW {
  size_t hwCount;
  uint64_t hw[kMaxGears][2];
};
struct aclAippDims {
  aclmdlIODims srcDims;
  size_t srcSize;
  aclmdlIODims aippOutdims;
  size_t aippOutSize;
};
struct aclAippInfo {
  aclAippInputFormat inputFormat;
  int32_t srcImageSizeW, srcImageSizeH;
  int8_t cropSwitch;
  int32_t loadStartPosW, loadStartPosH, cropSizeW, cropSizeH;
  int8_t resizeSwitch;
  int32_t resizeOutputW, resizeOutputH;
  int8_t paddingSwitch;
  int32_t leftPaddingSize, rightPaddingSize, topPaddingSize, bottomPaddingSize;
  int8_t cscSwitch, rbuvSwapSwitch, axSwapSwitch, singleLineMode;
  int32_t matrix[9], outputBias[3], inputBias[3], mean[4];
  float min[4], varReci[4];
  aclFormat srcFormat;
  aclDataType srcDatatype;
  size_t srcDimNum;
  size_t shapeCount;
  aclAippDims outDims[128];
  aclAippExtendInfo* aippExtend;
};
struct aclmdlExeOMDesc {
  size_t workSize, weightSize, modelDescSize, kernelSize, kernelArgsSize, staticTaskSize, dynamicTaskSize, fifoTaskSize;
  size_t reserved[8];
};
struct aclrtMemUsageInfo {
  char name[32];
  uint64_t curMemSize, memPeakSize;
  size_t reserved[8];
};

static_assert(sizeof(aclmdlIODims) == 1160 && sizeof(aclmdlBatch) == 1032 && sizeof(aclmdlHW) == 2056);
static_assert(sizeof(aclAippInfo) == 299216 && offsetof(aclAippInfo, outDims) == 200);

}  // namespace effdet::kernels::ascend::acl
