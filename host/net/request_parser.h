/// Beast's parser, filling our Request directly.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <optional>

#include "net/head.h"
#include "net/server.h"

namespace calhost::net {

/// Takes one request; refuses what makes its length or its host ambiguous (RFC 9112 section 6.3).
class RequestParser final : public boost::beast::http::basic_parser<true> {
  public:
    RequestParser(Request& request, const ServerLimits& limits);

    /// Parses on and gives the number of bytes used; fewer than offered means done, or `fault`.
    std::size_t read(std::string_view bytes);
    /// What was refused, after `read`.
    [[nodiscard]] const std::optional<Fault>& fault() const { return fault_; }
    [[nodiscard]] bool is_http_1_0() const { return version_ < 11; }

  private:
    using error_code = boost::system::error_code;
    using field = boost::beast::http::field;
    using string_view = boost::beast::string_view;

    void on_request_impl(boost::beast::http::verb verb, string_view method, string_view target,
                         int version, error_code& error) override;
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(field name, string_view text, string_view value, error_code& error) override;
    void on_header_impl(error_code& error) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override;
    std::size_t on_body_impl(string_view bytes, error_code&) override;
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override;
    void on_finish_impl(error_code&) override {}

    void refuse(int status, std::string code, std::string detail, error_code& error);

    Request& request_;
    const ServerLimits& limits_;
    std::optional<Fault> fault_;
    int version_ = 11;
    int hosts_ = 0, lengths_ = 0, codings_ = 0;
    bool has_head_ = false;
};

}  // namespace calhost::net
