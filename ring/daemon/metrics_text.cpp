#include "ring/daemon/metrics_text.hpp"

#include <prometheus/text_serializer.h>

#include <limits>
#include <vector>

#include "ring/daemon/memory.hpp"

namespace anel {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr double seconds_per_us = 1e-6;

class Families {
public:
    void gauge(const char* name, const char* help, double value) {
        add(name, help, MetricType::Gauge).gauge.value = value;
    }
    void gauge(const char* name, const char* help, std::uint64_t value) {
        gauge(name, help, static_cast<double>(value));
    }
    void counter(const char* name, const char* help, std::uint64_t value) {
        add(name, help, MetricType::Counter).counter.value = static_cast<double>(value);
    }
    /// Microseconds inside, seconds outside.
    void durations(const char* name, const char* help, const Histogram& histogram) {
        constexpr unsigned first = 4;  // 16 us
        constexpr unsigned last = 24;  // 16.8 s
        auto& out = add(name, help, MetricType::Histogram).histogram;
        for (auto power = first; power <= last; ++power) {
            out.bucket.push_back(
                {histogram.below_power(power), static_cast<double>(std::uint64_t{1} << power) * seconds_per_us});
        }
        close(out, histogram, seconds_per_us);
    }
    /// Whole numbers: what is below a power of two is at most one less.
    void sizes(const char* name, const char* help, const Histogram& histogram) {
        constexpr unsigned first = 2;  // 3
        constexpr unsigned last = 18;  // 262,143
        auto& out = add(name, help, MetricType::Histogram).histogram;
        out.bucket.push_back({histogram.in_bucket(0) + histogram.in_bucket(1), 1.0});
        for (auto power = first; power <= last; ++power) {
            out.bucket.push_back({histogram.below_power(power), static_cast<double>((std::uint64_t{1} << power) - 1)});
        }
        close(out, histogram, 1.0);
    }
    void labelled(const char* name, const char* help, const char* label, std::string_view value) {
        auto& metric = add(name, help, MetricType::Gauge);
        metric.label.push_back({label, std::string{value}});
        metric.gauge.value = 1;
    }
    [[nodiscard]] std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

private:
    ClientMetric& add(const char* name, const char* help, MetricType type) {
        families_.push_back({std::string{"anel_"} + name, help, type, {ClientMetric{}}});
        return families_.back().metric.front();
    }
    static void close(ClientMetric::Histogram& out, const Histogram& histogram, double unit) {
        out.bucket.push_back({histogram.count(), std::numeric_limits<double>::infinity()});
        out.sample_count = histogram.count();
        out.sample_sum = static_cast<double>(histogram.sum()) * unit;
    }

