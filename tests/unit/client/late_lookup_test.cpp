// A client that is closed while the name of a node is being looked up.
#include <dlfcn.h>
#include <netdb.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string_view>
#include <thread>
#include <vector>

#include "client/client.hpp"
#include "common/descriptor.hpp"

namespace {

using namespace std::chrono_literals;

constexpr const char* slow_name = "slow.example";
std::atomic<bool> begun{false};
std::atomic<bool> may_end{false};

}  // namespace

/// The library's, but that one name takes as long as the test wants.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
    using Lookup = int(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto lookup = reinterpret_cast<Lookup*>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    if (host == nullptr || std::string_view{host} != slow_name) return lookup(host, service, hints, found);
    begun = true;
    while (!may_end) std::this_thread::sleep_for(1ms);
    return lookup("127.0.0.1", service, hints, found);
}

BOOST_AUTO_TEST_SUITE(late_lookup)

BOOST_AUTO_TEST_CASE(a_lookup_that_ends_behind_its_client_writes_into_no_file_of_others) {
    auto client = anel::client::Client::start({.nodes = {std::string{slow_name} + ":1"}});
    BOOST_REQUIRE(client);
    while (!begun) std::this_thread::sleep_for(1ms);
    std::vector<anel::Descriptor> others;
    std::thread meanwhile{[&] {
        // Time for a client to close what it should not. Were it too short, no good client would fail for it.
        std::this_thread::sleep_for(200ms);
        for (int file = 0; file < 32; ++file) others.emplace_back(::memfd_create("others", MFD_CLOEXEC));
        may_end = true;
    }};
    client->reset();
    meanwhile.join();
    for (const auto& file : others) {
        struct stat status {};
        BOOST_REQUIRE(::fstat(file.get(), &status) == 0);
        BOOST_TEST(status.st_size == 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()
