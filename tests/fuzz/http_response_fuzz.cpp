// A provider's answer, and its compressed body.
#include "fuzz/check.h"
#include "net/gzip.h"
#include "net/response_parser.h"

using namespace calhost;
using namespace calhost::net;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    constexpr std::size_t kMost = 64U << 10U;
    auto rest = fuzz::to_text(bytes, size);
    if (const auto unpacked = gunzip(rest, kMost))
        fuzz::promise(unpacked->size() <= kMost, "an unpacked body is limited");
    ClientResponse response;
    const ClientRequest request{.url = "https://acme.example/", .max_body = kMost};
    ResponseParser parser(response, request);
    while (!rest.empty() && !parser.is_done()) {
        const auto used = parser.read(rest);
        if (!used || *used == 0) break;
        rest.remove_prefix(*used);
    }
    if (!parser.is_done()) (void)parser.end();
    fuzz::promise(response.body.size() <= kMost, "a body is limited");
    return 0;
}
