#include "sendmail_options.hh"

#include <algorithm>
#include <string_view>

namespace kurir::cli {
namespace {

// Flags of other sendmails that programs pass and that ask for nothing this one does otherwise:
// -n, -U, -G and the like have no value, -B, -h, -V and the like have one.
constexpr std::string_view flags_known = "nUGmvs";
constexpr std::string_view values_known = "BhVLOXARpd";

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return text;
}

bool is_notify(const std::string& text) {
  if (text == "NEVER") return true;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view one = rest.substr(0, comma);
    if (one != "SUCCESS" && one != "FAILURE" && one != "DELAY") return false;
    if (comma == std::string_view::npos) return true;
    rest.remove_prefix(comma + 1);
  }
}

class Parser {
 public:
  explicit Parser(std::span<char* const> arguments) : rest_(arguments) {
    options_.location = usual_location();
  }

  std::expected<SendmailOptions, std::string> parse() {
    while (!rest_.empty() && fault_.empty()) {
      const std::string_view argument = take();
      if (argument == "--") break;
      if (argument == "--data" || argument == "--config") {
        options_.location = {};
        (argument == "--data" ? options_.location.data : options_.location.config) =
            value_of("", argument);
      } else if (argument.size() > 1 && argument.front() == '-') {
        take_flags(argument.substr(1));
      } else {
        options_.recipients.emplace_back(argument);
      }
    }
    options_.recipients.insert(options_.recipients.end(), rest_.begin(), rest_.end());
    if (!fault_.empty()) return std::unexpected(fault_);
    return std::move(options_);
  }

 private:
  std::string_view take() {
    const std::string_view first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }

  std::string value_of(std::string_view attached, std::string_view flag) {
    if (!attached.empty()) return std::string(attached);
    if (!rest_.empty()) return std::string(take());
    fault_ = std::string(flag) + " needs a value";
    return {};
  }

  // Flags without values may share a dash: -ti.
  void take_flags(std::string_view flags) {
    for (; !flags.empty(); flags.remove_prefix(1)) {
      const char flag = flags.front();
      if (flag == 't') {
        options_.reads_recipients = true;
      } else if (flag == 'i') {
        options_.ignores_dots = true;
      } else if (!flags_known.contains(flag)) {
        return take_valued(flag, flags.substr(1));
      }
    }
  }

  void take_valued(char flag, std::string_view attached) {
    const std::string name = std::string("-") + flag;
    switch (flag) {
      case 'f':
      case 'r':
        options_.sender = take_sender(attached, name);
        return;
      case 'F':
        options_.full_name = value_of(attached, name);
        return;
      case 'N':
        options_.notify = upper(value_of(attached, name));
        if (!is_notify(options_.notify)) fault_ = "-N takes never, or success, failure, delay";
        return;
      case 'C':
        options_.location = {.config = value_of(attached, name)};
        return;
      case 'o':  // -oi; the other -o are about how errors are told, which exit codes do
        if (attached.starts_with('i')) options_.ignores_dots = true;
        if (attached.empty()) static_cast<void>(value_of(attached, name));
        return;
      case 'q':
        options_.mode = SendmailOptions::Mode::flush;
        return;
      case 'b':
        return take_mode(attached);
      default:
        if (!values_known.contains(flag)) fault_ = name + " is no option of this sendmail";
        static_cast<void>(value_of(attached, name));
    }
  }

  std::string take_sender(std::string_view attached, const std::string& name) {
    if (attached.empty() && !rest_.empty() && std::string_view(rest_.front()).empty()) {
      static_cast<void>(take());
      return {};
    }
    return value_of(attached, name);
  }

  void take_mode(std::string_view mode) {
    if (mode == "p") {
      options_.mode = SendmailOptions::Mode::list;
    } else if (mode == "s") {
      options_.mode = SendmailOptions::Mode::smtp;
    } else if (mode != "m") {
      fault_ = "-b" + std::string(mode) + " is not done here: kurir serve runs the server";
    }
  }

  std::span<char* const> rest_;
  SendmailOptions options_;
  std::string fault_;
};

}  // namespace

std::expected<SendmailOptions, std::string> parse_sendmail(std::span<char* const> arguments) {
  return Parser(arguments).parse();
}

}  // namespace kurir::cli
