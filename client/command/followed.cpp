#include "client/command/followed.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "ring/ledger/output.hpp"

namespace anel::command {
namespace {

bool names(const std::filesystem::path& path, const FileIdentity& file) {
    struct stat status {};
    return ::stat(path.c_str(), &status) != 0 || status.st_ino == file.inode;
}

class PlainFile final : public Followed {
public:
    explicit PlainFile(std::filesystem::path path) : path_{std::move(path)} {}
    bool open() override {
        if (file_.valid()) return true;
        file_ = Descriptor{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
        return file_.valid();
    }
    void close() override { file_ = Descriptor{}; }
    [[nodiscard]] std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override {
        return read_at(file_.get(), into, offset, "the file").value_or(0);
    }
    [[nodiscard]] std::uint64_t size() const override {
        const auto status = status_of(file_.get(), "the file");
        return status ? static_cast<std::uint64_t>(status->st_size) : 0;
    }
    [[nodiscard]] std::uint64_t begin() const override { return 0; }
    [[nodiscard]] std::uint64_t newest() const override { return 0; }
    [[nodiscard]] Name look() override {
        const auto identity = identity_of(file_.get(), "the file");
        return !identity || names(path_, *identity) ? Name::same : Name::other;
    }

private:
    std::filesystem::path path_;
    Descriptor file_;
};

class OutputFiles final : public Followed {
public:
    explicit OutputFiles(std::filesystem::path folder) : folder_{std::move(folder)} {}
    bool open() override {
        if (!opened_) opened_ = open_anew();
        return opened_.has_value();
    }
    void close() override { opened_.reset(); }
    [[nodiscard]] std::size_t read(std::span<std::byte> into, std::uint64_t offset) const override {
        return opened_->output.read(into, offset).value_or(0);
    }
    [[nodiscard]] std::uint64_t size() const override { return opened_ ? opened_->output.size().value_or(0) : 0; }
    [[nodiscard]] std::uint64_t begin() const override { return opened_->output.begin().value_or(0); }
    [[nodiscard]] std::uint64_t newest() const override { return opened_->output.place().base; }
    [[nodiscard]] Name look() override {
        auto& output = opened_->output;
        if (names(folder_ / Output::name, output.identity())) return Name::same;
        auto now = open_anew();
        if (!now) return Name::same;
        if (now->output.place().file == output.place().file) return Name::other;
        output.take(std::move(now->output));
        return Name::goes_on;
    }

private:
    struct Opened {
        Folders folders;
        Output output;
    };
    [[nodiscard]] std::optional<Opened> open_anew() {
        auto folders = open_folder_to_read(folder_.empty() ? "." : folder_);
        if (!folders || !open_inner_folders(files_, *folders)) return std::nullopt;
        auto output = Output::open(files_, *folders, false);
        if (!output || !*output) return std::nullopt;
        return Opened{std::move(*folders), std::move(**output)};
    }

    std::filesystem::path folder_;
    FileSystem files_;
    std::optional<Opened> opened_;
};

}  // namespace

std::unique_ptr<Followed> followed(const std::filesystem::path& path) {
    if (path.filename() == Output::name) return std::make_unique<OutputFiles>(path.parent_path());
    return std::make_unique<PlainFile>(path);
}

}  // namespace anel::command
