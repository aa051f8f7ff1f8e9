"""Whatever bytes come, the fast reader says of every line what a plain reading of the specification says."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.flow.long_runs import examples

from .plain_reading import header_line, line_file, read_by_pipeline, read_plainly

BOM = b"\xef\xbb\xbf"
# CSV and |, UTF-8 and GB18030: every combination that a contract has.
FILES = {source: line_file(source) for source in ("tax", "banks", "household_registration")}
# Bytes that mean something to a reader of lines, and characters that share bytes with them in GB18030:
# 粅 and 攟 end in 0x7C (|), 丂 in 0x40; 㐀 and 𠮷 take four bytes, two of them ASCII digits.
PIECES = [b",", b"|", b'"', b'""', b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b"a", b"1", b"=1+1", BOM, b"\x80", b"\xff",
          b"\x81", b"\x81\x30", b"\x81\x30\x81", b"\xe5\xbc", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"]  # fmt: skip
WORDS = ["张", "粅", "攟", "丂", "㐀", "𠮷", "\u2028", "\u0085", "\u3000", "\u00a0", "\ufeff", "\ue000", "é"]


@st.composite
def line_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """(source, content): some lines have the right number of fields, some are any bytes."""
    source = draw(st.sampled_from(sorted(FILES)))
    file = FILES[source]
    separator = file.separator.encode()
    pieces = st.sampled_from(PIECES) | st.sampled_from(WORDS).map(
        lambda word: word.encode(file.encoding, "ignore")
    )
    quoted = (
        st.lists(pieces, max_size=3).map(b"".join).map(lambda body: b'"' + body.replace(b'"', b'""') + b'"')
    )
    wild = st.lists(pieces, max_size=4).map(b"".join)
    plain = st.sampled_from([b"", b"1", b"ab", "张".encode(file.encoding), "粅".encode(file.encoding)])
    field = plain | plain | quoted | wild
    right = st.lists(field, min_size=len(file.columns), max_size=len(file.columns)).map(separator.join)
    line = right | right | wild | st.just(b"") | st.binary(max_size=12)
    body = draw(st.lists(line, max_size=8))
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    last = draw(st.sampled_from([b"", end]))
    return source, end.join([header_line(file), *body]) + last


TAX, BANKS = header_line(FILES["tax"]), header_line(FILES["banks"])


@settings(max_examples=examples(120), deadline=None)
@given(line_files())
@example(("tax", TAX + b"\n" + BOM + b",,,,,,"))  # a mark inside the file is part of a field
@example(("banks", BANKS + b"\n" + BOM + b"1,,,,,,,"))  # and no whole character in GB18030
@example(("tax", TAX + b'\n"a"\r\r\n"",,"b"x,,,,'))
@example(("tax", TAX + b'\n"",",,",,,,\n","",",,,,,,'))
def test_every_line_is_what_a_plain_reading_says(drawn: tuple[str, bytes]) -> None:
    source, content = drawn
    assert read_by_pipeline(content, FILES[source]) == read_plainly(content, FILES[source])


@settings(max_examples=examples(80), deadline=None)
@given(line_files(), st.integers(1, 40))
@example(("tax", TAX + b"\na,,,,,,\n" + BOM + b"b,,,,,,\nc,,,,,,"), 8)  # begins a block of its own
def test_nothing_depends_on_where_blocks_end(drawn: tuple[str, bytes], size: int) -> None:
    source, content = drawn
    with mock.patch("pipelines.intake.lines.BLOCK_BYTES", size):
        assert read_by_pipeline(content, FILES[source]) == read_plainly(content, FILES[source])


@pytest.mark.parametrize("source", ["banks", "household_registration"])
def test_every_two_and_four_byte_character_is_read_whole(source: str) -> None:
    """All 23,940 pairs, and four-byte characters throughout: the second byte may be a separator or a digit."""
    file = FILES[source]
    pairs = [bytes([a, b]) for a in range(0x81, 0xFF) for b in (*range(0x40, 0x7F), *range(0x80, 0xFF))]
    fours = [bytes([a, b, c, d]) for a in (0x81, 0x82, 0x84, 0x90, 0xE3) for b in range(0x30, 0x3A)
             for c in range(0x81, 0xFF, 9) for d in (0x30, 0x37)]  # fmt: skip
    empty = file.separator.encode() * (len(file.columns) - 1)
    content = b"\r\n".join([header_line(file), *(one + empty for one in pairs + fours)])
    assert read_by_pipeline(content, file) == read_plainly(content, file)
