// The picture of the whole ring that the status page shows, made of what each node says of itself and of what the
// picture before showed: rates and quantiles are of the time in between.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "ring/daemon/output_tail.hpp"

namespace anel {

class RingPicture {
public:
    RingPicture(NodeId self, std::set<NodeId> nodes) : self_{self}, nodes_{std::move(nodes)} {}

    struct Drawn {
        std::string picture;  ///< one line of JSON
        std::string point;    ///< one line of JSON: what of it goes into charts
    };
    /// @param documents  of the nodes that answered, as figures_json() makes them; others are shown as silent.
    [[nodiscard]] Drawn draw(const std::map<NodeId, std::string>& documents, const OutputTail& tail, Moment now);
    /// Nobody looked for a while: the next rates begin anew.
    void forget_rates() { before_.reset(); }

private:
    using Json = nlohmann::ordered_json;
    using Buckets = std::map<std::size_t, std::uint64_t>;
    /// What grows, of one node.
    struct Grown {
        std::string incarnation;
        std::map<std::string, Buckets> histograms;
    };
    /// What of a picture the next one is compared with.
    struct Basis {
        Instant at{};
        std::map<NodeId, Grown> nodes;
        std::uint64_t sequence = 0;
        std::uint64_t epoch = 0;
        std::uint64_t hop = 0;
    };
    void draw_node(NodeId id, const Json& document, Basis& basis, Json& picture);
    void keep_views(const Json& views);
    /// What came to a histogram since the last picture, of all nodes together.
    [[nodiscard]] Buckets grown(const Basis& basis, const std::string& histogram) const;
    [[nodiscard]] Json point_of(const Basis& basis, std::uint64_t pending, Moment now) const;

    NodeId self_;
    std::set<NodeId> nodes_;
    std::optional<Basis> before_;
    std::map<std::uint64_t, Json> views_;  ///< by epoch
};

}  // namespace anel
