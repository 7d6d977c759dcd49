// Loaded in front of a program's libraries (LD_PRELOAD), counts what it allocates and copies within its own memory. The
// sums of all threads stand in a page of the file $ANEL_COUNTING/<pid>, where anybody may read them at any time:
// allocations, bytes copied, each 8 bytes. What the compiler copies without a call is not counted: it is short.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

constexpr std::size_t page_bytes = 4096;

struct Sums {
    std::atomic<std::uint64_t> allocations{0};
    std::atomic<std::uint64_t> copied{0};
};
Sums before_main;
std::atomic<Sums*> sums{&before_main};

void allocated() { sums.load(std::memory_order_relaxed)->allocations.fetch_add(1, std::memory_order_relaxed); }

/// Not a loop: the compiler would make a call of memcpy of it.
void copy(void* to, const void* from, std::size_t bytes) {
    sums.load(std::memory_order_relaxed)->copied.fetch_add(bytes, std::memory_order_relaxed);
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}
void copy_backwards(void* to, const void* from, std::size_t bytes) {
    sums.load(std::memory_order_relaxed)->copied.fetch_add(bytes, std::memory_order_relaxed);
    auto* last_to = static_cast<char*>(to) + bytes - 1;
    const auto* last_from = static_cast<const char*>(from) + bytes - 1;
    asm volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(bytes) : : "memory");
}

[[gnu::constructor]] void begin() {
    const char* folder = std::getenv("ANEL_COUNTING");
    if (folder == nullptr) return;
    std::array<char, 256> path{};
    std::snprintf(path.data(), path.size(), "%s/%d", folder, ::getpid());
    const int fd = ::open(path.data(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, page_bytes) != 0) std::abort();
    void* page = ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) std::abort();
    ::close(fd);
    sums = static_cast<Sums*>(page);
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
    allocated();
    return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
    allocated();
    return __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) {
    allocated();
    return __libc_realloc(block, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    allocated();
    return __libc_memalign(alignment, bytes);
}
void* memcpy(void* to, const void* from, std::size_t bytes) {
    copy(to, from, bytes);
    return to;
}
void* memmove(void* to, const void* from, std::size_t bytes) {
    if (bytes == 0) return to;
    if (to <= from || static_cast<const char*>(from) + bytes <= to) copy(to, from, bytes);
    else copy_backwards(to, from, bytes);
    return to;
}
void* __memcpy_chk(void* to, const void* from, std::size_t bytes, std::size_t room) {
    if (bytes > room) std::abort();
    return memcpy(to, from, bytes);
}
void* __memmove_chk(void* to, const void* from, std::size_t bytes, std::size_t room) {
    if (bytes > room) std::abort();
    return memmove(to, from, bytes);
}
}
