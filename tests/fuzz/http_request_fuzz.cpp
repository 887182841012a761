// A request's bytes as the session reads them: whole, and in two pieces, which must say the same.
#include <algorithm>

#include "fuzz/check.h"
#include "net/request_parser.h"

using namespace calhost;
using namespace calhost::net;

namespace {

struct Read {
    int status = 0;  // 0: incomplete; 200: a request; else the fault's
    Request request;
};

/// Feeds the scanner with a part first, as a slow client does.
HeadScanner::State scan(HeadScanner& scanner, std::string_view bytes, std::size_t part) {
    const auto state = scanner.scan(bytes.substr(0, part));
    return state == HeadScanner::State::more ? scanner.scan(bytes) : state;
}

void read_body(RequestParser& parser, std::string_view body, std::size_t part) {
    std::size_t at = 0;
    for (const auto end : {std::min(part, body.size()), body.size()})
        while (at < end && !parser.is_done() && !parser.fault()) {
            const auto used = parser.read(body.substr(at, end - at));
            if (used == 0) break;
            at += used;
        }
}

Read read(std::string_view bytes, std::size_t part) {
    static const ServerLimits limits;
    static const auto trusted = Networks::parse({"127.0.0.0/8"}).value();
    Read read;
    HeadScanner scanner;
    const auto state = scan(scanner, bytes, part);
    if (state == HeadScanner::State::bad) read.status = 400;
    if (state != HeadScanner::State::complete || scanner.size() <= 2) return read;
    RequestParser parser(read.request, limits);
    parser.read(bytes.substr(0, scanner.size()));
    if (!parser.fault()) {
        read_forwarded(read.request, *parse_address("127.0.0.1"), trusted);
        if (const auto fault = read_target(read.request)) {
            read.status = fault->status;
            return read;
        }
        if (!parser.is_done()) read_body(parser, bytes.substr(scanner.size()), part);
    }
    if (parser.fault()) read.status = parser.fault()->status;
    if (!parser.fault() && parser.is_done()) read.status = 200;
    return read;
}

void check_request(const Request& request) {
    constexpr std::string_view kUnsafe("\0\t\r\n\x1b\x7f\\", 7);
    fuzz::promise(request.path == "*" || request.path.starts_with('/'), "a path begins with /");
    fuzz::promise(request.path.find_first_of(kUnsafe) == std::string::npos,
                  "a path has no control characters");
    fuzz::promise(!(request.path + "/").contains("/../"), "a path has no dot segments");
    fuzz::promise(request.headers.size() <= ServerLimits{}.fields, "the fields are counted");
    fuzz::promise(request.body.size() <= ServerLimits{}.body, "a body is limited");
    for (const auto& [name, value] : request.headers)
        fuzz::promise(!value.contains('\n') && !value.contains('\r'), "a field is one line");
    (void)request.form();
    (void)request.cookie("calhost_state");
    (void)incoming_request_id(request.headers);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    if (size == 0) return 0;
    const auto text = fuzz::to_text(bytes + 1, size - 1);
    const Read whole = read(text, text.size());
    const Read parts = read(text, bytes[0]);
    fuzz::promise(whole.status == parts.status, "pieces mean what the whole means");
    fuzz::promise(whole.request.body == parts.request.body, "pieces have the body of the whole");
    if (whole.status == 200) check_request(whole.request);
    return 0;
}
