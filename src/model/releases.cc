// The table of published weight files.
#include "model/releases.h"

namespace effdet::model {
namespace {

struct Release {
  std::string_view variant, file;
};

// As effdet 0.4.1's configurations have them.
constexpr Release kReleases[] = {
    {"efficientdet_d0", "efficientdet_d0-f3276ba8.pth"},
    {"efficientdet_d1", "efficientdet_d1-bb7e98fe.pth"},
    {"efficientdetv2_dt", "efficientdetv2_rw_dt_agc-ad8b8c96.pth"},
    {"efficientdetv2_ds", "efficientnetv2_rw_ds_agc-cf589293.pth"},
    {"resdet50", "resdet50_416-08676892.pth"},
    {"cspresdet50", "cspresdet50b-386da277.pth"},
    {"cspresdext50pan", "cspresdext50pan-92fdd094.pth"},
    {"cspdarkdet53m", "cspdarkdet53m-79062b2d.pth"},
    {"efficientdet_q0", "efficientdet_q0-bdf1bdb5.pth"},
    {"efficientdet_q1", "efficientdet_q1b-d0612140.pth"},
    {"efficientdet_q2", "efficientdet_q2-0f7564e5.pth"},
    {"tf_efficientdet_d0", "tf_efficientdet_d0_34-f153e0cf.pth"},
    {"tf_efficientdet_d1", "tf_efficientdet_d1_40-a30f94af.pth"},
    {"tf_efficientdet_d2", "tf_efficientdet_d2_43-8107aa99.pth"},
    {"tf_efficientdet_d3", "tf_efficientdet_d3_47-0b525f35.pth"},
    {"tf_efficientdet_d4", "tf_efficientdet_d4_49-f56376d9.pth"},
    {"tf_efficientdet_d5", "tf_efficientdet_d5_51-c79f9be6.pth"},
    {"tf_efficientdet_d6", "tf_efficientdet_d6_52-4eda3773.pth"},
    {"tf_efficientdet_d7", "tf_efficientdet_d7_53-6d1d7a95.pth"},
    {"tf_efficientdet_d7x", "tf_efficientdet_d7x-f390b87c.pth"},
    {"tf_efficientdet_d0_ap", "tf_efficientdet_d0_ap-d0cdbd0a.pth"},
    {"tf_efficientdet_d1_ap", "tf_efficientdet_d1_ap-7721d075.pth"},
    {"tf_efficientdet_d2_ap", "tf_efficientdet_d2_ap-a2995c19.pth"},
    {"tf_efficientdet_d3_ap", "tf_efficientdet_d3_ap-e4a2feab.pth"},
    {"tf_efficientdet_d4_ap", "tf_efficientdet_d4_ap-f601a5fc.pth"},
    {"tf_efficientdet_d5_ap", "tf_efficientdet_d5_ap-3673ae5d.pth"},
    {"tf_efficientdet_lite0", "tf_efficientdet_lite0-dfacfc78.pth"},
    {"tf_efficientdet_lite1", "tf_efficientdet_lite1-6dc7ab30.pth"},
    {"tf_efficientdet_lite2", "tf_efficientdet_lite2-86c5d55b.pth"},
    {"tf_efficientdet_lite3", "tf_efficientdet_lite3-506852cb.pth"},
    {"tf_efficientdet_lite3x", "tf_efficientdet_lite3x-8404c57b.pth"},
    {"tf_efficientdet_lite4", "tf_efficientdet_lite4-391ddabc.pth"},
};

}  // namespace

std::string_view release_folder() {
  return "https://github.com/rwightman/efficientdet-pytorch/releases/download/v0.1/";
}

std::string_view release_file(std::string_view variant) {
  for (const Release& release : kReleases)
    if (release.variant == variant) return release.file;
  return "";
}

}  // namespace effdet::model
