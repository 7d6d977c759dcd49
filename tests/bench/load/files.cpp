// What can be had without any server: a lock and a file, and the disk alone.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "tests/bench/load/load.hpp"
#include "tests/bench/load/processes.hpp"

namespace anel::bench {
namespace {

class AppendedFile {
public:
    explicit AppendedFile(const std::string& path)
        : descriptor_{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)} {
        check(descriptor_ >= 0, "open");
    }
    AppendedFile(const AppendedFile&) = delete;
    AppendedFile& operator=(const AppendedFile&) = delete;
    ~AppendedFile() { ::close(descriptor_); }

    void lock() { check(::flock(descriptor_, LOCK_EX) == 0, "flock"); }
    void unlock() { check(::flock(descriptor_, LOCK_UN) == 0, "flock"); }
    void append_durably(const std::string& bytes) {
        check(::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "write");
        check(::fdatasync(descriptor_) == 0, "fdatasync");
    }

private:
    static void check(bool right, const char* what) {
        if (!right) throw std::system_error{errno, std::generic_category(), what};
    }
    int descriptor_;
};

std::string lines(const Load& load) {
    std::string all;
    for (std::size_t line = 0; line < load.batch; ++line) all += std::string(load.size - 1, 'x') + '\n';
    return all;
}

}  // namespace

void run_flock(const Load& load) {
    Meter meter{load};
    const auto count = run_processes(load.clients, [&](std::size_t number, Shared* all) {
        AppendedFile file{load.path};
        const auto bytes = lines(load);
        while (!meter.over()) {
            file.lock();
            file.append_durably(bytes);
            file.unlock();
            meter.acked(number, load.batch);
        }
        all[number].count = meter.messages();
    });
    report_count(count, load.seconds);
}

void run_disk(const Load& load) {
    Meter meter{load};
    AppendedFile file{load.path};
    const auto bytes = lines(load);
    while (!meter.over()) {
        file.append_durably(bytes);
        meter.acked(0, load.batch);
    }
    meter.report();
}

}  // namespace anel::bench
