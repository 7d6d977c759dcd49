#include "client/doctor/clock.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/timex.h>

#include <cstdlib>

namespace anel::command::doctor {
namespace {

constexpr const char* where = "this machine";
/// A daemon that corrects a clock turns it by far less in the second or two between the looks.
constexpr std::int64_t step_us = 100'000;
/// File systems keep times of the last tick of the kernel.
constexpr std::int64_t behind_us = 1'000'000;

bool synchronised() {
    timex state{};
    return ::adjtimex(&state) != TIME_ERROR;
}

}  // namespace

Finding judge_clock(const Moment& before, const Moment& after, std::optional<std::int64_t> written_us) {
    const auto step = (after.wall_us - before.wall_us) - (after.steady - before.steady).count();
    if (std::abs(step) > step_us) {
        return {Level::warn, "clock", where,
                fmt::format("jumped by {} ms while this command ran: something sets it by steps; let one service turn "
                            "it slowly (timedatectl)",
                            step / 1000)};
    }
    if (written_us && *written_us - after.wall_us > behind_us) {
        return {Level::warn, "clock", where,
                fmt::format("is {} s behind the last change of output.txt: it was set back; no promise needs it, but "
                            "timestamps of plain text and ages of sessions do: set it (timedatectl)",
                            (*written_us - after.wall_us) / 1'000'000)};
    }
    return {Level::ok, "clock", where,
            synchronised() ? "steady, synchronised" : "steady; not synchronised, which no promise needs"};
}

std::optional<std::int64_t> last_written_us(const std::string& folder) {
    struct stat status {};
    if (::stat((folder + "/output.txt").c_str(), &status) != 0) return std::nullopt;
    return std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

}  // namespace anel::command::doctor
