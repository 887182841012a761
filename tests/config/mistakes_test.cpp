#include <algorithm>

#include "config/settings.h"
#include "folder.h"

using namespace calhost;
using namespace calhost::config;
using namespace calhost::config::test;

namespace {

struct Mistake {
    std::string yaml;
    std::string place;  ///< "line: key"
    std::string part;   ///< of the message
    bool is_error = true;
};

const std::vector<Mistake>& mistakes() {
    static const std::vector<Mistake> rows{
        // Keys that are not known, or stand twice.
        {"sever: {}", "1: sever", "did you mean server?"},
        {"server:\n  listn: x", "2: server.listn", "did you mean listen?"},
        {"server:\n  publicurl: x", "2: server.publicurl", "did you mean public_url?"},
        {"server:\n  Listen: x", "2: server.Listen", "did you mean listen?"},
        {"server:\n  lisetn: x", "2: server.lisetn", "did you mean listen?"},
        {"\n\nunheard_of_thing: 1", "3: unheard_of_thing", "known are server, keys, auth"},
        {"<<: {}", "1: <<", "is not known here"},
        {"log:\n  level: info\n  lvel: x", "3: log.lvel", "did you mean level?"},
        {"server:\n  tls:\n    cert: x", "3: server.tls.cert", "known are certificate, key"},
        {"sync: {interval: 5m}\nlog: {}\nsync: {}", "3: sync", "first in line 1"},
        {"log:\n  level: info\n  level: debug", "3: log.level", "a second time"},
        {"providers:\n  google: {a: 1}\n  google: {a: 2}", "3: providers.google", "a second time"},
        {"plugins:\n  x:\n    a: {b: 1, b: 2}", "3: plugins.x.a.b", "first in line 3"},
        {"? [a, b]\n: 1", "1: ", "a key must be plain text"},
        // Another shape than the key has.
        {"server: 8080", "1: server", "must be a section of keys, not text"},
        {"log: [debug]", "1: log", "must be a section of keys, not a list"},
        {"server:\n  listen: [a]", "2: server.listen", "must be a single value, not a list"},
        {"server:\n  listen: {a: b}", "2: server.listen", "not a section"},
        {"server:\n  allowed_origins: https://a.example", "2: server.allowed_origins",
         "must be a list such as [a, b], not text"},
        {"server:\n  allowed_origins:\n    - {}", "3: server.allowed_origins", "texts only"},
        {"rules: redirect.lua", "1: rules", "must be a list"},
        {"providers: [google]", "1: providers", "must be a section"},
        {"providers:\n  google: yes please", "2: providers.google", "must be a section of keys"},
        {"plugins:\n  \"a b\": {}", "2: plugins.a b", "letters, digits"},
        // Addresses.
        {"server:\n  listen: localhost:8080", "2: server.listen", "such as 127.0.0.1:8080"},
        {"server:\n  listen: 8080", "2: server.listen", "an address and a port"},
        {"server:\n  listen: 127.0.0.1", "2: server.listen", "an address and a port"},
        {"server:\n  listen: 127.0.0.1:65536", "2: server.listen", "an address and a port"},
        {"server:\n  listen: 127.0.0.1:-1", "2: server.listen", "an address and a port"},
        {"server:\n  listen: 127.0.0.256:1", "2: server.listen", "an address and a port"},
        {"server:\n  listen: ::1:8080", "2: server.listen", "[::1]:8080"},
        {"server:\n  listen: '[::1:8080'", "2: server.listen", "[::1]:8080"},
        {"server:\n  ops_listen: nowhere", "2: server.ops_listen", "an address and a port"},
        {"server:\n  ops_listen: 127.0.0.1:8080", "2: server.ops_listen", "the same address"},
        {"server:\n  trusted_proxies: [10.0.0.0/33]", "2: server.trusted_proxies", "a network"},
        {"server:\n  trusted_proxies:\n    - 10.0.0.1\n    - proxy", "4: server.trusted_proxies",
         "an address or a network"},
        {"network:\n  allow_private: ['::/129']", "2: network.allow_private", "a network"},
        {"network:\n  allow_private: [10.0.0.0/]", "2: network.allow_private", "a network"},
        // Web addresses.
        {"server:\n  public_url: calendar.example.com", "2: server.public_url", "http or https"},
        {"server:\n  public_url: /calendar", "2: server.public_url", "http or https"},
        {"server:\n  public_url: ftp://a.example", "2: server.public_url", "http or https"},
        {"server:\n  public_url: https://a.example/cal", "2: server.public_url", "without a path"},
        {"server:\n  public_url: https://a.example?x=1", "2: server.public_url", "without a path"},
        {"server:\n  public_url: https://", "2: server.public_url", "http or https"},
        {"server:\n  public_url: https://me:pw@a.example", "2: server.public_url", "http or https"},
        {"server:\n  public_url: https://a.example:99999", "2: server.public_url", "http or https"},
        {"server:\n  public_url: 'https://a .example'", "2: server.public_url", "http or https"},
        {"server:\n  frontend_url: app.example.com", "2: server.frontend_url", "http or https"},
        {"server:\n  frontend_url: https://a.example/#/x", "2: server.frontend_url", "https"},
        {"server:\n  allowed_origins: ['*']", "2: server.allowed_origins", "no *"},
        {"server:\n  allowed_origins: [https://a.example/app]", "2: server.allowed_origins",
         "no path"},
        {"server:\n  allowed_origins: [https://a.example, 'https://A.example:443/']",
         "2: server.allowed_origins", "the same twice"},
        // Numbers, durations, words.
        {"server:\n  workers: many", "2: server.workers", "auto or a whole number from 1 to 256"},
        {"server:\n  workers: 0", "2: server.workers", "auto or"},
        {"server:\n  workers: 1.5", "2: server.workers", "auto or"},
        {"sync:\n  lookahead_days: -1", "2: sync.lookahead_days", "from 1 to 3650"},
        {"sync:\n  lookahead_days: 90 days", "2: sync.lookahead_days", "a whole number"},
        {"sync:\n  lookahead_days: 99999999999999999999", "2: sync.lookahead_days", "from 1"},
        {"pace:\n  default:\n    per_second: 0", "3: pace.default.per_second", "from 1 to 100000"},
        {"pace:\n  gogle:\n    burst: 5", "2: pace.gogle", "none of the providers"},
        {"pace:\n  default:\n    speed: 5", "3: pace.default.speed", ""},
        {"sync:\n  interval: 900", "2: sync.interval", "a number with a unit"},
        {"sync:\n  interval: 15 m", "2: sync.interval", "a number with a unit"},
        {"sync:\n  interval: m", "2: sync.interval", "a number with a unit"},
        {"sync:\n  interval: 10s", "2: sync.interval", "between 1m and 1d"},
        {"sync:\n  interval: 2d", "2: sync.interval", "between 1m and 1d"},
        {"sync:\n  interval: 99999999999d", "2: sync.interval", "a number with a unit"},
        {"log:\n  level: warn", "2: log.level", "one of debug, info, warning, error"},
        {"log:\n  level: eror", "2: log.level", "did you mean error?"},
        {"log:\n  format: xml", "2: log.format", "one of json, text"},
        {"connect:\n  unbound: ask", "2: connect.unbound", "confirm, accept, refuse"},
        {"storage:\n  url: postgresql://u:pw@h/db", "2: storage.url", "PostgreSQL"},
        {"storage:\n  url: calhost.db", "2: storage.url", "such as sqlite:calhost.db"},
        {"storage:\n  url: 'sqlite::memory:'", "2: storage.url", "memory included"},
        {"storage:\n  url: 'sqlite:'", "2: storage.url", "sqlite: and a file"},
        {"rules: [redirect]", "1: rules", "such as redirect.lua"},
        {"rules: [../redirect.lua]", "1: rules", "in paths.scripts"},
        {"rules:\n  - a.lua\n  - b.lua\n  - a.lua", "4: rules", "the same twice"},
        // Secrets.
        {"auth: {}", "1: auth.jwt_secret", "openssl rand -hex 32"},
        {"auth:\n  jwt_secret: ''", "2: auth.jwt_secret", "is missing"},
        {"auth:\n  jwt_secret: short", "2: auth.jwt_secret", "has 5 characters"},
        {"auth:\n  jwt_secret: ${UNSET_SECRET}", "2: auth.jwt_secret", "variable UNSET_SECRET"},
        {"keys: {active: k1}", "1: keys.active", "names the key k1, which is not"},
        {"keys: {active: k2, k1: x}", "1: keys.active", "names the key k2"},
        {"keys:\n  active: k1\n  k1: ''", "3: keys.k1", "calhost keys new"},
        {"keys:\n  active: k1\n  k1: ${UNSET_KEY}", "3: keys.k1", "variable UNSET_KEY"},
        {"keys:\n  k1: x", "1: keys.active", "`calhost keys new`"},
        {"keys:\n  active: active", "2: keys.active", "must be the name of a key"},
        {"keys:\n  active: k1\n  k1: x\n  k:2: y", "4: keys.k:2", "letters, digits"},
        {"server:\n  tls:\n    key: calhost.yaml", "3: server.tls.key", "without tls.certificate"},
        {"server:\n  tls:\n    certificate: calhost.yaml", "3: server.tls.certificate",
         "without tls.key"},
        {"server:\n  tls:\n    certificate: missing.pem\n    key: calhost.yaml",
         "3: server.tls.certificate", "not there"},
        // Roles.
        {"auth:\n  jwt_secret: a-jwt-secret-of-at-least-32-characters\n"
         "  self_service_roles: [mentor, admin]",
         "3: auth.self_service_roles", "only the operator"},
        {"auth:\n  jwt_secret: a-jwt-secret-of-at-least-32-characters\n  claim_roles:\n    - Admin",
         "4: auth.claim_roles", "only the operator"},
        {"auth:\n  jwt_secret: a-jwt-secret-of-at-least-32-characters\n  registration: yes",
         "3: auth.registration", "open, invite, closed"},
        {"auth:\n  jwt_secret: a-jwt-secret-of-at-least-32-characters\n  claim_roles: ['a b']",
         "3: auth.claim_roles", "letters, digits"},
        // What a later version brings.
        {"auth:\n  jwt_secret: a-jwt-secret-of-at-least-32-characters\n"
         "  issuers: [{issuer: https://a.example}]",
         "3: auth.issuers", "not available in this version"},
        // Mail.
        {"mail:\n  url: mail.example.org", "2: mail.url", "smtp or smtps"},
        {"mail:\n  url: https://mail.example.org", "2: mail.url", "smtp or smtps"},
        {"mail:\n  url: smtp://me:pw@mail.example.org", "2: mail.url", "keys of their own"},
        {"mail:\n  url: smtp://mail.example.org/relay", "2: mail.url", "smtp or smtps"},
        {"mail:\n  url: smtp://mail.example.org", "1: mail.from", "is missing"},
        {"mail:\n  from: cal@example.org", "1: mail.url", "is missing"},
        {"mail:\n  from: Calhost\n  url: smtp://m", "2: mail.from", "must be a mail address"},
        {"mail:\n  from: a@b.example\n  url: smtp://m\n  username: ann", "1: mail.password",
         "both or neither"},
        {"mail:\n  from: a@b.example\n  url: smtp://m\n  password: pw", "1: mail.username",
         "both or neither"},
        {"mail:\n  server: m", "2: mail.server", "is not known here"},
        // Variables.
        {"server:\n  listen: ${UNSET}", "2: server.listen", "the variable UNSET"},
        {"server:\n  listen: ${UNSET", "2: server.listen", "not closed"},
        {"server:\n  listen: ${}", "2: server.listen", "names no variable"},
        {"server:\n  listen: ${A B}", "2: server.listen", "names no variable"},
        {"server:\n  listen: ${A:x}", "2: server.listen", "names no variable"},
        {"providers:\n  x:\n    a:\n      b: ${UNSET}", "4: providers.x.a.b", "variable UNSET"},
    };
    return rows;
}

}  // namespace

