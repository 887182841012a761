// Memory of a Lua state.
#include "lua/blocks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using namespace calhost;

namespace {

/// A block and what was written over all of it.
struct Written {
    void resize(lua::Blocks& blocks, std::size_t size, char fill) {
        const std::size_t kept = std::min(size, text.size());
        block = static_cast<char*>(blocks.resize(block, text.size(), size, true));
        text.resize(size);
        CHECK(std::string_view(block, kept) == std::string_view(text).substr(0, kept));
        text.assign(size, fill);
        std::ranges::copy(text, block);
    }
    [[nodiscard]] bool is_whole() const { return std::string_view(block, text.size()) == text; }

    char* block = nullptr;
    std::string text;
};

}  // namespace

TEST_CASE("blocks: every block keeps what is in it while others come, grow, shrink and go") {
    lua::Blocks blocks;
    std::vector<Written> all(100);
    std::uint32_t random = 7;
    for (int i = 0; i < 20'000; ++i) {
        random = random * 1664525U + 1013904223U;
        const std::size_t size = random % 5 == 0 ? 0 : (random >> 8U) % 1500;
        all[(random >> 20U) % all.size()].resize(blocks, size, static_cast<char>(i));
    }
    CHECK(std::ranges::all_of(all, &Written::is_whole));
    for (auto& one : all) one.resize(blocks, 0, 'x');
}

TEST_CASE("blocks: a free block serves again where no more may be taken") {
    lua::Blocks blocks;
    void* first = blocks.resize(nullptr, 0, 1000, true);
    const std::size_t taken = blocks.taken();
    if (taken == 0) {  // with a sanitizer each block is the C library's
        blocks.resize(first, 1000, 0, false);
        return;
    }
    std::vector<void*> others;
    while (void* other = blocks.resize(nullptr, 0, 1000, false)) others.push_back(other);
    CHECK(others.size() < taken / 1000);
    CHECK(blocks.resize(first, 1000, 0, false) == nullptr);
    CHECK(blocks.resize(nullptr, 0, 1008, false) == first);
    CHECK(blocks.taken() == taken);
}
