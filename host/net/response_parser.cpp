#include "net/response_parser.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/impl/basic_parser.hpp>

namespace calhost::net {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t kMostHeader = 64U << 10U;
constexpr std::size_t kMostFields = 256;

std::unexpected<Error> to_error(const boost::system::error_code& error) {
    if (error == http::error::body_limit)
        return fail(ErrorCode::invalid_response, "The answer is larger than was allowed.");
    if (error == http::error::partial_message)
        return fail(ErrorCode::invalid_response, "The answer was cut off.");
    return fail(ErrorCode::invalid_response, "The answer is malformed: " + error.message() + ".");
}

}  // namespace

ResponseParser::ResponseParser(ClientResponse& response, const ClientRequest& request)
    : response_(response), most_(request.max_body) {
    eager(true);
    skip(request.method == "HEAD");
    header_limit(kMostHeader);
    body_limit(request.max_body);
}

Result<std::size_t> ResponseParser::read(std::string_view bytes) {
    error_code error;
    const std::size_t used = put(boost::asio::buffer(bytes), error);
    if (error && error != http::error::need_more) return to_error(error);
    return used;
}

Result<void> ResponseParser::end() {
    error_code error;
    if (!got_some()) error = http::error::partial_message;
    if (!error) put_eof(error);
    if (error) return to_error(error);
    return {};
}

void ResponseParser::on_response_impl(int status, string_view, int, error_code&) {
    response_.status = status;
}

void ResponseParser::on_field_impl(field, string_view name, string_view value, error_code& error) {
    if (has_head_) return;  // a trailer
    if (response_.headers.size() == kMostFields) error = http::error::header_limit;
    response_.headers.add({name.data(), name.size()}, {value.data(), value.size()});
}

std::size_t ResponseParser::on_body_impl(string_view bytes, error_code& error) {
    if (response_.body.size() + bytes.size() > most_) {
        error = http::error::body_limit;
        return 0;
    }
    response_.body.append(bytes.data(), bytes.size());
    return bytes.size();
}

std::size_t ResponseParser::on_chunk_body_impl(std::uint64_t, string_view bytes,
                                               error_code& error) {
    return on_body_impl(bytes, error);
}

}  // namespace calhost::net
