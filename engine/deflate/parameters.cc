#include "engine/deflate/parameters.h"

#include <algorithm>
#include <optional>

#include "engine/http/chars.h"
#include "engine/http/list.h"

namespace millrace::ws {
namespace {

constexpr std::uint8_t kLeastBits = 8, kMostBits = 15;

struct Parameter {
    std::string_view name;
    std::optional<std::string_view> value;  // between its quotes if it has any, backslashes still there
};

// extension = token *( ";" token [ "=" ( token / quoted-string ) ] ) (RFC 6455 section 9.1).
class ExtensionReader {
  public:
    explicit ExtensionReader(std::string_view extension) : rest_(extension) { name_ = next_part(); }

    std::string_view name() const { return name_; }
    bool malformed() const { return malformed_ || !http::is_token(name_); }

    bool next(Parameter& parameter) {
        if (rest_.empty() || malformed_) return false;
        rest_.remove_prefix(1);  // the semicolon
        const std::string_view part = next_part();
        const std::size_t equals = part.find('=');
        parameter = {http::trim(part.substr(0, equals)), {}};
        if (equals != part.npos) parameter.value = unquote(http::trim(part.substr(equals + 1)));
        malformed_ = malformed_ || !http::is_token(parameter.name);
        return !malformed_;
    }

  private:
    // Up to a semicolon or the end. None can be quoted: a value is a token (RFC 6455 section 9.1).
    std::string_view next_part() {
        const std::size_t semicolon = rest_.find(';');
        const std::string_view part = http::trim(rest_.substr(0, semicolon));
        rest_ = semicolon == rest_.npos ? std::string_view{} : rest_.substr(semicolon);
        return part;
    }

    // RFC 9110 section 5.6.4.
    std::string_view unquote(std::string_view value) {
        const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
        if (quoted) value = value.substr(1, value.size() - 2);
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (quoted && value[i] == '\\') ++i;
            malformed_ = malformed_ || i == value.size() || !http::is_tchar(value[i]);
        }
        malformed_ = malformed_ || value.empty();
        return value;
    }

    std::string_view rest_;
    std::string_view name_;
    bool malformed_ = false;
};

// 8 to 15 in decimal, without leading zeros (section 7.1.2.1).
std::optional<std::uint8_t> window_bits(std::string_view value) {
    unsigned bits = 0;
    for (const char c : value) {
        if (c == '\\') continue;
        if (!http::is_digit(c) || (bits == 0 && c == '0') || bits > kMostBits) return {};
        bits = bits * 10 + static_cast<unsigned>(c - '0');
    }
    if (bits < kLeastBits || bits > kMostBits) return {};
    return static_cast<std::uint8_t>(bits);
}

// The four parameters of one permessage-deflate, each at most once.
struct Parameters {
    bool server_no_takeover = false, client_no_takeover = false;
    bool server_bits_given = false, client_bits_given = false;
    std::optional<std::uint8_t> server_bits, client_bits;
    bool right = true;  // known, once, with such values as they may have

    void take(const Parameter& p) {
        if (p.name == "server_no_context_takeover") return flag(server_no_takeover, p);
        if (p.name == "client_no_context_takeover") return flag(client_no_takeover, p);
        if (p.name == "server_max_window_bits") return bits(server_bits_given, server_bits, p);
        if (p.name == "client_max_window_bits") return bits(client_bits_given, client_bits, p);
        right = false;
    }

  private:
    void flag(bool& seen, const Parameter& p) {
        right = right && !seen && !p.value;
        seen = true;
    }
    void bits(bool& seen, std::optional<std::uint8_t>& out, const Parameter& p) {
        if (p.value) out = window_bits(*p.value);
        right = right && !seen && (!p.value || out);
        seen = true;
    }
};

// Of a list's member: whether it is permessage-deflate, and with what.
ExtensionVerdict read_deflate(std::string_view member, Parameters& out) {
    ExtensionReader extension(member);
    const bool ours = extension.name() == "permessage-deflate";
    for (Parameter parameter; extension.next(parameter);)
        if (ours) out.take(parameter);
    if (extension.malformed()) return ExtensionVerdict::kMalformed;
    return ours ? ExtensionVerdict::kAgreed : ExtensionVerdict::kNone;
}

// Section 7.1.2.1: in an offer the server's bits have a value; the client's need none.
bool acceptable(const Parameters& offer) {
    return offer.right && (!offer.server_bits_given || offer.server_bits);
}

}  // namespace

