// What a Follower reads: the bytes behind a name, and whether the name still means them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace anel::command {

class Followed {
public:
    Followed() = default;
    Followed(const Followed&) = delete;
    Followed& operator=(const Followed&) = delete;
    virtual ~Followed() = default;

    /// Opens it if it is there. @return whether it is open.
    [[nodiscard]] virtual bool open() = 0;
    virtual void close() = 0;
    /// Fewer bytes than were asked for where it ends.
    [[nodiscard]] virtual std::size_t read(std::span<std::byte> into, std::uint64_t offset) const = 0;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    /// The first byte that is there, and the first one of the file that has the name.
    [[nodiscard]] virtual std::uint64_t begin() const = 0;
    [[nodiscard]] virtual std::uint64_t newest() const = 0;

    enum class Name {
        same,     ///< or gone for now
        goes_on,  ///< it is a newer file's, which begins where this one ends
        other,    ///< it is another file's
    };
    [[nodiscard]] virtual Name look() = 0;
};

/// A file; output.txt with the finished files beside it, which together are one output.
[[nodiscard]] std::unique_ptr<Followed> followed(const std::filesystem::path& path);

}  // namespace anel::command
