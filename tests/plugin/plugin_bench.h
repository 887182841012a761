/// Plugins of a few lines, found on disk as the host finds them.
#pragma once

#include <fstream>

#include "plugin/bench.h"
#include "plugin/discovery.h"
#include "plugin/plugins.h"
#include "support/test_store.h"

namespace calhost::test {

/// Knows one user, one connection, and how often it was asked for tokens.
class TestPowers : public plugin::Powers {
  public:
    Task<Result<plugin::GrantedTokens>> tokens_of(std::string connection_id) override {
        ++asked;
        if (connection_id != "c1") co_return fail(ErrorCode::not_found, "gone");
        co_return plugin::GrantedTokens{Secret("s3cret-access"), Secret("s3cret-refresh"),
                                        from_millis(0), "a b"};
    }
    Result<std::optional<json::object>> find_user(std::string_view id) override {
        return id == "u1" ? std::optional(json::object{{"id", "u1"}}) : std::nullopt;
    }
    Result<std::optional<json::object>> find_user_by_email(std::string_view email) override {
        return find_user(email == "ann@example.org" ? "u1" : "");
    }
    Result<std::optional<json::object>> find_connection(std::string_view id) override {
        return id == "c1" ? std::optional(json::object{{"id", "c1"}}) : std::nullopt;
    }
    Result<std::vector<json::object>> list_connections(std::string_view user_id) override {
        return std::vector<json::object>(user_id == "u1" ? 1 : 0, json::object{{"id", "c1"}});
    }
    Task<Result<json::object>> adopt(plugin::OfferedGrant offer) override {
        offers.push_back(std::move(offer));
        co_return json::object{{"id", "c1"}};
    }
    Task<Result<bool>> forget(std::string connection_id) override {
        co_return connection_id == "c1";
    }
    Task<Result<void>> send_mail(net::Mail mail) override {
        mails.push_back(std::move(mail));
        co_return mail_outcome;
    }
    std::vector<plugin::OfferedGrant> offers;
    std::vector<net::Mail> mails;
    Result<void> mail_outcome;
    int asked = 0;
};

struct PluginBench {
    PluginBench() {
        settings.paths.plugins = folder.path();
        log::set_sink([this](std::string_view line) { log_text += line; });
    }
    ~PluginBench() { log::set_sink({}); }
    PluginBench(const PluginBench&) = delete;

    /// `body` is what stands between the head, three lines, and `return M`.
    void add(const std::string& name, std::string_view body, config::Section section = {},
             std::string_view schema = "return { fields = {} }") {
        std::filesystem::create_directories(folder.path() / name);
        std::ofstream(folder.path() / name / "plugin.lua")
            << "local config = require(\"host.config\")\nlocal M = { id = \"" << name
            << "\", title = \"Test\",\n  api = 1 }\n"
            << body << "\nreturn M\n";
        std::ofstream(folder.path() / name / "schema.lua") << schema;
        name_section(name, std::move(section));
    }
    void name_section(const std::string& name, config::Section section) {
        section.file = "calhost.yaml";
        section.line = 40;
        settings.plugins[name] = std::move(section);
    }
    [[nodiscard]] plugin::Environment environment() { return {transport, time, time, random}; }

    /// What `calhost check` says, a line each.
    std::string complaints() {
        const auto installed = plugin::discover(settings, time);
        std::string text;
        for (const auto& complaint : installed.complaints) text += complaint.to_string() + "\n";
        for (const auto& complaint : plugin::check_scripts(installed, environment()))
            text += complaint.to_string() + "\n";
        return text;
    }
    /// Loads what is there, as a worker does; the reason when it does not load.
    std::string load() {
        const auto installed = plugin::discover(settings, time);
        auto loaded =
            plugin::Plugins::load(installed.plugins, environment(), store.database(), powers);
        if (!loaded) return loaded.error().message;
        plugins = std::move(*loaded);
        return "ok";
    }

    boost::asio::io_context context;
    VirtualTime time{context};
    SeededRandom random{3};
    ListTransport transport;
    TempFolder folder;
    TestStore store{time};
    TestPowers powers;
    config::Settings settings;
    std::unique_ptr<plugin::Plugins> plugins;
    std::string log_text;
};

}  // namespace calhost::test
