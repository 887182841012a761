/// What the fuzzers share: input as text, and a promise whose breach libFuzzer reports.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace calhost::fuzz {

inline std::string_view to_text(const unsigned char* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

/// Ends the run when `is_kept` is false, so that the input is kept.
inline void promise(bool is_kept, const char* sentence) {
    if (is_kept) return;
    std::fprintf(stderr, "Broken promise: %s\n", sentence);
    std::abort();
}

}  // namespace calhost::fuzz
