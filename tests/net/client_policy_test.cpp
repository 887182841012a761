#include "net/client_policy.h"

#include <doctest/doctest.h>

#include "net/client.h"
#include "net_time.h"

using namespace calhost;
using namespace calhost::net;

namespace {

/// Gives what the test says, and counts how often it was asked.
class FakeResolver final : public Resolver {
  public:
    FakeResolver(std::vector<std::string> addresses, int& asked)
        : addresses_(std::move(addresses)), asked_(asked) {}
    Task<Result<std::vector<std::string>>> resolve(std::string) override {
        ++asked_;
        return answer(addresses_);
    }

  private:
    static Task<Result<std::vector<std::string>>> answer(std::vector<std::string> addresses) {
        co_return addresses;
    }
    std::vector<std::string> addresses_;
    int& asked_;
};

/// Sends one request for a person's address. A connection would be refused or time out, and be
/// `unavailable`: anything that is `forbidden` or `invalid` never left the host.
ErrorCode ask(std::string url, std::vector<std::string> addresses, int& asked,
              ClientOptions options = {}) {
    boost::asio::io_context context;
    test::ManualTime time;
    auto client = make_http_client(context.get_executor(), options,
                                   std::make_unique<FakeResolver>(addresses, asked), time, time);
    ClientRequest request;
    request.url = std::move(url);
    request.is_user_address = true;
    const auto response = test::run(context, client->send(request));
    return response ? ErrorCode::already_exists : response.error().code;
}

constexpr const char* kSpecial[] = {
    // IPv4 (IANA registry, RFC 6890)
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.0",
    "127.0.0.1",
    "127.0.0.53",
    "127.1.2.3",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.255.255",
    "172.16.0.0",
    "172.16.0.1",
    "172.20.10.1",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.0",
    "192.0.2.1",
    "192.0.2.255",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.0.1",
    "192.168.1.1",
    "192.168.255.255",
    "198.18.0.0",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "239.255.255.255",
    "240.0.0.1",
    "250.1.2.3",
    "255.255.255.254",
    "255.255.255.255",
    // IPv6
    "::",
    "::1",
    "::2",
    "::7f00:1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::ffff:192.168.1.1",
    "::ffff:0.0.0.0",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "0:0:0:0:0:ffff:7f00:1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::10.0.0.1",
    "100::",
    "100::1",
    "100:0:0:1::1",
    "2001::",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:1f::1",
    "2001:20::1",
    "2001:30::1",
    "2001:1ff:ffff::1",
    "2001:db8::",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "2002::",
    "2002:7f00:1::",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2002:c0a8:101::1",
    "2002:808:808::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "8000::1",
    "fc00::",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd12:3456:789a::1",
    "fdff:ffff:ffff::1",
    "fe00::1",
    "fe80::",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff00::1",
    "ff01::1",
    "ff02::1",
    "ff02::fb",
    "ff05::1:3",
    "ff0e::1",
    "ffff::1",
};

constexpr const char* kPublic[] = {
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "203.0.114.0",
    "223.255.255.255",
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "3ffe:ffff::1",
    "3fff:1000::1",
};

/// Hosts that some resolver or URL reader takes for an inside address.
constexpr const char* kDisguised[] = {
    "2130706433",
    "3232235777",
    "2852039166",
    "0",
    "1",
    "4294967295",
    "017700000001",
    "00000000000000000000000000000000177.1",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f.1",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "127.1",
    "127.0.1",
    "10.1",
    "192.168.257",
    "0177.0.0.1",
    "0177.0.0.01",
    "127.0.0.01",
    "127.000.000.001",
    "010.0.0.1",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "256.256.256.256",
    "127.0.0.256",
    "1.2.3.4.5",
    "127.0.0.1.",
    "0x7f000001.",
    "2130706433.",
    "127.0.0.0x1",
    "0x",
    "1.0x",
};

}  // namespace

TEST_CASE("addresses: what is special is not public, and what is not, is") {
    for (const auto* address : kSpecial) CHECK_MESSAGE(!is_public_address(address), address);
    for (const auto* address : kPublic) CHECK_MESSAGE(is_public_address(address), address);
    for (const auto* text : {"", "localhost", "1.2.3", "1.2.3.4/32", " 1.1.1.1", "fe80::1%eth0",
                             "2606:4700::1%1", "[2606:4700::1]", "1.1.1.1:80"})
        CHECK_MESSAGE(!is_public_address(text), text);
}

