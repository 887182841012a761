// Mail: the message as it goes over the wire, and a real server that reads it.
#include "net/mail.h"

#include <boost/asio/post.hpp>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/encoding.h"
#include "base/json.h"
#include "net/net_time.h"
#include "net/tls_files.h"
#include "support/loopback_server.h"

using namespace calhost;
using namespace calhost::test;
using net::Mail;

namespace {

const MailAddress kFrom{"Calhost", "cal@example.org"};

Mail note(const std::string& to = "ada@example.org") {
    return {.to = {"", to}, .subject = "Hello", .text = "Hi", .key = "job-7"};
}

std::string outcome_of(const Result<void>& result) {
    if (result) return "ok";
    return std::string(to_string(result.error().code)) + ": " + result.error().message;
}

class MailServer : public LoopbackServer {
  public:
    explicit MailServer(const std::optional<net::TlsFiles>& tls = {}) {
        std::vector<std::string> words{"/usr/bin/python3",
                                       CALHOST_SOURCE_DIR "/tests/net/mail_server.py",
                                       std::to_string(port()), folder().string()};
        if (tls) words.insert(words.end(), {tls->certificate, tls->key});
        start(words);
    }
    [[nodiscard]] std::string address() const { return "localhost:" + std::to_string(port()); }
    [[nodiscard]] bool is_slow() const { return std::filesystem::exists(folder() / "slow"); }
    [[nodiscard]] json::object message(int number) const {
        return parse(file(number, "json")).as_object();
    }
    [[nodiscard]] std::string raw(int number) const { return file(number, "eml"); }

