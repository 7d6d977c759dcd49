#include "ring/daemon/figures_text.hpp"

#include <fmt/format.h>

namespace anel {
namespace {

using Json = nlohmann::ordered_json;

/// [[bucket, count], ...] of the buckets that are not empty.
Json buckets_of(const Histogram& histogram) {
    auto list = Json::array();
    for (std::size_t bucket = 0; bucket < Histogram::bucket_count; ++bucket) {
        if (histogram.in_bucket(bucket) > 0) list.push_back({bucket, histogram.in_bucket(bucket)});
    }
    return list;
}

Json ids_of_votes(std::uint64_t votes) {
    auto list = Json::array();
    for (std::uint64_t id = 0; id < limits::nodes_max; ++id) {
        if ((votes >> id & 1U) != 0) list.push_back(id);
    }
    return list;
}

Json token_of(const TokenSeen& token) {
    Json json{{"epoch", token.epoch.value}, {"hop", token.hop.value}, {"open", nullptr}};
    if (!token.open) return json;
    auto bids = Json::array();
    for (const auto& bid : token.bids) bids.push_back({{"node", bid.node.value}, {"frames", bid.frames}});
    json["open"] = {{"opener", token.opener.value}, {"votes", ids_of_votes(token.votes)}, {"bids", bids}};
    return json;
}

Json views_of(const std::deque<ViewSeen>& views) {
    auto list = Json::array();
    for (const auto& view : views) {
        auto members = Json::array();
        for (const auto id : view.members) members.push_back(id.value);
        list.push_back({{"epoch", view.epoch.value},
                        {"coordinator", view.coordinator.value},
                        {"members", members},
                        {"why", view.why},
                        {"wall_ms", view.wall_us / 1000}});
    }
    return list;
}

}  // namespace

std::string figures_json(const Report& report, const Life& life, Instant now) {
    const auto& ring = report.ring;
    auto status = status_object(report, life, now);
    status.erase("timing");
    return as_text({{"status", status},
                    {"token", token_of(report.token)},
                    {"views", views_of(report.views)},
                    {"acks", ring.acks},
                    {"rejects", ring.rejects},
                    {"busys", ring.busys},
                    {"ack_us", buckets_of(report.histograms.ack_us)},
                    {"lap_us", buckets_of(report.histograms.lap_us)},
                    {"fsync_us", buckets_of(life.sync_us->now())}});
}

}  // namespace anel
