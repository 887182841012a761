// The command line: what is refused before anything starts, in sentences.
#include "app/commands.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "app/check.h"
#include "net/tls_files.h"
#include "storage/users.h"
#include "support/test_store.h"

using namespace calhost;
using namespace calhost::test;

namespace {

struct Said {
    int status = 0;
    std::string text;  ///< standard output and standard error
};

/// Runs the program with everything that it prints caught.
Said run(std::vector<std::string> arguments) {
    const TempFolder folder;
    const auto file = folder.path() / "said";
    std::fflush(stdout);
    std::fflush(stderr);
    const int out = ::dup(1), err = ::dup(2);
    const int caught = ::open(file.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    ::dup2(caught, 1);
    ::dup2(caught, 2);
    arguments.insert(arguments.begin(), "calhost");
    std::vector<char*> raw;
    raw.reserve(arguments.size() + 1);
    for (auto& argument : arguments) raw.push_back(argument.data());
    Said said;
    said.status = app::run_program(static_cast<int>(raw.size()), raw.data());
    std::fflush(stdout);
    std::fflush(stderr);
    ::dup2(out, 1);
    ::dup2(err, 2);
    for (const int handle : {out, err, caught}) ::close(handle);
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    said.text = text.str();
    return said;
}

/// A configuration that is good but for what `change` says.
std::string config_in(const TempFolder& folder, std::string_view google, std::string_view key) {
    const auto file = folder.path() / "calhost.yaml";
    std::ofstream(file) << "server: { listen: 127.0.0.1:0, public_url: http://127.0.0.1:8080 }\n"
                           "auth: { jwt_secret: 0123456789abcdef0123456789abcdef }\n"
                           "keys: { active: k1, k1: \""
                        << key << "\" }\nproviders:\n  google: " << google << "\n";
    return file.string();
}

const std::string kKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST_CASE("commands: the sandbox refuses to listen where others could reach it") {
    const TempFolder data;
    for (const std::string address :
         {"0.0.0.0:0", "192.0.2.1:8080", "[::]:0", "[2001:db8::1]:0", "example.org:80"}) {
        CAPTURE(address);
        const auto said =
            run({"serve", "--sandbox", "--listen", address, "--data", data.path().string()});
        CHECK(said.status == app::kBadConfiguration);
        const bool is_address = !address.starts_with("example");
        CHECK_MESSAGE(said.text.contains(is_address ? "listens on loopback only" : "an address"),
                      said.text);
    }
}

TEST_CASE("commands: check says before it that the client id is missing") {
    const TempFolder folder;
    const auto said = run(
        {"check", "--config", config_in(folder, "{ client_id: \"\", client_secret: x }", kKey)});
    CHECK_MESSAGE(said.status == 0, said.text);
    CHECK(said.text.contains("providers.google.client_id: is not set"));
    const auto good =
        run({"check", "--config", config_in(folder, "{ client_id: a, client_secret: x }", kKey)});
    CHECK_MESSAGE(good.text == "The configuration is good.\n", good.text);
}

TEST_CASE("no key: the host refuses to start and says why") {
    const TempFolder folder;
    const auto file = folder.path() / "calhost.yaml";
    std::ofstream(file) << "server: { listen: 127.0.0.1:0, public_url: http://127.0.0.1:8080 }\n"
                           "auth: { jwt_secret: 0123456789abcdef0123456789abcdef }\n";
    const auto data = folder.path() / "data";
    const auto said = run({"serve", "--config", file.string(), "--data", data.string()});
    CHECK(said.status == app::kBadConfiguration);
    CHECK_MESSAGE(said.text.contains("keys"), said.text);
    CHECK_MESSAGE(said.text.contains("calhost keys new"), said.text);
    CHECK_FALSE(std::filesystem::exists(data / "calhost.db"));
}

TEST_CASE("commands: a key that is not 32 bytes is refused, without being shown") {
    const TempFolder folder;
    for (const std::string& key :
         {kKey.substr(2), kKey + "00", std::string("c2hvcnQta2V5LXh5eg==")}) {
        const auto config = config_in(folder, "{ client_id: a }", key);
        for (const auto& arguments :
             {std::vector<std::string>{"check", "--config", config},
              {"serve", "--config", config, "--data", (folder.path() / "data").string()}}) {
            const auto said = run(arguments);
            CHECK(said.status == (arguments[0] == "check" ? 1 : app::kBadConfiguration));
            CHECK_MESSAGE(said.text.contains("32"), said.text);
            CHECK_FALSE(said.text.contains(key));
        }
    }
}

TEST_CASE("commands: a data folder that cannot be looked into is a sentence") {
    const TempFolder folder;
    const auto loop = folder.path() / "loop";
    std::filesystem::create_symlink(loop, loop);
    const auto said = run({"serve", "--sandbox", "--listen", "127.0.0.1:0", "--data", loop});
    CHECK(said.status == 1);
    CHECK_MESSAGE(said.text.contains("cannot be written (Too many levels"), said.text);
}

TEST_CASE("check: a certificate that ends soon, has ended, or is none is told") {
    const TlsPair pair("localhost");  // good for two days
    const config::Server server{.tls_certificate = pair.files().certificate,
                                .tls_key = pair.files().key};
    const auto now = SystemClock().now();
    const auto soon = app::check_certificate(server, now);
    REQUIRE(soon.has_value());
    CHECK_FALSE(soon->is_error);
    CHECK_MESSAGE(soon->message.starts_with("ends at "), soon->message);
    const auto late = app::check_certificate(server, now + std::chrono::days(3));
    REQUIRE(late.has_value());
    CHECK_MESSAGE(late->message.starts_with("ended at "), late->message);
    CHECK_FALSE(app::check_certificate(server, now - std::chrono::days(30)).has_value());
    CHECK_FALSE(app::check_certificate({}, now).has_value());
    const auto wrong = app::check_certificate(
        {.tls_certificate = pair.files().key, .tls_key = pair.files().key}, now);
    REQUIRE(wrong.has_value());
    CHECK(wrong->is_error);
    CHECK(wrong->message.contains(pair.files().key));
}

TEST_CASE("commands: mistakes in the YAML and in a plugin's section are named with their line") {
    const TempFolder folder;
    const auto said =
        run({"check", "--config", config_in(folder, "{ client_id: 7, surprise: 1 }", kKey)});
    CHECK(said.status == 1);
    CHECK_MESSAGE(said.text.contains("calhost.yaml:5: providers.google.surprise"), said.text);
    CHECK(run({"check", "--config", (folder.path() / "absent.yaml").string()}).status == 1);
}

TEST_CASE("commands: check loads every script, and names the file and line of each that fails") {
    const TempFolder folder;
    const auto write = [&](const std::string& name, std::string_view code) {
        std::filesystem::create_directories((folder.path() / name).parent_path());
        std::ofstream(folder.path() / name) << code;
    };
    const std::string head =
        "local M = { id = \"acme\", title = \"Acme\", api = 1, base_url = "
        "\"https://acme.example\",\n"
        "  auth = { authorize = \"https://acme.example/auth\", token = "
        "\"https://acme.example/t\",\n"
        "    scopes = { full = { \"rw\" } } } }\n";
    write("providers/acme/schema.lua", "return { fields = {} }\n");
    write("providers/acme/provider.lua", head + "return M\n");
    write("scripts/good.lua", "rule:on(\"connection.redirect\", function() end)\n");
    const auto file = folder.path() / "calhost.yaml";
    std::ofstream(file) << "server: { listen: 127.0.0.1:0, public_url: http://127.0.0.1:8080 }\n"
                           "auth: { jwt_secret: 0123456789abcdef0123456789abcdef }\n"
                           "keys: { active: k1, k1: \""
                        << kKey
                        << "\" }\npaths: { providers: providers, scripts: scripts }\n"
                           "rules: [good.lua, bad.lua]\n";
    struct Case {
        std::string name, code, complaint;
    };
    write("scripts/bad.lua", "");
    const auto check = [&] { return run({"check", "--config", file.string()}); };
    REQUIRE_MESSAGE(check().text == "The configuration is good.\n", check().text);
    for (const auto& [name, code, complaint] : std::vector<Case>{
             {"scripts/bad.lua", "\nrule:on(", "scripts/bad.lua:2: unexpected symbol near <eof>"},
             {"scripts/bad.lua", "rule:on('user.rolle', print)", "scripts/bad.lua:1: "},
             {"scripts/bad.lua", "\n\nwhile true do end", "scripts/bad.lua:3: "},
             {"providers/acme/provider.lua", head + "M.can = nil + 1\nreturn M",
              "providers/acme/provider.lua:4: attempt to perform arithmetic on a nil value"},
             {"providers/acme/provider.lua", head + "M.can = { psuh = true }\nreturn M",
              "providers/acme/provider.lua:4: can.psuh: is not known here; did you mean push?"},
             {"providers/acme/provider.lua", "return 7", "providers/acme/provider.lua: "}}) {
        CAPTURE(complaint);
        write(name, code);
        const auto said = check();
        CHECK(said.status == 1);
        CHECK_MESSAGE(said.text.starts_with("error:   " + complaint), said.text);
        CHECK_MESSAGE(std::ranges::count(said.text, '\n') == 1, said.text);
        write(name, name.starts_with("scripts") ? "" : head + "return M\n");
    }
    write("scripts/good.lua", "?");
    write("providers/acme/provider.lua", "?");
    const auto both = check();
    CHECK(both.text.contains("scripts/good.lua:1: "));
    CHECK(both.text.contains("providers/acme/provider.lua:1: "));
}

TEST_CASE("commands: check tells each mistake once, however many parts of the host it stops") {
    const TempFolder folder;
    const auto lines = [&](std::string_view google, std::string_view key) {
        const auto said = run({"check", "--config", config_in(folder, google, key)}).text;
        const bool is_good = said.ends_with("The configuration is good.\n");
        return std::pair(std::ranges::count(said, '\n') - (is_good ? 1 : 0), said);
    };
    for (const auto& [google, key] : std::vector<std::pair<std::string, std::string>>{
             {"{ client_id: a, client_secret: x }", ""},
             {"{ client_id: a, client_secret: x }", "${UNSET_CALHOST_KEY}"},
             {"{ client_id: a, client_secret: x }", "tooshort"},
             {"{ client_id: \"\", client_secret: \"\" }", kKey},
             {"{ client_id: a, client_secret: \"\" }", kKey},
             {"{ client_id: \"${UNSET_CALHOST_ID}\", client_secret: x }", kKey},
             {"{ client_id: 7, client_secret: x }", kKey}}) {
        const auto [count, said] = lines(google, key);
        CHECK_MESSAGE(count == 1, said);
        CHECK_MESSAGE(said.contains(key == kKey ? "providers.google.client_" : "keys"), said);
    }
}

TEST_CASE("commands: the sandbox brings its own client, so check misses none") {
    const auto said = run({"check", "--sandbox"});
    CHECK(said.status == 0);
    CHECK_MESSAGE(said.text == "The configuration is good.\n", said.text);
}

TEST_CASE("commands: a new key is 32 bytes in hex, each time another") {
    const auto first = run({"keys", "new"}), second = run({"keys", "new"});
    CHECK(first.text.size() == 65);
    CHECK(first.text != second.text);
}

TEST_CASE("commands: what it does not know is wrong usage") {
    for (const auto& arguments :
         {std::vector<std::string>{}, {"surprise"}, {"serve", "--surprise"}})
        CHECK(run(arguments).status != 0);
}

std::string last_line(const std::string& text) {
    const auto end = text.find_last_not_of('\n');
    const auto start = text.rfind('\n', end);
    return text.substr(start + 1, end - start);
}

TEST_CASE("commands: an application gets a key as the last line, more keys, a secret, an end") {
    const TempFolder data;
    const auto config = config_in(data, "{}", kKey);
    const auto app = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "app");
        for (const auto& word : {"--config", config.c_str(), "--data", data.path().c_str()})
            words.emplace_back(word);
        return run(std::move(words));
    };
    const auto made = app({"add", "shop", "--scopes", "bookings:write,tokens:lease"});
    CHECK(made.status == 0);
    const auto key = last_line(made.text);
    CHECK(key.starts_with("calhost_"));
    CHECK(key.size() == 51);
    CHECK(app({"add", "shop", "--scopes", "bookings:write"}).text.contains("already"));
    CHECK(app({"add", "gym", "--scopes", "everything"}).text.contains("The scopes are some of"));
    CHECK(app({"add", "gym"}).status != 0);

