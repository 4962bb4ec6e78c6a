// What launchers put into the environment, and what it tells of the shard.
#include "shard_environment.h"

#include <gtest/gtest.h>

#include <map>

#include "effdet/error.h"
#include "support/shell.h"

namespace effdet::cli {
namespace {

using TestVariables = std::map<std::string, std::string>;

Shard shard_in(const TestVariables& variables, std::optional<size_t> count = {}) {
  return shard_of_environment(
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      count);
}

std::string text_in(const TestVariables& variables, std::optional<size_t> count = {}) try {
  const Shard shard = shard_in(variables, count);
  return std::to_string(shard.index) + "/" + std::to_string(shard.count);
} catch (const Error& error) {
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_TRUE(test::contains(error.what(), "give --shard")) << error.what();
  return "refused";
}

/// As Slurm has them in a batch script of two tasks, outside of srun.
const TestVariables kBatch{
    {"SLURM_JOB_ID", "7"}, {"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}, {"SLURM_NODEID", "0"}, {"SLURM_NTASKS", "2"}};

TestVariables with(TestVariables variables, const TestVariables& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}

TestVariables array(const char* id, const char* first, const char* last, const char* count, const char* step = "1") {
  return with(kBatch, {{"SLURM_ARRAY_JOB_ID", "7"},
                       {"SLURM_ARRAY_TASK_ID", id},
                       {"SLURM_ARRAY_TASK_MIN", first},
                       {"SLURM_ARRAY_TASK_MAX", last},
                       {"SLURM_ARRAY_TASK_COUNT", count},
                       {"SLURM_ARRAY_TASK_STEP", step}});
}

TEST(ShardEnvironment, MpiGoesFirst) {
  const TestVariables rank{{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}};
  EXPECT_EQ(text_in(rank), "1/2");
  EXPECT_EQ(text_in(with(kBatch, rank)), "1/2");
  EXPECT_EQ(text_in({{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}}), "3/4");
  EXPECT_EQ(text_in({{"OMPI_COMM_WORLD_RANK", "1"}}), "refused");
  EXPECT_EQ(text_in({{"OMPI_COMM_WORLD_RANK", "x"}, {"OMPI_COMM_WORLD_SIZE", "2"}}), "refused");
  EXPECT_EQ(text_in({{"PMI_RANK", "4"}, {"PMI_SIZE", "4"}}), "refused");
  EXPECT_EQ(text_in({}), "refused");
}

TEST(ShardEnvironment, ASlurmBatchScriptIsNoTask) {
  EXPECT_EQ(text_in(kBatch), "refused");
  const TestVariables step{{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", "1"}};
  EXPECT_EQ(text_in(with(kBatch, step)), "1/2");
  const TestVariables one{{"SLURM_STEP_ID", "1"}, {"SLURM_STEP_NUM_TASKS", "1"}};
  EXPECT_EQ(text_in(with(kBatch, one)), "refused");
  EXPECT_EQ(text_in(with(array("2", "0", "3", "4"), one)), "2/4");
  EXPECT_EQ(text_in(with(array("2", "0", "3", "4"), step)), "refused");
}

TEST(ShardEnvironment, ArraysWithGapsHaveNoIndex) {
  EXPECT_EQ(text_in(array("1", "1", "4", "4")), "0/4");
  EXPECT_EQ(text_in(array("9", "3", "9", "3", "3")), "2/3");
  EXPECT_EQ(text_in(array("3", "1", "7", "3")), "refused");  // --array=1,3,7
  EXPECT_EQ(text_in(array("5", "5", "5", "1")), "refused");  // one that failed, run again
  EXPECT_EQ(text_in(array("4", "3", "9", "3", "3")), "refused");
}

TEST(ShardEnvironment, KubernetesNeedsTheCount) {
  EXPECT_EQ(text_in({{"JOB_COMPLETION_INDEX", "3"}}), "refused");
  EXPECT_EQ(text_in({{"JOB_COMPLETION_INDEX", "3"}}, 8), "3/8");
  EXPECT_EQ(text_in({{"JOB_COMPLETION_INDEX", "8"}}, 8), "refused");
  EXPECT_EQ(text_in({{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}}, 8), "refused");
}

TEST(ShardEnvironment, RankIsTorchrunsOnly) {
  const TestVariables rank{{"RANK", "1"}, {"WORLD_SIZE", "2"}};
  EXPECT_EQ(text_in(rank), "refused");
  EXPECT_EQ(text_in(with(rank, {{"TORCHELASTIC_RUN_ID", "none"}})), "1/2");
}

std::string team_in(const TestVariables& variables) {
  const auto member = team_of_environment([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
  if (!member) return "none";
  return member->launcher + " " + std::to_string(member->shard.index) + "/" + std::to_string(member->shard.count) +
         " of " + std::to_string(member->neighbours) + " here";
}

TEST(Team, IsOfLaunchersWhoseProcessesRunAtTheSameTime) {
  EXPECT_EQ(team_in({}), "none");
  EXPECT_EQ(team_in(kBatch), "none");
  EXPECT_EQ(team_in(array("3", "0", "3", "4")), "none");
  EXPECT_EQ(team_in({{"JOB_COMPLETION_INDEX", "1"}}), "none");
  const TestVariables open_mpi{
      {"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
  EXPECT_EQ(team_in(open_mpi), "mpirun 1/4 of 2 here");
  EXPECT_EQ(team_in(with(open_mpi, {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}})), "none");
  EXPECT_EQ(team_in({{"PMI_RANK", "2"}, {"PMI_SIZE", "3"}, {"MPI_LOCALNRANKS", "3"}}), "mpiexec 2/3 of 3 here");
  const TestVariables step = with(kBatch, {{"SLURM_STEP_ID", "0"},
                                           {"SLURM_STEP_NUM_TASKS", "5"},
                                           {"SLURM_PROCID", "4"},
                                           {"SLURM_STEP_TASKS_PER_NODE", "2(x2),1"}});
  EXPECT_EQ(team_in(step), "srun 4/5 of 2 here");
  EXPECT_EQ(team_in(with(array("3", "0", "3", "4"), step)), "srun 4/5 of 2 here");  // of one element of the array
  EXPECT_EQ(team_in({{"TORCHELASTIC_RUN_ID", "x"}, {"RANK", "0"}, {"WORLD_SIZE", "2"}}), "torchrun 0/2 of 0 here");
  EXPECT_THROW(team_in({{"OMPI_COMM_WORLD_RANK", "4"}, {"OMPI_COMM_WORLD_SIZE", "4"}}), Error);
  EXPECT_THROW(team_in({{"OMPI_COMM_WORLD_RANK", "x"}, {"OMPI_COMM_WORLD_SIZE", "4"}}), Error);
}

}  // namespace
}  // namespace effdet::cli
