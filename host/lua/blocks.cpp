#include "lua/blocks.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace calhost::lua {
namespace {

// The sanitizer finds a use after free only where each block is its own.
#if __has_feature(address_sanitizer)
constexpr bool kIsShared = false;
#else
constexpr bool kIsShared = true;
#endif

}  // namespace

void* Blocks::resize(void* block, std::size_t before, std::size_t after, bool may_take_more) {
    const auto is_small = [](std::size_t size) { return kIsShared && size <= kLargest; };
    if (block != nullptr && is_small(before) && is_small(after) &&
        list_of(before) == list_of(after))
        return block;
    const bool was_large = block == nullptr || !is_small(before);
    if (was_large && !is_small(after)) {
        if (after > 0) return std::realloc(block, after);
        std::free(block);
        return nullptr;
    }
    void* moved = nullptr;
    if (after > 0) {
        moved = is_small(after) ? take(after, may_take_more) : std::malloc(after);
        if (moved == nullptr) return nullptr;
        if (block != nullptr) std::memcpy(moved, block, std::min(before, after));
    }
    if (block == nullptr) return moved;
    if (is_small(before))
        give(block, before);
    else
        std::free(block);
    return moved;
}

void* Blocks::take(std::size_t size, bool may_take_more) {
    Free*& list = free_[list_of(size)];
    if (list != nullptr) return std::exchange(list, list->next);
    const std::size_t rounded = list_of(size) * kStep;
    if (rest_size_ < rounded && !(may_take_more && add_piece())) return nullptr;
    rest_size_ -= rounded;
    return std::exchange(rest_, rest_ + rounded);
}

void Blocks::give(void* block, std::size_t size) {
    Free*& list = free_[list_of(size)];
    list = std::construct_at(static_cast<Free*>(block), list);
}

/// What is left of the piece before is too small for what was asked, and is lost.
bool Blocks::add_piece() {
    std::unique_ptr<std::byte[]> piece(new (std::nothrow) std::byte[kPiece]);
    if (piece == nullptr) return false;
    rest_ = piece.get();
    rest_size_ = kPiece;
    taken_ += kPiece;
    pieces_.push_back(std::move(piece));
    return true;
}

}  // namespace calhost::lua
