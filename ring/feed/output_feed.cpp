#include "ring/feed/output_feed.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>
#include <thread>

#include "common/file_watch.hpp"
#include "ring/feed/reading_desk.hpp"
#include "ring/ledger/durable_end.hpp"
#include "ring/transport/frames.hpp"

namespace anel {
namespace {

using std::chrono::milliseconds;

/// Between two looks at the ledger. What came meanwhile goes out as one: a round of its own for each reader would cost
/// more wake-ups than anybody gains.
constexpr milliseconds look_every{5};
/// While a round waits for its sync, whose end nothing tells us of; doubled from look_every.
constexpr milliseconds look_slowly{80};
constexpr int requests_per_turn = 64;
constexpr int requests_waiting_max = 16;  ///< of one connection, unread
constexpr int answers_waiting_max = 2;    ///< of one connection, unsent
/// A reader that is frozen longer is cut off, and what is on its way to it forgotten.
constexpr milliseconds heartbeat_every{5000};
constexpr milliseconds heartbeat_timeout{20'000};
constexpr milliseconds last_words{200};

/// Bytes of output that libzmq has not sent yet. Their blobs outlive the feed.
using UnderWay = std::shared_ptr<std::atomic<std::size_t>>;

Blob counted(Bytes bytes, const UnderWay& under_way) {
    const auto size = bytes.size();
    under_way->fetch_add(size);
    const std::shared_ptr<const Bytes> owner{new Bytes{std::move(bytes)}, [under_way, size](const Bytes* one) {
                                                 under_way->fetch_sub(size);
                                                 delete one;
                                             }};
    return Blob{owner, BytesView{*owner}};
}

class Feeder final : public OutputFeed {
public:
    Feeder(zmq::context_t& context, OpenedLedger opened, std::string ledger, Socket socket, const FeedOptions& options)
        : now_{options.now},
          figures_{options.figures},
          opened_{std::move(opened)},
          ledger_{std::move(ledger)},
          end_{files_, opened_},
          desk_{ledger_},
          socket_{std::move(socket)},
          monitor_{context, socket_.raw()},
          stop_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)},
          thread_{[this] { run(); }} {}
    Feeder(const Feeder&) = delete;
    Feeder& operator=(const Feeder&) = delete;
    ~Feeder() override {
        static_cast<void>(eventfd_write(stop_.get(), 1));
        thread_.join();
    }

private:
    void run() {
        writes_.add(opened_.folders.path, IN_MODIFY);
        while (true) {
            bool stop = false;
            wait(stop);
            if (stop) break;
            receive();
            if (desk_.waiting() > 0 && now_() >= look_at_) look();
            answer(desk_.due({.begin = std::min(mark_.begin, mark_.offset), .end = mark_.offset}, room(), now_()));
            figures_.waiting = desk_.waiting();
        }
        answer(desk_.refuse_all(FeedRefusal::shutting_down, "this node leaves: read from another one"));
        socket_.raw().set(zmq::sockopt::linger, static_cast<int>(last_words.count()));
    }

    /// Nobody waits for output: only a request wakes this thread.
    void wait(bool& stop) {
        bool ready = false;
        bool written = false;
        bool connected = false;
        polled_.clear();
        polled_.add(socket_, ready);
        polled_.add(monitor_.socket(), connected);
        polled_.add(stop_.get(), stop);
        auto wakeup = desk_.next_wakeup();
        if (wakeup) {
            // Nothing tells of a sync's end, nor of room for those who would have been answered already.
            const bool told = mark_.all && room() >= limits::feed_answer_bytes_max && now_() >= look_at_;
            if (!told) wakeup = std::min(*wakeup, look_at_);
            else if (writes_.descriptor() >= 0) polled_.add(writes_.descriptor(), written);
        }
        std::optional<milliseconds> at_most;
        if (wakeup) at_most = std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(*wakeup - now_()));
        polled_.wait(at_most);
        if (written) writes_.take();
        count_connections();
    }

    void count_connections() {
        while (const auto event = monitor_.next()) {
            if (event->event == ConnectionEvent::opened) connections_.insert(event->descriptor);
            if (event->event == ConnectionEvent::closed) connections_.erase(event->descriptor);
        }
        figures_.connections = connections_.size();
    }

    void receive() {
        for (int count = 0; count < requests_per_turn; ++count) {
            auto received = receive_from_peer(socket_, limits::feed_request_bytes_max);
            if (!received) return;
            const auto request = frame_of(std::move(*received));
            if (!request) continue;
            if (auto refused = desk_.take(request->connection, request->frame.bytes(), now_())) send(*refused);
        }
    }

