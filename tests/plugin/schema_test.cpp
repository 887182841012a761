// A plugin's schema, and a section of the configuration held against it.
#include "plugin/schema.h"

#include "plugin/bench.h"
#include "plugin/discovery.h"
#include "support/test_store.h"

#include <fstream>

using namespace calhost;
using namespace calhost::plugin;
using namespace calhost::test;

namespace {

constexpr std::string_view kSchema = R"(return { fields = {
  { name = "client_id", type = "string", required = true },
  { name = "client_secret", secret = true },
  { name = "address", type = "url" },
  { name = "tries", type = "integer", default = 3 },
  { name = "quiet", type = "boolean" },
  { name = "mode", type = "string", options = { "fast", "slow" } },
  { name = "hosts", type = "list" },
  { name = "endpoints", type = "map", fields = {
      { name = "api", type = "url" }, { name = "depth", type = "integer", default = 1 } } },
} })";

struct Checked {
    explicit Checked(const json::object& values) {
        schema = read_schema("providers/acme/schema.lua", kSchema, time).value();
        const config::Section section{
            values, {{"tries", 12}, {"endpoints.api", 14}, {"surprise", 15}}, "calhost.yaml"};
        checked = check_section(schema, section, "providers.acme");
        for (const auto& complaint : checked.complaints) complaints += complaint.to_string() + "\n";
    }
    boost::asio::io_context context;
    VirtualTime time{context};
    Schema schema;
    CheckedSection checked;
    std::string complaints;
};

TEST_CASE("schema: what is right is kept, and defaults are put in") {
    const Checked ok({{"client_id", "x"},
                      {"client_secret", "hush"},
                      {"address", "https://acme.example/"},
                      {"quiet", false},
                      {"mode", "slow"},
                      {"hosts", json::array{"a"}},
                      {"endpoints", {{"api", "http://127.0.0.1:1/x"}}}});
    CHECK(ok.complaints.empty());
    CHECK(ok.checked.values.at("tries") == 3);
    CHECK(ok.checked.values.at("endpoints").at("depth") == 1);
    CHECK(ok.checked.values.at("endpoints").at("api") == "http://127.0.0.1:1/x");
    const auto open = without_secrets(ok.schema, ok.checked.values);
    CHECK_FALSE(open.contains("client_secret"));
    CHECK(open.contains("client_id"));
}

TEST_CASE("schema: every mistake is named with file, line and key, and does no harm") {
    struct Case {
        json::object values;
        std::string complaint;
    };
    const auto with = [](std::string_view name, json::value value) {
        return json::object{{"client_id", "x"}, {name, std::move(value)}};
    };
    for (const auto& row : std::vector<Case>{
             {{}, "providers.acme.client_id: is missing"},
             {{{"client_id", ""}}, "providers.acme.client_id: is missing"},
             {with("surprise", 1), "calhost.yaml:15: providers.acme.surprise: is not a key"},
             {with("tries", "many"), "calhost.yaml:12: providers.acme.tries: must be a integer"},
             {with("tries", 1.5), "must be a integer"},
             {with("quiet", "yes"), "providers.acme.quiet: must be a boolean"},
             {with("address", "acme.example"), "providers.acme.address: must be a url"},
             {with("address", "ftp://acme.example"), "must be a url"},
             {with("mode", "medium"), "must be one of fast, slow"},
             {with("hosts", "a"), "must be a list"},
             {with("endpoints", "x"), "must be a map"},
             {with("endpoints", json::object{{"api", 7}}),
              "calhost.yaml:14: providers.acme.endpoints.api: must be a url"},
             {with("endpoints", json::object{{"other", "x"}}), "endpoints.other: is not a key"}}) {
        const Checked checked(row.values);
        CHECK_MESSAGE(checked.complaints.contains(row.complaint), checked.complaints);
        CHECK(checked.checked.complaints.size() == 1);
    }
}

TEST_CASE("schema: a file that is no schema is refused with its place") {
    boost::asio::io_context context;
    VirtualTime time{context};
    for (const std::string source :
         {"return {", "return { fields = { { type = 'string' } } }",
          "return { fields = { { name = 'a', type = 'colour' } } }",
          "return { fields = { { name = 'a', type = 'map', fields = { {} } } } }",
          "while true do end", "return { fields = function() end }"}) {
        CAPTURE(source);
        const auto schema = read_schema("schema.lua", source, time);
        REQUIRE_FALSE(schema.has_value());
        CHECK(schema.error().message.contains("schema.lua"));
    }
    CHECK(read_schema("schema.lua", "return {}", time).has_value());
    for (const auto& [source, complaint] : std::vector<std::pair<std::string, std::string>>{
             {"return { feilds = {} }",
              "schema.lua: the schema has the unknown member 'feilds'; did you mean fields?"},
             {"return { fields = { { name = 'a', requird = true } } }",
              "schema.lua: field 'a' has the unknown member 'requird'; did you mean required?"},
             {"return { fields = { { name = 'a', type = 'map', fields = { { name = 'b', help = 'x' "
              "} } } } }",
              "schema.lua: field 'b' has the unknown member 'help'; known are name, type, "}}) {
        const auto schema = read_schema("schema.lua", source, time);
        REQUIRE_FALSE(schema.has_value());
        CHECK_MESSAGE(schema.error().message.starts_with(complaint), schema.error().message);
    }
}

