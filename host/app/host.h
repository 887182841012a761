/// The whole host: workers on their threads, the job runner, the operations address, the sandbox.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/worker.h"
#include "crypto/crypto.h"
#include "sandbox/google.h"

namespace calhost::app {

struct HostOptions {
    config::Settings settings;
    std::filesystem::path data_folder;
    bool is_sandbox = false;
    std::string calendar_file;  ///< fills the sandbox account; empty: demo events
    config::LoadOptions load;   ///< how the settings were read, so that keys can be read again
};

/// Also the `version` of /openapi.json.
inline constexpr std::string_view kVersion = "0.1.0";
inline constexpr std::string_view kDemoEmail = "demo@example.com";
inline constexpr std::string_view kDemoPassword = "sandbox-demo-password";
inline constexpr std::string_view kDemoAccount = "demo.person@gmail.example";

/// Runs until SIGINT or SIGTERM, then shuts down: stop accepting, finish what runs, 10 s.
/// *Errors*: what keeps it from starting, as a sentence.
class Host {
  public:
    static Result<std::unique_ptr<Host>> start(HostOptions options);
    ~Host();

    /// Returns after a signal or `stop`, when everything has ended.
    void run();
    /// *Thread*: any.
    void stop();
    [[nodiscard]] std::uint16_t port() const;
    /// For the terminal: where the host is, and in sandbox mode what to click and what to paste.
    [[nodiscard]] std::string welcome() const;

  private:
    struct Impl;
    explicit Host(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace calhost::app