TEST_CASE("mistakes: each is one complaint that names line, key and what to do") {
    CHECK(mistakes().size() >= 40);
    const Folder folder;
    for (const auto& row : mistakes()) {
        const auto loaded = load_text(folder, with_secrets(row.yaml));
        REQUIRE_MESSAGE(loaded.has_value(), row.yaml);
        std::string all;
        for (const auto& complaint : loaded->complaints) all += complaint.to_string() + "\n";
        REQUIRE_MESSAGE(loaded->complaints.size() == 1, row.yaml, "\n", all);
        const auto& complaint = loaded->complaints.front();
        const auto place = std::to_string(complaint.line) + ": " + complaint.key;
        CHECK_MESSAGE(place == row.place, row.yaml);
        CHECK_MESSAGE(complaint.message.find(row.part) != std::string::npos, all);
        CHECK_MESSAGE(complaint.is_error == row.is_error, all);
        CHECK(loaded->has_errors() == row.is_error);
        CHECK(complaint.file == (folder.path() / "calhost.yaml").string());
    }
}

TEST_CASE("mistakes: all are shown at once, in the file's order") {
    const Folder folder;
    const auto loaded = load_text(folder, "log: {level: loud}\nserver:\n  workers: x\n  foo: 1\n");
    REQUIRE(loaded.has_value());
    std::vector<std::string> keys;
    for (const auto& complaint : loaded->complaints) keys.push_back(complaint.key);
    // What is missing altogether has the line of the file's beginning.
    CHECK(keys == std::vector<std::string>{"auth.jwt_secret", "keys.active", "log.level",
                                           "server.workers", "server.foo"});
}

