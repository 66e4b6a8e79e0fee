#include "kurir/wire/downgrade.hh"

#include <gtest/gtest.h>

#include "kurir/wire/header.hh"
#include "kurir/wire/mime.hh"
#include "kurir/wire/smtp_data.hh"
#include "kurir/wire/transfer_encoding.hh"

namespace kurir::wire {
namespace {

using namespace std::string_view_literals;
constexpr auto seven_bit = ContentClass::seven_bit;
constexpr auto eight_bit = ContentClass::eight_bit;

struct Row {
  std::string_view name;
  ContentClass to;
  std::string_view message, converted;  // converted empty: it cannot be
};
constexpr Row rows[] = {
    {"ascii_stays", seven_bit, "Subject: x\r\n\r\ntext\r\n"sv, "Subject: x\r\n\r\ntext\r\n"sv},
    {"text_becomes_quoted_printable", seven_bit,
     "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
     "Content-Transfer-Encoding: 8bit\r\nSubject: x\r\n\r\nsm\xC3\xB6rg\r\n.dot=\r\n"sv,
     "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nSubject: x\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\nsm=C3=B6rg\r\n.dot=3D\r\n"sv},
    {"what_is_no_mime_gets_a_charset", seven_bit, "Subject: x\r\n\r\n\xE5\r\n"sv,
     "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E5\r\n"sv},
    {"other_types_become_base64", seven_bit,
     "MIME-Version: 1.0\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
     "\xFF\xD8\r\n"sv,
     "MIME-Version: 1.0\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
     "/9gNCg==\r\n"sv},
    {"only_the_part_that_needs_it", seven_bit,
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
     "Content-Transfer-Encoding: 8bit\r\n\r\npre\xC3\r\n--b\r\n\r\nascii\r\n--b\r\n"
     "Content-Type: text/plain\r\n\r\n\xC3\xA5\r\n--b\r\nContent-Type: a/b\r\n\r\n\xC3\r\n"
     "--b--\r\npost\r\n"sv,
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
     "pre?\r\n--b\r\n\r\nascii\r\n--b\r\nContent-Type: text/plain\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A5\r\n--b\r\nContent-Type: a/b\r\n"
     "Content-Transfer-Encoding: base64\r\n\r\nww==\r\n--b--\r\npost\r\n"sv},
    {"a_message_in_it_is_converted_inside", seven_bit,
     "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"
     "\r\nSubject: y\r\nContent-Type: text/x\r\n\r\n\xC3\xA5\r\n"sv,
     "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n"
     "Content-Type: text/x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A5\r\n"sv},
    {"what_is_signed_stays_where_it_fits", seven_bit,
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
     "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nascii\r\n--b--\r\n--o\r\n\r\n"
     "\xC3\xA5\r\n--o--\r\n"sv,
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
     "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nascii\r\n--b--\r\n--o\r\n"
     "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A5\r\n--o--\r\n"sv},
    {"what_is_signed_cannot", seven_bit,
     "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xC3\xA5\r\n--b--\r\n"sv, ""sv},
    {"what_is_deep_in_signed_cannot", seven_bit,
     "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n"
     "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n\xC3\r\n--c--\r\n--b--\r\n"sv,
     ""sv},
    {"a_header_cannot", seven_bit, "Subject: \xC3\xA5\r\n\r\ntext\r\n"sv, ""sv},
    {"a_partial_message_cannot", seven_bit, "Content-Type: message/partial\r\n\r\n\xC3\r\n"sv,
     ""sv},
    {"what_claims_to_be_base64_cannot", seven_bit,
     "Content-Transfer-Encoding: base64\r\n\r\n\xC3\r\n"sv, ""sv},
    {"a_multipart_without_boundary_cannot", seven_bit,
     "Content-Type: multipart/mixed\r\n\r\n\xC3\r\n"sv, ""sv},
    {"eight_bits_stay_for_who_takes_them", eight_bit,
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\r\n\xC3\r\n"sv,
     "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
     "Content-Transfer-Encoding: 8bit\r\n\r\n\xC3\r\n"sv},
    {"binary_becomes_base64", eight_bit,
     "MIME-Version: 1.0\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n."sv,
     "MIME-Version: 1.0\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
     "AAou\r\n"sv},
    {"text_with_bare_ends_becomes_base64", eight_bit,
     "MIME-Version: 1.0\r\nContent-Type: text/x\r\nContent-Transfer-Encoding: binary\r\n\r\na\nb"sv,
     "MIME-Version: 1.0\r\nContent-Type: text/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
     "YQpi\r\n"sv},
    {"bare_ends_in_a_header_cannot", eight_bit, "Subject: x\ry\r\n\r\ntext\r\n"sv, ""sv},
    {"bare_ends_between_parts_cannot", eight_bit,
     "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\n\r\nx\r\n--b--\r\n"sv, ""sv},
};

class Downgrade : public testing::TestWithParam<Row> {};
TEST_P(Downgrade, as_written) {
  const std::optional<std::string> converted = downgrade(GetParam().message, GetParam().to);
  EXPECT_EQ(converted.value_or(""), GetParam().converted);
}
INSTANTIATE_TEST_SUITE_P(Rows, Downgrade, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

// threats.md A2: smuggled ends of content do not survive.
TEST(DowngradeOfBinary, leaves_no_bare_line_ends_whatever_is_in_it) {
  std::string body;
  for (const std::string_view end : {"\n.\n"sv, "\n.\r\n"sv, "\r\n.\n"sv, "\r.\r"sv, "\r\n.\r"sv,
                                     "\r\n\0.\r\n"sv, "\r\r\n.\r\r\n"sv})
    (body += end) += "MAIL FROM:<>";
  const auto converted = downgrade("Content-Type: a/b\r\n\r\n" + body, seven_bit);
  ASSERT_TRUE(converted.has_value());
  ContentScanner scanner;
  scanner.feed(*converted);
  EXPECT_FALSE(scanner.facts().has_bare_line_end() || scanner.facts().nul ||
               scanner.facts().eight_bit || scanner.facts().dot_line);
  const MimeStructure structure = parse_mime(*converted);
  std::string decoded;
  decode_in_steps(TransferEncoding::base64, structure.parts[0].body.of(*converted),
                  [&](std::string_view step) {
                    decoded += step;
                    return true;
                  });
  EXPECT_EQ(decoded, body);
}

TEST(DowngradeOfLongLines, folds_them) {
  const auto converted = downgrade("S: x\r\n\r\n" + std::string(5000, 'a') + "\r\n", seven_bit);
  ASSERT_TRUE(converted.has_value());
  ContentScanner scanner;
  scanner.feed(*converted);
  EXPECT_FALSE(scanner.facts().long_line);
}

}  // namespace
}  // namespace kurir::wire
