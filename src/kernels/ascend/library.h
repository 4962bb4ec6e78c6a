// The vendor's libascendcl.so, or another library with its interface: found, loaded and initialised when it is first
// needed.
#pragma once

#include <string>

#include "kernels/ascend/functions.h"

/// Functions that are called, and those that are called where they are there.
#define EFFDET_ACL_NEEDED(use)                                                                                      \
  use(aclInit) use(aclrtGetDeviceCount) use(aclrtSetDevice) use(aclrtResetDevice) use(aclrtCreateContext)           \
      use(aclrtDestroyContext) use(aclrtSetCurrentContext) use(aclrtMalloc) use(aclrtFree) use(aclrtMemcpy)         \
          use(aclCreateDataBuffer) use(aclDestroyDataBuffer) use(aclmdlCreateDataset) use(aclmdlDestroyDataset)     \
              use(aclmdlAddDatasetBuffer) use(aclmdlLoadFromFile) use(aclmdlUnload) use(aclmdlCreateDesc)           \
                  use(aclmdlDestroyDesc) use(aclmdlGetDesc) use(aclmdlGetNumInputs) use(aclmdlGetNumOutputs)        \
                      use(aclmdlGetInputSizeByIndex) use(aclmdlGetOutputSizeByIndex) use(aclmdlGetInputNameByIndex) \
                          use(aclmdlGetOutputNameByIndex) use(aclmdlGetInputDataType) use(aclmdlGetOutputDataType)  \
                              use(aclmdlGetInputDims) use(aclmdlGetOutputDims) use(aclmdlGetCurOutputDims)          \
                                  use(aclmdlGetInputIndexByName) use(aclmdlGetDynamicBatch) use(aclmdlGetDynamicHW) \
                                      use(aclmdlGetInputDynamicGearCount) use(aclmdlGetInputDynamicDims)            \
                                          use(aclmdlSetDynamicBatchSize) use(aclmdlSetDynamicHWSize)                \
                                              use(aclmdlSetInputDynamicDims) use(aclmdlExecute)
#define EFFDET_ACL_OPTIONAL(use) use(aclGetRecentErrMsg) use(aclrtGetSocName)

namespace effdet::kernels::ascend {

/// What aclInit is given when the library is loaded: a file; without it nothing.
void set_configuration(const std::string& path);

struct Library {
  /// The library of this process: that of $ASCEND_HOME_PATH/lib64 where that is set, the loader's, or that of the
  /// folders where CANN is installed. It stays loaded, and initialised: some of its releases may be finalized only
  /// once. Throws Error(kUnsupported) where there is none, or where it lacks a function, which is named.
  static const Library& instance();

  /// Does nothing for success; throws Error with the function's name, its code and the library's own message:
  /// kOutOfMemory for the codes that say so, kIo for others. what: what was to be done.
  void check(acl::aclError code, const char* function, const std::string& what) const;

  std::string path;  ///< where it was found
#define EFFDET_ACL_MEMBER(name) decltype(&acl::name) name = nullptr;
  EFFDET_ACL_NEEDED(EFFDET_ACL_MEMBER)
  EFFDET_ACL_OPTIONAL(EFFDET_ACL_MEMBER)
#undef EFFDET_ACL_MEMBER
};

}  // namespace effdet::kernels::ascend
