#include "ring/transport/client_guard.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "common/result.hpp"

namespace anel {
namespace {

using std::chrono::milliseconds;

/// Descriptors of clients begin behind those of the node's own files and sockets.
constexpr std::size_t own_descriptors_max = 4096;
/// More than the loopback of a machine brings: what is free below the bound is not used up before the next look.
constexpr std::uint64_t bytes_per_millisecond = 2'000'000;
constexpr milliseconds look_soonest{20};
constexpr milliseconds look_latest{1000};
/// There is too much, and it is not the clients'.
constexpr milliseconds look_in_vain{200};

std::uint16_t local_port(int descriptor) {
    sockaddr_storage at{};
    socklen_t length = sizeof at;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&at), &length) != 0) return 0;
    if (at.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&at)->sin_port);
    if (at.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&at)->sin6_port);
    return 0;
}

}  // namespace

std::uint64_t resident_bytes() {
    std::array<char, 128> text{};
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const auto got = read(file, text.data(), text.size());
    close(file);
    // "size resident shared ...", in pages.
    const char* end = text.data() + std::max<ssize_t>(got, 0);
    const char* resident = std::find(static_cast<const char*>(text.data()), end, ' ');
    std::uint64_t pages = 0;
    if (resident != end) std::from_chars(resident + 1, end, pages);
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

ClientGuard::ClientGuard(zmq::context_t& context, zmq::socket_t& of, ClientBounds bounds)
    : bounds_{bounds},
      port_{bound_port(of)},
      taken_(bounds.connections + own_descriptors_max),
      until_look_{look_latest},
      monitor_{context, of},
      stopper_{eventfd(0, EFD_CLOEXEC)},
      thread_{[this] { serve(); }} {}

ClientGuard::~ClientGuard() {
    static_cast<void>(eventfd_write(stopper_, 1));
    thread_.join();
    close(stopper_);
}

GuardCounters ClientGuard::counters() const { return {connected_, refused_, cut_}; }

void ClientGuard::serve() {
    PollSet set;
    auto look_at = std::chrono::steady_clock::now() + until_look_;
    for (bool stop = false; !stop;) {
        bool heard = false;
        set.clear();
        set.add(monitor_.socket(), heard);
        set.add(stopper_, stop);
        // Without connections nothing can grow, and nobody has to look.
        const auto left = std::chrono::ceil<milliseconds>(look_at - std::chrono::steady_clock::now());
        set.wait(connections_.empty() ? std::nullopt : std::optional{std::max(left, milliseconds{0})});
        while (const auto event = monitor_.next()) note(*event);
        if (connections_.empty() || std::chrono::steady_clock::now() < look_at) continue;
        look();
        look_at = std::chrono::steady_clock::now() + until_look_;
    }
}

void ClientGuard::note(const MonitorEvent& event) {
    if (event.event == ConnectionEvent::closed) {
        connections_.erase(event.descriptor);
    } else if (event.event == ConnectionEvent::opened) {
        auto& known = connections_[event.descriptor] = Known{taken(event.descriptor), false};
        if (connections_.size() > bounds_.connections) {
            ++refused_;
            cut(event.descriptor, known);
        }
    }
    connected_ = connections_.size();
}

void ClientGuard::look() {
    auto resident = resident_bytes();
    if (resident > bounds_.memory_bytes) {
        malloc_trim(0);  // what was freed is not in the way of anybody
        resident = resident_bytes();
    }
    // Cut down to some way below, or the next look would find the same.
    const auto wanted = bounds_.memory_bytes / 8 * 7;
    if (resident > bounds_.memory_bytes && !cut_down(resident - wanted)) {
        until_look_ = look_in_vain;
        return;
    }
    const auto room = resident < bounds_.memory_bytes ? bounds_.memory_bytes - resident : 0;
    until_look_ = std::clamp(milliseconds{room / bytes_per_millisecond}, look_soonest, look_latest);
}

/// Cuts those who have most waiting, until so many bytes wait no more. @return anybody was cut.
bool ClientGuard::cut_down(std::uint64_t bytes) {
    std::vector<std::pair<std::uint64_t, int>> heaviest;
    for (const auto& [descriptor, known] : connections_) {
        const auto size = known.cut ? 0 : waiting(descriptor, known);
        if (size > 0) heaviest.emplace_back(size, descriptor);
    }
    std::sort(heaviest.rbegin(), heaviest.rend());
    std::uint64_t freed = 0;
    for (const auto& [size, descriptor] : heaviest) {
        if (freed >= bytes) break;
        freed += size;
        ++cut_;
        cut(descriptor, connections_[descriptor]);
    }
    return freed > 0;
}

/// libzmq owns the descriptor and may have closed it a moment ago: whoever has the number now is cut only if it came
/// to the same port.
void ClientGuard::cut(int descriptor, Known& known) {
    known.cut = true;
    if (local_port(descriptor) == port_) shutdown(descriptor, SHUT_RDWR);
}

std::uint64_t ClientGuard::taken(int descriptor) const {
    const auto place = static_cast<std::size_t>(descriptor);
    return descriptor >= 0 && place < taken_.size() ? taken_[place].load(std::memory_order_relaxed) : 0;
}

/// What came over this connection and was not taken, and what it did not take of ours.
std::uint64_t ClientGuard::waiting(int descriptor, const Known& known) const {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
    const auto taken_since = taken(descriptor) - known.taken_before;
    const std::uint64_t received = info.tcpi_bytes_received;
    int unsent = 0;
    if (ioctl(descriptor, SIOCOUTQ, &unsent) != 0) unsent = 0;
    return (received > taken_since ? received - taken_since : 0) + static_cast<std::uint64_t>(std::max(unsent, 0));
}

}  // namespace anel
