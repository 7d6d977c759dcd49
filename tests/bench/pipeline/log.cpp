#include "tests/bench/pipeline/log.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace anel::bench {
namespace {

void check(bool right, const char* what) {
    if (!right) throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace

Appended::Appended(const std::string& path)
    : descriptor_{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)} {
    check(descriptor_ >= 0, "open");
}

Appended::~Appended() { ::close(descriptor_); }

void Appended::append(BytesView bytes) {
    while (!bytes.empty()) {
        const auto written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(end_));
        check(written > 0, "write");
        end_ += static_cast<std::uint64_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void Appended::sync() { check(::fdatasync(descriptor_) == 0, "fdatasync"); }

Syncer::Syncer(Appended& file)
    : file_{file}, event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)}, thread_{[this] { run(); }} {}

Syncer::~Syncer() {
    {
        const std::lock_guard lock{mutex_};
        stop_ = true;
    }
    changed_.notify_one();
    thread_.join();
    ::close(event_);
}

void Syncer::request(Round round) {
    {
        const std::lock_guard lock{mutex_};
        wanted_ = round;
    }
    changed_.notify_one();
}

Round Syncer::durable() {
    std::uint64_t events = 0;
    (void)!::read(event_, &events, sizeof events);
    const std::lock_guard lock{mutex_};
    return durable_;
}

void Syncer::run() {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return stop_ || wanted_ > durable_; });
        if (stop_) return;
        const auto covered = wanted_;
        lock.unlock();
        file_.sync();  // nothing is acked after a failure: the exception ends the process
        lock.lock();
        durable_ = covered;
        const std::uint64_t one = 1;
        (void)!::write(event_, &one, sizeof one);
    }
}

PlainLog::PlainLog(const std::string& folder)
    : journal_{folder + "/journal"}, output_{folder + "/output.txt"}, syncer_{journal_} {}

void PlainLog::append(const RoundRecord& record) {
    buffer_.clear();
    const auto header = encode_record(record, position_, buffer_);
    const auto text = as_bytes(record.text);
    buffer_.insert(buffer_.end(), text.begin(), text.end());
    buffer_.resize(buffer_.size() + padding(header));
    journal_.append(buffer_);
    output_.append(text);
    position_ = position_after(header, position_);
    syncer_.request(record.round);
}

}  // namespace anel::bench
