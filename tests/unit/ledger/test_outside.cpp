// Every part of a ledger that outside hands may remove or exchange, between runs: noticed at the start, named, with the
// way out, and nothing is changed by the refusal.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>
#include <map>

#include "ring/ledger/audit.hpp"
#include "ring/ledger/repair.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;
namespace fs = std::filesystem;

namespace {

/// Five rounds in five segments; a checkpoint behind round 3, so segments 3 to 6 are kept.
void make_ledger(const Folder& folder) {
    auto ledger = must_open(options_for(folder));
    auto segment = must_grant(*ledger, 0).segment;
    for (std::uint64_t round = 1; round <= 5; ++round) {
        must_append(*ledger, segment, make_round(round, "a", 600'000));
        must_sync(*ledger, segment, round);
        if (round == 3) {
            must_checkpoint(*ledger, 3);
        }
        segment = *ledger->rotate(segment, {round}, std::nullopt);
    }
}

std::map<std::string, std::string> contents(const Folder& folder) {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator{folder.path()}) {
        std::ifstream in{entry.path(), std::ios::binary};
        all[entry.path().string()] = entry.is_regular_file() ? std::string{std::istreambuf_iterator<char>{in}, {}} : "";
    }
    return all;
}

/// Opens, and reads as a node does when it starts.
Error refusal(const Folder& folder) {
    auto ledger = FileLedger::open(options_for(folder));
    if (!ledger) {
        return ledger.error();
    }
    auto history = (*ledger)->read({0});
    BOOST_REQUIRE_MESSAGE(!history, "nothing was noticed");
    return history.error();
}

struct Deed {
    const char* name;
    std::function<void(const fs::path&)> hands;
    ErrorCode code;
    const char* told;     ///< what is wrong
    const char* way_out;  ///< and what to do
};

}  // namespace

BOOST_AUTO_TEST_SUITE(outside_hands)

BOOST_AUTO_TEST_CASE(between_runs_are_noticed_and_named_and_nothing_is_lost_by_the_refusal) {
    const auto remove = [](const char* part) {
        return [part](const fs::path& folder) { fs::remove_all(folder / part); };
    };
    const auto damaged = ErrorCode::ledger_damaged;
    const std::vector<Deed> deeds{
        {"output.txt removed", remove("output.txt"), ErrorCode::outside_hands, "/output.txt is missing", "--adopt"},
        {"output.txt emptied", [](const fs::path& at) { fs::resize_file(at / "output.txt", 0); },
         ErrorCode::outside_hands, "has 0 bytes", "anel repair /"},
        {"output.txt another file",
         [](const fs::path& at) {
             fs::copy_file(at / "output.txt", at / "other");
             fs::rename(at / "other", at / "output.txt");
         },
         ErrorCode::outside_hands, "was replaced by another file", "anel repair --adopt /"},
        {".anel removed", remove(".anel"), ErrorCode::folder_unusable, "no ledger stands beside it",
         "if its .anel was removed, put that back"},
        {"ledger removed", remove(".anel/ledger"), damaged, ".anel/ledger is missing", "any copy of that file will do"},
        {"journal removed", remove(".anel/journal"), damaged, ".anel/journal is missing", "put it back"},
        {"checkpoints removed", remove(".anel/checkpoint"), damaged, ".anel/checkpoint is missing", "put it back"},
        {"the checkpoint removed", remove(".anel/checkpoint/3"), damaged, "has no valid checkpoint", "put it back"},
        {"lowest segment removed", remove(".anel/journal/3"), damaged, ".anel/journal/3 is missing", "put it back"},
        {"a segment removed", remove(".anel/journal/4"), damaged, ".anel/journal/4 is missing", "put it back"},
        {"newest segment removed", remove(".anel/journal/6"), damaged, ".anel/journal/6 is missing", "put it back"},
        {"two newest segments removed",
         [](const fs::path& at) {
             fs::remove(at / ".anel/journal/5");
             fs::remove(at / ".anel/journal/6");
         },
         damaged, ".anel/journal/6 is missing", "put it back"},
        {"checksums removed", remove(".anel/blocks"), damaged, ".anel/blocks has checksums of 0 MiB", "--adopt"},
        {"checksums shortened", [](const fs::path& at) { fs::resize_file(at / ".anel/blocks", 3); }, damaged,
         ".anel/blocks has checksums of 0 MiB", "--adopt"},
        {"a segment shortened", [](const fs::path& at) { fs::resize_file(at / ".anel/journal/4", 9000); }, damaged,
         "(.anel/journal/4, slot 1, byte 8192) cannot be read back", "put a good copy of that file back"},
    };
    for (const auto& deed : deeds) {
        BOOST_TEST_CONTEXT(deed.name) {
            const Folder folder;
            make_ledger(folder);
            deed.hands(folder.path());
            const auto before = contents(folder);
            const auto error = refusal(folder);
            BOOST_TEST((error.code == deed.code));
            BOOST_TEST(error.text.find(deed.told) != std::string::npos, error.text);
            BOOST_TEST(error.text.find(deed.way_out) != std::string::npos, error.text);
            BOOST_TEST(error.text.find('\n') == std::string::npos);
            BOOST_TEST((contents(folder) == before));
            const auto audited = audit(folder.path());
            BOOST_TEST((!audited || audited->difference));
        }
    }
}

BOOST_AUTO_TEST_CASE(that_remove_the_first_segment_are_noticed) {
    // Without a checkpoint, an empty journal looks like that of a new ledger.
    for (const char* part : {".anel/journal", ".anel/journal/1"}) {
        const Folder folder;
        {
            auto ledger = must_open(options_for(folder));
            must_append(*ledger, must_grant(*ledger, 0).segment, make_round(1));
        }
        fs::remove_all(folder.path() / part);
        const auto error = refusal(folder);
        BOOST_TEST((error.code == ErrorCode::ledger_damaged));
        BOOST_TEST(error.text.find(std::string{part} + " is missing") != std::string::npos, error.text);
    }
}

BOOST_AUTO_TEST_CASE(while_the_ring_runs_are_noticed_before_the_next_decide) {
    const std::vector<Deed> deeds{
        {"output.txt removed", [](const fs::path& at) { fs::remove(at / "output.txt"); }, ErrorCode::outside_hands,
         "output.txt was removed or replaced while the ring ran", "anel repair --adopt /"},
        {"output.txt shortened", [](const fs::path& at) { fs::resize_file(at / "output.txt", 7); },
         ErrorCode::outside_hands, "output.txt was shortened to 7 bytes", "anel repair /"},
        {"output.txt appended to",
         [](const fs::path& at) {
             std::ofstream{at / "output.txt", std::ios::app} << "mine\n";
         },
         ErrorCode::outside_hands, "somebody else wrote behind them", "truncate -s "},
        {"segment removed", [](const fs::path& at) { fs::remove(at / ".anel/journal/6"); }, ErrorCode::outside_hands,
         ".anel/journal/6 was removed while the ring ran", "put it back"},
        {"segment shortened", [](const fs::path& at) { fs::resize_file(at / ".anel/journal/6", 8200); },
         ErrorCode::outside_hands, ".anel/journal/6 was shortened to 8200 bytes", "put it back"},
        {"ledger removed", [](const fs::path& at) { fs::remove(at / ".anel/ledger"); }, ErrorCode::outside_hands,
         ".anel/ledger was removed or replaced while the ring ran", "put it back"},
        {"all moved away", [](const fs::path& at) { fs::rename(at / ".anel", at / "elsewhere"); },
         ErrorCode::outside_hands, ".anel/ledger was removed or replaced while the ring ran", "put it back"},
        {"all removed", [](const fs::path& at) { fs::remove_all(at / ".anel"); }, ErrorCode::outside_hands,
         ".anel/journal/6 was removed while the ring ran", "put it back"},
    };
    for (const auto& deed : deeds) {
        BOOST_TEST_CONTEXT(deed.name) {
            const Folder folder;
            make_ledger(folder);
            auto ledger = must_open(options_for(folder));
            static_cast<void>(ledger->read({0}));
            must_append(*ledger, {6}, make_round(6));
            deed.hands(folder.path());
            const auto refused = ledger->write_record({6}, make_round(7));
            BOOST_REQUIRE(!refused);
            BOOST_TEST((refused.error().code == deed.code));
            BOOST_TEST(refused.error().text.find(deed.told) != std::string::npos, refused.error().text);
            BOOST_TEST(refused.error().text.find(deed.way_out) != std::string::npos, refused.error().text);
        }
    }
}

BOOST_AUTO_TEST_CASE(that_append_are_refused_until_their_text_is_gone_and_nothing_is_written_over_it) {
    for (const bool reboot : {false, true}) {
        BOOST_TEST_CONTEXT((reboot ? "the machine was started again" : "only the ring was")) {
            const Folder folder;
            auto options = options_for(folder);
            options.boot = boot('A');
            {
                auto ledger = must_open(options);
                must_append(*ledger, must_grant(*ledger, 0).segment, make_round(1));
            }
            std::ofstream{folder.path() / "output.txt", std::ios::app} << "mine";
            options.boot = boot(reboot ? 'B' : 'A');
            const RepairOptions look{.folder = folder.path(),
                                     .mode = RepairMode::rewrite,
                                     .dry_run = false,
                                     .files = nullptr,
                                     .boot = options.boot};
            BOOST_TEST(repair(look)->appended_at.has_value() == !reboot);
            auto ledger = must_open(options);
            const auto segment = must_grant(*ledger, 1).segment;
            const auto done = append(*ledger, segment, make_round(2));
            if (reboot) {
                // It cannot be told from what a power cut leaves.
                BOOST_TEST(done.has_value());
                BOOST_TEST(folder.output() == text_of(1) + "   \n" + text_of(2));
                continue;
            }
            BOOST_REQUIRE(!done);
            BOOST_TEST((done.error().code == ErrorCode::outside_hands));
            BOOST_TEST(folder.output() == text_of(1) + "mine");
            const auto own = text_of(1).size();
            BOOST_TEST(done.error().text.ends_with("truncate -s " + std::to_string(own) + " " +
                                                   (folder.path() / "output.txt").string()));
            fs::resize_file(folder.path() / "output.txt", own);
            must_append(*ledger, segment, make_round(2));
            BOOST_TEST(folder.output() == text_of(1) + text_of(2));
        }
    }
}

BOOST_AUTO_TEST_CASE(that_edit_while_the_ring_runs_are_noticed_at_the_next_checkpoint_and_can_be_undone) {
    constexpr std::size_t large = 600'000;
    // In the MiB that is begun, and in the one before it.
    for (const std::uint64_t before_end : {10U, 1'000'000U}) {
        BOOST_TEST_CONTEXT(before_end << " bytes before the end") {
            const Folder folder;
            auto options = options_for(folder);
            std::string why;
            options.durable = [&](const tl::expected<Round, Error>& durable) {
                if (!durable) why = durable.error().text;
            };
            auto ledger = must_open(options);
            const auto segment = must_grant(*ledger, 0).segment;
            for (std::uint64_t round = 1; round <= 4; ++round) {
                must_append(*ledger, segment, make_round(round, "a", large));
            }
            const auto whole = folder.output();
            // The last round is written again by every checkpoint.
            must_append(*ledger, segment, make_round(5));
            {
                std::fstream file{folder.path() / "output.txt"};
                file.seekp(static_cast<std::streamoff>(whole.size() - before_end));
                file << "!";
            }
            must_checkpoint(*ledger, 5);
            ledger.reset();
            BOOST_TEST(why.find("output.txt was changed while the ring ran") != std::string::npos, why);
            BOOST_TEST(why.find("anel repair /") != std::string::npos, why);
            BOOST_TEST(folder.numbers("checkpoint").empty());
            const RepairOptions mend{
                .folder = folder.path(), .mode = RepairMode::rewrite, .dry_run = false, .files = nullptr, .boot = {}};
            BOOST_TEST(repair(mend)->rewritten.size() == 1U);
            BOOST_TEST(folder.output() == whole + text_of(5));
            must_checkpoint(*must_open(options_for(folder)), 5);
            BOOST_TEST(folder.numbers("checkpoint") == std::vector<std::uint64_t>{5});
        }
    }
}

BOOST_AUTO_TEST_CASE(that_remove_checksums_while_the_ring_runs_are_noticed_at_the_next_checkpoint) {
    const Folder folder;
    make_ledger(folder);
    auto options = options_for(folder);
    std::atomic<bool> damaged{false};
    options.durable = [&](const tl::expected<Round, Error>& durable) {
        damaged = damaged || (!durable && durable.error().code == ErrorCode::ledger_damaged);
    };
    auto ledger = must_open(options);
    static_cast<void>(ledger->read({0}));
    fs::remove(folder.path() / ".anel/blocks");
    must_append(*ledger, {6}, make_round(6, "a", 2'000'000));
    must_checkpoint(*ledger, 6);
    BOOST_TEST(damaged);
}

/// Links go to the open folder wherever it is. What is there covers nothing for who starts.
BOOST_AUTO_TEST_CASE(that_move_the_checkpoints_while_the_ring_runs_are_noticed_and_nothing_is_trimmed) {
    for (const bool replaced : {false, true}) {
        BOOST_TEST_CONTEXT("replaced by another folder: " << replaced) {
            const Folder folder;
            make_ledger(folder);
            auto options = options_for(folder);
            std::optional<Error> error;
            options.durable = [&](const tl::expected<Round, Error>& durable) {
                if (!durable) error = durable.error();
            };
            auto ledger = must_open(options);
            static_cast<void>(ledger->read({0}));
            must_append(*ledger, {6}, make_round(6));
            const auto journal = folder.numbers("journal");
            fs::rename(folder.path() / ".anel/checkpoint", folder.path() / ".anel/elsewhere");
            if (replaced) fs::create_directory(folder.path() / ".anel/checkpoint");
            must_checkpoint(*ledger, 6);
            BOOST_REQUIRE(error);
            BOOST_TEST((error->code == ErrorCode::outside_hands));
            BOOST_TEST(error->text.starts_with(".anel/checkpoint was removed or replaced while the ring ran: "),
                       error->text);
            BOOST_TEST(folder.numbers("journal") == journal);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
