#include "client/command/listening.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace anel::command {

std::string listening_problem(const std::string& numeric_host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_family = numeric_host == "*" ? AF_INET : AF_UNSPEC;
    addrinfo* found = nullptr;
    const int unknown =
        getaddrinfo(numeric_host == "*" ? nullptr : numeric_host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (unknown != 0) return gai_strerror(unknown);
    const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;  // as a node does: what an ended process left in TIME_WAIT is no obstacle
    (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const bool bound = ::bind(socket, found->ai_addr, found->ai_addrlen) == 0 && ::listen(socket, 1) == 0;
    std::string problem = bound ? "" : std::strerror(errno);
    ::close(socket);
    freeaddrinfo(found);
    return problem;
}

}  // namespace anel::command
