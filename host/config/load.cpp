#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <tuple>

#include "config/reader.h"
#include "config/settings.h"
#include "config/values.h"
#include "config/variables.h"

namespace calhost::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMinJwtSecret = 32;

Parse<std::string> one_of(std::initializer_list<std::string_view> words) {
    return [known = std::vector(words)](std::string_view text) { return parse_word(text, known); };
}

/// A file of the configuration that must be there, relative to the YAML file.
Parse<std::string> file_beside(const std::filesystem::path& file) {
    return [folder = file.parent_path()](std::string_view text) -> Result<std::string> {
        const auto path = (folder / text).lexically_normal();
        std::error_code ignored;
        if (!std::filesystem::is_regular_file(path, ignored))
            return fail(ErrorCode::invalid, "names a file that is not there");
        return path.string();
    };
}

void read_tls(Reader tls, const std::filesystem::path& file, Server& server) {
    tls.value("certificate", server.tls_certificate, file_beside(file));
    tls.value("key", server.tls_key, file_beside(file));
    tls.finish();
    if (tls.has_complaint("certificate") || tls.has_complaint("key")) return;
    if (server.tls_certificate.empty() && !server.tls_key.empty())
        tls.complain("key", "is not used without tls.certificate; give both or neither");
    if (!server.tls_certificate.empty() && server.tls_key.empty())
        tls.complain("certificate", "is not used without tls.key; give both or neither");
}

/// Where people reach a host that says nothing about it.
std::string url_of(const Server& server) {
    auto address = server.listen;
    for (const std::string_view any : {"0.0.0.0:", "[::]:"})
        if (address.starts_with(any)) address = "127.0.0.1:" + address.substr(any.size());
    return fmt::format("{}://{}", server.tls_certificate.empty() ? "http" : "https", address);
}

Server read_server(Reader section, const std::filesystem::path& file) {
    Server server;
    section.value("listen", server.listen, parse_listen);
    if (const auto ops = section.text("ops_listen"); ops && ops->empty()) server.ops_listen = "";
    section.value("ops_listen", server.ops_listen, parse_listen);
    if (server.ops_listen == server.listen && !server.listen.ends_with(":0"))
        section.complain("ops_listen", "is the same address as server.listen; choose another port");
    read_tls(section.section("tls"), file, server);
    server.public_url = url_of(server);
    section.value("public_url", server.public_url, parse_base_url);
    server.frontend_url = server.public_url;
    section.value("frontend_url", server.frontend_url, parse_page_url);
    section.list("allowed_origins", server.allowed_origins, parse_origin);
    section.list("trusted_proxies", server.trusted_proxies, parse_network);
    section.value("requests_per_second", server.requests_per_second,
                  [](std::string_view text) -> Result<double> {
                      if (auto rate = parse_integer(text, 0, 1'000'000)) return *rate;
                      return fail(ErrorCode::invalid,
                                  "must be a whole number from 0 (no limit) to 1000000");
                  });
    section.value("workers", server.workers, [](std::string_view text) -> Result<int> {
        if (text == "auto") return 0;
        if (auto count = parse_integer(text, 1, 256)) return count;
        return fail(ErrorCode::invalid, "must be auto or a whole number from 1 to 256");
    });
    section.finish();
    return server;
}

void check_active(Reader& section, const Keys& keys, bool is_sandbox) {
    if (is_sandbox) return;  // it makes a key of its own when there is none
    const auto found =
        std::ranges::find(keys.keys, keys.active, &std::pair<std::string, Secret>::first);
    if (section.has_complaint("active") || section.has_complaint(keys.active) ||
        found != keys.keys.end())
        return;
    if (keys.active.empty())
        section.complain(
            "active",
            "is missing: tokens are sealed with a key; name one, such as k1, and give it what "
            "`calhost keys new` prints");
    else if (section.node(keys.active) != nullptr)
        section.complain(keys.active,
                         "is empty: nothing is stored without a key; make one with `calhost keys "
                         "new`");
    else
        section.complain(
            "active", fmt::format("names the key {}, which is not in this section", keys.active));
}

