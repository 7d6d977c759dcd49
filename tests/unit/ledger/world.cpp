#include "tests/unit/ledger/world.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace anel::test {

Folder::Folder(const std::filesystem::path& below) {
    std::string name = (below / "anel-ledger-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
}
Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}
std::string Folder::output() const { return output_of(path_); }

std::string output_of(const std::filesystem::path& folder) {
    std::string text;
    const auto add = [&](const std::filesystem::path& file) {
        std::ifstream in{file, std::ios::binary};
        text.append(std::istreambuf_iterator<char>{in}, {});
    };
    // A file that has its name as a finished one, and output.txt's still.
    std::set<std::filesystem::path> finished;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        const auto name = entry.path().filename().string();
        if (name.starts_with("output.0") && !std::filesystem::equivalent(entry, folder / "output.txt")) {
            finished.insert(entry.path());
        }
    }
    std::for_each(finished.begin(), finished.end(), add);
    add(folder / "output.txt");
    return text;
}

std::vector<std::uint64_t> Folder::numbers(const char* folder) const {
    std::vector<std::uint64_t> found;
    for (const auto& entry : std::filesystem::directory_iterator{path_ / ".anel" / folder}) {
        found.push_back(std::stoull(entry.path().filename().string()));
    }
    std::sort(found.begin(), found.end());
    return found;
}

Armed::Armed(std::string_view text) { BOOST_REQUIRE(fail_points::arm(text).has_value()); }
Armed::~Armed() { static_cast<void>(fail_points::arm("")); }

std::string text_of(std::uint64_t round, std::string_view who, std::size_t filler) {
    return fmt::format("Container {} \nMensagem: {}{}\n{}\n", who, round, std::string(filler, 'x'),
                       std::string(56, '#'));
}
RoundRecord make_round(std::uint64_t round, std::string_view who, std::size_t filler) {
    return {.round = {round},
            .first = {round},
            .count = 1,
            .wall_us = static_cast<WallTime>(1000 + round),
            .text = text_of(round, who, filler),
            .changes = {{.client_id = "c",
                         .session = Session{.instance = {7},
                                            .birth = {1},
                                            .last = {round},
                                            .sequence = {round},
                                            .round = {round},
                                            .wall_us = static_cast<WallTime>(1000 + round),
                                            .inherited = {round / 2}},
                         .each = {}}}};
}
Snapshot make_snapshot(std::uint64_t round) {
    return {.round = {round},
            .sequence = {round},
            .wall_us = static_cast<WallTime>(1000 + round),
            .sessions = {{"c", *make_round(round).changes.front().session}}};
}

LedgerOptions options_for(const Folder& folder, std::uint64_t self) {
    LedgerOptions options;
    options.folder = folder.path();
    options.nodes = {{0}, {1}, {2}};
    options.self = {self};
    return options;
}

std::unique_ptr<FileLedger> must_open(const LedgerOptions& options) {
    auto ledger = FileLedger::open(options);
    BOOST_REQUIRE_MESSAGE(ledger.has_value(), ledger.error().text);
    return std::move(*ledger);
}
Grant must_grant(FileLedger& ledger, std::uint64_t highest_named) {
    auto grant = ledger.grant({highest_named});
    BOOST_REQUIRE_MESSAGE(grant.has_value(), grant.error().text);
    return *grant;
}
Result<void> append(FileLedger& ledger, SegmentNumber segment, const RoundRecord& record) {
    return ledger.write_record(segment, RoundRecord{record})
        .and_then([&] { return ledger.decide(segment, record.round); })
        .and_then([&] { return ledger.write_output(record.round); });
}
void must_append(FileLedger& ledger, SegmentNumber segment, const RoundRecord& record) {
    auto done = append(ledger, segment, record);
    BOOST_REQUIRE_MESSAGE(done.has_value(), done.error().text);
}
void must_sync(FileLedger& ledger, SegmentNumber segment, std::uint64_t round) {
    ledger.sync(segment, {round});
    // Until the word says so; a hang fails by the test's own time limit.
    while (true) {
        auto words = ledger.words(segment);
        BOOST_REQUIRE_MESSAGE(words.has_value(), words.error().text);
        if (words->durable.value >= round) {
            return;
        }
        std::this_thread::yield();
    }
}
void must_checkpoint(FileLedger& ledger, std::uint64_t round) {
    ledger.checkpoint(make_snapshot(round));
    ledger.wait_for_checkpoint();
}

int start_process(const std::function<int()>& work) {
    const int pid = ::fork();
    BOOST_REQUIRE(pid >= 0);
    if (pid == 0) {
        int code = 99;
        try {
            code = work();
        } catch (...) {
            code = 98;
        }
        ::_exit(code);
    }
    return pid;
}
int wait_process(int pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
int in_process(const std::function<int()>& work) { return wait_process(start_process(work)); }

BootId boot(char name) {
    BootId id{};
    id.fill(name);
    return id;
}

}  // namespace anel::test
