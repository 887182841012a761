#include "crypto/key_ring.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include <array>
#include <thread>

#include "base/encoding.h"
#include "support/seeded_random.h"

using namespace calhost;
using namespace calhost::crypto;

namespace {

constexpr Place kPlace{"connections", "refresh_token", "row-1", "user-1"};

NamedKey key(std::string id, char fill) { return {std::move(id), Secret(std::string(32, fill))}; }

KeyRing ring_of(std::vector<NamedKey> keys, std::string active) {
    auto ring = KeyRing::create(std::move(keys), std::move(active));
    REQUIRE(ring.has_value());
    return std::move(*ring);
}

KeyRing one_key() { return ring_of({key("k1", 'a')}, "k1"); }

/// What the older systems did: Node's createCipheriv("aes-256-gcm", key, iv) without setAAD.
std::string seal_as_node(const Secret& key, const std::string& iv, std::string_view plain) {
    const auto bytes = [](const std::string_view text) {
        return reinterpret_cast<const unsigned char*>(text.data());
    };
    auto* context = EVP_CIPHER_CTX_new();
    std::string data(plain.size(), '\0'), tag(16, '\0');
    auto* out = reinterpret_cast<unsigned char*>(data.data());
    int length = 0;
    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nullptr, nullptr, nullptr);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_IVLEN, static_cast<int>(iv.size()), nullptr);
    EVP_EncryptInit_ex(context, nullptr, nullptr, bytes(key.expose()), bytes(iv));
    EVP_EncryptUpdate(context, out, &length, bytes(plain), static_cast<int>(plain.size()));
    EVP_EncryptFinal_ex(context, out + length, &length);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag.data());
    EVP_CIPHER_CTX_free(context);
    return hex_encode(iv) + ":" + hex_encode(tag) + ":" + hex_encode(data);
}

void check_refused(const Result<Secret>& opened, ErrorCode code) {
    REQUIRE(!opened.has_value());
    CHECK(opened.error().code == code);
}

}  // namespace

