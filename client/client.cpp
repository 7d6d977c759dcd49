#include "client/client.hpp"

#include <fmt/format.h>

#include <random>
#include <stdexcept>

#include "client/random_number.hpp"
#include "client/shell.hpp"

namespace anel::client {
namespace {

struct Prepared {
    std::optional<OutboxFile> outbox;
    SessionOptions session;
};

Result<Prepared> prepare(const Options& options) {
    if (const auto checked = check(options); !checked) return tl::unexpected{checked.error()};
    Prepared prepared;
    const auto fresh_client_id = fmt::format("anel-{:016x}", random_number());
    prepared.session = {.client_id = options.client_id.empty() ? fresh_client_id : options.client_id,
                        .instance = Instance{options.instance == 0 ? random_number() : options.instance},
                        .fresh_instance = Instance{options.instance == 0 ? random_number() : 0},
                        .nodes = options.nodes.size(),
                        .first_node = options.first_node,
                        .batch_messages = options.batch_messages,
                        .batch_bytes = options.batch_bytes,
                        .message_bytes = options.message_bytes,
                        .window_messages = options.window_messages,
                        .window_bytes = options.window_bytes,
                        .timing = options.timing};
    if (options.outbox_file) {
        auto outbox = OutboxFile::open(*options.outbox_file, {.client_id = options.client_id,
                                                              .fresh_client_id = fresh_client_id,
                                                              .instance = options.instance,
                                                              .fresh_instance = prepared.session.instance.value,
                                                              .sync = options.sync_outbox});
        if (!outbox) return tl::unexpected{outbox.error()};
        prepared.session.client_id = outbox->client_id();
        prepared.session.instance = outbox->instance();
        prepared.outbox.emplace(std::move(*outbox));
    }
    return prepared;
}

}  // namespace

std::uint64_t random_number() {
    std::random_device device;
    std::uint64_t number = 0;
    while (number == 0) number = (std::uint64_t{device()} << 32U) | device();
    return number;
}

Result<std::unique_ptr<Client::Shell>> Client::start_shell(Options options) {
    auto prepared = prepare(options);
    if (!prepared) return tl::unexpected{prepared.error()};
    try {
        return std::make_unique<Shell>(std::move(options), std::move(prepared->outbox), std::move(prepared->session));
    } catch (const std::exception& error) {  // of the system or of libzmq: threads and descriptors are bounded
        return failure(ErrorCode::io_failed, std::string{"a client cannot start: "} + error.what());
    }
}

Result<std::unique_ptr<Client>> Client::start(Options options) {
    auto shell = start_shell(std::move(options));
    if (!shell) return tl::unexpected{shell.error()};
    return std::unique_ptr<Client>{new Client{std::move(*shell)}};
}

Client::Client(Options options) {
    auto shell = start_shell(std::move(options));
    if (!shell) throw std::invalid_argument{shell.error().text};
    shell_ = std::move(*shell);
}

Client::Client(std::unique_ptr<Shell> shell) : shell_{std::move(shell)} {}
Client::~Client() = default;

std::future<Outcome> Client::push(std::string_view payload, Timestamp timestamp) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    auto future = promise->get_future();
    const auto taken =
        shell_->push(payload, timestamp, [promise](const Outcome& outcome) { promise->set_value(outcome); });
    if (!taken) promise->set_value(taken.error());
    return future;
}

tl::expected<Ordinal, Refused> Client::push(std::string_view payload, Timestamp timestamp, Callback callback) {
    return shell_->push(payload, timestamp, std::move(callback));
}

tl::expected<Ordinal, Refused> Client::post(std::string_view payload, Timestamp timestamp) {
    return shell_->push(payload, timestamp, {});
}

bool Client::wait_for_room(std::chrono::milliseconds deadline) { return shell_->wait_for_room(deadline); }
bool Client::flush(std::chrono::milliseconds deadline) { return shell_->flush(deadline); }
bool Client::close(std::chrono::milliseconds deadline, Farewell farewell) { return shell_->close(deadline, farewell); }
const std::string& Client::client_id() const { return shell_->client_id; }
Instance Client::instance() const { return shell_->instance(); }
std::uint64_t Client::restored() const { return shell_->restored; }
std::size_t Client::unsettled() const { return shell_->unsettled(); }
std::string Client::trouble() const { return shell_->trouble(); }

}  // namespace anel::client
