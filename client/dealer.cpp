#include "client/dealer.hpp"

#include <fmt/format.h>

namespace anel::client {

void Dealer::open(const std::string& endpoint, int events, const std::function<void(zmq::socket_t&)>& prepare) {
    close();
    socket_ = zmq::socket_t{context_, zmq::socket_type::dealer};
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::ipv6, endpoint.find('[') != std::string::npos);
    if (prepare) prepare(socket_);
    const auto where = fmt::format("inproc://anel-monitor-{}-{}", static_cast<const void*>(this), ++opened_);
    if (zmq_socket_monitor(socket_.handle(), where.c_str(), events) != 0) throw zmq::error_t{};
    monitor_ = zmq::socket_t{context_, zmq::socket_type::pair};
    monitor_.set(zmq::sockopt::linger, 0);
    monitor_.connect(where);
    socket_.connect(endpoint);
}

void Dealer::close() {
    if (socket_) zmq_socket_monitor(socket_.handle(), nullptr, 0);
    monitor_.close();
    socket_.close();
}

}  // namespace anel::client
