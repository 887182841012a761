#include "net/request_parser.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/impl/basic_parser.hpp>

#include "net/text.h"

namespace calhost::net {
namespace {

namespace http = boost::beast::http;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Fault too_large_body() {
    return {413, "body_too_large", "The body is larger than this host accepts."};
}

Fault to_fault(const boost::system::error_code& error) {
    if (error == http::error::body_limit) return too_large_body();
    if (error == http::error::header_limit)
        return {431, "headers_too_large", "The header is larger than this host accepts."};
    if (error == http::error::bad_version)
        return {400, "bad_request", "The protocol version is not HTTP/1.1 or HTTP/1.0."};
    return {400, "bad_request", "The request is malformed: " + error.message() + "."};
}

}  // namespace

RequestParser::RequestParser(Request& request, const ServerLimits& limits)
    : request_(request), limits_(limits) {
    eager(true);
    body_limit(limits.body);
    header_limit(static_cast<std::uint32_t>(limits.headers + 1));
}

std::size_t RequestParser::read(std::string_view bytes) {
    error_code error;
    const std::size_t used = put(boost::asio::buffer(bytes), error);
    if (error && error != http::error::need_more && !fault_) fault_ = to_fault(error);
    return used;
}

void RequestParser::refuse(int status, std::string code, std::string detail, error_code& error) {
    fault_ = {status, std::move(code), std::move(detail)};
    error = http::error::bad_value;
}

void RequestParser::on_request_impl(http::verb, string_view method, string_view target, int version,
                                    error_code&) {
    request_.method = view(method);
    request_.target = view(target);
    version_ = version;
}

void RequestParser::on_field_impl(field name, string_view text, string_view value,
                                  error_code& error) {
    if (has_head_) return;  // a trailer
    if (request_.headers.size() == limits_.fields)
        return refuse(431, "headers_too_large", "The request has too many header fields.", error);
    if (name == field::host) ++hosts_;
    if (name == field::content_length) {
        ++lengths_;
        // "1, 1" is one length to some parsers and two to others.
        if (value.find(',') != string_view::npos) ++lengths_;
    }
    if (name == field::transfer_encoding) {
        ++codings_;
        if (!is_same_word(view(value), "chunked"))
            return refuse(400, "bad_request", "The only transfer coding here is chunked.", error);
    }
    request_.headers.add(std::string(view(text)), std::string(view(value)));
}

void RequestParser::on_header_impl(error_code& error) {
    has_head_ = true;
    const auto bad = [&](const char* why) { refuse(400, "bad_request", why, error); };
    if (hosts_ > 1) return bad("The request has several Host fields.");
    if (hosts_ == 0 && !is_http_1_0()) return bad("The request has no Host field.");
    if (hosts_ == 1 && !is_authority(request_.headers.get("Host")))
        return bad("The Host field is no host name.");
    if (lengths_ > 1) return bad("The request has several Content-Length fields.");
    if (lengths_ > 0 && codings_ > 0)
        return bad("The request has both Content-Length and Transfer-Encoding.");
    if (codings_ > 1 || (codings_ > 0 && is_http_1_0()))
        return bad("The transfer coding is not allowed here.");
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) {
    // What a client announces is not yet what it sends.
    constexpr std::uint64_t kMostAtOnce = 64U << 10U;
    if (length) request_.body.reserve(std::min(*length, kMostAtOnce));
}

std::size_t RequestParser::on_body_impl(string_view bytes, error_code&) {
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) {
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
}

}  // namespace calhost::net
