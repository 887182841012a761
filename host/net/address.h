/// IP addresses and networks: who is a trusted proxy, where a person's address may lead.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calhost::net {

using Address = boost::asio::ip::address;

/// Dotted quad or RFC 4291 text, without a zone.
std::optional<Address> parse_address(std::string_view text);

/// ::ffff:192.0.2.1 → 192.0.2.1; others as they are.
Address unmapped(const Address& address);

/// What one client has: his IPv4 address, or the /64 of his IPv6 one, as text. Text that is no
/// address stays as it is.
std::string client_network(const std::string& client_address);

/// A list of addresses and CIDR networks.
class Networks {
  public:
    /// *Errors*: invalid, naming the entry.
    static Result<Networks> parse(const std::vector<std::string>& entries);
    [[nodiscard]] bool contains(const Address& address) const;

  private:
    struct Network {
        Address first;
        unsigned bits = 0;
    };
    static std::optional<Network> parse_one(std::string_view text);
    static bool holds(const Network& network, const Address& address);
    std::vector<Network> networks_;
};

/// See `is_public_address` in client.h.
bool is_public(const Address& address);

/// True for a host that some resolvers read as a number, and that is no plain address:
/// "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.".
bool is_disguised_address(std::string_view host);

}  // namespace calhost::net
