#include "ring/ops/http_server.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace anel {
namespace {

constexpr std::chrono::seconds patience{2};  ///< with a client, in each direction
constexpr std::size_t threads_for_answers = 8;
constexpr std::size_t body_bytes_max = 1024;  ///< nobody has anything to tell us
constexpr int retry_after_s = 5;

/// The page is one document with one script and one style, all from here, and nothing from anywhere else.
constexpr const char* content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Not httplib's own SO_REUSEPORT: with it two nodes would share a port and each hear half of the questions.
void reuse_address(int descriptor) {
    const int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

class Server final : public HttpServer {
public:
    Server(Feed& feed, Handler handler) : feed_{feed}, handler_{std::move(handler)} {
        server_.set_socket_options(reuse_address);
        server_.set_tcp_nodelay(true);
        // A connection that waits for its next request would hold a thread meanwhile.
        server_.set_keep_alive_max_count(1);
        server_.set_keep_alive_timeout(patience.count());
        server_.set_read_timeout(patience);
        server_.set_write_timeout(patience);
        server_.set_payload_max_length(body_bytes_max);
        server_.new_task_queue = [this] { return new httplib::ThreadPool{threads_for_answers + feed_.viewers_max()}; };
        server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
            answer(request, response);
            return httplib::Server::HandlerResponse::Handled;
        });
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() override {
        feed_.close();
        server_.stop();
        if (thread_.joinable()) thread_.join();
    }

    /// @return 0, or errno.
    int listen(const std::string& host, std::uint16_t port) {
        errno = 0;
        if (!server_.bind_to_port(host == "*" ? "0.0.0.0" : host, port)) return errno != 0 ? errno : EADDRNOTAVAIL;
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        // stop() does nothing to a server that does not run yet.
        while (!server_.is_running()) std::this_thread::yield();
        return 0;
    }

private:
    void answer(const httplib::Request& request, httplib::Response& response) {
        response.set_header("Cache-Control", "no-store");
        response.set_header("X-Content-Type-Options", "nosniff");
        response.set_header("Referrer-Policy", "no-referrer");
        response.set_header("Content-Security-Policy", content_security_policy);
        if (request.method != "GET" && request.method != "HEAD") {
            response.status = 405;
            response.set_header("Allow", "GET, HEAD");
            response.set_content("GET only\n", "text/plain; charset=utf-8");
        } else if (request.path == "/events" && request.method == "GET") {
            show(response);
        } else {
            const auto reply = handler_(request.path);
            response.status = reply.status;
            response.set_content(reply.body, reply.content_type.c_str());
        }
    }

    void show(httplib::Response& response) {
        const auto viewer = feed_.join();
        if (!viewer) {
            response.status = 503;
            response.set_header("Retry-After", std::to_string(retry_after_s));
            response.set_content(fmt::format("{} viewers look at this node already, and no more are allowed "
                                             "(status_viewers_max): close one, or look at another node\n",
                                             feed_.viewers_max()),
                                 "text/plain; charset=utf-8");
            return;
        }
        response.set_chunked_content_provider("text/event-stream", [viewer](std::size_t, httplib::DataSink& sink) {
            const auto text = viewer->next();
            if (!text) sink.done();
            return text ? sink.write(text->data(), text->size()) : true;
        });
    }

    Feed& feed_;
    Handler handler_;
    httplib::Server server_;
    std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& bind_host, std::uint16_t port, Feed& feed,
                                                      Handler handler) {
    auto server = std::make_unique<Server>(feed, std::move(handler));
    if (const int error = server->listen(bind_host, port); error != 0) {
        const auto code = error == EADDRINUSE ? ErrorCode::address_in_use : ErrorCode::bad_configuration;
        return failure(code, fmt::format("http://{}:{}: {}", bind_host, port, std::strerror(error)));
    }
    return server;
}

}  // namespace anel
