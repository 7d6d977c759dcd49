// The kinds of bench. Each stands in a file of its own and is listed in bench.cpp.
#pragma once

#include <nlohmann/json.hpp>

#include "client/command/bench/options.hpp"
#include "client/command/bench/ring.hpp"

namespace anel::command::bench {

/// Measures a ring that serves. `result` gets the figures, by name.
/// @return all that was pushed is durable and the measurement counts; what is wrong was said on standard error.
using Measure = bool (*)(Ring& ring, const Options& options, nlohmann::json& result);

/// All clients push as fast as they may.
bool throughput(Ring& ring, const Options& options, nlohmann::json& result);
/// One client, one message in flight, back to back: at the node where the token parks, and at another one.
bool latency(Ring& ring, const Options& options, nlohmann::json& result);
/// Nobody pushes: what the nodes cost the processor, the disk and the memory meanwhile.
bool idle(Ring& ring, const Options& options, nlohmann::json& result);
/// Acks of all clients together stop for so long when the holder is killed, and when a node is paused.
bool failover(Ring& ring, const Options& options, nlohmann::json& result);
/// Full load for as long as you like: fails when the view changes. The disk that it takes is bounded.
bool flapping(Ring& ring, const Options& options, nlohmann::json& result);

}  // namespace anel::command::bench
