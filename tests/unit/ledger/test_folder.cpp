// Folders of every kind, good and bad: one clear line each.
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {

std::string refusal(const LedgerOptions& options, ErrorCode code) {
    auto ledger = FileLedger::open(options);
    BOOST_REQUIRE(!ledger);
    BOOST_TEST((ledger.error().code == code), ledger.error().text);
    BOOST_TEST(ledger.error().text.find('\n') == std::string::npos);
    return ledger.error().text;
}
bool has(const std::string& text, std::string_view part) {
    BOOST_TEST(text.find(part) != std::string::npos, text);
    return true;
}
/// What another process says; what that does to its user and group does not come back.
std::string text_from_process(const std::function<std::string()>& say) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe(ends.data()) == 0);
    BOOST_TEST(in_process([&] {
                   const auto text = say();
                   return ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1;
               }) == 0);
    ::close(ends[1]);
    std::string text(4096, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(ends[0], text.data(), text.size()), 0)));
    ::close(ends[0]);
    return text;
}
void write(const std::filesystem::path& path, std::string_view text) { std::ofstream{path} << text; }

/// A file system mounted on a folder, where this process may do that.
class Mount {
public:
    Mount(const std::filesystem::path& at, const char* options, unsigned long flags = 0) : at_{at} {
        mounted_ = ::mount("tmpfs", at.c_str(), "tmpfs", flags, options) == 0;
    }
    Mount(const Mount&) = delete;
    Mount& operator=(const Mount&) = delete;
    ~Mount() {
        if (mounted_) {
            ::umount2(at_.c_str(), MNT_DETACH);
        }
    }
    [[nodiscard]] bool mounted() const {
        if (!mounted_) {
            BOOST_TEST_MESSAGE("skipped: may not mount here");
        }
        return mounted_;
    }

private:
    std::filesystem::path at_;
    bool mounted_ = false;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(a_data_folder)

BOOST_AUTO_TEST_CASE(missing_or_not_a_folder) {
    const Folder folder;
    auto options = options_for(folder);
    options.folder = folder.path() / "none";
    has(refusal(options, ErrorCode::folder_unusable), "is missing: make it");
    write(folder.path() / "file", "x");
    options.folder = folder.path() / "file";
    has(refusal(options, ErrorCode::folder_unusable), "is not a folder");
}

BOOST_AUTO_TEST_CASE(not_writable_by_this_user_names_both_users_and_the_ways_out) {
    if (::geteuid() != 0) {
        return;
    }
    const Folder folder;
    const auto name = folder.path().string();
    const auto told = [&](uid_t owner, unsigned mode) {
        BOOST_TEST(::chown(name.c_str(), owner, 23456) == 0);
        std::filesystem::permissions(folder.path(), std::filesystem::perms{mode});
        return text_from_process([&]() -> std::string {
            if (::setegid(23456) != 0 || ::seteuid(12345) != 0) {
                return "cannot become another user";
            }
            const auto ledger = FileLedger::open(options_for(folder));
            return ledger ? "it was opened" : ledger.error().text;
        });
    };
    const auto by = "cannot be written by uid 12345: ";
    BOOST_TEST(told(0, 0755) ==
               fmt::format("data folder {0} (owner uid 0, mode 755) {1}chown -R 12345:23456 {0}", name, by));
    BOOST_TEST(told(23456, 0755) ==
               fmt::format("data folder {0} (owner uid 23456, mode 755) {1}chown -R 12345:23456 {0}, "
                           "or run every node as its owner (with Docker: --user 23456:23456)",
                           name, by));
    BOOST_TEST(told(12345, 0555) == fmt::format("data folder {0} (owner uid 12345, mode 555) {1}chmod u+rwx {0}, and "
                                                "chown -R 12345:23456 {0}",
                                                name, by));
}

BOOST_AUTO_TEST_CASE(inner_files_of_another_user_name_both_users) {
    if (::geteuid() != 0) {
        return;
    }
    const Folder folder;
    static_cast<void>(must_open(options_for(folder)));
    std::filesystem::permissions(folder.path(), std::filesystem::perms{0777});
    BOOST_TEST(in_process([&] {
                   if (::seteuid(12345) != 0) {
                       return 1;
                   }
                   auto ledger = FileLedger::open(options_for(folder));
                   return !ledger && ledger.error().text.find("uid 12345") != std::string::npos ? 0 : 2;
               }) == 0);
}

BOOST_AUTO_TEST_CASE(read_only) {
    const Folder folder;
    const Mount mount{folder.path(), "size=1m", MS_RDONLY};
    if (mount.mounted()) {
        has(refusal(options_for(folder), ErrorCode::folder_unusable), "is mounted read-only: mount it writable");
    }
}

BOOST_AUTO_TEST_CASE(full) {
    const Folder folder;
    const Mount mount{folder.path(), "size=64k"};
    if (mount.mounted()) {
        write(folder.path() / "hog", std::string(64 * 1024, 'x'));
        has(refusal(options_for(folder), ErrorCode::folder_unusable), "full disk");
    }
}

BOOST_AUTO_TEST_CASE(a_disk_that_fills_up_never_half_decides) {
    const Folder folder;
    const Mount mount{folder.path(), "size=4m"};
    if (!mount.mounted()) {
        return;
    }
    auto ledger = must_open(options_for(folder));
    const auto grant = must_grant(*ledger, 0);
    std::string expected;
    std::uint64_t round = 1;
    while (true) {
        auto done = append(*ledger, grant.segment, make_round(round, "a", 30'000));
        if (!done) {
            BOOST_TEST((done.error().code == ErrorCode::disk_full), done.error().text);
            break;
        }
        expected += text_of(round, "a", 30'000);
        ++round;
    }
    BOOST_TEST(round > 30U);
    BOOST_TEST(folder.output() == expected);
    BOOST_TEST(ledger->words(grant.segment)->decided.value == round - 1);
    // What was reserved can be made durable and read again.
    must_sync(*ledger, grant.segment, round - 1);
    auto again = must_open(options_for(folder, 1));
    BOOST_TEST(again->read({0})->tip.round.value == round - 1);
}

BOOST_AUTO_TEST_CASE(network_file_systems_are_refused_and_named) {
    const Folder folder;
    auto options = options_for(folder);
    for (const auto& [magic, name] : {std::pair{0x6969L, "nfs"},
                                      {0x65735546L, "fuse"},
                                      {0x01021997L, "9p"},
                                      {0x6a656a63L, "virtiofs"},
                                      {0xff534d42L, "cifs"}}) {
        options.file_system = magic;
        const auto text = refusal(options, ErrorCode::folder_unusable);
        has(text, name);
        has(text, "named volume");
    }
    options.file_system = 0x794c7630;  // overlayfs
    static_cast<void>(must_open(options));
}

BOOST_AUTO_TEST_CASE(what_the_file_system_lacks_is_named) {
    struct Poor : FileSystem {
        int reserve(int, off_t, off_t) override {
            errno = EOPNOTSUPP;
            return -1;
        }
    };
    const Folder folder;
    Poor files;
    auto options = options_for(folder);
    options.files = &files;
    has(refusal(options, ErrorCode::folder_unusable), "FALLOC_FL_KEEP_SIZE");
}

BOOST_AUTO_TEST_CASE(of_another_ring_or_format) {
    const Folder folder;
    static_cast<void>(must_open(options_for(folder)));
    auto options = options_for(folder);
    options.nodes.insert({3});
    const auto text = refusal(options, ErrorCode::folder_unusable);
    has(text, "0,1,2,");
    has(text, "0,1,2,3");
    options = options_for(folder);
    options.format = OutputFormat::jsonl;
    has(refusal(options, ErrorCode::folder_unusable), "classic");
}

BOOST_AUTO_TEST_CASE(written_by_a_newer_program) {
    const Folder folder;
    static_cast<void>(must_open(options_for(folder)));
    {
        std::fstream file{folder.path() / ".anel/ledger"};
        file.seekp(4096 + 8);
        file.put('\x03');
    }
    has(refusal(options_for(folder), ErrorCode::folder_unusable), "newer program");
}

BOOST_AUTO_TEST_CASE(an_output_that_is_not_empty_is_adopted_only_when_told) {
    for (const std::string_view there : {"old lines\n", "no line feed"}) {
        const Folder folder;
        write(folder.path() / "output.txt", there);
        auto options = options_for(folder);
        has(refusal(options, ErrorCode::folder_unusable), "ANEL_ADOPT=true");
        BOOST_TEST(!std::filesystem::exists(folder.path() / ".anel"));
        options.adopt = true;
        auto ledger = must_open(options);
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        const std::string before = std::string{there} + (there.ends_with('\n') ? "" : "\n");
        BOOST_TEST(folder.output() == before + text_of(1));
        must_checkpoint(*ledger, 1);
        static_cast<void>(must_open(options_for(folder, 1)));
    }
}

BOOST_AUTO_TEST_CASE(outside_hands_are_noticed_at_the_start) {
    const auto prepare = [](const Folder& folder) {
        auto ledger = must_open(options_for(folder));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_checkpoint(*ledger, 1);
    };
    const auto check = [&](const std::function<void(const std::filesystem::path&)>& hands, std::string_view part) {
        const Folder folder;
        prepare(folder);
        hands(folder.path() / "output.txt");
        const auto text = refusal(options_for(folder), ErrorCode::outside_hands);
        has(text, part);
        has(text, "anel repair");
    };
    check([](const auto& path) { std::filesystem::remove(path); }, "is missing");
    check([](const auto& path) { std::filesystem::resize_file(path, 10); }, "shortened");
    check(
        [](const auto& path) {
            std::filesystem::copy_file(path, path.string() + "2");
            std::filesystem::rename(path.string() + "2", path);
        },
        "replaced");
    check(
        [](const auto& path) {
            std::fstream file{path};
            file.put('!');
        },
        "changed");
}

BOOST_AUTO_TEST_CASE(a_lost_journal_is_not_taken_for_an_empty_one) {
    const Folder folder;
    {
        auto ledger = must_open(options_for(folder));
        const auto grant = must_grant(*ledger, 0);
        must_append(*ledger, grant.segment, make_round(1));
        must_checkpoint(*ledger, 1);
    }
    std::filesystem::remove(folder.path() / ".anel/journal/1");
    has(refusal(options_for(folder), ErrorCode::ledger_damaged), ".anel/journal/1 is missing");
}

BOOST_AUTO_TEST_CASE(two_creators_at_once_make_one_ledger) {
    for (int turn = 0; turn < 20; ++turn) {
        const Folder folder;
        std::array<std::unique_ptr<FileLedger>, 3> ledgers;
        std::vector<std::thread> creators;
        for (std::uint64_t self = 0; self < 3; ++self) {
            creators.emplace_back([&, self] {
                if (auto ledger = FileLedger::open(options_for(folder, self))) {
                    ledgers[self] = std::move(*ledger);
                }
            });
        }
        for (auto& creator : creators) {
            creator.join();
        }
        for (const auto& ledger : ledgers) {
            BOOST_REQUIRE(ledger != nullptr);
            BOOST_TEST(ledger->id().value == ledgers[0]->id().value);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_creator_that_dies_anywhere_leaves_a_folder_that_works) {
    // Without any name of ours, and with each that may already stand there.
    for (int made = 0; made < 4; ++made) {
        const Folder folder;
        const auto names = {".anel", ".anel/journal", ".anel/checkpoint"};
        for (auto name = names.begin(); name != names.begin() + std::min(made, 3); ++name) {
            std::filesystem::create_directory(folder.path() / *name);
        }
        auto ledger = must_open(options_for(folder));
        must_append(*ledger, must_grant(*ledger, 0).segment, make_round(1));
    }
}

BOOST_AUTO_TEST_SUITE_END()