TEST_CASE("key ring: what was sealed opens in its place, byte for byte") {
    const auto ring = one_key();
    test::SeededRandom random(1);
    using namespace std::string_literals;
    for (const auto& plain : {""s, "1//refresh-token"s, "a\0b\xff"s, std::string(100'000, 'x')}) {
        const auto sealed = ring.seal(Secret(plain), kPlace, random);
        CHECK(sealed.starts_with("v1:k1:"));
        CHECK(sealed.size() == 6 + 24 + 1 + 32 + 1 + 2 * plain.size());
        CHECK(KeyRing::key_id_of(sealed) == "k1");
        const auto opened = ring.open(sealed, kPlace);
        REQUIRE(opened.has_value());
        CHECK(opened->expose() == plain);
    }
}

TEST_CASE("key ring: AES-256-GCM gives the answer of the GCM specification, test case 15") {
    // Test case 15 has no additional data, like the older form, so that is the form it opens in.
    const auto nist =
        parse_key("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").value();
    const auto ring = ring_of({{"nist", nist}}, "nist");
    const auto opened = ring.open(
        "cafebabefacedbaddecaf888:b094dac5d93471bdec1a502270e3cc6c:"
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
        kPlace);
    REQUIRE(opened.has_value());
    CHECK(hex_encode(opened->expose()) ==
          "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
          "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255");
}

TEST_CASE("key ring: no two seals of one value are alike") {
    const auto ring = one_key();
    test::SeededRandom random(2);
    CHECK(ring.seal(Secret("x"), kPlace, random) != ring.seal(Secret("x"), kPlace, random));
}

TEST_CASE("key ring: a value moved to another table, column, row or user does not open") {
    const auto ring = one_key();
    test::SeededRandom random(3);
    const auto sealed = ring.seal(Secret("token"), kPlace, random);
    const Place elsewhere[] = {
        {"bookings", "refresh_token", "row-1", "user-1"},
        {"connections", "access_token", "row-1", "user-1"},
        {"connections", "refresh_token", "row-2", "user-1"},
        {"connections", "refresh_token", "row-1", "user-2"},
        {"connections", "refresh_token", "row-1", ""},
        // The same letters cut elsewhere.
        {"connection", "srefresh_token", "row-1", "user-1"},
        {"connections", "refresh_tokenrow-1", "", "user-1"},
        {"connections", "refresh_token", "row-1user", "-1"},
        {"refresh_token", "connections", "row-1", "user-1"},
    };
    for (const auto& place : elsewhere) check_refused(ring.open(sealed, place), ErrorCode::invalid);
}

TEST_CASE("key ring: 10,000 bit flips of sealed values are all refused") {
    const auto ring = ring_of({key("k1", 'a'), key("k2", 'b'), key("K1", 'c')}, "k1");
    test::SeededRandom random(4);
    const std::string old = seal_as_node(Secret(std::string(32, 'a')), random_bytes(random, 16),
                                         "an older refresh token");
    for (int i = 0; i < 10'000; ++i) {
        auto sealed =
            i % 4 == 0 ? old : ring.seal(Secret("1//refresh-token-of-a-person"), kPlace, random);
        auto& hit = sealed[random_below(random, sealed.size())];
        hit = static_cast<char>(hit ^ 1 << random_below(random, 8));
        const auto opened = ring.open(sealed, kPlace);
        REQUIRE_MESSAGE(!opened.has_value(), sealed);
        CHECK((opened.error().code == ErrorCode::invalid ||
               opened.error().code == ErrorCode::misconfigured));
    }
}

TEST_CASE("key ring: 10,000 swaps between sealed values are all refused, others stay unharmed") {
    const auto ring = ring_of({key("k1", 'a'), key("k2", 'b')}, "k1");
    test::SeededRandom random(5);
    struct Row {
        std::string id, sealed;
    };
    std::vector<Row> rows;
    for (int i = 0; i < 100; ++i) {
        const auto id = "row-" + std::to_string(i);
        const Place place{"connections", "token", id, "user"};
        rows.push_back({id, ring.seal(Secret("token of " + id), place, random)});
    }
    const auto cut = [](std::size_t part) {
        constexpr std::array<std::size_t, 4> begins{6, 31, 64, std::string::npos};
        return std::pair(begins[part], begins[part + 1] - begins[part]);
    };
    for (int i = 0; i < 10'000; ++i) {
        const auto a = random_below(random, rows.size());
        const auto b = (a + 1 + random_below(random, rows.size() - 1)) % rows.size();
        const auto which = random_below(random, 4);
        auto sealed = rows[b].sealed;  // the whole value, or one of its three parts
        if (which < 3) {
            const auto [at, size] = cut(which);
            sealed = rows[a].sealed;
            sealed.replace(at, size, rows[b].sealed, at, size);
        }
        check_refused(ring.open(sealed, {"connections", "token", rows[a].id, "user"}),
                      ErrorCode::invalid);
    }
    for (const auto& row : rows)
        CHECK(ring.open(row.sealed, {"connections", "token", row.id, "user"})->expose() ==
              "token of " + row.id);
}

TEST_CASE("key ring: what is no sealed value is refused") {
    const auto ring = one_key();
    test::SeededRandom random(6);
    const auto sealed = ring.seal(Secret("token"), kPlace, random);
    auto upper = sealed;
    for (auto& c : std::span(upper).subspan(6))
        if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
    REQUIRE(upper != sealed);
    const std::string rows[] = {
        "",
        ":",
        "::",
        ":::",
        "::::",
        "plain text",
        "v1:k1",
        "v1:k1::",
        "v1:k1:::",
        "v2" + sealed.substr(2),
        "V1" + sealed.substr(2),
        sealed + ":",
        sealed + ":00",
        sealed + "0",
        sealed + "00",
        " " + sealed,
        sealed + "\n",
        sealed.substr(3),
        sealed.substr(6),
        sealed.substr(0, sealed.size() - 2),
        upper,
        "v1::" + sealed.substr(6),
        "v1:k 1:" + sealed.substr(6),
        "v1:" + std::string(65, 'k') + ":" + sealed.substr(6),
        std::string("v1:k1\0:", 7) + sealed.substr(6),
        std::string(1'000'000, ':'),
        std::string(1'000'000, 'a'),
    };
    for (const auto& row : rows) check_refused(ring.open(row, kPlace), ErrorCode::invalid);
}

TEST_CASE("key ring: short nonces and tags are refused, however well they fit") {
    const Secret raw(std::string(32, 'a'));
    const auto ring = one_key();
    test::SeededRandom random(7);
    for (const std::size_t size : {1U, 8U, 11U, 13U, 15U, 17U, 32U})
        check_refused(ring.open(seal_as_node(raw, random_bytes(random, size), "token"), kPlace),
                      ErrorCode::invalid);
    auto sealed = seal_as_node(raw, random_bytes(random, 12), "token");
    REQUIRE(ring.open(sealed, kPlace).has_value());
    sealed.erase(25 + 8, 24);  // a tag of four bytes, which GCM itself would take
    check_refused(ring.open(sealed, kPlace), ErrorCode::invalid);
}

TEST_CASE("key ring: a key taken out of the ring is named and makes the host misconfigured") {
    test::SeededRandom random(8);
    const auto sealed = ring_of({key("k0", 'z')}, "k0").seal(Secret("token"), kPlace, random);
    const auto opened = one_key().open(sealed, kPlace);
    check_refused(opened, ErrorCode::misconfigured);
    CHECK(opened.error().message.find("k0") != std::string::npos);
    CHECK(KeyRing::key_id_of(sealed) == "k0");
}

TEST_CASE("key ring: several keys open, one seals, and the key id is no more than a hint") {
    test::SeededRandom random(9);
    const auto old = ring_of({key("k1", 'a')}, "k1").seal(Secret("old"), kPlace, random);
    const auto both = ring_of({key("k1", 'a'), key("k2", 'b')}, "k2");
    CHECK(both.open(old, kPlace)->expose() == "old");
    CHECK(KeyRing::key_id_of(both.seal(Secret("new"), kPlace, random)) == "k2");
    CHECK(both.active() == "k2");
    CHECK(both.ids() == std::vector<std::string>{"k1", "k2"});
    auto renamed = old;
    renamed[4] = '2';
    check_refused(both.open(renamed, kPlace), ErrorCode::invalid);
    // One and the same key under two names: the name is part of what is authenticated.
    const auto twins = ring_of({key("k1", 'a'), key("k2", 'a')}, "k2");
    check_refused(twins.open(renamed, kPlace), ErrorCode::invalid);
}

TEST_CASE("key ring: the older three-part form opens with any key of the ring") {
    test::SeededRandom random(10);
    const auto ring = ring_of({key("k2", 'b'), key("k1", 'a')}, "k2");
    for (const char owner : {'a', 'b'})
        for (const std::size_t iv : {12U, 16U})
            for (const std::string_view plain : {"", "1//0gOldRefreshToken", "{\"a\":\"ü\"}"}) {
                const auto sealed =
                    seal_as_node(Secret(std::string(32, owner)), random_bytes(random, iv), plain);
                const auto opened = ring.open(sealed, kPlace);
                REQUIRE(opened.has_value());
                CHECK(opened->expose() == plain);
                CHECK(KeyRing::key_id_of(sealed).empty());
            }
    check_refused(
        ring.open(seal_as_node(Secret(std::string(32, 'x')), random_bytes(random, 12), "token"),
                  kPlace),
        ErrorCode::invalid);
}

TEST_CASE("key ring: a bound value does not open when its binding is cut off") {
    test::SeededRandom random(11);
    const auto ring = one_key();
    const auto sealed = ring.seal(Secret("token"), kPlace, random);
    check_refused(ring.open(sealed.substr(6), kPlace), ErrorCode::invalid);
}

TEST_CASE("key ring: rings that cannot work are refused with the reason") {
    struct Row {
        std::vector<NamedKey> keys;
        std::string active, part;
    };
    const Row rows[] = {
        {{}, "k1", "no key"},
        {{key("k1", 'a')}, "k2", "k2 is not among"},
        {{key("k1", 'a')}, "", "is not among"},
        {{key("k1", 'a'), key("k1", 'b')}, "k1", "twice"},
        {{{"k1", Secret(std::string(31, 'a'))}}, "k1", "31 bytes"},
        {{key("k1", 'a'), {"k2", Secret(std::string(33, 'a'))}}, "k1", "33 bytes"},
        {{key("k:1", 'a')}, "k:1", "letters"},
        {{key("", 'a')}, "", "letters"},
        {{key(std::string(65, 'k'), 'a')}, std::string(65, 'k'), "letters"},
    };
    for (const auto& row : rows) {
        const auto ring = KeyRing::create(row.keys, row.active);
        REQUIRE_MESSAGE(!ring.has_value(), row.part);
        CHECK(ring.error().code == ErrorCode::misconfigured);
        CHECK_MESSAGE(ring.error().message.find(row.part) != std::string::npos,
                      ring.error().message);
    }
}

TEST_CASE("key ring: keys are read as hexadecimal or as base64 of either alphabet") {
    const std::string raw = std::string(16, '\xfb') + std::string(16, '\xff');
    const auto hex = hex_encode(raw);
    auto upper = hex;
    for (auto& c : upper) c = static_cast<char>(std::toupper(c));
    const std::string nines(43, '9');  // only hexadecimal digits, and yet 32 bytes of base64
    for (const auto& text :
         {hex, upper, base64_encode(raw), base64url_encode(raw), " " + hex + "\n"}) {
        const auto read = parse_key(text);
        REQUIRE_MESSAGE(read.has_value(), text);
        CHECK(read->expose() == raw);
    }
    CHECK(parse_key(nines)->expose() == base64_decode(nines).value());
}

TEST_CASE("key ring: a key that is not 32 bytes is refused, with its size and never its text") {
    const std::pair<std::string, std::string_view> rows[] = {
        {"", "empty"},
        {"   ", "empty"},
        {std::string(62, 'a'), "31 bytes"},
        {std::string(66, 'a'), "33 bytes"},
        {std::string(32, 'a'), "16 bytes"},
        {std::string(32, 'q'), "24 bytes"},
        {base64_encode(std::string(33, 'k')), "33 bytes"},
        {"correct horse battery staple, and more", "neither"},
    };
    for (const auto& [text, part] : rows) {
        const auto read = parse_key(text);
        REQUIRE_MESSAGE(!read.has_value(), text);
        CHECK(read.error().code == ErrorCode::misconfigured);
        CHECK_MESSAGE(read.error().message.find(part) != std::string::npos, read.error().message);
        CHECK(read.error().message.find("calhost keys new") != std::string::npos);
        if (text.size() > 20) CHECK(read.error().message.find(text) == std::string::npos);
    }
}

TEST_CASE("key ring: threads seal and open side by side") {
    const auto ring = one_key();
    std::array<bool, 4> good{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < good.size(); ++t)
        threads.emplace_back([&, t] {
            test::SeededRandom random(t);
            bool all = true;
            for (int i = 0; i < 500; ++i) {
                const auto text = std::to_string(i) + " of " + std::to_string(t);
                const auto opened = ring.open(ring.seal(Secret(text), kPlace, random), kPlace);
                all = all && opened && opened->expose() == text;
            }
            good[t] = all;
        });
    for (auto& thread : threads) thread.join();
    for (const bool each : good) CHECK(each);
}
