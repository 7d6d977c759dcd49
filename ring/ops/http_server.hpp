// The HTTP server of a node, for people and machines that watch it: answers, and a stream of pictures for viewers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "ring/ops/feed.hpp"

namespace anel {

struct HttpAnswer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

/// GET and HEAD only. Viewers of `/events` are counted by the feed, and have threads of their own beside those for
/// everything else, so they cannot keep a health check waiting.
class HttpServer {
public:
    using Handler = std::function<HttpAnswer(std::string_view path)>;
    /// @param bind_host  numeric, or `*`.   @param handler  called on threads of the server, for all but `/events`.
    /// @param feed  outlives the server.
    [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const std::string& bind_host, std::uint16_t port,
                                                                   Feed& feed, Handler handler);
    virtual ~HttpServer() = default;  ///< closes the feed, and waits for what is under way
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

protected:
    HttpServer() = default;
};

}  // namespace anel
