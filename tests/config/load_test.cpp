#include <cstdlib>

#include "base/encoding.h"
#include "config/settings.h"
#include "folder.h"

using namespace calhost;
using namespace calhost::config;
using namespace calhost::config::test;
using namespace std::chrono_literals;

TEST_CASE("load: a file with the secrets alone has every default") {
    const Folder folder;
    const auto s = good(folder, "");
    CHECK(s.server.listen == "127.0.0.1:8080");
    CHECK(s.server.ops_listen == "127.0.0.1:9090");
    CHECK(s.server.public_url == "http://127.0.0.1:8080");
    CHECK(s.server.frontend_url == s.server.public_url);
    CHECK(s.server.workers == 0);
    CHECK(s.storage_url == "sqlite:calhost.db");
    CHECK(s.auth.registration == "open");
    CHECK(s.auth.self_service_roles == std::vector<std::string>{"mentor", "mentee"});
    CHECK(s.paths.scripts == "/usr/share/calhost/scripts");
    CHECK(s.paths.plugins == "/usr/share/calhost/plugins");
    CHECK(s.paths.providers == "/usr/share/calhost/providers");
    CHECK(s.sync.lookahead_days == 90);
    CHECK(s.sync.interval == 15min);
    CHECK(s.pace.at("default").per_second == 50);
    CHECK(s.pace.at("default").connection_burst == 100);
    CHECK(s.mail.url.empty());
    CHECK(s.connect_unbound == "confirm");
    CHECK(s.log_level == "info");
    CHECK(s.providers.empty());
    CHECK(s.rules.empty());
}

