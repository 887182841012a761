/// The CalDAV servers that the provider is tested with, and a proxy that breaks what they answer.
#pragma once

#include <stdlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "support/loopback_server.h"

namespace calhost::test {

class CaldavServer : public LoopbackServer {
  public:
    enum class Kind { radicale, xandikos };

    explicit CaldavServer(Kind kind) {
        kind == Kind::radicale ? start_radicale() : start_xandikos();
    }

  private:
    void start_radicale() {
        std::ofstream(folder() / "users") << "ann:s3cret pass\n";
        std::ofstream(folder() / "config")
            << "[server]\nhosts = 127.0.0.1:" << port() << "\n[auth]\ntype = htpasswd\n"
            << "htpasswd_filename = " << (folder() / "users").string()
            << "\nhtpasswd_encryption = plain\n[storage]\nfilesystem_folder = "
            << (folder() / "store").string() << "\n[logging]\nlevel = error\n";
        start({"radicale", "--config", (folder() / "config").string()});
    }

    void start_xandikos() {
        start({"xandikos", "-d", (folder() / "store").string(), "-l", "127.0.0.1", "-p",
               std::to_string(port()), "--defaults"});
    }
};

/// mitmproxy in front of another server: it breaks the answers that it is told to.
class BreakingProxy : public LoopbackServer {
  public:
    explicit BreakingProxy(const std::string& server) {
        set({});
        const auto faults = folder() / "faults";
        ::setenv("CALHOST_FAULTS", faults.c_str(), 1);
        start({"mitmdump", "--quiet", "--mode", "reverse:" + server, "--listen-host", "127.0.0.1",
               "--listen-port", std::to_string(port()), "--set", "confdir=" + folder().string(),
               "--scripts", CALHOST_SOURCE_DIR "/tests/plugin/break_answers.py"});
    }
    /// "lose PUT 2": see break_answers.py.
    void set(const std::vector<std::string>& faults) const {
        std::ofstream file(folder() / "faults");
        for (const auto& fault : faults) file << fault << '\n';
    }
};

}  // namespace calhost::test
