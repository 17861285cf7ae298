// `millrace-bench-mpi load`: the load of millrace-bench from many machines, as ranks of one run under
// OpenMPI.
//
//     mpirun -n 4 millrace-bench-mpi load URL ...
//
// Rank 0 leads and says the result. MPI starts the ranks and introduces them to each other; then it is done
// with, for it would end all of them with the first that is lost. For the same reason each rank works in a
// child of the process that mpirun knows: mpirun ends a job as soon as one of its own is killed.

#include <mpi.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "bench/load/follower.h"
#include "bench/load/load.h"
#include "bench/load/options.h"
#include "bench/load/part.h"
#include "bench/mpi/meeting.h"
#include "bench/result/outcome.h"

namespace {

using namespace millrace;
using namespace millrace::bench;

struct Rank {
    unsigned number = 0, of = 1;
    Part here;  // among the ranks of its machine
    std::string invitation;
};

// What is wrong with the command line is wrong with all, and said by one; OpenMPI tells the number before
// MPI_Init.
bool speaks() {
    const char* const rank = std::getenv("OMPI_COMM_WORLD_RANK");
    return rank == nullptr || std::string_view(rank) == "0";
}

int complain(const std::string& sentence) {
    return speaks() ? bench::complain("millrace-bench-mpi", sentence) : kUsage;
}

unsigned size_of(MPI_Comm ranks) {
    int size = 0;
    MPI_Comm_size(ranks, &size);
    return static_cast<unsigned>(size);
}

unsigned rank_in(MPI_Comm ranks) {
    int rank = 0;
    MPI_Comm_rank(ranks, &rank);
    return static_cast<unsigned>(rank);
}

// All that MPI is needed for. `invitation`: the first rank's.
Rank introduce(std::string invitation) {
    MPI_Comm machine;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    Rank rank{.number = rank_in(MPI_COMM_WORLD),
              .of = size_of(MPI_COMM_WORLD),
              .here = {rank_in(machine), size_of(machine)},
              .invitation = std::move(invitation)};
    MPI_Comm_free(&machine);
    unsigned long length = rank.invitation.size();
    MPI_Bcast(&length, 1, MPI_UNSIGNED_LONG, 0, MPI_COMM_WORLD);
    rank.invitation.resize(length);
    MPI_Bcast(rank.invitation.data(), static_cast<int>(length), MPI_CHAR, 0, MPI_COMM_WORLD);
    return rank;
}

int lead(Meeting& meeting, const Rank& rank, const LoadOptions& options, int argc, char** argv) {
    auto companions = meeting.await(rank.of);
    if (!companions) return complain(companions.error().message);
    auto result = lead_load(part_of(options, rank.here), std::move(*companions), argc, argv);
    if (result) result->program = "millrace-bench-mpi load";
    return conclude("millrace-bench-mpi", result, options.json);
}

// The leader alone says when a run ends before its time.
int follow(const Rank& rank, const LoadOptions& options) {
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGTERM, SIG_IGN);
    auto link = come_to(rank.invitation, rank.number);
    if (!link) return bench::complain("millrace-bench-mpi", link.error().message);
    return follow_load(part_of(options, rank.here), std::move(*link));
}

// Of a rank that is lost the result tells, and so mpirun shall not end the others for it: only the first
// one's status counts. The signals that mpirun passes on reach the child, which is of the same process group.
int wait_for(pid_t worker, const Rank& rank) {
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGTERM, SIG_IGN);
    int status = 0;
    while (::waitpid(worker, &status, 0) < 0 && errno == EINTR) {
    }
    if (rank.number != 0) return 0;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    bench::complain("millrace-bench-mpi", "rank 0, which leads the run, was lost");
    return kInvalid;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || std::string_view(argv[1]) != "load")
        return complain("it does `load` alone: mpirun -n 4 millrace-bench-mpi load URL");
    if (!speaks() && std::freopen("/dev/null", "w", stdout) == nullptr) return kUsage;  // for --help
    const auto options = parse_load_options(argc - 1, argv + 1);
    if (!options) return complain(options.error().message);
    if (options->processes > 1) return complain("--processes is for millrace-bench: here it is mpirun -n");

    MPI_Init(&argc, &argv);
    std::optional<Meeting> meeting;
    if (rank_in(MPI_COMM_WORLD) == 0) {
        auto opened = Meeting::open();
        if (!opened) MPI_Abort(MPI_COMM_WORLD, complain(opened.error().message));
        meeting.emplace(std::move(*opened));
    }
    const Rank rank = introduce(meeting ? meeting->invitation() : "");
    MPI_Finalize();

    const pid_t worker = ::fork();
    if (worker < 0) return complain("cannot start a process");
    if (worker != 0) return wait_for(worker, rank);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return meeting ? lead(*meeting, rank, *options, argc, argv) : follow(rank, *options);
}