TEST_CASE("load: every key is read") {
    const Folder folder;
    folder.write("cert.pem", "");
    folder.write("key.pem", "");
    const auto s = good(folder, R"(
server:
  listen: 0.0.0.0:80
  ops_listen: ""
  public_url: https://Cal.example.com/
  frontend_url: https://app.example.com/app/
  allowed_origins: [HTTPS://B.example:443, "http://c.example:3000/"]
  trusted_proxies: [10.0.0.0/8, "::1"]
  workers: 4
  tls: {certificate: cert.pem, key: ./key.pem}
storage: {url: "sqlite:/var/lib/x.db"}
keys: {active: k2, k1: old, k2: new, k3: ""}
auth:
  jwt_secret: 0123456789abcdef0123456789abcdef
  registration: closed
  self_service_roles: []
  claim_roles: [coach]
paths: {scripts: rules, plugins: /opt/plugins, providers: ../providers}
rules: [b.lua, a.lua]
sync: {lookahead_days: "30", interval: 1h}
mail: {url: "SMTP://Mail.example.com:587/", from: "Cal <c@example.com>", username: u, password: p}
connect: {unbound: refuse}
network: {allow_private: [192.168.0.0/16]}
log: {level: debug, format: text}
)");
    CHECK(s.server.listen == "0.0.0.0:80");
    CHECK(s.server.ops_listen.empty());
    CHECK(s.server.public_url == "https://Cal.example.com");
    CHECK(s.server.frontend_url == "https://app.example.com/app");
    CHECK(s.server.allowed_origins ==
          std::vector<std::string>{"https://b.example", "http://c.example:3000"});
    CHECK(s.server.trusted_proxies == std::vector<std::string>{"10.0.0.0/8", "::1"});
    CHECK(s.server.workers == 4);
    CHECK(s.server.tls_certificate == (folder.path() / "cert.pem").string());
    CHECK(s.server.tls_key == (folder.path() / "key.pem").string());
    CHECK(s.storage_url == "sqlite:/var/lib/x.db");
    REQUIRE(s.keys.keys.size() == 2);  // the empty one is left out, the retired one stays
    CHECK(s.keys.active == "k2");
    CHECK(s.keys.keys[0].first == "k1");
    CHECK(s.keys.keys[1].second.expose() == "new");
    CHECK(s.auth.jwt_secret.expose() == "0123456789abcdef0123456789abcdef");
    CHECK(s.auth.registration == "closed");
    CHECK(s.auth.self_service_roles.empty());
    CHECK(s.auth.claim_roles == std::vector<std::string>{"coach"});
    CHECK(s.paths.scripts == folder.path() / "rules");
    CHECK(s.paths.plugins == "/opt/plugins");
    CHECK(s.paths.providers == folder.path().parent_path() / "providers");
    CHECK(s.rules == std::vector<std::string>{"b.lua", "a.lua"});
    CHECK(s.sync.lookahead_days == 30);
    CHECK(s.sync.interval == 1h);
    CHECK(s.mail.url == "smtp://mail.example.com:587");
    CHECK(s.mail.from == "Cal <c@example.com>");
    CHECK(s.mail.username == "u");
    CHECK(s.mail.password.expose() == "p");
    CHECK(s.connect_unbound == "refuse");
    CHECK(s.allow_private == std::vector<std::string>{"192.168.0.0/16"});
    CHECK(s.log_level == "debug");
    CHECK(s.log_format == "text");
}

TEST_CASE("load: the public address follows what the host listens on") {
    const Folder folder;
    folder.write("a.pem", "");
    const std::pair<std::string, std::string> rows[] = {
        {"server: {listen: '127.0.0.1:9000'}", "http://127.0.0.1:9000"},
        {"server: {listen: '[::1]:9000'}", "http://[::1]:9000"},
        {"server: {listen: '0.0.0.0:9000'}", "http://127.0.0.1:9000"},
        {"server: {listen: '[::]:9000'}", "http://127.0.0.1:9000"},
        {"server: {tls: {certificate: a.pem, key: a.pem}}", "https://127.0.0.1:8080"},
        {"server: {public_url: '', frontend_url: '${NONE:-}'}", "http://127.0.0.1:8080"},
    };
    for (const auto& [text, expected] : rows) {
        const auto s = good(folder, text);
        CHECK(s.server.public_url == expected);
        CHECK(s.server.frontend_url == expected);
    }
}

TEST_CASE("load: a provider's section keeps its types, and text from a variable stays text") {
    const Folder folder;
    const auto s = good(folder, R"(
plugins:
  p:
    yes: true
    no: False
    n: 42
    negative: -7
    plus: +7
    hex: 0x1F
    octal: 0o17
    f: 1.5
    e: 1e3
    dot: .5
    infinite: .inf
    huge: 1e999
    version: 1.2.3
    date: 2026-11-20
    word: yes
    quoted: "42"
    single: 'true'
    nothing:
    tilde: ~
    empty: ""
    from_variable: ${NUMBER}
    from_default: ${NONE:-7}
    grant: [tokens, 2]
    block: |
      two
      lines
    deep:
      url: https://${HOST}/x
)",
                        {{"NUMBER", "5"}, {"HOST", "h.example"}});
    const boost::json::object expected{
        {"yes", true},
        {"no", false},
        {"n", 42},
        {"negative", -7},
        {"plus", 7},
        {"hex", 31},
        {"octal", 15},
        {"f", 1.5},
        {"e", 1000.0},
        {"dot", 0.5},
        {"infinite", ".inf"},
        {"huge", "1e999"},
        {"version", "1.2.3"},
        {"date", "2026-11-20"},
        {"word", "yes"},
        {"quoted", "42"},
        {"single", "true"},
        {"nothing", nullptr},
        {"tilde", nullptr},
        {"empty", ""},
        {"from_variable", "5"},
        {"from_default", "7"},
        {"grant", {"tokens", 2}},
        {"block", "two\nlines\n"},
        {"deep", {{"url", "https://h.example/x"}}},
    };
    const auto& section = s.plugins.at("p");
    for (const auto& [key, value] : expected) {
        REQUIRE_MESSAGE(section.values.contains(key), std::string(key));
        CHECK_MESSAGE(section.values.at(key) == value, std::string(key));
    }
    CHECK(section.values.size() == expected.size());
    CHECK(section.file == (folder.path() / "calhost.yaml").string());
    CHECK(section.lines.at("yes") == 4);
    CHECK(section.lines.at("grant") == 26);
    CHECK(section.lines.at("grant[1]") == 26);
    CHECK(section.lines.at("deep.url") == 31);
}

TEST_CASE("load: an item whose variable is empty is left out of its list") {
    const Folder folder;
    const auto s = good(folder, "server: {allowed_origins: ['${NONE:-}', https://a.example]}");
    CHECK(s.server.allowed_origins == std::vector<std::string>{"https://a.example"});
}

TEST_CASE("load: an empty section and a section of nothing are there") {
    const Folder folder;
    const auto s = good(folder, "providers:\n  google: {}\n  caldav:\n");
    CHECK(s.providers.at("google").values.empty());
    CHECK(s.providers.at("caldav").values.empty());
}

TEST_CASE("load: --set goes over the file, into sections and lists too") {
    const Folder folder;
    const auto s =
        good(folder, "server:\n  listen: 127.0.0.1:1\nproviders: {google: {a: 1}}\n", {},
             {"server.listen=127.0.0.1:2", "rules=[a.lua, b.lua]", "providers.google.a=true",
              "providers.google.endpoints.api=http://x/y=z", "log.level=debug", "log.level=error"});
    CHECK(s.server.listen == "127.0.0.1:2");
    CHECK(s.rules == std::vector<std::string>{"a.lua", "b.lua"});
    const auto& google = s.providers.at("google");
    CHECK(google.values.at("a") == true);
    CHECK(google.values.at("endpoints").at("api") == "http://x/y=z");
    CHECK(google.lines.at("endpoints.api") == 0);
    CHECK(s.log_level == "error");
}