TEST_CASE("discovery: everything that is wrong is said at once") {
    boost::asio::io_context context;
    VirtualTime time{context};
    const TempFolder folder;
    const auto write = [&](const std::string& name, const std::string& text) {
        std::filesystem::create_directories((folder.path() / name).parent_path());
        std::ofstream(folder.path() / name) << text;
    };
    write("providers/good/provider.lua", "return { id = 'good', title = 'G', api = 1, auth = {} }");
    write("providers/good/schema.lua", "return { fields = { { name = 'a', required = true } } }");
    write("providers/bare/provider.lua", "return {}");
    write("providers/broken/provider.lua", "return {}");
    write("providers/broken/schema.lua", "return {");
    config::Settings settings;
    settings.paths.providers = folder.path() / "providers";
    settings.paths.scripts = folder.path() / "scripts";
    settings.rules = {"absent.lua"};
    settings.providers["unknown"].file = "calhost.yaml";
    const auto installed = discover(settings, time);
    std::string all;
    for (const auto& complaint : installed.complaints) all += complaint.to_string() + "\n";
    CHECK_MESSAGE(installed.complaints.size() == 5, all);
    CHECK(all.contains(
        "providers/bare/schema.lua: providers.bare: cannot be read; the folder of a provider "
        "holds provider.lua and schema.lua"));
    CHECK(all.contains("providers.broken: providers/broken/schema.lua cannot be read"));
    CHECK(all.contains("providers.good.a: is missing"));
    CHECK(all.contains("there is no provider 'unknown'"));
    CHECK(all.contains("absent.lua: rules: cannot be read"));
}

TEST_CASE("discovery: a client that is not whole is a doubt, told once") {
    boost::asio::io_context context;
    VirtualTime time{context};
    struct Case {
        json::object values;
        std::string complaint;  ///< empty: none
    };
    for (const auto& [values, complaint] : std::vector<Case>{
             {{{"client_id", "a"}, {"client_secret", "b"}}, ""},
             {{{"client_id", "a"}}, ""},  // a client without a secret
             {{{"client_secret", "b"}}, "calhost.yaml: providers.google.client_id: is not set"},
             {{{"client_id", ""}, {"client_secret", ""}},
              "calhost.yaml:3: providers.google.client_id: is not set"},
             {{{"client_id", nullptr}}, "calhost.yaml:3: providers.google.client_id: is not set"},
             {{{"client_id", 7}}, "calhost.yaml:3: providers.google.client_id: must be a string"},
             {{{"client_id", "a"}, {"client_secret", ""}},
              "calhost.yaml: providers.google.client_secret: is empty: people cannot connect"}}) {
        config::Settings settings;
        settings.paths.providers = std::filesystem::path(CALHOST_SOURCE_DIR) / "providers";
        std::map<std::string, int> lines;
        if (values.contains("client_id")) lines["client_id"] = 3;
        settings.providers["google"] = {values, lines, "calhost.yaml"};
        std::string all;
        for (const auto& one : discover(settings, time).complaints) all += one.to_string() + "\n";
        CHECK_MESSAGE(all.starts_with(complaint), all);
        CHECK_MESSAGE(std::ranges::count(all, '\n') == (complaint.empty() ? 0 : 1), all);
    }
}

TEST_CASE("google: its own schema takes its own section, and its table says what it can") {
    boost::asio::io_context context;
    VirtualTime time{context};
    config::Settings settings;
    settings.paths.providers = std::filesystem::path(CALHOST_SOURCE_DIR) / "providers";
    settings.providers["google"].values = {{"client_id", "x"}, {"client_secret", "y"}};
    const auto installed = discover(settings, time);
    CHECK(installed.complaints.empty());
    SeededRandom random{1};
    ListTransport transport;
    const auto providers = Providers::load(installed, {transport, time, time, random});
    REQUIRE(providers.has_value());
    const auto& google = providers->find("google")->info();
    CHECK(google.is_configured());
    CHECK(providers->find("caldav")->info().is_configured());
    CHECK_FALSE(google.config.contains("client_secret"));
    CHECK(google.hosts() ==
          std::set<std::string>{"openidconnect.googleapis.com", "www.googleapis.com"});
    CHECK(providers->find("microsoft") == nullptr);
}

}  // namespace