    void look() {
        const auto before = mark_;
        auto mark = end_.look();
        if (!mark) {
            look_at_ = now_() + look_slowly;
            return answer(desk_.refuse_all(FeedRefusal::unreadable, mark.error().text));
        }
        mark_ = *mark;
        figures_.round = mark_.round.value;
        const bool grew = mark_.offset != before.offset || mark_.all;
        look_after_ = grew ? look_every : std::min(look_slowly, 2 * look_after_);
        look_at_ = now_() + look_after_;
    }

    [[nodiscard]] std::size_t room() const {
        const auto used = under_way_->load();
        return limits::feed_bytes_under_way_max - std::min(used, limits::feed_bytes_under_way_max);
    }

    void answer(const std::vector<DeskAnswer>& answers) {
        for (const auto& one : answers) {
            std::visit([this](const auto& what) { send(what); }, one);
        }
    }

    void send(const Refusal& refusal) {
        ++figures_.refused;
        static_cast<void>(send(refusal.to, encode(FeedAnswer{refusal.reject})));
    }

    void send(const Portion& portion) {
        bytes_.resize(portion.bytes);
        auto got = opened_.output.read(bytes_, portion.offset);
        if (!got || *got < portion.bytes) {
            const auto why = got ? std::string{"output.txt was shortened"} : got.error().text;
            return send(Refusal{portion.to, {FeedRefusal::unreadable, why}});
        }
        auto text = as_text(bytes_);
        // Whole lines, unless one is longer than an answer: readers that only know lines need not join any.
        const auto line_end = text.rfind('\n');
        if (line_end != std::string_view::npos) text = text.substr(0, line_end + 1);
        const FeedOutput output{ledger_, portion.offset, mark_.offset, mark_.round, text};
        if (!send(portion.to, encode(FeedAnswer{output})) || text.empty()) return;
        ++figures_.answers;
        figures_.bytes += text.size();
    }

    /// An answer that finds no room, because its reader is gone or does not read, is dropped: it asks again.
    [[nodiscard]] bool send(const Connection& to, Bytes answer) {
        const bool sent = send_to_peer(socket_, to, counted(std::move(answer), under_way_));
        if (!sent) ++figures_.dropped;
        return sent;
    }

    std::function<Instant()> now_;
    FeedFigures& figures_;
    FileSystem files_;
    OpenedLedger opened_;
    std::string ledger_;
    DurableEnd end_;
    ReadingDesk desk_;
    Socket socket_;
    Monitor monitor_;
    std::set<int> connections_;  ///< their descriptors
    Descriptor stop_;
    FileWatch writes_;  ///< to output.txt, whichever file that is; where nothing is told, each heartbeat looks
    PollSet polled_;
    DurableMark mark_;
    Instant look_at_{};
    milliseconds look_after_ = look_every;
    Bytes bytes_;
    UnderWay under_way_ = std::make_shared<std::atomic<std::size_t>>(0);
    std::thread thread_;  ///< last: starts when all else stands
};

}  // namespace

Result<std::unique_ptr<OutputFeed>> OutputFeed::start(zmq::context_t& context, const FeedOptions& options) {
    static FileSystem files;
    auto opened = open_to_look(files, options.folder);
    if (!opened) return tl::unexpected{opened.error()};
    auto ledger = name_of_output(files, *opened);
    if (!ledger) return tl::unexpected{ledger.error()};
    try {
        auto socket = open_socket(context, SocketKind::client_port, limits::feed_request_bytes_max, options.ipv6);
        auto& raw = socket.raw();
        raw.set(zmq::sockopt::rcvhwm, requests_waiting_max);
        raw.set(zmq::sockopt::sndhwm, answers_waiting_max);
        raw.set(zmq::sockopt::heartbeat_ivl, static_cast<int>(heartbeat_every.count()));
        raw.set(zmq::sockopt::heartbeat_timeout, static_cast<int>(heartbeat_timeout.count()));
        raw.bind(options.bind_address);
        return std::make_unique<Feeder>(context, std::move(*opened), std::move(*ledger), std::move(socket), options);
    } catch (const zmq::error_t& error) {
        const auto code = error.num() == EADDRINUSE ? ErrorCode::address_in_use : ErrorCode::bad_configuration;
        return failure(code, fmt::format("feed port {}: {}", options.bind_address, error.what()));
    }
}

}  // namespace anel
