#include "tests/unit/ledger/power_cut.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "common/assert.hpp"

namespace anel::test {
namespace {

constexpr std::uint64_t sector_bytes = 512;

/// The part of a write that is inside [begin, begin + length).
void put_part(Bytes& into, const Written& written, std::uint64_t begin, std::uint64_t length) {
    const auto from = std::max(begin, written.offset);
    const auto to = std::min(begin + length, written.offset + written.bytes.size());
    if (from >= to) {
        return;
    }
    into.resize(std::max<std::size_t>(into.size(), to));
    std::copy_n(written.bytes.begin() + static_cast<std::ptrdiff_t>(from - written.offset), to - from,
                into.begin() + static_cast<std::ptrdiff_t>(from));
}
/// The first sector or word that a write touches, and how long each is.
std::pair<std::uint64_t, std::uint64_t> grid_of(const Written& written) {
    const auto step = written.mapped ? sizeof(std::uint64_t) : sector_bytes;
    return {written.offset / step * step, step};
}

}  // namespace

PowerCut::PowerCut(const VolumeRecord& record, std::size_t events)
    : record_{record}, events_{events}, states_(record.files().size()) {
    for (FileIndex file = 0; file < states_.size(); ++file) {
        states_[file].bytes = record.files()[file].start;
        states_[file].names = record.files()[file].start_names;
    }
    const auto is_certain = certain();
    take_names(is_certain);
    for (FileIndex file = 0; file < states_.size(); ++file) {
        take_writes(file, is_certain);
    }
    drop_unnamed();
    for (std::size_t at = 0; at < doubts_.size(); ++at) {
        states_[doubts_[at].file].doubts.push_back(at);
    }
}

std::vector<bool> PowerCut::certain() const {
    std::vector<bool> certain(events_);
    std::vector<std::vector<std::size_t>> dirty(states_.size());
    for (std::size_t at = 0; at < events_; ++at) {
        const auto& event = record_.events()[at];
        if (const auto* written = std::get_if<Written>(&event)) {
            dirty[written->file].push_back(at);
        } else if (const auto* named = std::get_if<Named>(&event)) {
            dirty[named->folder].push_back(at);
        } else if (const auto* synced = std::get_if<Synced>(&event)) {
            if (synced->failed && record_.files()[synced->file].folder) {
                continue;  // bytes are dropped from memory then, names are not
            }
            std::erase_if(dirty[synced->file], [&](std::size_t change) {
                certain[change] = change < synced->from && !synced->failed;
                return change < synced->from;
            });
        }
    }
    return certain;
}

void PowerCut::take_names(const std::vector<bool>& certain) {
    std::map<std::pair<FileIndex, std::string>, std::size_t> last;
    for (std::size_t at = 0; at < events_; ++at) {
        const auto* named = std::get_if<Named>(&record_.events()[at]);
        if (named != nullptr && certain[at]) {
            last[{named->folder, named->name}] = at;
        }
    }
    for (std::size_t at = 0; at < events_; ++at) {
        const auto& event = record_.events()[at];
        if (const auto* written = std::get_if<Written>(&event)) {
            states_[written->file].writes.push_back(at);
        }
        const auto* named = std::get_if<Named>(&event);
        if (named == nullptr) {
            continue;
        }
        const auto known = last.find({named->folder, named->name});
        if (known == last.end() || at > known->second) {
            doubt(named->folder, Doubt::Kind::name, 0, named->name) = at;
        } else if (named->file) {
            states_[named->folder].names.erase(named->from);
            states_[named->folder].names[named->name] = *named->file;
        } else {
            states_[named->folder].names.erase(named->name);
        }
    }
}

void PowerCut::take_writes(FileIndex file, const std::vector<bool>& certain) {
    auto& state = states_[file];
    std::map<std::pair<bool, std::uint64_t>, std::size_t> last;
    const auto each_part = [&](std::size_t at, const auto& take) {
        const auto& written = std::get<Written>(record_.events()[at]);
        const auto [begin, step] = grid_of(written);
        for (auto place = begin; place < written.offset + written.bytes.size(); place += step) {
            take(written, place, step);
        }
    };
    std::uint64_t reached = state.bytes.size();
    for (const auto at : state.writes) {
        each_part(at, [&](const Written& written, std::uint64_t place, std::uint64_t) {
            if (certain[at]) {
                last[{written.mapped, place}] = at;
                reached = std::max<std::uint64_t>(reached, written.offset + written.bytes.size());
            }
        });
    }
    for (const auto at : state.writes) {
        each_part(at, [&](const Written& written, std::uint64_t place, std::uint64_t step) {
            const auto known = last.find({written.mapped, place});
            if (known != last.end() && at <= known->second) {
                put_part(state.bytes, written, place, step);
            } else {
                doubt(file, written.mapped ? Doubt::Kind::word : Doubt::Kind::sector, place, {}) = at;
            }
        });
    }
    state.bytes.resize(reached);
    take_size(file, reached);
}

void PowerCut::take_size(FileIndex file, std::uint64_t reached) {
    Doubt size{Doubt::Kind::size, file, 0, {}, {}, {}};
    for (const auto at : states_[file].writes) {
        const auto& written = std::get<Written>(record_.events()[at]);
        const auto end = written.offset + written.bytes.size();
        if (end <= reached) {
            continue;
        }
        // Also the borders of some sectors in between.
        const auto step = std::max(sector_bytes, (end - reached) / 4 / sector_bytes * sector_bytes);
        for (auto border = (reached / step + 1) * step; border < end; border += step) {
            size.changes.push_back(at);
            size.sizes.push_back(border);
        }
        size.changes.push_back(at);
        size.sizes.push_back(end);
        reached = end;
    }
    if (!size.changes.empty()) {
        doubts_.push_back(std::move(size));
    }
}

/// One more change of something.
std::size_t& PowerCut::doubt(FileIndex file, Doubt::Kind kind, std::uint64_t place, const std::string& name) {
    auto found = std::find_if(doubts_.begin(), doubts_.end(), [&](const Doubt& known) {
        return known.file == file && known.kind == kind && known.place == place && known.name == name;
    });
    if (found == doubts_.end()) {
        doubts_.push_back({kind, file, place, name, {}, {}});
        found = std::prev(doubts_.end());
    }
    return found->changes.emplace_back();
}

/// What no name leads to in any outcome is in no image.
void PowerCut::drop_unnamed() {
    std::set<FileIndex> found{0};
    std::vector<FileIndex> todo{0};
    const auto reach = [&](FileIndex file) {
        if (found.insert(file).second) {
            todo.push_back(file);
        }
    };
    while (!todo.empty()) {
        const auto folder = todo.back();
        todo.pop_back();
        for (const auto& [name, file] : states_[folder].names) {
            reach(file);
        }
        for (const auto& doubt : doubts_) {
            for (const auto at : doubt.changes) {
                const auto* named = std::get_if<Named>(&record_.events()[at]);
                if (doubt.file == folder && named != nullptr && named->file) {
                    reach(*named->file);
                }
            }
        }
    }
    std::erase_if(doubts_, [&](const Doubt& doubt) { return !found.contains(doubt.file); });
}

Bytes PowerCut::content(FileIndex file, const Outcome& outcome) const {
    Bytes bytes = states_[file].bytes;
    std::uint64_t size = bytes.size();
    for (const auto kind : {Doubt::Kind::sector, Doubt::Kind::word, Doubt::Kind::size}) {
        for (const auto at : states_[file].doubts) {
            const auto& doubt = doubts_[at];
            for (std::size_t change = 0; doubt.kind == kind && change < outcome[at]; ++change) {
                if (kind == Doubt::Kind::size) {
                    size = doubt.sizes[change];
                    continue;
                }
                const auto& written = std::get<Written>(record_.events()[doubt.changes[change]]);
                put_part(bytes, written, doubt.place, kind == Doubt::Kind::word ? 8 : sector_bytes);
            }
        }
    }
    bytes.resize(size);
    return bytes;
}

void PowerCut::place(FileIndex folder, const std::string& path, const Outcome& outcome, Image& image) const {
    auto names = states_[folder].names;
    for (const auto at : states_[folder].doubts) {
        if (outcome[at] > 0) {
            const auto& named = std::get<Named>(record_.events()[doubts_[at].changes[outcome[at] - 1]]);
            names.erase(named.name);
            names.erase(named.from);
            if (named.file) {
                names.emplace(named.name, *named.file);
            }
        }
    }
    for (const auto& [name, file] : names) {
        const auto below = path.empty() ? name : path + "/" + name;
        if (record_.files()[file].folder) {
            image.emplace(below, Entry{});
            place(file, below, outcome, image);
        } else {
            struct stat status {};
            ANEL_ASSERT(::fstat(record_.files()[file].fd.get(), &status) == 0);
            image.emplace(below, Entry{content(file, outcome), status.st_ino});
        }
    }
}

Image PowerCut::image(const Outcome& outcome) const {
    Image image;
    place(0, "", outcome, image);
    return image;
}

void PowerCut::for_each_outcome(anel::testing::Dice& dice, std::size_t samples,
                                const std::function<void(const Outcome&)>& each) const {
    constexpr std::size_t few = 24;
    constexpr std::size_t alone = 6;
    Outcome newest;
    std::size_t all = 1;
    std::set<std::size_t> moments;
    for (const auto& doubt : doubts_) {
        newest.push_back(doubt.changes.size());
        all = std::min(few + 1, all * (doubt.changes.size() + 1));
        moments.insert(doubt.changes.begin(), doubt.changes.end());
    }
    if (all <= few) {
        Outcome outcome(doubts_.size());
        while (true) {
            each(outcome);
            std::size_t at = 0;
            for (; at < outcome.size() && outcome[at] == newest[at]; ++at) {
                outcome[at] = 0;
            }
            if (at == outcome.size()) {
                return;
            }
            ++outcome[at];
        }
    }
    each(Outcome(doubts_.size()));
    for (const auto moment : moments) {
        Outcome outcome;
        for (const auto& doubt : doubts_) {
            const auto end = std::upper_bound(doubt.changes.begin(), doubt.changes.end(), moment);
            outcome.push_back(static_cast<std::size_t>(end - doubt.changes.begin()));
        }
        each(outcome);
    }
    for (std::size_t count = 0; count < std::min(alone, doubts_.size()); ++count) {
        const auto at = dice.roll(doubts_.size());
        Outcome outcome(doubts_.size());
        std::swap(outcome[at], newest[at]);
        each(outcome);
        each(newest);
        std::swap(outcome[at], newest[at]);
    }
    for (std::size_t count = 0; count < samples; ++count) {
        // Of one file nothing may have come, of another all.
        std::map<FileIndex, std::uint64_t> luck;
        Outcome outcome;
        for (std::size_t at = 0; at < doubts_.size(); ++at) {
            const auto kind = luck.try_emplace(doubts_[at].file, dice.roll(4)).first->second;
            outcome.push_back(kind == 0 ? 0 : kind == 1 ? newest[at] : dice.roll(newest[at] + 1));
        }
        each(outcome);
    }
}

std::size_t hash_of(const Image& image) {
    std::size_t sum = 0;
    for (const auto& [path, entry] : image) {
        const auto& bytes = entry.bytes;
        const std::string_view content{bytes ? reinterpret_cast<const char*>(bytes->data()) : "",
                                       bytes ? bytes->size() : 0};
        for (const auto part : {std::hash<std::string_view>{}(path), std::hash<std::string_view>{}(content)}) {
            sum = sum * 1'000'003 + part;
        }
    }
    return sum;
}

std::string describe(const PowerCut::Outcome& outcome) {
    std::string text;
    for (const auto state : outcome) {
        text += std::to_string(state) + " ";
    }
    return text;
}

void materialise(const Image& image, const std::filesystem::path& folder, const std::filesystem::path& stash) {
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        std::filesystem::remove_all(entry);
    }
    // A file that has two names is written twice: with the same bytes.
    for (const auto& [path, entry] : image) {
        if (!entry.bytes) {
            std::filesystem::create_directory(folder / path);
            continue;
        }
        if (const auto kept = stash / std::to_string(entry.inode); std::filesystem::exists(kept)) {
            std::filesystem::create_hard_link(kept, folder / path);
        }
        std::ofstream file{folder / path, std::ios::binary | std::ios::trunc};
        file.write(reinterpret_cast<const char*>(entry.bytes->data()),
                   static_cast<std::streamsize>(entry.bytes->size()));
    }
}

}  // namespace anel::test
