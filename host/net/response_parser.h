/// Beast's parser, filling a ClientResponse directly.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include "net/message.h"

namespace calhost::net {

/// Takes one answer. *Errors* of `read`: invalid_response.
class ResponseParser final : public boost::beast::http::basic_parser<false> {
  public:
    ResponseParser(ClientResponse& response, const ClientRequest& request);

    /// Gives the number of bytes used.
    Result<std::size_t> read(std::string_view bytes);
    /// The other side has closed. *Errors*: invalid_response when something is missing.
    Result<void> end();

  private:
    using error_code = boost::system::error_code;
    using field = boost::beast::http::field;
    using string_view = boost::beast::string_view;

    void on_request_impl(boost::beast::http::verb, string_view, string_view, int,
                         error_code&) override {}
    void on_response_impl(int status, string_view, int, error_code&) override;
    void on_field_impl(field, string_view name, string_view value, error_code& error) override;
    void on_header_impl(error_code&) override { has_head_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view bytes, error_code& error) override;
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override;
    void on_finish_impl(error_code&) override {}

    ClientResponse& response_;
    std::size_t most_;
    bool has_head_ = false;
};

}  // namespace calhost::net
