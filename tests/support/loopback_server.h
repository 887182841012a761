/// Real servers on loopback for one test: answering before the test goes on, ended by their process
/// ids.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace calhost::test {

/// A program that serves on a free port of loopback, in a folder of its own.
class LoopbackServer {
  public:
    LoopbackServer() : port_(free_port()) {
        std::string pattern = (std::filesystem::temp_directory_path() / "calhost-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;
    ~LoopbackServer() {
        if (process_ > 0) {
            ::kill(process_, SIGTERM);
            ::waitpid(process_, nullptr, 0);
        }
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  protected:
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

    /// Runs the program, and goes on when it answers.
    void start(std::vector<std::string> words) {
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        process_ = ::fork();
        REQUIRE(process_ >= 0);
        if (process_ > 0) return wait_until_it_answers(words.front());
        const int log = ::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT, 0600);
        ::dup2(log, 1);
        ::dup2(log, 2);
        ::execvp(arguments.front(), arguments.data());
        ::_exit(127);
    }

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

    void wait_until_it_answers(const std::string& program) const {
        for (int i = 0; i < 600; ++i) {
            REQUIRE_MESSAGE(::waitpid(process_, nullptr, WNOHANG) == 0,
                            program << " ended; is its package installed?");
            const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
            const sockaddr_in address = loopback(port_);
            const bool is_there =
                ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
            ::close(probe);
            if (is_there) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        FAIL(program << " does not answer");
    }

    std::uint16_t port_;
    std::filesystem::path folder_;
    pid_t process_ = -1;
};

}  // namespace calhost::test
