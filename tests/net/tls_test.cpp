// A certificate that is renewed while the server serves.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "net/client.h"
#include "server_fixture.h"
#include "tls_files.h"

using namespace calhost;
using namespace calhost::net;
using namespace std::chrono_literals;
using test::ServerFixture;
using test::TlsPair;
namespace fs = std::filesystem;

namespace {

class LoopbackResolver final : public Resolver {
  public:
    Task<Result<std::vector<std::string>>> resolve(std::string) override {
        co_return std::vector<std::string>{"127.0.0.1"};
    }
};

Task<Response> greet(Request&) { co_return Response::text(200, "hello"); }

/// A server whose certificate lies where a renewal puts the next one.
struct Renewal {
    Renewal() {
        log::configure(log::Level::error, log::Format::text);
        log::set_sink([this](std::string_view) { ++complaints; }, log::Echo::off);
    }
    ~Renewal() { log::set_sink({}); }
    Renewal(const Renewal&) = delete;

    void install(const TlsPair& pair) {
        copy(pair.files().certificate, place.files().certificate);
        copy(pair.files().key, place.files().key);
    }
    void copy(const std::string& from, const std::string& to) {
        fs::copy_file(from, to, fs::copy_options::overwrite_existing);
        fs::last_write_time(to, fs::file_time_type::clock::now() + ++minutes * 1min);
    }
    void pass(milliseconds time) {
        server.time.advance(time);
        test::run(server.context, server.settle());
    }
    /// A new connection that trusts this certificate only.
    bool serves(const TlsPair& pair) {
        ClientOptions options;
        options.ca_file = pair.files().certificate;
        auto client =
            make_http_client(server.context.get_executor(), options,
                             std::make_unique<LoopbackResolver>(), server.time, server.time);
        ClientRequest request;
        request.url = fmt::format("https://calendar.example:{}/", server.server().port());
        return test::run(server.context, client->send(request)).has_value();
    }

    int minutes = 0;
    TlsPair first{"calendar.example"}, second{"calendar.example"}, place{"calendar.example"};
    int complaints = 0;
    ServerFixture server{greet, {.tls = (install(first), place.files())}};
};

TEST_CASE("tls: a renewed certificate is served within a minute, without a restart") {
    Renewal bed;
    CHECK(bed.serves(bed.first));
    bed.install(bed.second);
    CHECK(bed.serves(bed.first));
    bed.pass(59s);
    CHECK(bed.serves(bed.first));
    bed.pass(2s);
    CHECK(bed.serves(bed.second));
    CHECK_FALSE(bed.serves(bed.first));
    CHECK(bed.complaints == 0);
}

TEST_CASE("tls: a certificate that cannot be used keeps the old one, and is told once") {
    Renewal bed;
    std::ofstream(bed.place.files().certificate) << "this is no certificate";
    for (int i = 0; i < 3; ++i) bed.pass(61s);
    CHECK(bed.serves(bed.first));
    CHECK(bed.complaints == 1);
    // Half a renewal: the certificate is there, its key not yet.
    bed.copy(bed.second.files().certificate, bed.place.files().certificate);
    bed.pass(61s);
    CHECK(bed.serves(bed.first));
    CHECK(bed.complaints == 2);
    bed.copy(bed.second.files().key, bed.place.files().key);
    bed.pass(61s);
    CHECK(bed.serves(bed.second));
    fs::remove(bed.place.files().key);
    bed.pass(61s);
    CHECK(bed.serves(bed.second));
    CHECK(bed.complaints == 3);
}

}  // namespace
