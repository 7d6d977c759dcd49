// The numbers of the ring; docs/DESIGN.md section 1 is their glossary.
#pragma once

#include <string>

#include "common/strong.hpp"

namespace anel {

using NodeId = Strong<struct NodeIdTag>;            ///< 0..63, "Container K" in the output
using Incarnation = Strong<struct IncarnationTag>;  ///< one life of a node's process, random, not 0
using Epoch = Strong<struct EpochTag>;              ///< number of a ring configuration, from 1
using Hop = Strong<struct HopTag>;                  ///< one forward of the token, from 1 in each epoch
using Round = Strong<struct RoundTag>;              ///< number of a decided round in the whole ledger, from 1, no gaps
using Sequence = Strong<struct SequenceTag>;        ///< a message's number in the whole ledger, from 1, no gaps
using SegmentNumber = Strong<struct SegmentNumberTag>;    ///< number of a piece of the journal, from 1
using ClientSequence = Strong<struct ClientSequenceTag>;  ///< a message's number in its client's outbox, from 1
using Instance = Strong<struct InstanceTag>;              ///< one outbox of a client id, random, not 0
using LedgerId = Strong<struct LedgerIdTag>;              ///< random, made once with the ledger
using CallId = Strong<struct CallIdTag>;                  ///< random, names one call of a candidate

/// Microseconds since 1970 unless the user means something else; only ever compared, never trusted.
using Timestamp = std::int64_t;

}  // namespace anel
