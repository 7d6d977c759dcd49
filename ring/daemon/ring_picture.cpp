#include "ring/daemon/ring_picture.hpp"

#include "ring/daemon/report_text.hpp"

namespace anel {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t views_shown = 12;
constexpr const char* histograms[] = {"ack_us", "lap_us", "fsync_us"};

/// The value below which `part` of what is in the buckets lies, in milliseconds; null where nothing is.
Json quantile_ms(const std::map<std::size_t, std::uint64_t>& buckets, double part) {
    std::uint64_t count = 0;
    for (const auto& [bucket, in_it] : buckets) count += in_it;
    if (count == 0) return nullptr;
    const double wanted = part * static_cast<double>(count);
    double below = 0;
    for (const auto& [bucket, in_it] : buckets) {
        const auto here = static_cast<double>(in_it);
        if (below + here >= wanted) {
            const auto least = static_cast<double>(Histogram::least_of(bucket));
            const auto width = static_cast<double>(Histogram::least_of(bucket + 1)) - least;
            return (least + width * (wanted - below) / here) / 1000;
        }
        below += here;
    }
    return nullptr;
}

Json rate(std::uint64_t now, std::uint64_t before, double seconds) {
    if (now < before || seconds <= 0) return nullptr;
    return static_cast<double>(now - before) / seconds;
}

}  // namespace

void RingPicture::draw_node(NodeId id, const Json& document, Basis& basis, Json& picture) {
    const auto& status = document.at("status");
    auto& grown = basis.nodes[id];
    grown.incarnation = status.at("incarnation").get<std::string>();
    for (const auto* name : histograms) {
        for (const auto& pair : document.at(name)) {
            grown.histograms[name][pair.at(0).get<std::size_t>()] = pair.at(1).get<std::uint64_t>();
        }
    }
    basis.sequence = std::max(basis.sequence, status.at("sequence").get<std::uint64_t>());
    const auto& token = document.at("token");
    const auto epoch = token.at("epoch").get<std::uint64_t>();
    const auto hop = token.at("hop").get<std::uint64_t>();
    if (std::pair{epoch, hop} > std::pair{basis.epoch, basis.hop}) {
        basis.epoch = epoch;
        basis.hop = hop;
        // Of all that was seen of the token, the newest.
        picture["token"] = token;
    }
    keep_views(document.at("views"));
    picture["nodes"].push_back({{"id", id.value},
                                {"answers", true},
                                {"status", status},
                                {"acks", document.at("acks")},
                                {"rejects", document.at("rejects")},
                                {"busys", document.at("busys")}});
}

void RingPicture::keep_views(const Json& views) {
    for (const auto& view : views) {
        const auto epoch = view.at("epoch").get<std::uint64_t>();
        // The first to notice knows best; the others only heard of it, or were not there.
        const auto [known, is_new] = views_.try_emplace(epoch, view);
        if (!is_new && view.at("wall_ms") < known->second.at("wall_ms")) known->second = view;
    }
    while (views_.size() > views_shown) views_.erase(views_.begin());
}

RingPicture::Buckets RingPicture::grown(const Basis& basis, const std::string& histogram) const {
    Buckets sum;
    for (const auto& [id, node] : basis.nodes) {
        const auto old = before_->nodes.find(id);
        if (old == before_->nodes.end() || old->second.incarnation != node.incarnation) continue;
        const auto now_at = node.histograms.find(histogram);
        if (now_at == node.histograms.end()) continue;
        const auto old_at = old->second.histograms.find(histogram);
        for (const auto& [bucket, count] : now_at->second) {
            std::uint64_t had = 0;
            if (old_at != old->second.histograms.end()) {
                const auto same = old_at->second.find(bucket);
                if (same != old_at->second.end()) had = same->second;
            }
            if (count > had && bucket < Histogram::bucket_count) sum[bucket] += count - had;
        }
    }
    return sum;
}

Json RingPicture::point_of(const Basis& basis, std::uint64_t pending, Moment now) const {
    Json point{{"t", now.wall_us / 1000}, {"queue", pending}};
    if (!before_) return point;
    const double seconds = std::chrono::duration<double>(now.steady - before_->at).count();
    point["messages"] = rate(basis.sequence, before_->sequence, seconds);
    point["hops"] = basis.epoch == before_->epoch ? rate(basis.hop, before_->hop, seconds) : Json{};
    const auto ack = grown(basis, "ack_us");
    point["ack_p50"] = quantile_ms(ack, 0.5);
    point["ack_p99"] = quantile_ms(ack, 0.99);
    point["lap"] = quantile_ms(grown(basis, "lap_us"), 0.5);
    point["fsync"] = quantile_ms(grown(basis, "fsync_us"), 0.5);
    return point;
}

RingPicture::Drawn RingPicture::draw(const std::map<NodeId, std::string>& documents, const OutputTail& tail,
                                     Moment now) {
    Basis basis;
    basis.at = now.steady;
    Json picture{{"served_by", self_.value}, {"version", ANEL_VERSION}, {"token", nullptr}, {"nodes", Json::array()}};
    std::uint64_t pending = 0;
    for (const auto id : nodes_) {
        const auto said = documents.find(id);
        const auto document = said == documents.end() ? Json{} : Json::parse(said->second, nullptr, false);
        try {
            if (!document.is_object()) throw std::invalid_argument{"no document"};
            draw_node(id, document, basis, picture);
            pending += document.at("status").at("pending_messages").get<std::uint64_t>();
        } catch (const std::exception&) {
            // A node of another version is shown like one that is silent.
            picture["nodes"].push_back({{"id", id.value}, {"answers", false}});
        }
    }
    // A silent node may have been the only one that knew of the last messages; numbers do not go back.
    if (before_) basis.sequence = std::max(basis.sequence, before_->sequence);
    const auto point = point_of(basis, pending, now);
    auto views = Json::array();
    for (const auto& [epoch, view] : views_) views.push_back(view);
    picture["views"] = views;
    picture["output"] = {{"bytes", tail.bytes}, {"lines", tail.lines}};
    picture["point"] = point;
    before_ = std::move(basis);
    return {as_text(picture), as_text(point)};
}

}  // namespace anel
