#include "ring/ledger/crc32c.hpp"

#include <array>

namespace anel {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78U;  // reflected

constexpr std::array<std::array<std::uint32_t, 256>, 8> make_tables() {
    std::array<std::array<std::uint32_t, 256>, 8> tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1U) != 0 ? (value >> 1U) ^ polynomial : value >> 1U;
        }
        tables[0][byte] = value;
    }
    for (std::size_t table = 1; table < 8; ++table) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t value = tables[table - 1][byte];
            tables[table][byte] = (value >> 8U) ^ tables[0][value & 0xffU];
        }
    }
    return tables;
}
constexpr auto tables = make_tables();

std::uint64_t load64(const std::byte* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
}

/// Product of two polynomials modulo the CRC's; zlib's crc32_combine works the same way.
std::uint32_t multiply(std::uint32_t left, std::uint32_t right) {
    std::uint32_t product = 0;
    for (std::uint32_t bit = 0x80000000U; bit != 0; bit >>= 1U) {
        if ((left & bit) != 0) {
            product ^= right;
        }
        right = (right & 1U) != 0 ? (right >> 1U) ^ polynomial : right >> 1U;
    }
    return product;
}

/// x to the power of 8 * 2^k, for every k.
const std::array<std::uint32_t, 64>& powers() {
    static const auto table = [] {
        std::array<std::uint32_t, 64> made{};
        std::uint32_t power = 0x40000000U;  // x^1
        for (int doubling = 0; doubling < 3; ++doubling) {
            power = multiply(power, power);
        }
        for (auto& entry : made) {
            entry = power;
            power = multiply(power, power);
        }
        return made;
    }();
    return table;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(BytesView bytes, std::uint32_t before) {
    std::uint64_t value = static_cast<std::uint32_t>(~before);
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        value = __builtin_ia32_crc32di(value, load64(at));
    }
    auto narrow = static_cast<std::uint32_t>(value);
    for (; left > 0; ++at, --left) {
        narrow = __builtin_ia32_crc32qi(narrow, std::to_integer<unsigned char>(*at));
    }
    return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(BytesView bytes, std::uint32_t before) {
    std::uint32_t value = ~before;
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        const std::uint64_t mixed = load64(at) ^ value;
        value = 0;
        for (std::size_t byte = 0; byte < 8; ++byte) {
            value ^= tables[7 - byte][(mixed >> (8 * byte)) & 0xffU];
        }
    }
    for (; left > 0; ++at, --left) {
        value = (value >> 8U) ^ tables[0][(value ^ std::to_integer<std::uint32_t>(*at)) & 0xffU];
    }
    return ~value;
}

std::uint32_t crc32c(BytesView bytes, std::uint32_t before) {
#if defined(__x86_64__)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) {
        return crc32c_by_instruction(bytes, before);
    }
#endif
    return crc32c_by_table(bytes, before);
}

std::uint32_t crc32c_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
    std::uint32_t shift = 0x80000000U;  // x^0
    for (std::size_t bit = 0; second_bytes != 0; ++bit, second_bytes >>= 1U) {
        if ((second_bytes & 1U) != 0) {
            shift = multiply(shift, powers()[bit]);
        }
    }
    return multiply(shift, first) ^ second;
}

}  // namespace anel