    const auto second = last_line(app({"key", "shop", "--providers", "google"}).text);
    CHECK(second.starts_with("calhost_"));
    CHECK(second != key);
    auto list = app({"list"}).text;
    CHECK(list.contains("bookings:write,tokens:lease  providers: all"));
    CHECK(list.contains("bookings:write,tokens:lease  providers: google"));
    CHECK(list.contains("webhook secret: no"));
    CHECK_FALSE(list.contains(key));

    const auto secret = last_line(app({"secret", "shop"}).text);
    CHECK(secret.starts_with("whsec_"));
    list = app({"list"}).text;
    CHECK(list.contains("webhook secret: yes"));
    CHECK_FALSE(list.contains(secret));
    const auto id = list.substr(list.find("key ") + 4, 36);
    CHECK(app({"remove-key", "shop", id}).status == 0);
    CHECK(app({"remove-key", "shop", id}).text.contains("There is no such key."));
    CHECK_FALSE(app({"list"}).text.contains(id));

    CHECK(app({"users", "shop"}).text.contains("The application reaches nobody."));
    CHECK(app({"users", "shop", "add", "nobody@example.org"}).status == 1);
    CHECK(app({"users", "shop", "invite", "nobody@example.org"}).text.contains("add, remove or"));
    CHECK(app({"remove", "shop"}).status == 0);
    CHECK(app({"remove", "shop"}).text.contains("There is no application shop."));
    CHECK(app({"list"}).text.contains("There are no applications."));
}

