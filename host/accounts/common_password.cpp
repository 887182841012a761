#include "accounts/common_password.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

namespace calhost::accounts {
namespace {

constexpr int kFewPieces = 4;
constexpr std::size_t kShortUnit = 8;
constexpr std::size_t kFewDigits = 4;
constexpr std::size_t kShortestWalk = 3;
constexpr std::size_t kLongest = 128;

// What people build passwords from: the word itself, affection, names, teams, heroes, the calendar,
// colours, makers, what the password is for.
constexpr std::string_view kWords =
    "password passwort passwd pass parola contrasena welcome letmein login logon admin "
    "administrator root user guest test testing tester demo default changeme change secret "
    "access private temp temporary system server service manager office work company calendar "
    "calhost internet computer network install web new old my me mine the this that is it in "
    "of on to and for with we you your who god trust love lover loveme iloveyou ilove forever "
    "always family mother father mommy daddy baby babe girl boy angel princess prince queen "
    "king sweet heart honey sugar lucky happy smile sunshine sunny rainbow flower butterfly "
    "dragon monkey tiger lion eagle wolf bear horse dog doggy cat kitty puppy chicken cookie "
    "chocolate banana cheese pepper coffee butter peanut orange apple cherry football baseball "
    "basketball soccer hockey tennis golf player game gamer master killer hunter ranger "
    "warrior soldier shadow ninja super superman batman spiderman hero man star starwars "
    "startrek pokemon pikachu minecraft playstation xbox nintendo matrix phoenix thunder "
    "freedom liberty power magic mustang harley ferrari mercedes porsche yankees cowboys "
    "liverpool chelsea arsenal barcelona juventus america england london berlin paris newyork "
    "california texas google samsung microsoft facebook apples iphone android windows linux "
    "summer winter spring autumn january february march april june july august september "
    "october november december monday tuesday wednesday thursday friday saturday sunday "
    "morning night red blue green black white silver golden purple yellow michael michelle "
    "jordan jackson jennifer jessica ashley daniel charlie thomas andrew robert alexander alex "
    "alexandra christopher christian chris anthony matthew joshua justin jonathan william "
    "joseph george richard martin patrick steven kevin brandon nicholas nicole amanda samantha "
    "elizabeth stephanie victoria hannah maggie buster bailey ginger maria anna peter david "
    "james bond john bieber jesus christ heaven hello world qwerty azerty qwertz asdf qaz wsx "
    "edc rfv abc fuck fucking fuckyou shit bitch sexy leave alone whatever nothing something "
    "nopassword mypassword mail email phone mobile mentor mentee student teacher school "
    "metallica slipknot nirvana guitar music final fantasy need speed counter strike mortal "
    "kombat resident evil never home gfhjkm ghbdtn ghjcnj fktrcfylh dkflbvbh yfnfif lost "
    "combat devil cry lantern punk dead iron captain harry potter professional international "
    "supernatural unbelievable intelligence transformers satisfaction entertainment "
    "civilization construction cheeseburger philadelphia sanfrancisco sonnenschein "
    "weihnachtsbaum schatz hallo liebe amor soleil bonjour motdepasse azertyuiop ericsson sony "
    "nokia solutions anytime today business project domain lock standard worm sword "
    "mailcreated polniypizdec sojdlg aljg";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/// P@ssw0rd: the letter itself, or a sign that is drawn like it.
bool stands_for(char written, char letter) {
    static constexpr std::array<std::string_view, 7> disguises{"a@4", "e3",  "i1!", "l1",
                                                               "o0",  "s$5", "t7"};
    return written == letter || std::ranges::any_of(disguises, [&](std::string_view disguise) {
               return disguise.front() == letter && disguise.contains(written);
           });
}

const std::vector<std::string_view>& common_words() {
    static const auto words = [] {
        std::vector<std::string_view> split;
        for (std::size_t at = 0; at < kWords.size();) {
            const auto end = std::min(kWords.find(' ', at), kWords.size());
            split.push_back(kWords.substr(at, end - at));
            at = end + 1;
        }
        return split;
    }();
    return words;
}

bool starts_with_word(std::string_view text, std::string_view word) {
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(),
                      [](char letter, char written) { return stands_for(written, letter); });
}

bool are_neighbours(char a, char b) {
    static constexpr std::array<std::string_view, 4> rows{"1234567890-=", "qwertyuiop[]",
                                                          "asdfghjkl;'", "zxcvbnm,./"};
    const auto place = [](char key) -> std::pair<int, int> {
        for (std::size_t row = 0; row < rows.size(); ++row)
            if (const auto column = rows[row].find(key); column != std::string_view::npos)
                return {static_cast<int>(row), static_cast<int>(column)};
        return {-9, -9};
    };
    if (a == b) return true;
    if (is_letter(a) && is_letter(b) && std::abs(a - b) == 1) return true;
    const auto [row, column] = place(a);
    const auto [other_row, other_column] = place(b);
    return row >= 0 && other_row >= 0 && std::abs(row - other_row) <= 1 &&
           std::abs(column - other_column) <= 1;
}

/// Two walks braided into one: a1s2d3f4, 1a2a3a4a.
bool is_braid(std::string_view text) {
    for (std::size_t at = 2; at < text.size(); ++at)
        if (!are_neighbours(text[at - 2], text[at])) return false;
    return true;
}

std::size_t walk_length(std::string_view text) {
    std::size_t length = 1;
    while (length < text.size() && are_neighbours(text[length - 1], text[length])) ++length;
    return length;
}

/// The fewest pieces that make up the text.
int count_pieces(std::string_view text) {
    std::vector<int> fewest(text.size() + 1, static_cast<int>(text.size()) + 1);
    fewest[0] = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto rest = text.substr(at);
        const auto reach = [&](std::size_t length) {
            fewest[at + length] = std::min(fewest[at + length], fewest[at] + 1);
        };
        reach(1);
        for (std::size_t n = 1; n <= std::min(kFewDigits, rest.size()) && is_digit(rest[n - 1]);
             ++n)
            reach(n);
        for (std::size_t n = walk_length(rest); n >= kShortestWalk; --n) reach(n);
        for (const auto word : common_words())
            if (starts_with_word(rest, word)) reach(word.size());
    }
    return fewest[text.size()];
}

bool repeats_a_short_unit(std::string_view text) {
    for (std::size_t unit = 1; unit <= std::min(kShortUnit, text.size() / 2); ++unit)
        if (text.substr(unit) == text.substr(0, text.size() - unit)) return true;
    return false;
}

}  // namespace

bool is_common_password(std::string_view password) {
    std::string text(password.substr(0, kLongest));
    std::ranges::transform(text, text.begin(), lower);
    return repeats_a_short_unit(text) || is_braid(text) || count_pieces(text) <= kFewPieces;
}

}  // namespace calhost::accounts