Keys read_keys(Reader section, bool is_sandbox) {
    Keys keys;
    section.value("active", keys.active, [](std::string_view text) -> Result<std::string> {
        if (is_name(text) && text != "active") return std::string(text);
        return fail(ErrorCode::invalid, "must be the name of a key in this section");
    });
    for (const auto& member : section.members()) {
        if (member.name == "active") continue;
        if (!is_name(member.name))
            section.complain(member.name, "a key's name has letters, digits, '-' and '_' only");
        auto text = section.text(member.name);
        if (text && !text->empty()) keys.keys.emplace_back(member.name, Secret(std::move(*text)));
    }
    check_active(section, keys, is_sandbox);
    return keys;
}

Auth read_auth(Reader section, bool is_sandbox) {
    Auth auth;
    if (auto secret = section.text("jwt_secret")) auth.jwt_secret = Secret(std::move(*secret));
    const auto size = auth.jwt_secret.expose().size();
    if (size == 0 && !is_sandbox && !section.has_complaint("jwt_secret"))
        section.complain("jwt_secret",
                         "is missing: it signs the tokens of signed-in users; make one with "
                         "`openssl rand -hex 32`");
    else if (size > 0 && size < kMinJwtSecret)
        section.complain(
            "jwt_secret",
            fmt::format("has {} characters where at least 32 are needed; make one with "
                        "`openssl rand -hex 32`",
                        size));
    section.value("registration", auth.registration, one_of({"open", "invite", "closed"}));
    section.list("self_service_roles", auth.self_service_roles, parse_role);
    section.list("claim_roles", auth.claim_roles, parse_role);
    section.refuse_for_now("issuers");
    section.finish();
    return auth;
}

Paths read_paths(Reader section, const LoadOptions& options) {
    const auto folder = [&](std::string_view text) -> Result<std::filesystem::path> {
        return (options.file.parent_path() / text).lexically_normal();
    };
    Paths paths{options.default_root / "scripts", options.default_root / "plugins",
                options.default_root / "providers", options.default_root};
    section.value("scripts", paths.scripts, folder);
    section.value("plugins", paths.plugins, folder);
    section.value("providers", paths.providers, folder);
    section.finish();
    return paths;
}

std::map<std::string, Section> read_sections(Context& context, const Reader& reader) {
    std::map<std::string, Section> sections;
    for (const auto& member : reader.members()) {
        const auto key = reader.key_of(member.name);
        if (!is_name(member.name))
            context.complain(member.line, key, "a name has letters, digits, '-' and '_' only");
        else
            sections.emplace(member.name, read_section(context, member.value, key))
                .first->second.line = std::max(member.line, 0);
    }
    return sections;
}

Sync read_sync(Reader section) {
    Sync sync;
    section.value("lookahead_days", sync.lookahead_days,
                  [](std::string_view text) { return parse_integer(text, 1, 3650); });
    section.value("interval", sync.interval,
                  [](std::string_view text) { return parse_duration(text, 1min, 24h); });
    section.finish();
    return sync;
}