TEST_CASE("commands: the operator makes an administrator and verifies an address") {
    const TempFolder data;
    const auto config = config_in(data, "{}", kKey);
    {
        boost::asio::io_context context;
        auto store = must(storage::Store::open(
            {.file = data.path() / "calhost.db", .is_inline = true, .is_durable = false}));
        auto database = store->database(context.get_executor());
        boost::asio::co_spawn(context, database->write([](storage::Sql& sql) {
            return storage::insert_user(
                sql, {.id = "ada", .email = "ada@example.org", .time_zone = "Etc/UTC"});
        }),
                              boost::asio::detached);
        context.run();
        database.reset();
    }
    const auto user = [&](std::vector<std::string> words) {
        for (const auto& word : {"--config", config.c_str(), "--data", data.path().c_str()})
            words.emplace_back(word);
        return run(std::move(words));
    };
    CHECK(user({"user", "list"}).text.contains("not verified"));
    CHECK(user({"user", "role", "ADA@example.org", "admin"}).status == 0);
    CHECK(user({"user", "verify", "ada@example.org"}).status == 0);
    const auto list = user({"user", "list"}).text;
    CHECK(list.contains("admin"));
    CHECK_FALSE(list.contains("not verified"));
    CHECK(user({"user", "verify", "nobody@example.org"}).status == 1);
    CHECK(user({"app", "add", "shop", "--scopes", "bookings:read"}).status == 0);
    CHECK(user({"app", "users", "shop", "list"}).text.contains("ada@example.org"));
    CHECK(user({"app", "users", "shop", "remove", "ada@example.org"}).status == 0);
    CHECK(user({"app", "users", "shop", "list"}).text.contains("reaches nobody"));
    CHECK(user({"app", "users", "shop", "add", "ada@example.org"}).status == 0);
    CHECK(user({"app", "users", "shop", "list"}).text.contains("ada@example.org"));
}

}  // namespace
