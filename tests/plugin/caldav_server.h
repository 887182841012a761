/// A real CalDAV server on loopback for one test: started on a free port in a folder of its own,
/// answering before the test goes on, ended by its process id.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace calhost::test {

class CaldavServer {
  public:
    enum class Kind { radicale, xandikos };

    explicit CaldavServer(Kind kind) : port_(free_port()) {
        std::string pattern = (std::filesystem::temp_directory_path() / "caldav-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        kind == Kind::radicale ? start_radicale() : start_xandikos();
        wait_until_it_answers();
    }
    CaldavServer(const CaldavServer&) = delete;
    CaldavServer& operator=(const CaldavServer&) = delete;
    ~CaldavServer() {
        if (process_ > 0) {
            ::kill(process_, SIGTERM);
            ::waitpid(process_, nullptr, 0);
        }
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  private:
    static std::uint16_t free_port() {
        const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(probe, plain, size) == 0);
        REQUIRE(::getsockname(probe, plain, &size) == 0);
        ::close(probe);
        return ntohs(address.sin_port);
    }

    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

    void start_radicale() {
        std::ofstream(folder_ / "users") << "ann:s3cret pass\n";
        std::ofstream(folder_ / "config")
            << "[server]\nhosts = 127.0.0.1:" << port_ << "\n[auth]\ntype = htpasswd\n"
            << "htpasswd_filename = " << (folder_ / "users").string()
            << "\nhtpasswd_encryption = plain\n[storage]\nfilesystem_folder = "
            << (folder_ / "store").string() << "\n[logging]\nlevel = error\n";
        start({"radicale", "--config", (folder_ / "config").string()});
    }

    void start_xandikos() {
        start({"xandikos", "-d", (folder_ / "store").string(), "-l", "127.0.0.1", "-p",
               std::to_string(port_), "--defaults"});
    }

    void start(std::vector<std::string> words) {
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        process_ = ::fork();
        REQUIRE(process_ >= 0);
        if (process_ > 0) return;
        const int log = ::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT, 0600);
        ::dup2(log, 1);
        ::dup2(log, 2);
        ::execvp(arguments.front(), arguments.data());
        ::_exit(127);
    }

    void wait_until_it_answers() const {
        for (int i = 0; i < 600; ++i) {
            REQUIRE_MESSAGE(::waitpid(process_, nullptr, WNOHANG) == 0,
                            "the CalDAV server ended; is its package installed?");
            const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
            const sockaddr_in address = loopback(port_);
            const bool is_there =
                ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
            ::close(probe);
            if (is_there) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        FAIL("the CalDAV server does not answer");
    }

    std::uint16_t port_;
    std::filesystem::path folder_;
    pid_t process_ = -1;
};

}  // namespace calhost::test
