// The space of trimmed segments comes back in steps, and never from under somebody who reads one.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "ring/ledger/freeing.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace anel;
using namespace anel::test;

namespace {

constexpr off_t file_bytes = 2 * Freeing::step_bytes + 1;

struct Recorder : FileSystem {
    std::vector<off_t> cuts;
    int shorten(int fd, off_t bytes) override {
        cuts.push_back(bytes);
        return FileSystem::shorten(fd, bytes);
    }
};

/// A file of `file_bytes` in a folder of its own.
struct Removable {
    Folder folder;
    std::filesystem::path path = folder.path() / "file";
    Removable() {
        const Descriptor made{::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)};
        BOOST_REQUIRE(::ftruncate(made.get(), file_bytes) == 0);
    }
    [[nodiscard]] Descriptor open(int flags) const { return Descriptor{::open(path.c_str(), flags | O_CLOEXEC)}; }
    /// Removes it; what is to be freed holds it.
    void remove(Freeing& freeing) const {
        std::vector<Descriptor> removed;
        removed.push_back(open(O_RDWR));
        std::filesystem::remove(path);
        freeing.take(std::move(removed));
    }
};

off_t size_of(const Descriptor& fd) {
    struct stat status {};
    BOOST_REQUIRE(::fstat(fd.get(), &status) == 0);
    return status.st_size;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(freeing)

BOOST_AUTO_TEST_CASE(a_removed_file_is_given_back_in_steps) {
    const Removable file;
    Recorder files;
    Freeing freeing;
    file.remove(freeing);
    while (!freeing.done()) {
        freeing.step(files);
    }
    BOOST_TEST(files.cuts == (std::vector<off_t>{Freeing::step_bytes + 1, 1, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_removed_file_that_somebody_reads_or_has_mapped_keeps_its_bytes) {
    for (const bool mapped : {false, true}) {
        BOOST_TEST_CONTEXT((mapped ? "mapped" : "open")) {
            const Removable file;
            Descriptor reader = file.open(O_RDONLY);
            void* map = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, reader.get(), 0);
            BOOST_REQUIRE(map != MAP_FAILED);
            if (mapped) {
                reader = Descriptor{};
            } else {
                ::munmap(map, 4096);
            }
            Recorder files;
            Freeing freeing;
            file.remove(freeing);
            for (unsigned look = 1; look < Freeing::patience; ++look) {
                freeing.step(files);
            }
            BOOST_TEST(files.cuts.empty());
            BOOST_TEST(!freeing.done());
            freeing.step(files);
            BOOST_TEST(freeing.done());
            BOOST_TEST(files.cuts.empty());
            if (mapped) {
                ::munmap(map, 4096);
            } else {
                BOOST_TEST(size_of(reader) == file_bytes);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_removed_file_is_given_back_when_its_last_reader_has_left) {
    const Removable file;
    Descriptor reader = file.open(O_RDONLY);
    Recorder files;
    Freeing freeing;
    file.remove(freeing);
    freeing.step(files);
    BOOST_TEST(files.cuts.empty());
    reader = Descriptor{};
    freeing.step(files);
    BOOST_TEST(files.cuts.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_file_that_has_a_name_is_not_cut) {
    const Removable file;
    Recorder files;
    Freeing freeing;
    std::vector<Descriptor> named;
    named.push_back(file.open(O_RDWR));
    freeing.take(std::move(named));
    while (!freeing.done()) {
        freeing.step(files);
    }
    BOOST_TEST(files.cuts.empty());
}

BOOST_AUTO_TEST_CASE(a_segment_that_loses_its_name_while_it_is_opened_is_none) {
    struct Late : FileSystem {
        int open(int folder, const char* name, int flags, mode_t mode) override {
            const int fd = FileSystem::open(folder, name, flags, mode);
            BOOST_TEST(FileSystem::unlink(folder, name) == 0);
            return fd;
        }
    };
    const Folder folder;
    const auto options = options_for(folder);
    {
        auto ledger = must_open(options);
        must_append(*ledger, must_grant(*ledger, 0).segment, make_round(1));
    }
    const Descriptor journal{::open((folder.path() / ".anel/journal").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    Late files;
    // Whose ledger it is does not matter: it is not looked at.
    const auto opened = Segment::open(files, journal.get(), {1}, LedgerId{0}, boot('A'), Access::read);
    BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().text);
    BOOST_TEST((*opened == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()
