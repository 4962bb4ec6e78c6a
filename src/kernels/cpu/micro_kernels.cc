// Finds the best instruction set that the processor has and the build contains.
#include "kernels/cpu/micro_kernels.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "kernels/cpu/code_products.h"

namespace effdet::kernels::cpu {
namespace {

struct Entry {
  const MicroKernels* table;
  bool (*runs_here)();
  bool (*pays_here)() = [] { return true; };  ///< where it runs, and those before it do not
};

[[maybe_unused]] bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

[[maybe_unused]] bool has_avx512_vnni() { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }

[[maybe_unused]] bool has_avx512_bf16() { return has_avx512_vnni() && __builtin_cpu_supports("avx512bf16"); }

[[maybe_unused]] bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

/// A bit of CPUID's leaf 7, register EDX: for features that not every compiler has a name for.
[[maybe_unused]] bool has_feature(int bit) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx >> bit & 1) != 0;
}
constexpr int kAmxBf16Bit = 22, kAvx512Fp16Bit = 23;

/// Linux lends a process tile registers where it asks for them.
[[maybe_unused]] bool has_amx() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool has = has_feature(kAmxBf16Bit) && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return has;
}

/// Whether vectors of bf16 are multiplied at half the rate of floats, so that widening them is faster: on Intel's cores
/// from Golden Cove on, which are meant to do it by AMX. Hypervisors and Linux may keep AMX from a process, but not
/// AVX512-FP16, which those cores brought too.
[[maybe_unused]] bool multiplies_slowly() {
  return __builtin_cpu_is("intel") && (has_feature(kAmxBf16Bit) || has_feature(kAvx512Fp16Bit));
}

#if defined(EFFDET_ISA_AVX512_BF16) && defined(EFFDET_ISA_AVX512)
/// AVX512-BF16 for rounding alone.
const MicroKernels kAvx512Wide = [] {
  MicroKernels table = avx512_bf16::kTable;
  table.name = "avx512_wide";
  table.multiplies_bf16 = false;
  table.bf16.gemm = avx512::kTable.bf16.gemm;
  table.gemm_narrow = avx512::kTable.gemm_narrow;
  table.gemm_widen = avx512::kTable.gemm_widen;
  table.widen_panel = avx512::kTable.widen_panel;
  table.depthwise_by_pairs = nullptr;
  return table;
}();
#endif

#ifdef EFFDET_ISA_AMX_BF16
const MicroKernels kAmxBf16 = [] {
  MicroKernels table = avx512_bf16::kTable;
  table.name = "amx_bf16";
  table.bf16.gemm = amx_bf16::gemm<Bf16>;
  table.gemm_widen = amx_bf16::gemm<float>;
  table.depthwise_by_pairs = nullptr;
  table.gemm_transposed = amx_bf16::gemm_transposed;
  // All processors so far that multiply the one multiply the other.
  if (__builtin_cpu_supports("amx-int8")) table.code_products = &amx_bf16::kCodeProducts;
  return table;
}();
#endif

/// A table with other products of codes.
[[maybe_unused]] MicroKernels with_products(MicroKernels table, const char* name, const CodeProducts& products,
                                            const CodeDepthwise& depthwise) {
  table.name = name;
  table.code_products = &products;
  table.code_depthwise = &depthwise;
  return table;
}

#ifdef EFFDET_ISA_AVX512_VNNI
const MicroKernels kAvx512Vnni =
    with_products(avx512::kTable, "avx512_vnni", avx512_vnni::kCodeProducts, avx512_vnni::kCodeDepthwise);
#endif
#ifdef EFFDET_ISA_AVX_VNNI
const MicroKernels kAvxVnni =
    with_products(avx2::kTable, "avx_vnni", avx_vnni::kCodeProducts, avx_vnni::kCodeDepthwise);
#endif

/// Best first; those that the build leaves out (EFFDET_INSTRUCTION_SETS) are not there.
constexpr Entry kTables[] = {
#ifdef EFFDET_ISA_AMX_BF16
    {&kAmxBf16, [] { return has_avx512_bf16() && has_amx(); }},
#endif
#ifdef EFFDET_ISA_AVX512_BF16
    {&avx512_bf16::kTable, has_avx512_bf16, [] { return !multiplies_slowly(); }},
#endif
#if defined(EFFDET_ISA_AVX512_BF16) && defined(EFFDET_ISA_AVX512)
    {&kAvx512Wide, has_avx512_bf16},
#endif
#ifdef EFFDET_ISA_AVX512_VNNI
    {&kAvx512Vnni, has_avx512_vnni},
#endif
#ifdef EFFDET_ISA_AVX512
    {&avx512::kTable, has_avx512},
#endif
#ifdef EFFDET_ISA_AVX_VNNI
    {&kAvxVnni, [] { return has_avx2() && __builtin_cpu_supports("avxvnni"); }},
#endif
#ifdef EFFDET_ISA_AVX2
    {&avx2::kTable, has_avx2},
#endif
    {&sse2::kTable, [] { return true; }},
};

}  // namespace

const MicroKernels* micro_kernels_for(const char* name) {
  for (const Entry& entry : kTables)
    if (std::strcmp(entry.table->name, name) == 0) return entry.runs_here() ? entry.table : nullptr;
  return nullptr;
}

const MicroKernels& micro_kernels() {
  if (const char* name = std::getenv("EFFDET_ISA")) {
    if (const MicroKernels* table = micro_kernels_for(name)) return *table;
    fail(ErrorCode::kUsage,
         "EFFDET_ISA is '{}': not amx_bf16, avx512_bf16, avx512_wide, avx512_vnni, avx512, avx_vnni, avx2 or sse2, "
         "or not to be had on this processor",
         name);
  }
  for (const Entry& entry : kTables)
    if (entry.runs_here() && entry.pays_here()) return *entry.table;
  fail(ErrorCode::kInternal, "no instruction set fits this processor");
}

}  // namespace effdet::kernels::cpu
