// Preprocessing inside models (AIPP). Models here have the static kind alone: what sets the dynamic kind up is
// accepted, and handing it to a model says that the model has none.
#include "kernels/ascend/functions.h"
#include "model.h"

namespace effdet::acl {
namespace {

struct AippParameters {
  uint64_t batch;
};
Handles<AippParameters>& aipp_parameters() {
  static auto& kept = *new Handles<AippParameters>(11, "AIPP parameter set", kInvalidParam);
  return kept;
}

/// A setter for all images, or for one of the batch. What is set is looked at, and not kept.
aclError set(const char* function, aclmdlAIPP* handle, uint64_t image = 0, bool is_right = true) {
  return answer(function, [&] {
    const auto parameters = aipp_parameters().get(handle);
    require(image < parameters->batch, kInvalidParam, "batchIndex {} of {}", image, parameters->batch);
    require(is_right, kInvalidParam, "a value is out of its range");
  });
}

bool is_switch(int8_t value) { return value == 0 || value == 1; }

aclError hand_over(const char* function, uint32_t id, const aclmdlAIPP* parameters) {
  return answer(function, [&] {
    aipp_parameters().get(parameters);
    model_of(id);
    fail(kGeAippNotExist, "model {} has no dynamic AIPP", id);
  });
}

aclAippInputFormat format_of(const std::string& name) {
  if (name == "RGB888_U8") return ACL_RGB888_U8;
  if (name == "XRGB8888_U8") return ACL_XRGB8888_U8;
  return name == "YUV400_U8" ? ACL_YUV400_U8 : ACL_YUV420SP_U8;
}

}  // namespace

ACL_EXPORT aclmdlAIPP* aclmdlCreateAIPP(uint64_t batch) {
  return answer_or<aclmdlAIPP*>("aclmdlCreateAIPP", nullptr, [&] {
    require(batch > 0, kInvalidParam, "batchSize is 0");
    return static_cast<aclmdlAIPP*>(aipp_parameters().add(std::make_shared<AippParameters>(AippParameters{batch})));
  });
}
ACL_EXPORT aclError aclmdlDestroyAIPP(const aclmdlAIPP* parameters) {
  return answer("aclmdlDestroyAIPP", [&] { aipp_parameters().remove(parameters); });
}
/// 64 bytes for all images and 96 for each.
ACL_EXPORT aclError aclmdlGetAippDataSize(uint64_t batch, size_t* size) {
  return answer("aclmdlGetAippDataSize", [&] {
    size_t& out = need(size, "size");
    require(batch > 0 && batch <= SIZE_MAX / 96 - 1, kInvalidParam, "batchSize is {}", batch);
    out = 64 + (96 * batch);
  });
}
ACL_EXPORT aclError aclmdlSetAIPPInputFormat(aclmdlAIPP* p, aclAippInputFormat format) {
  return set("aclmdlSetAIPPInputFormat", p, 0, format >= 1 && format <= 14);
}
ACL_EXPORT aclError aclmdlSetAIPPCscParams(aclmdlAIPP* p, int8_t, int16_t, int16_t, int16_t, int16_t, int16_t, int16_t,
                                           int16_t, int16_t, int16_t, uint8_t, uint8_t, uint8_t, uint8_t, uint8_t,
                                           uint8_t) {
  return set("aclmdlSetAIPPCscParams", p);
}
ACL_EXPORT aclError aclmdlSetAIPPRbuvSwapSwitch(aclmdlAIPP* p, int8_t on) {
  return set("aclmdlSetAIPPRbuvSwapSwitch", p, 0, is_switch(on));
}
ACL_EXPORT aclError aclmdlSetAIPPAxSwapSwitch(aclmdlAIPP* p, int8_t on) {
  return set("aclmdlSetAIPPAxSwapSwitch", p, 0, is_switch(on));
}
ACL_EXPORT aclError aclmdlSetAIPPSrcImageSize(aclmdlAIPP* p, int32_t width, int32_t height) {
  return set("aclmdlSetAIPPSrcImageSize", p, 0, width > 0 && height > 0);
}
ACL_EXPORT aclError aclmdlSetAIPPScfParams(aclmdlAIPP* p, int8_t on, int32_t, int32_t, int32_t, int32_t,
                                           uint64_t image) {
  return set("aclmdlSetAIPPScfParams", p, image, is_switch(on));
}
ACL_EXPORT aclError aclmdlSetAIPPCropParams(aclmdlAIPP* p, int8_t on, int32_t, int32_t, int32_t, int32_t,
                                            uint64_t image) {
  return set("aclmdlSetAIPPCropParams", p, image, is_switch(on));
}
ACL_EXPORT aclError aclmdlSetAIPPPaddingParams(aclmdlAIPP* p, int8_t on, int32_t, int32_t, int32_t, int32_t,
                                               uint64_t image) {
  return set("aclmdlSetAIPPPaddingParams", p, image, is_switch(on));
}
ACL_EXPORT aclError aclmdlSetAIPPDtcPixelMean(aclmdlAIPP* p, int16_t, int16_t, int16_t, int16_t, uint64_t image) {
  return set("aclmdlSetAIPPDtcPixelMean", p, image);
}
ACL_EXPORT aclError aclmdlSetAIPPDtcPixelMin(aclmdlAIPP* p, float, float, float, float, uint64_t image) {
  return set("aclmdlSetAIPPDtcPixelMin", p, image);
}
ACL_EXPORT aclError aclmdlSetAIPPPixelVarReci(aclmdlAIPP* p, float, float, float, float, uint64_t image) {
  return set("aclmdlSetAIPPPixelVarReci", p, image);
}
ACL_EXPORT aclError aclmdlSetInputAIPP(uint32_t id, aclmdlDataset* /*dataset*/, size_t /*index*/,
                                       const aclmdlAIPP* parameters) {
  return hand_over("aclmdlSetInputAIPP", id, parameters);
}
ACL_EXPORT aclError aclmdlSetAIPPByInputIndex(uint32_t id, aclmdlDataset* /*dataset*/, size_t /*index*/,
                                              const aclmdlAIPP* parameters) {
  return hand_over("aclmdlSetAIPPByInputIndex", id, parameters);
}

ACL_EXPORT aclError aclmdlGetAippType(uint32_t id, size_t index, aclmdlInputAippType* type, size_t* attached) {
  return answer("aclmdlGetAippType", [&] {
    aclmdlInputAippType& out = need(type, "type");
    size_t& attached_index = need(attached, "dynamicAttachedDataIndex");
    const auto model = model_of(id);
    require(index < model->desc.inputs.size(), kInvalidParam, "input {} of {}", index, model->desc.inputs.size());
    out = index == 0 && model->model.aipp() ? ACL_DATA_WITH_STATIC_AIPP : ACL_DATA_WITHOUT_AIPP;
    attached_index = 0xffffffff;
  });
}
/// Format and size of the images; the steps inside are told by `effdet info`.
ACL_EXPORT aclError aclmdlGetFirstAippInfo(uint32_t id, size_t index, aclAippInfo* info) {
  return answer("aclmdlGetFirstAippInfo", [&] {
    aclAippInfo& out = need(info, "aippInfo");
    const auto model = model_of(id);
    const std::optional<AippDescription> aipp = model->model.aipp();
    require(index == 0 && aipp.has_value(), kGeAippNotExist, "input {} of model {} has no AIPP", index, id);
    out = {};
    out.inputFormat = format_of(aipp->format);
    out.srcImageSizeW = aipp->width;
    out.srcImageSizeH = aipp->height;
    out.srcFormat = ACL_FORMAT_NHWC;
    out.srcDatatype = ACL_UINT8;
    out.srcDimNum = model->desc.inputs[0].dims.size();
  });
}

}  // namespace effdet::acl