TEST_CASE("addresses: a person's address that leads inside is refused, and nothing is connected") {
    int forms = 0, asked = 0;
    const auto refused = [&](const std::string& url, std::vector<std::string> addresses = {}) {
        CAPTURE(url);
        const auto code = ask(url, std::move(addresses), asked);
        CHECK((code == ErrorCode::forbidden || code == ErrorCode::invalid));
        ++forms;
    };
    for (const std::string address : kSpecial) {
        const bool is_v6 = address.contains(':');
        refused("https://" + (is_v6 ? "[" + address + "]" : address) + "/dav");
    }
    for (const std::string host : kDisguised) refused("https://" + host + "/");
    for (const auto* url : {"https://127.0.0.1:8443/",
                            "https://user@127.0.0.1/",
                            "https://1.1.1.1@127.0.0.1/",
                            "https://[::ffff:127.0.0.1]:443/",
                            "https://[fe80::1%25eth0]/",
                            "https://%31%32%37.1/",
                            "https://127%2e0%2e0%2e1/",
                            "https://%31%32%37%2e%30%2e%30%2e%31/",
                            "https://\xe2\x91\xa0.1.1.1/",
                            "https://%E2%91%A0%E2%91%A1%E2%91%A6.0.0.1/",
                            "https://127\xe3\x80\x82"
                            "0\xe3\x80\x82"
                            "0\xe3\x80\x82"
                            "1/",
                            "https:///127.0.0.1/",
                            "https://",
                            "https:127.0.0.1",
                            "//127.0.0.1/",
                            "http://1.1.1.1/",
                            "ftp://1.1.1.1/",
                            "file:///etc/passwd",
                            "gopher://127.0.0.1:6379/_",
                            "https://a b/",
                            "https://[::1/",
                            "https://1.1.1.1\\@127.0.0.1/",
                            "https://127.0.0.1#@1.1.1.1/",
                            "https://x_y$z/",
                            "https://[v1.x]/",
                            "https://exa%00mple.com/",
                            "https://example.com:99999/",
                            "https://example.com:0x50/",
                            "HTTPS://127.0.0.1/",
                            "https://[0:0:0:0:0:0:0:1]/"})
        refused(url);
    CHECK(asked == 0);
    CHECK(forms >= 150);
}

TEST_CASE("addresses: every address of a name is checked, not the first only") {
    const std::vector<std::vector<std::string>> rows = {{"127.0.0.1"},
                                                        {"8.8.8.8", "10.0.0.1"},
                                                        {"2606:4700::1", "::1"},
                                                        {"1.1.1.1", "1.0.0.1", "169.254.169.254"},
                                                        {"not an address"}};
    for (const auto& addresses : rows) {
        int asked = 0;
        CHECK(ask("https://calendar.example/", addresses, asked) == ErrorCode::forbidden);
        CHECK(asked == 1);
    }
    int asked = 0;
    CHECK(ask("https://nowhere.example/", {}, asked) == ErrorCode::unavailable);
}

TEST_CASE("addresses: the operator opens networks, for http too, and nothing beside them") {
    const auto url = Url::parse("http://nas.example/dav").value();
    const auto allowed = Networks::parse({"192.168.7.0/24", "fd07::/16", "10.9.8.7"}).value();
    const std::pair<const char*, bool> rows[] = {
        {"192.168.7.1", true}, {"192.168.8.1", false}, {"::ffff:192.168.7.1", true},
        {"fd07:1::1", true},   {"fd08::1", false},     {"10.9.8.7", true},
        {"10.9.8.8", false},   {"8.8.8.8", false},     {"2606:4700::1", false},
    };
    for (const auto& [address, is_allowed] : rows)
        CHECK_MESSAGE(check_addresses(url, {address}, true, allowed).has_value() == is_allowed,
                      address);
    CHECK_FALSE(check_addresses(url, {"192.168.7.1", "192.168.8.1"}, true, allowed).has_value());
    // What the operator wrote goes anywhere.
    CHECK(check_addresses(url, {"127.0.0.1"}, false, {}).has_value());
}

TEST_CASE("addresses: a network that is none is refused by name") {
    for (const auto* text : {"", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/8x",
                             "example.com", "fe80::1%1"}) {
        const auto networks = Networks::parse({text});
        REQUIRE_MESSAGE(!networks.has_value(), text);
        CHECK(networks.error().message.contains("'" + std::string(text) + "'"));
    }
}

TEST_CASE("redirects: credentials stay at their origin, and https stays https") {
    const auto from = Url::parse("https://a.example/one/two?x=1").value();
    ClientRequest request;
    request.method = "POST";
    request.url = "https://a.example/one/two?x=1";
    request.body = "b";
    request.headers = {{"authorization", "Bearer t"},
                       {"Cookie", "c"},
                       {"Accept", "x"},
                       {"Content-Type", "text/plain"}};
    struct Row {
        int status;
        const char* location;
        const char* url;  // empty: refused
        const char* method;
        bool keeps_credentials;
    };
    const Row rows[] = {
        {302, "/three", "https://a.example:443/three", "GET", true},
        {301, "three?y=2#f", "https://a.example:443/one/three?y=2", "GET", true},
        {303, "https://a.example/z", "https://a.example:443/z", "GET", true},
        {307, "https://a.example:443/z", "https://a.example:443/z", "POST", true},
        {308, "//b.example/z", "https://b.example:443/z", "POST", false},
        {307, "https://a.example:8443/z", "https://a.example:8443/z", "POST", false},
        {307, "https://a.example.evil.example/", "https://a.example.evil.example:443/", "POST",
         false},
        {302, "http://a.example/three", "", "", false},
        {302, "ftp://a.example/", "", "", false},
        {302, "https://u@a.example/", "", "", false},
        {302, "https://[x/", "", "", false},
    };
    for (const auto& [status, location, url, method, keeps] : rows) {
        CAPTURE(std::string(location));
        ClientResponse response;
        response.status = status;
        response.headers.add("Location", location);
        REQUIRE(is_redirect(response));
        const auto next = follow_redirect(request, from, response);
        REQUIRE(next.has_value() == (*url != '\0'));
        if (!next) continue;
        CHECK(next->url == url);
        CHECK(next->method == method);
        CHECK(next->body.empty() == (next->method == "GET"));
        CHECK(next->headers.has("Authorization") == keeps);
        CHECK(next->headers.has("Cookie") == keeps);
        CHECK(next->headers.has("Accept"));
    }
}