    std::vector<MetricFamily> families_;
};

void put_state(Families& out, const Report& report, const Life& life) {
    const auto& node = report.node;
    out.labelled("build_info", "The version of this program; the value is always 1.", "version", ANEL_VERSION);
    out.gauge("start_time_seconds", "When this process started, in seconds since 1970.",
              static_cast<double>(life.started.wall_us) * seconds_per_us);
    out.labelled("state", "The phase of this node, as a label; the value is always 1.", "state", state_of(node));
    out.gauge("taking_pushes", "1 while this node serves clients.", std::uint64_t{node.taking_pushes});
    out.gauge("epoch", "The epoch of the present view.", node.view ? node.view->epoch.value : node.tip.epoch.value);
    out.gauge("members", "Nodes of the present view.", node.view ? node.view->members.size() : 0);
    out.gauge("configured", "Nodes that the configuration names.", life.settings.node.nodes.size());
    out.gauge("holder", "1 while this node holds the token.", std::uint64_t{node.holder});
    out.gauge("round", "The last decided round that this node knows.", node.tip.round.value);
    out.gauge("durable_round", "Every round up to this one is known to be durable.", node.durable.value);
    out.gauge("sequence", "The ledger sequence of the last decided message.", node.tip.sequence.value);
    out.gauge("pending_messages", "Messages taken here and not yet written.", node.pending_messages);
    out.gauge("pending_bytes", "Bytes of messages taken here and not yet written.", node.pending_bytes);
    out.gauge("sessions", "Sessions of the ledger.", node.sessions);
    out.gauge("clients", "Client ids that this node remembers.", node.clients);
    out.gauge("connections", "Connections of clients.", report.guard.connections);
    out.gauge("memory_bytes", "Resident memory of this process.", resident_bytes());
    out.gauge("memory_bytes_max", "Memory that the settings allow this process.", memory_bytes_max(life.settings));
    out.gauge("status_viewers", "Viewers of this node's status page.", life.feed->viewers());
}

void put_histograms(Families& out, const Report& report, const Life& life) {
    const auto& seen = report.histograms;
    out.durations("ack_latency_seconds", "From a push taken here to its ack sent; one push of a client at a time.",
                  seen.ack_us);
    out.durations("lap_seconds", "From the token sent on with an open round to its return.", seen.lap_us);
    out.durations("fsync_seconds", "One fdatasync of the journal by this node.", life.sync_us->now());
    out.sizes("round_messages", "Messages of a round that this node decided.", seen.round_messages);
    out.sizes("batch_messages", "Messages of a push that came to this node.", seen.batch_messages);
}

void put_ring_counters(Families& out, const RingCounters& ring) {
    out.counter("views_total", "Views that this node entered.", ring.views);
    out.counter("tokens_received_total", "Hops of the token that ended here.", ring.tokens_received);
    out.counter("rounds_decided_total", "Rounds that this node decided.", ring.rounds_decided);
    out.counter("messages_decided_total", "Messages of rounds that this node decided.", ring.messages_decided);
    out.counter("output_bytes_total", "Bytes of output.txt of rounds that this node decided.", ring.output_bytes);
    out.counter("rounds_fenced_total", "Decides that came too late.", ring.rounds_fenced);
    out.counter("rounds_disk_full_total", "Decides that found no space.", ring.rounds_disk_full);
    out.counter("grants_total", "Epochs that this node was granted.", ring.grants);
    out.counter("grants_refused_total", "Epochs that this node asked for and was not granted.", ring.grants_refused);
    out.counter("checkpoints_total", "Checkpoints that this node began.", ring.checkpoints);
    out.counter("client_frames_total", "Frames that clients sent to this node.", ring.client_frames);
    out.counter("acks_total", "Acks sent to clients of the msgpack protocol.", ring.acks);
    out.counter("rejects_total", "Rejects sent to clients.", ring.rejects);
    out.counter("busys_total", "Busy answers sent to clients.", ring.busys);
}

void put_transport_counters(Families& out, const Report& report) {
    out.counter("connections_refused_total", "Connections cut because there were too many.", report.guard.refused);
    out.counter("connections_cut_total", "Connections cut because too much of theirs was unread.", report.guard.cut);
    out.counter("client_answers_dropped_total", "Answers whose client was gone or did not read.",
                report.clients.dropped);
    out.counter("client_malformed_total", "Messages of clients that had too many frames.", report.clients.malformed);
    out.counter("control_received_total", "Control messages of other nodes.", report.control.received);
    out.counter("control_malformed_total", "Control messages that could not be read.", report.control.malformed);
    out.counter("link_received_total", "Messages that came over links.", report.links.received);
    out.counter("link_sent_total", "Messages sent over links.", report.links.sent);
    out.counter("link_refused_total", "Messages for links that found no room.", report.links.refused);
    out.counter("link_malformed_total", "Messages over links that could not be read.", report.links.malformed);
    out.counter("link_dropped_total", "Links whose connection went away.", report.links.dropped);
}

void put_output_feed(Families& out, const FeedFigures& feed) {
    out.gauge("feed_connections", "Connections of readers to this node's feed.", feed.connections.load());
    out.gauge("feed_waiting", "Readers that wait for output here.", feed.waiting.load());
    out.gauge("feed_round", "The last round that readers can have from here, as of their last request.",
              feed.round.load());
    out.counter("feed_answers_total", "Answers with output that were sent to readers.", feed.answers.load());
    out.counter("feed_bytes_total", "Bytes of output that were sent to readers.", feed.bytes.load());
    out.counter("feed_refused_total", "Requests of readers that were refused.", feed.refused.load());
    out.counter("feed_dropped_total", "Answers whose reader was gone or did not read.", feed.dropped.load());
}

}  // namespace

std::string metrics_text(const Report& report, const Life& life) {
    Families out;
    put_state(out, report, life);
    put_histograms(out, report, life);
    put_ring_counters(out, report.ring);
    put_transport_counters(out, report);
    put_output_feed(out, *life.output_feed);
    return out.text();
}

}  // namespace anel
