/// A certificate of its own, made for one test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "net/server.h"

namespace calhost::test {

/// *Ownership*: the folder goes with it.
class TlsPair {
  public:
    explicit TlsPair(const std::string& host) {
        std::string pattern = (std::filesystem::temp_directory_path() / "calhost-tls-XXXXXX");
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        folder_ = pattern;
        const std::string command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            "-subj /CN=test -addext subjectAltName=DNS:" +
            host + " -keyout " + files().key + " -out " + files().certificate + " 2>/dev/null";
        if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl failed");
    }
    ~TlsPair() { std::filesystem::remove_all(folder_); }
    TlsPair(const TlsPair&) = delete;
    TlsPair& operator=(const TlsPair&) = delete;

    [[nodiscard]] net::TlsFiles files() const {
        return {(folder_ / "cert.pem").string(), (folder_ / "key.pem").string()};
    }

  private:
    std::filesystem::path folder_;
};

}  // namespace calhost::test
