// Reads the variables of launchers.
#include "shard_environment.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "effdet/error.h"

namespace effdet::cli {
namespace {

constexpr std::string_view kRemedy = "give --shard I/N";

/// The variables of one environment.
class Variables {
 public:
  explicit Variables(const Environment& variable) : variable_(variable) {}

  bool has(const char* name) const {
    const char* value = variable_(name);
    return value != nullptr && *value != '\0';
  }

  size_t number(const char* name) const {
    const char* value = variable_(name);
    const std::string_view text = value == nullptr ? "" : value;
    size_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || stop != text.data() + text.size() || number > UINT32_MAX)
      throw Error(ErrorCode::kUsage, fmt::format("--shard auto: {} is '{}', no number; {}", name, text, kRemedy));
    return number;
  }

  /// The shard that two variables tell; nothing where the first is not there.
  std::optional<Shard> rank(const char* index, const char* count) const {
    if (!has(index)) return std::nullopt;
    return Shard{number(index), number(count)};
  }

 private:
  const Environment& variable_;
};

/// A batch script has SLURM_PROCID=0 and the job's number of tasks, too: only within a step do they tell a shard. A
/// step of one task is one of several commands of a script, or an element of an array.
std::optional<Shard> slurm_step(const Variables& variables) {
  if (!variables.has("SLURM_STEP_ID") || !variables.has("SLURM_STEP_NUM_TASKS")) return std::nullopt;
  const Shard shard{variables.number("SLURM_PROCID"), variables.number("SLURM_STEP_NUM_TASKS")};
  return shard.count == 1 ? std::nullopt : std::optional(shard);
}

/// A step that shares out the images of an element of an array would be one of two ways.
std::optional<Shard> slurm_task(const Variables& variables) {
  const std::optional<Shard> shard = slurm_step(variables);
  if (shard && variables.has("SLURM_ARRAY_TASK_COUNT") && variables.number("SLURM_ARRAY_TASK_COUNT") > 1)
    throw Error(ErrorCode::kUsage,
                fmt::format("--shard auto: srun has {} tasks within an array job, so which of the two divides the "
                            "images is not known; {}",
                            shard->count, kRemedy));
  return shard;
}

/// Ids tell a shard only where they have no gaps. An array of one element is what reruns a failed one.
std::optional<Shard> slurm_array(const Variables& variables) {
  if (!variables.has("SLURM_ARRAY_TASK_ID")) return std::nullopt;
  const size_t id = variables.number("SLURM_ARRAY_TASK_ID"), first = variables.number("SLURM_ARRAY_TASK_MIN"),
               last = variables.number("SLURM_ARRAY_TASK_MAX"), count = variables.number("SLURM_ARRAY_TASK_COUNT"),
               step = variables.has("SLURM_ARRAY_TASK_STEP") ? variables.number("SLURM_ARRAY_TASK_STEP") : 1;
  const bool regular =
      count > 1 && step > 0 && first + step * (count - 1) == last && id >= first && (id - first) % step == 0;
  if (!regular)
    throw Error(ErrorCode::kUsage,
                fmt::format("--shard auto: the Slurm array has {} of the ids {} to {}, which tells no index for id {}; "
                            "give --shard I/N, such as --shard $SLURM_ARRAY_TASK_ID/4 for --array=0-3",
                            count, first, last, id));
  return Shard{(id - first) / step, count};
}

std::optional<Shard> kubernetes_index(const Variables& variables, std::optional<size_t> count) {
  if (!variables.has("JOB_COMPLETION_INDEX")) return std::nullopt;
  if (!count)
    throw Error(ErrorCode::kUsage,
                "--shard auto: Kubernetes tells an index (JOB_COMPLETION_INDEX), but not of how many; give --shard "
                "auto/N with the job's completions");
  return Shard{variables.number("JOB_COMPLETION_INDEX"), *count};
}

/// RANK alone is a name that anyone may use.
std::optional<Shard> torch_worker(const Variables& variables) {
  if (!variables.has("TORCHELASTIC_RUN_ID")) return std::nullopt;
  return variables.rank("RANK", "WORLD_SIZE");
}

/// "2(x3),1", as Slurm has the tasks of each node: the first number.
size_t first_number(const char* text) {
  size_t number = 0;
  if (text != nullptr) std::from_chars(text, text + std::string_view(text).size(), number);
  return number;
}

/// A launcher that runs all its processes at the same time, and the variable with their number on this machine.
struct TeamLauncher {
  const char *name, *local_size;
  std::optional<Shard> (*find)(const Variables& variables);
};

constexpr TeamLauncher kTeamLaunchers[] = {
    {"mpirun", "OMPI_COMM_WORLD_LOCAL_SIZE",
     [](const Variables& all) { return all.rank("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"); }},
    {"mpiexec", "MPI_LOCALNRANKS", [](const Variables& all) { return all.rank("PMI_RANK", "PMI_SIZE"); }},
    {"srun", "SLURM_STEP_TASKS_PER_NODE", slurm_step},
    {"torchrun", "LOCAL_WORLD_SIZE", torch_worker},
};

/// mpirun within a Slurm job: all its processes have the Slurm variables of one task, so MPI goes first.
std::optional<Shard> find_shard(const Variables& variables, std::optional<size_t> count) {
  if (const auto shard = variables.rank("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")) return shard;
  if (const auto shard = variables.rank("PMI_RANK", "PMI_SIZE")) return shard;
  if (const auto shard = slurm_task(variables)) return shard;
  if (const auto shard = slurm_array(variables)) return shard;
  if (const auto shard = kubernetes_index(variables, count)) return shard;
  return torch_worker(variables);
}

}  // namespace

std::optional<TeamMember> team_of_environment(const Environment& variable) {
  const Variables variables(variable);
  for (const TeamLauncher& launcher : kTeamLaunchers) {
    const std::optional<Shard> shard = launcher.find(variables);
    if (!shard) continue;
    if (shard->index >= shard->count || shard->count > Shard::kMost)
      throw Error(ErrorCode::kUsage, fmt::format("{} says that this is process {} of {}, which are numbered from 0; {}",
                                                 launcher.name, shard->index, shard->count, kRemedy));
    if (shard->count == 1) return std::nullopt;
    return TeamMember{launcher.name, *shard, first_number(variable(launcher.local_size))};
  }
  return std::nullopt;
}

Shard shard_of_environment(const Environment& variable, std::optional<size_t> count) {
  const std::optional<Shard> shard = find_shard(Variables(variable), count);
  if (!shard)
    throw Error(ErrorCode::kUsage,
                fmt::format("--shard auto: no launcher that divides the work (mpirun, srun, a Slurm array, an indexed "
                            "Kubernetes job, torchrun) is to be seen in the environment; {}",
                            kRemedy));
  if (count && *count != shard->count)
    throw Error(ErrorCode::kUsage, fmt::format("--shard auto/{}: the launcher says that there are {} processes; {}",
                                               *count, shard->count, kRemedy));
  if (shard->index >= shard->count)
    throw Error(ErrorCode::kUsage,
                fmt::format("--shard auto: the launcher says shard {} of {}, which are numbered from "
                            "0; {}",
                            shard->index, shard->count, kRemedy));
  return *shard;
}

}  // namespace effdet::cli
