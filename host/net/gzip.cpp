#include "net/gzip.h"

#include <zlib.h>

#include <array>

namespace calhost::net {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;

/// Ends the stream however the function is left.
struct Inflater {
    z_stream stream{};
    bool is_ready = inflateInit2(&stream, kGzipOnly) == Z_OK;
    Inflater() = default;
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&stream); }
};

}  // namespace

Result<std::string> gunzip(std::string_view bytes, std::size_t most) {
    Inflater inflater;
    if (!inflater.is_ready) return fail(ErrorCode::unavailable, "There is no memory to unpack.");
    auto& stream = inflater.stream;
    // zlib's interface lacks the const; it only reads.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    std::string text;
    std::array<char, 16384> piece{};
    int status = Z_OK;
    while (status == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = piece.size();
        status = inflate(&stream, Z_NO_FLUSH);
        text.append(piece.data(), piece.size() - stream.avail_out);
        if (text.size() > most)
            return fail(ErrorCode::invalid_response, "The answer is too large when unpacked.");
    }
    if (status != Z_STREAM_END)
        return fail(ErrorCode::invalid_response, "The answer's compressed body is broken.");
    return text;
}

}  // namespace calhost::net