Pace read_pace(Reader section, Pace pace) {
    const auto whole = [](std::string_view text) { return parse_integer(text, 1, 100'000); };
    section.value("per_second", pace.per_second, whole);
    section.value("burst", pace.burst, whole);
    section.value("connection_per_second", pace.connection_per_second, whole);
    section.value("connection_burst", pace.connection_burst, whole);
    section.finish();
    return pace;
}

/// What a provider's pace does not say is as in the default one.
std::map<std::string, Pace> read_paces(Reader section, const Settings& settings) {
    std::map<std::string, Pace> paces;
    const std::string name(kDefaultPace);
    const auto standard = paces[name] = read_pace(section.section(name), {});
    for (const auto& member : section.members()) {
        if (member.name == name) continue;
        if (!settings.providers.contains(member.name))
            section.complain(member.name, "is none of the providers");
        paces[member.name] = read_pace(section.section(member.name), standard);
    }
    return paces;
}

Mail read_mail(Reader section) {
    Mail mail;
    section.value("url", mail.url, parse_mail_url);
    section.value("from", mail.from, parse_sender);
    section.value("username", mail.username,
                  [](std::string_view text) -> Result<std::string> { return std::string(text); });
    if (auto password = section.text("password")) mail.password = Secret(std::move(*password));
    section.finish();
    if (mail.url.empty()) {
        if (!mail.from.empty() && !section.has_complaint("url"))
            section.complain("url",
                             "is missing: name the server that sends, such as "
                             "smtp://mail.example.com:587");
        return mail;
    }
    if (mail.from.empty() && !section.has_complaint("from"))
        section.complain("from",
                         "is missing: whom the mails are from, such as Calhost "
                         "<calendar@example.com>");
    if (mail.username.empty() != mail.password.empty())
        section.complain(mail.username.empty() ? "username" : "password",
                         "is missing: give both or neither");
    return mail;
}

void read_log(Reader section, Settings& settings) {
    section.value("level", settings.log_level, one_of({"debug", "info", "warning", "error"}));
    section.value("format", settings.log_format, one_of({"json", "text"}));
    section.finish();
}

/// The sections that are a value or two.
void read_small_sections(Reader& root, Settings& settings) {
    auto storage = root.section("storage");
    storage.value("url", settings.storage_url, parse_storage_url);
    storage.finish();
    auto connect = root.section("connect");
    connect.value("unbound", settings.connect_unbound, one_of({"confirm", "accept", "refuse"}));
    connect.finish();
    auto network = root.section("network");
    network.list("allow_private", settings.allow_private, parse_network);
    network.finish();
    read_log(root.section("log"), settings);
}

Settings read_settings(Context& context, const Node& tree, const LoadOptions& options) {
    Settings settings;
    Reader root(context, &tree, tree.line, "");
    settings.server = read_server(root.section("server"), options.file);
    settings.keys = read_keys(root.section("keys"), options.is_sandbox);
    settings.auth = read_auth(root.section("auth"), options.is_sandbox);
    settings.paths = read_paths(root.section("paths"), options);
    settings.providers = read_sections(context, root.section("providers"));
    settings.plugins = read_sections(context, root.section("plugins"));
    root.list("rules", settings.rules, parse_rule);
    settings.sync = read_sync(root.section("sync"));
    settings.pace = read_paces(root.section("pace"), settings);
    read_small_sections(root, settings);
    settings.mail = read_mail(root.section("mail"));
    root.finish();
    return settings;
}

Result<std::string> read_text(const std::filesystem::path& file) {
    std::error_code ignored;
    std::ifstream stream(file, std::ios::binary);
    if (!stream || std::filesystem::is_directory(file, ignored))
        return fail(ErrorCode::misconfigured,
                    fmt::format("the configuration {} cannot be read; name another with --config",
                                file.string()));
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

/// In the sandbox a secret that is not set is none: the host makes its own.
Environment forgiving(Environment environment) {
    return [environment = std::move(environment)](const std::string& name) {
        return std::optional(environment(name).value_or(""));
    };
}

}  // namespace

std::string Complaint::to_string() const {
    const auto place = line > 0 ? fmt::format("{}:{}", file, line) : file;
    return key.empty() ? fmt::format("{}: {}", place, message)
                       : fmt::format("{}: {}: {}", place, key, message);
}

bool Loaded::has_errors() const { return std::ranges::any_of(complaints, &Complaint::is_error); }

Result<Loaded> load(const LoadOptions& options) {
    const auto text = read_text(options.file);
    if (!text) return fail(text.error());
    Context context;
    context.file = options.file.string();
    context.environment = options.environment;
    if (!context.environment) {
        auto environment = make_environment(options.file);
        if (!environment) return fail(environment.error());
        context.environment = std::move(*environment);
    }
    if (options.is_sandbox) context.environment = forgiving(std::move(context.environment));

    auto tree = parse_document(*text, context.file, context.complaints);
    if (!tree) return fail(tree.error());
    for (const auto& assignment : options.overrides)
        if (auto applied = apply_override(*tree, assignment); !applied)
            context.complain(kOverrideLine, "", applied.error().message);

    Loaded loaded;
    loaded.settings = read_settings(context, *tree, options);
    loaded.complaints = std::move(context.complaints);
    std::ranges::sort(loaded.complaints, {},
                      [](const Complaint& c) { return std::tie(c.line, c.key, c.message); });
    return loaded;
}

}  // namespace calhost::config
