#include "net/address.h"

#include <algorithm>
#include <charconv>

#include "net/client.h"
#include "net/text.h"

namespace calhost::net {
namespace {

template <class Bytes>
bool has_prefix(const Bytes& bytes, const Bytes& prefix, unsigned bits) {
    for (unsigned i = 0; i < bits; ++i) {
        const unsigned differing = bytes[i / 8] ^ prefix[i / 8];
        if ((differing >> (7 - i % 8) & 1U) != 0) return false;
    }
    return true;
}

/// The IANA special-purpose registries (RFC 6890): what is not globally reachable, and the relays
/// and translators whose addresses hide another one.
const Networks& special_networks() {
    static const Networks networks =
        Networks::parse({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
                         "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
                         "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
                         "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "2001::/23",
                         "2001:db8::/32", "2002::/16", "3fff::/20"})
            .value();
    return networks;
}

/// Only 2000::/3 is global unicast; loopback, mapped, NAT64, ULA, link-local, multicast and the
/// unassigned rest lie outside.
bool is_global_unicast(const Address& address) {
    return address.is_v4() || (address.to_v6().to_bytes()[0] & 0xe0) == 0x20;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
    if (text.contains('%')) return std::nullopt;
    boost::system::error_code error;
    auto address = boost::asio::ip::make_address(text, error);
    if (error) return std::nullopt;
    return address;
}

Address unmapped(const Address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

std::string client_network(const std::string& client_address) {
    const auto address = parse_address(client_address);
    if (!address || unmapped(*address).is_v4()) return client_address;
    auto bytes = address->to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return boost::asio::ip::make_address_v6(bytes).to_string();
}

std::optional<Networks::Network> Networks::parse_one(std::string_view text) {
    const auto address = parse_address(take_until(text, '/'));
    if (!address) return std::nullopt;
    const unsigned most = address->is_v4() ? 32 : 128;
    unsigned bits = most;
    if (!text.empty()) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
        if (error != std::errc{} || end != text.data() + text.size() || bits > most)
            return std::nullopt;
    }
    return Network{*address, bits};
}

Result<Networks> Networks::parse(const std::vector<std::string>& entries) {
    Networks networks;
    for (const auto& entry : entries) {
        const auto network = parse_one(entry);
        if (!network)
            return fail(ErrorCode::invalid, "'" + entry +
                                                "' is no address and no network; write it like "
                                                "192.0.2.7 or 192.0.2.0/24.");
        networks.networks_.push_back(*network);
    }
    return networks;
}

bool Networks::holds(const Network& network, const Address& address) {
    if (network.first.is_v4() != address.is_v4()) return false;
    if (address.is_v4())
        return has_prefix(address.to_v4().to_bytes(), network.first.to_v4().to_bytes(),
                          network.bits);
    return has_prefix(address.to_v6().to_bytes(), network.first.to_v6().to_bytes(), network.bits);
}

bool Networks::contains(const Address& address) const {
    const Address plain = unmapped(address);
    return std::ranges::any_of(networks_, [&](const auto& n) { return holds(n, plain); });
}

bool is_public(const Address& address) {
    return is_global_unicast(address) && !special_networks().contains(address);
}

bool is_public_address(std::string_view address) {
    const auto parsed = parse_address(address);
    return parsed && is_public(*parsed);
}

bool is_disguised_address(std::string_view host) {
    if (parse_address(host)) return false;
    if (host.ends_with('.')) host.remove_suffix(1);
    const auto last = host.substr(host.rfind('.') + 1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return last.empty() || std::ranges::all_of(last, is_digit) || last.starts_with("0x") ||
           last.starts_with("0X");
}

}  // namespace calhost::net
