/// Memory for what a script makes by the thousand. Nobody outside the room includes this.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace calhost::lua {

/// Blocks of up to a KiB, cut from big ones and kept in a list for each size when they are free;
/// Lua says how big a block was, so they carry nothing beside them. Larger ones are the C
/// library's. A decoded event is some thirty blocks: the general allocator took a tenth of a sync
/// for them. *Ownership*: everything goes with it.
class Blocks {
  public:
    /// As std::realloc and std::free (`after` is 0) in one. Gives nullptr when there is no memory,
    /// or none without taking more for small blocks and it may not.
    void* resize(void* block, std::size_t before, std::size_t after, bool may_take_more);

    /// What it has taken for small blocks, free ones included. It gives none of it back.
    [[nodiscard]] std::size_t taken() const { return taken_; }

  private:
    static constexpr std::size_t kStep = 16;
    static constexpr std::size_t kLargest = 1024;
    static constexpr std::size_t kPiece = 32U << 10U;
    struct Free {
        Free* next;
    };

    static std::size_t list_of(std::size_t size) { return (size + kStep - 1) / kStep; }
    void* take(std::size_t size, bool may_take_more);
    void give(void* block, std::size_t size);
    bool add_piece();

    std::array<Free*, kLargest / kStep + 1> free_{};
    std::vector<std::unique_ptr<std::byte[]>> pieces_;
    std::byte* rest_ = nullptr;  ///< of the newest piece
    std::size_t rest_size_ = 0;
    std::size_t taken_ = 0;
};

}  // namespace calhost::lua
