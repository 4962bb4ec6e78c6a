// Which shard a process is, as the launcher that started it says in the environment.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "effdet/dataset.h"

namespace effdet::cli {

/// Value of an environment variable; nullptr where it is not set, as std::getenv() has it.
using Environment = std::function<const char*(const char* name)>;

/// The first of these that is there: a process of Open MPI's mpirun; of MPICH's or another launcher with PMI; a task of
/// a Slurm step (srun); an element of a Slurm array; an index of a Kubernetes job, which needs count, since Kubernetes
/// does not say it; a worker of torchrun. count: of shards, where the user gives it; it must be what the launcher says.
/// Throws Error(kUsage) where none is there, and where what it says does not determine the shard.
Shard shard_of_environment(const Environment& variable, std::optional<size_t> count);

/// One of the processes that a launcher runs at the same time for one command.
struct TeamMember {
  std::string launcher;   ///< for messages: "mpirun"
  Shard shard;            ///< its rank among them
  size_t neighbours = 0;  ///< processes on this machine, itself included; 0: not known
};
/// Nothing where there is but one such process, or only a launcher whose processes may run at any time: an array, an
/// indexed job. Throws Error(kUsage) for variables that make no sense.
std::optional<TeamMember> team_of_environment(const Environment& variable);

}  // namespace effdet::cli
