#include "kurir/wire/transfer_encoding.hh"

#include <gtest/gtest.h>

#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

struct Row {
  TransferEncoding encoding;
  std::string_view body, decoded;
};
constexpr auto b64 = TransferEncoding::base64;
constexpr auto qp = TransferEncoding::quoted_printable;
constexpr Row rows[] = {
    {TransferEncoding::identity, "a=20\r\n", "a=20\r\n"},
    {TransferEncoding::unknown, "a=20\r\n", "a=20\r\n"},
    {b64, "", ""},
    {b64, "aGVsbG8=", "hello"},
    {b64, "aGVs\r\nbG8=\r\n", "hello"},
    {b64, "aGVsbG8", "hello"},
    {b64, "aGVsb*G8=", "hello"},
    {b64, "aGVsbG8=aGVsbG8=", "hellohello"},
    {b64, "YQ==", "a"},
    {b64, "YWI=", "ab"},
    {b64, "Y", ""},
    {b64, "====", ""},
    {qp, "", ""},
    {qp, "caf=C3=A9 ol=c3=a9\r\n", "caf\xC3\xA9 ol\xC3\xA9\r\n"},
    {qp, "soft=\r\nbreak=\nbreak=  \t\r\n", "softbreakbreak"},
    {qp, "trailing  \t\r\nx \ny", "trailing\r\nx\ny"},
    {qp, "inner  white\tspace", "inner  white\tspace"},
    {qp, "end  ", "end"},
    {qp, "=zz =4 =4z =", "=zz =4 =4z ="},
    {qp, "=4\r\n=4\n==41", "=4\r\n=4\n=A"},
    {qp, " \rx", " \rx"},
    {qp, "= \rx", "= \rx"},
    {qp, "=\r", "=\r"},
    {qp, "a =20\r\n", "a  \r\n"},
};

TEST(TransferEncoding, decodes_in_any_slices) {
  for (const Row& row : rows) {
    test::feed_slices(row.body, [&](const auto& slices) {
      TransferDecoder decoder(row.encoding);
      std::string decoded;
      for (const auto& slice : slices) decoder.decode(std::string_view(slice), decoded);
      decoder.finish(decoded);
      EXPECT_EQ(decoded, row.decoded) << row.body;
    });
    EXPECT_EQ(decoded_octets(row.encoding, row.body), row.decoded.size());
  }
}

TEST(TransferEncoding, quoted_printable_is_written_so_that_any_octets_come_back) {
  struct Case {
    std::string_view text, encoded;
  };
  const std::string long_line(100, 'x');
  const std::string broken = std::string(75, 'x') + "=\r\n" + std::string(25, 'x');
  const Case cases[] = {
      {"", ""},
      {"caf\xC3\xA9 = 1\r\n", "caf=C3=A9 =3D 1\r\n"},
      {"end \r\n\t\r\n ", "end=20\r\n=09\r\n=20"},
      {"a\rb\nc", "a=0Db=0Ac"},
      {std::string_view("\0\x7f", 2), "=00=7F"},
      {long_line, broken},
  };
  for (const Case& c : cases) {
    std::string encoded;
    append_quoted_printable(encoded, c.text);
    EXPECT_EQ(encoded, c.encoded);
    TransferDecoder decoder(qp);
    std::string decoded;
    decoder.decode(encoded, decoded);
    decoder.finish(decoded);
    EXPECT_EQ(decoded, c.text);
  }
}

TEST(TransferEncoding, white_space_held_back_is_bounded) {
  const std::string spaces(100'000, ' ');
  TransferDecoder decoder(qp);
  std::string decoded;
  decoder.decode(spaces, decoded);
  EXPECT_GE(decoded.size(), spaces.size() - 1000);
  decoder.decode("x", decoded);
  EXPECT_EQ(decoded, spaces + "x");
}

TEST(TransferEncoding, names) {
  EXPECT_EQ(transfer_encoding(""), TransferEncoding::identity);
  EXPECT_EQ(transfer_encoding(" 8BIT "), TransferEncoding::identity);
  EXPECT_EQ(transfer_encoding("Base64"), b64);
  EXPECT_EQ(transfer_encoding("QUOTED-printable"), qp);
  EXPECT_EQ(transfer_encoding("x-uuencode"), TransferEncoding::unknown);
}

TEST(TransferEncoding, steps_end_when_the_sink_has_enough) {
  const std::string body(100'000, 'A');
  int calls = 0;
  decode_in_steps(b64, body, [&](std::string_view) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace kurir::wire