ExtensionVerdict accept_deflate_offer(std::string_view value, const DeflatePolicy& policy,
                                      DeflateParameters& out) {
    auto verdict = ExtensionVerdict::kNone;
    http::ListReader offers(value);
    for (std::string_view member; offers.next(member);) {
        Parameters offer;
        const ExtensionVerdict read = read_deflate(member, offer);
        if (read == ExtensionVerdict::kMalformed) return read;
        if (read == ExtensionVerdict::kNone || verdict == ExtensionVerdict::kAgreed || !acceptable(offer) ||
            !policy.enabled)
            continue;
        verdict = ExtensionVerdict::kAgreed;
        out.server_takeover = policy.takeover && !offer.server_no_takeover;
        out.client_takeover = policy.takeover && !offer.client_no_takeover;
        out.server_bits = std::min(policy.window_bits, offer.server_bits.value_or(kMostBits));
        out.names_server_bits = offer.server_bits_given || out.server_bits < kMostBits;
        // Section 7.1.2.2: only a client that has named the parameter can be asked to have a smaller window.
        out.client_bits = offer.client_bits_given
                              ? std::min(policy.window_bits, offer.client_bits.value_or(kMostBits))
                              : kMostBits;
    }
    return verdict;
}

void write_deflate_response(http::HeadWriter& writer, const DeflateParameters& agreed) {
    writer.text("Sec-WebSocket-Extensions: permessage-deflate");
    if (!agreed.server_takeover) writer.text("; server_no_context_takeover");
    if (!agreed.client_takeover) writer.text("; client_no_context_takeover");
    if (agreed.names_server_bits) writer.parameter("server_max_window_bits", agreed.server_bits);
    if (agreed.client_bits < kMostBits) writer.parameter("client_max_window_bits", agreed.client_bits);
    writer.text("\r\n");
}

void write_deflate_offer(http::HeadWriter& writer, const DeflatePolicy& policy) {
    writer.text("Sec-WebSocket-Extensions: permessage-deflate");
    if (!policy.takeover) writer.text("; server_no_context_takeover; client_no_context_takeover");
    if (policy.window_bits < kMostBits) {
        writer.parameter("server_max_window_bits", policy.window_bits);
        writer.parameter("client_max_window_bits", policy.window_bits);
    } else {
        writer.text("; client_max_window_bits");
    }
    writer.text("\r\n");
}

ExtensionVerdict check_deflate_response(std::string_view value, const DeflatePolicy& offered,
                                        DeflateParameters& out) {
    http::ListReader list(value);
    std::string_view member, another;
    if (!list.next(member)) return ExtensionVerdict::kMalformed;
    Parameters answer;
    const ExtensionVerdict read = read_deflate(member, answer);
    if (read == ExtensionVerdict::kMalformed) return read;
    // Sections 7.1.1.1 and 7.1.2: what was offered as a demand is in the answer, and both bits have values.
    const bool demands_met =
        offered.enabled && read == ExtensionVerdict::kAgreed && !list.next(another) && answer.right &&
        answer.server_bits_given == answer.server_bits.has_value() &&
        answer.client_bits_given == answer.client_bits.has_value() &&
        (offered.takeover || answer.server_no_takeover) &&
        (offered.window_bits == kMostBits || answer.server_bits.value_or(kMostBits) <= offered.window_bits) &&
        answer.client_bits.value_or(kLeastBits) <= offered.window_bits;
    if (!demands_met) return ExtensionVerdict::kRefused;
    out.server_takeover = !answer.server_no_takeover;
    out.client_takeover = offered.takeover && !answer.client_no_takeover;
    out.server_bits = answer.server_bits.value_or(kMostBits);
    out.names_server_bits = answer.server_bits_given;
    out.client_bits = std::min(offered.window_bits, answer.client_bits.value_or(kMostBits));
    return ExtensionVerdict::kAgreed;
}

}  // namespace millrace::ws