TEST_CASE("load: the sandbox needs no secrets, and unset variables are nothing there") {
    const Folder folder;
    const auto text =
        "keys: {active: k1, k1: \"${UNSET_KEY}\"}\nauth: {jwt_secret: \"${UNSET_SECRET}\"}\n"
        "providers: {google: {client_id: \"${UNSET_ID}\"}}\n";
    const auto loaded = load_text(folder, text, {}, {}, true);
    REQUIRE(loaded.has_value());
    CHECK(loaded->complaints.empty());
    CHECK(loaded->settings.keys.keys.empty());
    CHECK(loaded->settings.auth.jwt_secret.empty());
    CHECK(load_text(folder, text)->complaints.size() == 3);
    // Nor any file content at all; a secret that is given and too short stays a mistake.
    CHECK(load_text(folder, "", {}, {}, true)->complaints.empty());
    CHECK(load_text(folder, "auth: {jwt_secret: short}", {}, {}, true)->has_errors());
}

TEST_CASE("load: variables come from the process first, then from .env beside the file") {
    const Folder folder;
    folder.write(".env",
                 "CALHOST_TEST_BOTH=127.0.0.1:1111\nexport CALHOST_TEST_FILE=127.0.0.1:2222\n");
    LoadOptions options;
    options.file = folder.write(
        "calhost.yaml", with_secrets("server: {listen: \"${CALHOST_TEST_BOTH}\", ops_listen: "
                                     "\"${CALHOST_TEST_FILE}\"}"));
    ::setenv("CALHOST_TEST_BOTH", "127.0.0.1:3333", 1);
    const auto loaded = load(options);
    ::unsetenv("CALHOST_TEST_BOTH");
    REQUIRE(loaded.has_value());
    CHECK(loaded->complaints.empty());
    CHECK(loaded->settings.server.listen == "127.0.0.1:3333");
    CHECK(loaded->settings.server.ops_listen == "127.0.0.1:2222");
    CHECK(load(options)->settings.server.listen == "127.0.0.1:1111");
}

TEST_CASE("load: a broken .env is named with its line") {
    const Folder folder;
    const auto env = folder.write(".env", "A=1\nthis is no assignment\n");
    LoadOptions options;
    options.file = folder.write("calhost.yaml", with_secrets(""));
    const auto loaded = load(options);
    REQUIRE(!loaded.has_value());
    CHECK(loaded.error().message.starts_with(env.string() + ":2: "));
}

TEST_CASE("load: the files that calhost ships have no complaint") {
    const std::filesystem::path folder = std::filesystem::path(CALHOST_SOURCE_DIR) / "config";
    LoadOptions options;
    options.default_root = CALHOST_SOURCE_DIR;
    options.file = folder / "calhost.yaml";
    options.environment = environment_of({{"JWT_SECRET", kJwtSecret},
                                          {"CALENDAR_ENCRYPTION_KEY", std::string(64, 'a')},
                                          {"GOOGLE_CLIENT_ID", "id"},
                                          {"GOOGLE_CLIENT_SECRET", "secret"},
                                          {"API_URL", "https://cal.example.com"},
                                          {"NEXT_PUBLIC_BASE_URL", "https://app.example.com"}});
    auto loaded = load(options);
    REQUIRE(loaded.has_value());
    for (const auto& complaint : loaded->complaints) FAIL_CHECK(complaint.to_string());
    CHECK(loaded->settings.server.public_url == "https://cal.example.com");
    CHECK(loaded->settings.server.frontend_url == "https://app.example.com");
    CHECK(loaded->settings.providers.at("google").values.at("client_id") == "id");
    CHECK(loaded->settings.keys.keys.size() == 1);

    options.file = folder / "sandbox.yaml";
    options.environment = environment_of({});
    options.is_sandbox = true;
    loaded = load(options);
    REQUIRE(loaded.has_value());
    for (const auto& complaint : loaded->complaints) FAIL_CHECK(complaint.to_string());
    CHECK(loaded->settings.providers.contains("google"));
}

TEST_CASE("load: a complaint reads as a compiler's") {
    Complaint complaint{"calhost.yaml", 12, "providers.google.client_id", "is empty"};
    CHECK(complaint.to_string() == "calhost.yaml:12: providers.google.client_id: is empty");
    complaint.line = 0;
    CHECK(complaint.to_string() == "calhost.yaml: providers.google.client_id: is empty");
    complaint.key.clear();
    CHECK(complaint.to_string() == "calhost.yaml: is empty");
}