TEST_CASE("mistakes: a complaint never repeats the value, which may be a secret") {
    const Folder folder;
    const std::string canary = "canary5e1f7c0d";
    for (const auto* key :
         {"server.listen", "server.ops_listen", "server.public_url", "server.frontend_url",
          "server.workers", "server.tls.key", "storage.url", "keys.active", "auth.jwt_secret",
          "auth.registration", "rules", "sync.interval", "sync.lookahead_days", "log.level",
          "network.allow_private", "connect.unbound", "auth.claim_roles"}) {
        const auto value = "${SECRET} !";
        for (const auto& text : {std::string(value), "[" + std::string(value) + "]"}) {
            const auto loaded = load_text(folder, with_secrets(""), {{"SECRET", canary}},
                                          {std::string(key) + "=" + text});
            REQUIRE(loaded.has_value());
            CHECK_MESSAGE(!loaded->complaints.empty(), key);
            for (const auto& complaint : loaded->complaints)
                CHECK(complaint.to_string().find(canary) == std::string::npos);
        }
    }
}

TEST_CASE("mistakes: what is no YAML is refused with file and line") {
    const std::pair<std::string, int> rows[] = {
        {"server: [1, 2", 1},
        {"server:\n  listen: 'abc\n", 2},
        {"server:\n  listen: \"abc", 2},
        {"a: b: c\n", 1},
        {"server:\n\tlisten: x\n", 2},
        {"ok: 1\nserver: *nothing\n", 2},
        {"a: }\n", 1},
        {"a: 1\n- b\n", 2},
        {"a: 1\n---\nb: 2\n", 3},
        {"a: \"\\q\"\n", 1},
        {"a: 1\nb: \xff\xfe\n", 2},
        {std::string("a: 1\nb: 2\nc: \0\n", 14), 3},
        {"%YAML 9.9\n---\na: 1", 1},
        {std::string(100'000, '['), 1},
        {std::string(100'000, '{'), 1},
        {"a: " + std::string(40, '[') + std::string(40, ']'), 1},
        {"a: &a [*a]\n", 1},
    };
    const Folder folder;
    const auto file = (folder.path() / "calhost.yaml").string();
    for (const auto& [text, line] : rows) {
        const auto shown = text.substr(0, 60);
        const auto loaded = load_text(folder, text);
        REQUIRE_MESSAGE(!loaded.has_value(), shown);
        CHECK(loaded.error().code == ErrorCode::misconfigured);
        CHECK_MESSAGE(loaded.error().message.starts_with(file + ":" + std::to_string(line) + ": "),
                      shown, " → ", loaded.error().message);
    }
}

TEST_CASE("mistakes: a file of aliases that grow does not eat the memory") {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const auto before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int j = 0; j < 9; ++j) text += ", " + before;
        text += "]\n";
    }
    const Folder folder;
    const auto loaded = load_text(folder, text);
    REQUIRE(!loaded.has_value());
    CHECK(loaded.error().message.find("too large") != std::string::npos);
}

TEST_CASE("mistakes: a file that is not there says how to name another") {
    for (const auto* file : {"/nowhere/calhost.yaml", "/"}) {
        LoadOptions options;
        options.file = file;
        const auto loaded = load(options);
        REQUIRE(!loaded.has_value());
        CHECK(loaded.error().code == ErrorCode::misconfigured);
        CHECK(loaded.error().message.find("--config") != std::string::npos);
    }
}

TEST_CASE("mistakes: every prefix and every changed byte of a file is answered, never thrown") {
    const Folder folder;
    const std::string text =
        "server: {listen: \"${A:-127.0.0.1:1}\"}\nkeys: &k {active: k1, k1: x}\n"
        "plugins:\n  p: {grant: [a, 'b'], n: 1e5}\n  q:\n    t: |\n      text\nother: *k\n";
    REQUIRE(load_text(folder, text).has_value());
    std::size_t answered = 0;
    for (std::size_t size = 0; size <= text.size(); ++size)
        answered += load_text(folder, text.substr(0, size)).has_value() ? 1 : 0;
    for (std::size_t at = 0; at < text.size(); ++at)
        for (const char c : {'\0', '\t', '\n', ':', '{', '*', '&', '!', '\xff', '"'}) {
            auto changed = text;
            changed[at] = c;
            answered += load_text(folder, changed).has_value() ? 1 : 0;
        }
    CHECK(answered > 100);
}

TEST_CASE("mistakes: a wrong --set is named as such") {
    const std::pair<std::string, std::string> rows[] = {
        {"server.listen", "--set: --set needs key=value"},
        {"=x", "--set: --set needs key=value"},
        {"server..listen=x", "--set: --set has an empty part"},
        {"server.listen=x", "--set: server.listen: must be an address"},
        {"server.lisen=x", "--set: server.lisen: is not known here; did you mean listen?"},
        {"rules=[a.lua", "--set: --set:"},
    };
    const Folder folder;
    for (const auto& [assignment, start] : rows) {
        const auto loaded = load_text(folder, with_secrets(""), {}, {assignment});
        REQUIRE(loaded.has_value());
        REQUIRE_MESSAGE(loaded->complaints.size() == 1, assignment);
        CHECK_MESSAGE(loaded->complaints[0].to_string().starts_with(start),
                      loaded->complaints[0].to_string());
    }
}
