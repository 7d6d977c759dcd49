#include "ring/ledger/file_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/assert.hpp"
#include "ring/ledger/fail_points.hpp"
#include "ring/ledger/ways_out.hpp"

namespace anel {

FileLedger::FileLedger(FileSystem& files, Folders folders, LedgerFile file, Output output, const BootId& boot,
                       const OutputRotation& rotation)
    : files_{files},
      folders_{std::move(folders)},
      file_{std::move(file)},
      output_{std::move(output)},
      boot_{boot},
      rotation_{rotation} {}

FileLedger::~FileLedger() = default;

LedgerId FileLedger::id() const { return file_.identity().id; }

void FileLedger::set_call_word(NodeId node, CallId call) { file_.set_call_word(node, call); }
CallId FileLedger::call_word(NodeId node) { return file_.call_word(node); }

Result<void> FileLedger::check_names(const Segment& segment, std::uint64_t bytes) const {
    auto status = status_of(segment.fd(), "the journal");
    if (!status) {
        return forward_error(status);
    }
    const std::string name = fmt::format(".anel/journal/{}", segment.number().value);
    if (status->st_nlink == 0) {
        auto mark = newest_mark(files_, folders_, id());
        if (mark && *mark && (*mark)->segment > segment.number()) {
            return failure(ErrorCode::fenced, "the segment is sealed and trimmed");  // we are the ones who slept
        }
        return failure(ErrorCode::outside_hands,
                       fmt::format("{} was removed while the ring ran: {}", name, way_out::put_back(folders_.path)));
    }
    if (static_cast<std::uint64_t>(status->st_size) < bytes) {
        return failure(ErrorCode::outside_hands, fmt::format("{} was shortened to {} bytes, {} were written: {}", name,
                                                             status->st_size, bytes, way_out::put_back(folders_.path)));
    }
    return file_.check_name(folders_);
}

Result<void> FileLedger::fenced_if_slept(const Segment& segment, Result<void> same) const {
    if (same || same.error().code != ErrorCode::outside_hands) {
        return same;
    }
    auto mark = newest_mark(files_, folders_, id());
    auto next = is_named(folders_.journal.get(), std::to_string(segment.number().next().value));
    if (!mark || !next) {
        return mark ? forward_error(next) : forward_error(mark);
    }
    if (*next || (*mark && (*mark)->segment > segment.number())) {
        return failure(ErrorCode::fenced, "the ring went on behind this segment");
    }
    return same;
}

bool FileLedger::begins_file(const Segment& segment, const Position& before, const RoundRecord& record) const {
    const auto& place = segment.header().output;
    const OutputFill fill{.bytes = before.output_end - place.base,
                          .rounds = before.round.value - place.base_round,
                          .begun_us = place.begun_us != 0 ? place.begun_us : before.wall_us};
    return rotation_.begins_file(fill, record);
}

Result<void> FileLedger::write_record(SegmentNumber number, RoundRecord&& record) {
    if (auto works = sync_->check(); !works) {
        return forward_error(works);
    }
    auto found = segments_.find(number);
    if (found == segments_.end()) {
        if (auto followed = follow(); !followed) {
            return followed;
        }
        found = segments_.find(number);
    }
    if (found == segments_.end() || found->second.get() != newest()) {
        return failure(ErrorCode::fenced, fmt::format("segment {} is not the newest", number.value));
    }
    Segment& segment = *found->second;
    ANEL_ASSERT(record.round > segment.base_round());
    const std::uint64_t slots = record.round.value - segment.base_round().value - 1;
    if (segment.foreign() || segment.word() != slots) {
        return failure(ErrorCode::fenced, fmt::format("segment {} was sealed, or its next slot taken", number.value));
    }
    auto before = segment.position_at(slots);
    if (!before) {
        return forward_error(before);
    }
    ANEL_ASSERT(record.first == before->sequence.next());
    if (auto named = check_names(segment, before->file_offset); !named) {
        return named;
    }
    auto same =
        enter_output(segment).and_then([&] { return fenced_if_slept(segment, output_.check_end(before->output_end)); });
    if (!same) {
        return same;
    }
    if (begins_file(segment, *before, record)) {
        return failure(ErrorCode::output_full, fmt::format("round {} begins a new output.txt", record.round.value));
    }
    head_.clear();
    written_.header = encode_record(record, *before, head_);
    written_.segment = number;
    written_.slots = slots;
    written_.decided = false;
    ANEL_ASSERT(written_.header.length <= record_bytes_max);
    const std::uint64_t end = before->file_offset + written_.header.length;
    if (auto room =
            reservation_.ensure(files_, segment.fd(), before->file_offset, end, "record.reserve", "the journal");
        !room) {
        return room;
    }
    if (auto room = output_.reserve(before->output_end, before->output_end + record.text.size()); !room) {
        return room;
    }
    static constexpr std::array<std::byte, 8> zeros{};
    const BytesView pad{zeros.data(), padding(written_.header)};
    auto done = write_all(files_, segment.fd(), {head_, as_bytes(record.text), pad}, before->file_offset,
                          "record.write", "a record of the journal");
    if (done) {
        written_.text = std::move(record.text);
    }
    fail_points::pass("record.written");
    return done;
}

Result<void> FileLedger::decide(SegmentNumber number, Round round) {
    ANEL_ASSERT(written_.segment == number);
    ANEL_ASSERT(written_.header.round == round.value);
    ANEL_ASSERT(!written_.decided);
    const auto found = segments_.find(number);
    fail_points::pass("decide.before");
    if (found == segments_.end() || !found->second->try_decide(written_.slots)) {
        return failure(ErrorCode::fenced, fmt::format("segment {} was sealed, or its slot taken", number.value));
    }
    found->second->append(written_.header);
    written_.decided = true;
    fail_points::pass("decide.after");
    return {};
}

Result<void> FileLedger::write_output(Round round) {
    ANEL_ASSERT(written_.decided);
    ANEL_ASSERT(written_.header.round == round.value);
    if (written_.text.empty()) {
        return {};
    }
    auto done = output_.write(written_.text, written_.header.output_offset);
    if (!done && done.error().code == ErrorCode::disk_full) {
        done.error().code = ErrorCode::io_failed;  // decided already: this node cannot take it back, it leaves
    }
    fail_points::pass("output.written");
    return done;
}

void FileLedger::sync(SegmentNumber number, Round round) {
    const auto found = segments_.find(number);
    ANEL_ASSERT(newest() != nullptr && number <= newest()->number());
    if (found != segments_.end() && found->second->foreign()) {
        return;  // its word is of another boot; the next grant makes it durable
    }
    sync_->request(number, round);
    fail_points::pass("sync.requested");
}

void FileLedger::checkpoint(Snapshot snapshot) {
    if (snapshot.round.value == 0 || newest() == nullptr || newest()->foreign()) {
        return;
    }
    auto known = enter_output(*newest());
    if (known && new_descriptor_) {
        known = follow();
    }
    if (!known) {
        return;  // what it must write again is not known; the next call that needs the journal says what is wrong
    }
    checkpoints_->begin(newest()->number(), std::move(snapshot));
}

Result<Words> FileLedger::words(SegmentNumber number) {
    if (!segments_.contains(number)) {
        if (auto found = follow(); !found) {
            return forward_error(found);
        }
    }
    const auto entry = segments_.find(number);
    if (entry == segments_.end()) {
        if (newest() == nullptr || number > newest()->number()) {
            return failure(ErrorCode::outside_hands, fmt::format("segment {} is not there", number.value));
        }
        // Trimmed, so sealed and durable; where it ended is not known any more, but all below our oldest is.
        const Round below = segments_.begin()->second->base_round();
        return Words{.sealed = true, .decided = below, .durable = below};
    }
    Segment& segment = *entry->second;
    const std::uint64_t base = segment.base_round().value;
    if (!segment.foreign() && !segment.final_slots()) {
        const std::uint64_t word = segment.word();
        return Words{.sealed = (word & Segment::sealed_bit) != 0,
                     .decided = {base + (word & ~Segment::sealed_bit)},
                     .durable = {base + segment.durable()}};
    }
    auto slots = segment.slots();
    if (!slots) {
        return forward_error(slots);
    }
    const std::uint64_t durable = segment.final_slots() ? *slots : segment.durable();
    return Words{.sealed = true, .decided = {base + *slots}, .durable = {base + durable}};
}

}  // namespace anel
