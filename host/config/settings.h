/// The typed settings of one host. Every complaint names file, line and key.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace calhost::config {

/// A mistake or a doubt, as `calhost check` prints it.
struct Complaint {
    std::string file;
    int line = 0;          ///< from 1; 0: the whole file
    std::string key;       ///< "providers.google.client_id"
    std::string message;   ///< a sentence: what is wrong and what to write instead
    bool is_error = true;  ///< else a warning: the host starts
    [[nodiscard]] std::string to_string()
        const;  ///< "calhost.yaml:12: providers.google.client_id: …"
};

/// A provider's or plugin's own section, checked against its schema later (plugin room).
struct Section {
    boost::json::object values;  ///< environment variables already put in
    /// Key within the section → line ("endpoints.api", "grant[0]"); 0: from `--set`.
    std::map<std::string, int> lines;
    std::string file;
    int line = 0;  ///< of its name; 0: from `--set`
};

struct Server {
    std::string listen = "127.0.0.1:8080";
    std::string ops_listen = "127.0.0.1:9090";  ///< empty: off
    std::string public_url;
    std::string frontend_url;  ///< default: public_url
    std::vector<std::string> allowed_origins;
    std::vector<std::string> trusted_proxies;
    int workers = 0;  ///< 0: one a core
    /// What a principal or an address may ask a worker, with bursts of ten seconds' worth; 0: no
    /// limit.
    double requests_per_second = 100;
    std::string tls_certificate, tls_key;
};
struct Keys {
    std::string active;
    std::vector<std::pair<std::string, Secret>>
        keys;  ///< as written, not yet parsed; empty ones left out
};
struct Auth {
    Secret jwt_secret;
    std::string registration = "open";  ///< open invite closed
    std::vector<std::string> self_service_roles{"mentor", "mentee"};
    std::vector<std::string> claim_roles;
};
struct Paths {
    /// The operator's; what they lack is taken from the folders of the same names in `shipped`.
    std::filesystem::path scripts, plugins, providers;
    std::filesystem::path shipped;  ///< what came with the host; empty: nothing did
};
struct Sync {
    int lookahead_days = 90;
    std::chrono::seconds interval{900};
};
/// Jobs that write for people: how many may start in a second, and at once after a quiet time, at
/// one provider and for one connection.
struct Pace {
    int per_second = 50, burst = 200;
    int connection_per_second = 5, connection_burst = 100;
};
/// The name of the pace of providers that have none.
inline constexpr std::string_view kDefaultPace = "default";
struct Mail {
    std::string url;   ///< "smtp://mail.example.com:587"; empty: no mail
    std::string from;  ///< "Calhost <calendar@example.com>"
    std::string username;
    Secret password;
};
struct Settings {
    Server server;
    std::string storage_url = "sqlite:calhost.db";
    Keys keys;
    Auth auth;
    Paths paths;
    std::map<std::string, Section> providers;
    std::map<std::string, Section> plugins;
    std::vector<std::string> rules;
    Sync sync;
    Mail mail;
    std::map<std::string, Pace> pace;         ///< by provider, or kDefaultPace
    std::string connect_unbound = "confirm";  ///< confirm accept refuse
    std::vector<std::string> allow_private;
    std::string log_level = "info";
    std::string log_format = "json";
};

/// Looks a variable up; the process environment first, then `.env` beside the file.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct LoadOptions {
    std::filesystem::path file;
    /// `--set key=value` (dotted keys), applied over the file before checking.
    std::vector<std::string> overrides;
    Environment environment;  ///< empty: the process environment and `.env`
    std::filesystem::path
        default_root;         ///< where scripts, plugins and providers are when `paths` is silent
    bool is_sandbox = false;  ///< the sandbox makes its own secrets: missing ones are no mistake
};

struct Loaded {
    Settings settings;
    std::vector<Complaint> complaints;
    [[nodiscard]] bool has_errors() const;
};

/// Reads, puts variables in (`${A}`, `${A:-default}`, nested), checks. What it can read it returns
/// even when there are complaints, so that all of them are shown at once.
/// *Errors*: misconfigured, when the file cannot be read or is no YAML (with the line).
Result<Loaded> load(const LoadOptions& options);

/// Puts variables into one text. *Errors*: misconfigured, for an unclosed `${`, or a variable
/// without default that is not set (named).
Result<std::string> expand_variables(std::string_view text, const Environment& environment);

/// Reads a `.env` file: NAME=value lines, `#` comments, single and double quotes, `export`.
Result<std::map<std::string, std::string>> read_env_file(const std::filesystem::path& file);

}  // namespace calhost::config
