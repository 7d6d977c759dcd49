// A very small HTTP server for machines that watch a node: GET only, one request a connection, a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "common/result.hpp"

namespace anel {

struct HttpAnswer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

class HttpServer {
public:
    using Handler = std::function<HttpAnswer(std::string_view path)>;
    /// @param bind_host  numeric, or `*`.   @param handler  called on the server's thread.
    [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const std::string& bind_host, std::uint16_t port,
                                                                   Handler handler);
    HttpServer(int listener, int stopper, Handler handler);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();

private:
    void serve();
    void answer(int connection) const;

    int listener_;
    int stopper_;
    Handler handler_;
    std::thread thread_;
};

}  // namespace anel