  private:
    static json::value parse(const std::string& text) {
        auto value = json::parse(text);
        REQUIRE_MESSAGE(value.has_value(), text);
        return *value;
    }
    [[nodiscard]] std::string file(int number, const std::string& kind) const {
        std::ifstream stream(folder() / (std::to_string(number) + "." + kind), std::ios::binary);
        REQUIRE(stream);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
};

struct Office {
    explicit Office(net::MailServer server)
        : mailer(net::make_smtp_mailer(std::move(server), time)) {}
    ~Office() { mailer->close(); }
    Result<void> send(Mail mail) { return run(context, mailer->send(std::move(mail))); }
    boost::asio::io_context context;
    ManualTime time;
    std::unique_ptr<net::Mailer> mailer;
};

net::MailServer at(const std::string& address) {
    return {.url = "smtp://" + address, .from = kFrom};
}

TEST_CASE("mail: addresses with and without a name") {
    for (const auto& [text, wanted] : std::vector<std::pair<std::string, MailAddress>>{
             {"ada@example.org", {"", "ada@example.org"}},
             {"<ada@example.org>", {"", "ada@example.org"}},
             {"Ada Lovelace <ada@example.org>", {"Ada Lovelace", "ada@example.org"}},
             {"\"Lovelace, Ada\" <a.d+x@ex-1.org>", {"Lovelace, Ada", "a.d+x@ex-1.org"}},
             {"Zoë <zoe@example.org>", {"Zoë", "zoe@example.org"}}}) {
        CAPTURE(text);
        const auto read = parse_mail_address(text);
        REQUIRE(read.has_value());
        CHECK(*read == wanted);
    }
    for (const std::string bad :
         {"", "ada", "@example.org", "ada@", "a@b@c.org", "a b@example.org", "ada@example..org",
          ".a@example.org", "ada@example.org\r\nBcc: eve@example.org", "Ada <ada@example.org",
          "Ada\r\nX: y <ada@example.org>", "ada@example.org>", "ada@ex,ample.org",
          "zoë@example.org", "<<ada@example.org>", "ada@example.org <>"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_mail_address(bad).has_value());
    }
}

TEST_CASE("mail: the message as it goes over the wire") {
    const auto at = *parse_rfc3339("2026-11-21T09:05:00.7Z");
    const Mail mail{.to = {"Zoë Ünal", "zoe@example.org"},
                    .subject = "Kalender von Zoë braucht dich: bitte neu verbinden, ä",
                    .text = "Grüße = \n\n.dot\r\nend ",
                    .key = "job-7"};
    CHECK(net::write_mail(mail, {"Cal \"host\"", "cal@example.org"}, at).value() ==
          "From: \"Cal \\\"host\\\"\" <cal@example.org>\r\n"
          "To: =?utf-8?B?" +
              base64_encode("Zoë Ünal") +
              "?=\r\n <zoe@example.org>\r\n"
              "Subject: =?utf-8?B?" +
              base64_encode("Kalender von Zoë braucht dich: bitte n") +
              "?=\r\n"
              " =?utf-8?B?" +
              base64_encode("eu verbinden, ä") +
              "?=\r\n"
              "Date: Sat, 21 Nov 2026 09:05:00 +0000\r\n"
              "Message-ID: <job-7@example.org>\r\n"
              "MIME-Version: 1.0\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n"
              "Auto-Submitted: auto-generated\r\n\r\n"
              "Gr=C3=BC=C3=9Fe =3D=20\r\n\r\n.dot\r\nend=20\r\n");
    auto plain = note();
    plain.key = "";
    const auto text = net::write_mail(plain, {"", "cal@example.org"}, at).value();
    CHECK(text.starts_with("From: cal@example.org\r\nTo: ada@example.org\r\nSubject: Hello\r\n"));
    CHECK_FALSE(text.contains("Message-ID"));
    CHECK(text.ends_with("\r\n\r\nHi\r\n"));
}

TEST_CASE("mail: no line is too long, and no header has a line of its own") {
    auto mail = note();
    for (int i = 0; i < 80; ++i) mail.subject += "ö数𝄞";
    mail.subject.resize(mail.subject.size() - 300);
    while (!is_utf8(mail.subject)) mail.subject.pop_back();
    mail.text = std::string(5000, 'x') + std::string(3000, '=');
    for (int i = 0; i < 500; ++i) mail.text += "ö ";
    const auto message = net::write_mail(mail, kFrom, {}).value();
    std::istringstream lines(message);
    int words = 0;
    for (std::string line; std::getline(lines, line);) {
        CHECK(line.size() <= 77);  // with its CR
        const auto word = line.find("=?utf-8?B?");
        if (word == line.npos) continue;
        ++words;
        CHECK(is_utf8(base64_decode(line.substr(word + 10, line.find("?=") - word - 10)).value()));
    }
    CHECK(words > 10);
    for (const std::string bad : {"a\nBcc: eve@example.org", "a\r\nX: y", "a\rb", "a\tb", "\xff"}) {
        CAPTURE(bad);
        auto wrong = note();
        wrong.subject = bad;
        CHECK(net::write_mail(wrong, kFrom, {}).error().message.starts_with("The subject"));
        wrong = note();
        wrong.to.name = bad == "a\tb" ? "\x7f" : bad;
        CHECK(net::write_mail(wrong, kFrom, {}).error().code == ErrorCode::invalid);
        wrong = note();
        wrong.key = bad;
        CHECK(net::write_mail(wrong, kFrom, {}).error().code == ErrorCode::invalid);
        wrong = note("ada@example.org" + bad);
        if (bad != "\xff") CHECK(!net::write_mail(wrong, kFrom, {}));
    }
    auto wrong = note();
    wrong.text = "\xff";
    CHECK(net::write_mail(wrong, kFrom, {}).error().code == ErrorCode::invalid);
    wrong.text = std::string(300'000, 'x');
    CHECK(net::write_mail(wrong, kFrom, {}).error().code == ErrorCode::invalid);
}

TEST_CASE("mail: a server reads what was sent") {
    const MailServer server;
    Office office(at(server.address()));
    Mail mail{
        .to = {"Zoë \"Z\" Ünal", "zoe@example.org"},
        .subject = "Kalender von Zoë – 数学 – braucht dich, und zwar noch heute, bitte",
        .text = ".\r\n..\n.dot\n" + std::string(3000, 'x') + " ü\nFrom here\n= =3D\ttab \n\nend",
        .key = "job-7"};
    REQUIRE(outcome_of(office.send(mail)) == "ok");
    REQUIRE(outcome_of(office.send(note())) == "ok");
    const auto first = server.message(1);
    CHECK(first.at("mail_from") == "cal@example.org");
    CHECK(json::serialize(first.at("to")) == R"(["zoe@example.org"])");
    const auto& headers = first.at("headers").as_object();
    CHECK(json::text_of(headers, "Subject") == mail.subject);
    CHECK(headers.at("To") == "\"Zoë \\\"Z\\\" Ünal\" <zoe@example.org>");
    CHECK(headers.at("From") == "Calhost <cal@example.org>");
    CHECK(headers.at("Message-ID") == "<job-7@example.org>");
    CHECK(json::text_of(first, "text") ==
          ".\n..\n.dot\n" + std::string(3000, 'x') + " ü\nFrom here\n= =3D\ttab \n\nend\n");
    CHECK(first.at("is_encrypted") == false);
    CHECK(server.message(2).at("text") == "Hi\n");
}

TEST_CASE("mail: what a server refuses for good is not what it cannot take now") {
    const MailServer server;
    Office office(at(server.address()));
    CHECK(outcome_of(office.send(note("nobody@example.org"))) ==
          "invalid: The mail server " + server.address() +
              " refuses the message or its recipient (550).");
    CHECK(outcome_of(office.send(note("later@example.org"))) ==
          "unavailable: The mail server " + server.address() +
              " cannot take the message now (451).");
    CHECK(outcome_of(office.send(note())) == "ok");
}

TEST_CASE("mail: a server that is not there, and one that says nothing") {
    std::string address;
    {
        const MailServer server;
        address = server.address();
        auto impatient = at(address);
        impatient.timeout = milliseconds{300};
        Office office(impatient);
        CHECK(outcome_of(office.send(note("slow@example.org"))) ==
              "timeout: The mail server " + address + " did not take the message in time.");
        // This one takes it, and does not say goodbye.
        impatient.timeout = milliseconds{3000};
        CHECK(outcome_of(Office(impatient).send(note("rude@example.org"))) == "ok");
        CHECK(json::text_of(server.message(1), "text") == "Hi\n");
    }
    Office office(at(address));
    CHECK(outcome_of(office.send(note()))
              .starts_with("unavailable: The mail server " + address + " cannot be reached"));
}

TEST_CASE("mail: closing cuts what is under way and refuses what comes later") {
    const MailServer server;
    Office office(at(server.address()));
    std::thread closer([&] {
        while (!server.is_slow()) std::this_thread::sleep_for(milliseconds{5});
        office.mailer->close();
    });
    CHECK(outcome_of(office.send(note("slow@example.org"))).starts_with("unavailable: "));
    closer.join();
    CHECK(outcome_of(office.send(note())) == "unavailable: The host is shutting down.");
}

TEST_CASE("mail: STARTTLS is used where it is offered, and the certificate must be good") {
    const TlsPair pair("localhost");
    const MailServer server(pair.files());
    auto trusting = at(server.address());
    trusting.authorities = pair.files().certificate;
    REQUIRE(outcome_of(Office(trusting).send(note())) == "ok");
    CHECK(server.message(1).at("is_encrypted") == true);
    CHECK(server.message(1).at("user") == "");
    CHECK(outcome_of(Office(at(server.address())).send(note())) ==
          "misconfigured: The mail server " + server.address() +
              " has a certificate that is not good.");

    auto known = trusting;
    known.username = "ann";
    known.password = Secret("s3cret");
    REQUIRE(outcome_of(Office(known).send(note())) == "ok");
    CHECK(server.message(2).at("user") == "ann");
    known.password = Secret("wrong");
    CHECK(outcome_of(Office(known).send(note())) ==
          "misconfigured: The mail server " + server.address() +
              " refuses mail.username and mail.password.");
}

TEST_CASE("mail: a password does not leave the machine in the clear") {
    const MailServer server;
    // Loopback too, but not by its name.
    auto elsewhere = at("2130706433" + server.address().substr(9));
    CHECK(outcome_of(Office(elsewhere).send(note())) == "ok");
    elsewhere.username = "ann";
    elsewhere.password = Secret("s3cret");
    CHECK(outcome_of(Office(elsewhere).send(note())).contains("offers no STARTTLS"));
}

}  // namespace
