"""The fast road through a block of records: split, judge and pack each record in one pass over its bytes.

A record goes this way only when it is plain in every column: as many fields as agreed, quotes that hold nothing
to unescape, text that is surely decodable, a well-formed number, an amount of common size. Everything else is
*odd*: its place is handed back and the general readers judge it. So these loops may refuse whatever they like and
can get nothing wrong that they do not recognise.
"""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False
# ruff: noqa: SIM109

from __future__ import annotations

import numpy as np

from pipelines.compiled import byte_at, compiled, equal_bytes, first_bit, inlined, lower_bytes, word_at

# What a column is to the loops.
CARRIED, TEXT, ID, MONEY, FEW = 0, 1, 2, 3, 4
# No amount: an optional column left empty.
NO_AMOUNT = np.int64(-(2**63))
LONGEST_FEW = 48
NEAR_BITS = 10
_MOST_WHOLE_DIGITS = 11  # amounts from 10^11 yuan on are judged exactly, one by one
_MOST_DECIMALS = 6
_DOTTED_DIGITS = 15  # as many as a double carries exactly

_NL, _CR, _QUOTE, _COMMA, _DOT, _MINUS, _ZERO = 10, 13, 34, 44, 46, 45, 48
_BACKSLASH, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST, _COLON = 92, 123, 125, 91, 93, 58


_NULL = np.uint64(0x6C6C756E)
_ONE, _LAST, _HALF = np.uint64(1), np.uint64(63), np.uint64(32)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_EVEN = np.uint64(0x5555555555555555)
_NOUGHTS = np.uint64(0x3030303030303030)
_SIXES = np.uint64(0x0606060606060606)
_HALVES = np.uint64(0xF0F0F0F0F0F0F0F0)
_SPACE_BYTE, _HIGH_BYTE, _FULL_BYTE = np.uint8(0x20), np.uint8(0x80), np.uint8(0xFF)


@inlined
def _skip_character(block, at, gb):
    """Where the character after the multi-byte one at `at` begins; -1 when it is not surely decodable.

    GB18030's two-byte codes are all assigned; UTF-8's two and three-byte forms are checked here (RFC 3629).
    """
    lead = byte_at(block, at)
    second = byte_at(block, at + 1)
    following = np.int64(-1)
    if gb:
        if lead != 0x80 and lead != 0xFF and second >= 0x40 and second != 0x7F and second != 0xFF:
            following = at + 2
    elif second & 0xC0 == 0x80 and lead >= 0xC2:
        if lead < 0xE0:
            following = at + 2
        elif (
            lead <= 0xEF
            and byte_at(block, at + 2) & 0xC0 == 0x80
            and (lead != 0xE0 or second >= 0xA0)
            and (lead != 0xED or second <= 0x9F)
        ):
            following = at + 3
    return following


@inlined
def _look_at_pairs(block, at, carried):
    """Of 64 bytes of GB18030, which may begin or follow something else than ASCII or a pair of bytes from 81 to FE.

    carried: 1 when a pair is open from the 64 before. Returns (those bytes, what is carried on).
    """
    high = ~lower_bytes(block, at, _HIGH_BYTE)
    unsure = equal_bytes(block, at, _HIGH_BYTE) | equal_bytes(block, at, _FULL_BYTE) | carried & ~high
    high &= ~carried
    begun = high & ~(high << _ONE)
    # The sum carries through every run that begins at an even place.
    from_even = high & ~(high + (begun & _EVEN))
    leads = from_even & _EVEN | high & ~from_even & ~_EVEN
    return unsure | (leads << _ONE) & ~high, leads >> _LAST


@inlined
def _look_at_triples(block, at, carried):
    """Of 64 bytes of UTF-8, which may begin or follow something else than ASCII and characters of two or three bytes
    that RFC 3629 allows whatever follows their lead: E0, ED and F0 on are unsure.

    carried: how many bytes must still follow from the 64 before, as lowest bits. Returns as _look_at_pairs.
    """
    high = ~lower_bytes(block, at, _HIGH_BYTE)
    following = lower_bytes(block, at, np.uint8(0xC0)) & high
    pairs = lower_bytes(block, at, np.uint8(0xE0)) & ~lower_bytes(block, at, np.uint8(0xC2))
    triples = lower_bytes(block, at, np.uint8(0xF0)) & ~lower_bytes(block, at, np.uint8(0xE1))
    triples &= ~equal_bytes(block, at, np.uint8(0xED))
    wanted = (pairs | triples) << _ONE | triples << np.uint64(2) | carried
    unsure = wanted ^ following | high & ~(following | pairs | triples)
    return unsure, (pairs | triples) >> _LAST | triples >> np.uint64(62)


@inlined
def _is_decodable(block, at, end, separator, gb):
    """Whether the characters between are surely decodable and none of them ends with the separator's byte."""
    while 0 <= at < end:
        if byte_at(block, at) < 0x80:
            at += 1
        elif byte_at(block, at + 1) == separator:
            at = np.int64(-1)
        else:
            at = _skip_character(block, at, gb)
    return at == end


@inlined
def _end_field(begins, ends, column, begin, at, closed, doubled):
    """Note where a field stands that ends before `at`; closed: where its quotes end, -1 without. Returns whether they
    end with it."""
    quoted = closed >= 0
    if quoted:
        begins[column] = ~(begin + 1) if doubled else begin + 1
        ends[column] = closed
    else:
        begins[column] = begin
        ends[column] = at
    return not quoted or closed + 1 == at


@inlined
def _split_line(block, at, separator, quoted, gb, begins, ends):
    """Where each field of the line at `at` begins and ends. Returns where the next line begins, -1 for an odd line.

    A field with doubled quotes in it begins at ~place. Bytes are looked at 64 together: which of them are
    separators, quotes or control characters, and which may be no part of a decodable character.
    """
    last = len(begins) - 1
    mark = np.uint8(_QUOTE) if quoted else separator
    column = 0
    line, begin, base = at, at, at
    closed = passed = np.int64(-1)  # where the field's quotes end; the second of doubled ones
    inside = doubled = False
    any_unsure = carried = np.uint64(0)
    following = np.int64(0)
    while following == 0:
        stops = equal_bytes(block, base, separator) | equal_bytes(block, base, mark)
        stops |= lower_bytes(block, base, _SPACE_BYTE)
        if gb:
            unsure, carried = _look_at_pairs(block, base, carried)
        else:
            unsure, carried = _look_at_triples(block, base, carried)
        while stops != 0:
            at = base + first_bit(stops)
            here = byte_at(block, at)
            if here == separator and not inside:
                if column == last:
                    following = np.int64(-1)
                    break
                if not _end_field(begins, ends, column, begin, at, closed, doubled):
                    following = np.int64(-1)
                    break
                closed = np.int64(-1)
                doubled = False
                column += 1
                begin = at + 1
            elif here < 32:
                if here == _CR and byte_at(block, at + 1) == _NL:
                    following = at + 2
                elif here == _NL:
                    following = at + 1
                if following == 0 or inside or column < last:
                    following = np.int64(-1)
                    break
                if not _end_field(begins, ends, column, begin, at, closed, doubled):
                    following = np.int64(-1)
                unsure &= stops ^ (stops - _ONE)
                break
            elif here != separator and at != passed:  # a quote
                if not inside:
                    if at != begin:
                        following = np.int64(-1)
                        break
                    inside = True
                elif byte_at(block, at + 1) == _QUOTE:
                    passed = at + 1
                    doubled = True
                else:
                    inside = False
                    closed = at
            stops &= stops - _ONE
        any_unsure |= unsure
        base += 64
    if following > 0 and any_unsure != 0 and not _is_decodable(block, line, at, separator, gb):
        following = np.int64(-1)
    return following


@inlined
def _skip_space(block, at, stop, in_line):
    """The next place that is no white space of JSON; in_line: a line end is none."""
    while at < stop:
        here = byte_at(block, at)
        if here != 32 and here != 9 and here != _CR and (in_line or here != _NL):
            break
        at += 1
    return at


@inlined
def _plain_string(block, at, stop):
    """Where the closing quote stands of the JSON string whose first character is at `at`; -1 when it is odd."""
    begin = base = at
    any_unsure = carried = stops = np.uint64(0)
    while stops == 0:
        stops = equal_bytes(block, base, np.uint8(_QUOTE)) | equal_bytes(block, base, np.uint8(_BACKSLASH))
        stops |= lower_bytes(block, base, _SPACE_BYTE)
        unsure, carried = _look_at_triples(block, base, carried)
        if stops != 0:
            at = base + first_bit(stops)
            unsure &= stops ^ (stops - _ONE)
        any_unsure |= unsure
        base += 64
    plain = at < stop and byte_at(block, at) == _QUOTE
    if any_unsure != 0:
        plain = plain and _is_decodable(block, begin, at, np.uint8(_QUOTE), False)
    return at if plain else np.int64(-1)


@inlined
def _plain_number(block, at, stop):
    """Where the JSON number at `at` ends; -1 when it is odd: long, with an exponent, or minus nought."""
    start = at
    if byte_at(block, at) == _MINUS:
        at += 1
    first = at
    while at < stop and 0 <= byte_at(block, at) - _ZERO < 10:
        at += 1
    digits = at - first
    if digits == 0 or digits > _DOTTED_DIGITS or (digits > 1 and byte_at(block, first) == _ZERO):
        return -1
    if first > start and byte_at(block, first) == _ZERO:
        return -1
    if at < stop and byte_at(block, at) == _DOT:
        at += 1
        dotted = at
        while at < stop and 0 <= byte_at(block, at) - _ZERO < 10:
            at += 1
        if at == dotted or digits + at - dotted > _DOTTED_DIGITS:
            return -1
    if at >= stop or byte_at(block, at) == 69 or byte_at(block, at) == 101:
        return -1
    return at


@inlined
def _split_object(block, at, stop, in_line, keys, key_lengths, begins, ends, seen):
    """Where each agreed value of the flat JSON object at `at` stands. Returns where it ends, -1 for an odd one."""
    columns = len(begins)
    for column in range(columns):
        begins[column] = at
        ends[column] = at
        seen[column] = 0
    if byte_at(block, at) != _OPEN:
        return -1
    at = _skip_space(block, at + 1, stop, in_line)
    guess = 0
    if at < stop and byte_at(block, at) == _CLOSE:
        return at + 1
    while True:
        if at >= stop or byte_at(block, at) != _QUOTE:
            return -1
        key = at + 1
        at = _plain_string(block, key, stop)
        if at < 0:
            return -1
        length = at - key
        found = -1
        for step in range(columns):
            column = guess + step
            if column >= columns:
                column -= columns
            if key_lengths[column] == length and _is_same(block, key, length, keys, 0, column):
                found = column
                break
        if found >= 0:
            if seen[found] != 0:
                return -1
            seen[found] = 1
            guess = found + 1 if found + 1 < columns else 0
        at = _skip_space(block, at + 1, stop, in_line)
        if at >= stop or byte_at(block, at) != _COLON:
            return -1
        at = _skip_space(block, at + 1, stop, in_line)
        if at >= stop:
            return -1
        if byte_at(block, at) == _QUOTE:
            begin = at + 1
            end = _plain_string(block, begin, stop)
            if end < 0:
                return -1
            at = end + 1
        elif byte_at(block, at) == 110:  # null
            if _last_word(block, at, 4) != _NULL:
                return -1
            begin = end = at
            at += 4
        else:
            begin = at
            end = _plain_number(block, at, stop)
            if end < 0:
                return -1
            at = end
        if found >= 0:
            begins[found] = begin
            ends[found] = end
        at = _skip_space(block, at, stop, in_line)
        if at >= stop:
            return -1
        if byte_at(block, at) == _CLOSE:
            return at + 1
        if byte_at(block, at) != _COMMA:
            return -1
        at = _skip_space(block, at + 1, stop, in_line)


@inlined
def _last_word(block, at, left):
    """The `left` bytes (1 to 8) from `at` as a word, zeros behind them."""
    return word_at(block, at) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 8 * left))


@inlined
def _are_digits(values):
    """Whether each of the eight bytes is 0 to 9."""
    return (values | (values + _SIXES)) & _HALVES == 0


@inlined
def _eight_digits(digits):
    """The number that eight digits (values, the first one lowest) stand for."""
    pairs = (digits * np.uint64(2561)) >> np.uint64(8)
    fours = ((pairs & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    return np.int64(((fours & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32))


@inlined
def _doubled(digits):
    """Eight digits read as if each place were worth twice the next: GB 11643 weighs a digit 2^places modulo 11."""
    pairs = ((digits << np.uint64(1)) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    fours = ((pairs << np.uint64(2)) + (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return np.int64(((fours << np.uint64(4)) + (fours >> np.uint64(32))) & np.uint64(0x00000000FFFFFFFF))


@inlined
def _number_of(block, begin, end, check, days):
    """The number between begin and end, packed as pack_blocks does: (packed, is valid, was upgraded).

    packed is -1 for an odd one: neither 18 plain characters nor 15 digits.
    """
    length = end - begin
    packed = np.int64(-1)
    valid = False
    if length == 18:
        word, following = word_at(block, begin) ^ _NOUGHTS, word_at(block, begin + 8) ^ _NOUGHTS
        digit = byte_at(block, begin + 16) - _ZERO
        last = byte_at(block, begin + 17)
        if last == 120:  # x
            last = np.int64(88)
        value = np.int64(10) if last == 88 else last - _ZERO
        if (
            _are_digits(word)
            and _are_digits(following)
            and 0 <= digit <= 9
            and 0 <= value <= 10
            and last != 58
        ):
            front, back = _eight_digits(word), _eight_digits(following)
            packed = ((front * 100000000 + back) * 10 + digit) * 11 + value
            born = (front % 100) * 1000000 + back // 100 - 19000000
            total = _doubled(word) * 1024 + _doubled(following) * 4 + digit * 2
            valid = check[total % 11] == last and 0 <= born < len(days) and days[born]
    elif length == 15:
        total = np.int64(0)
        number = np.int64(0)
        for place in range(15):
            digit = byte_at(block, begin + place) - _ZERO
            if digit < 0 or digit > 9:
                number = np.int64(-1)
                break
            if place == 6:
                number = number * 100 + 19
                total = (total * 2 + 1) * 2 + 9
            number = number * 10 + digit
            total = total * 2 + digit
        if number >= 0:
            last = np.int64(check[total * 2 % 11])
            packed = number * 11 + (np.int64(10) if last == 88 else last - _ZERO)
            born = (number // 1000) % 100000000 - 19000000
            valid = 0 <= born < len(days) and days[born]
    return packed, valid, length == 15


@inlined
def _cents_of(block, begin, end):
    """The amount in millionths and whether it is as most are: one to eight digits, a point and two digits."""
    dot = end - 3
    digits = dot - begin
    if not 1 <= digits <= 8 <= dot or byte_at(block, dot) != _DOT:
        return np.int64(0), False
    word = (word_at(block, dot - 8) ^ _NOUGHTS) >> np.uint64(64 - 8 * digits) << np.uint64(64 - 8 * digits)
    tens, ones = byte_at(block, end - 2) - _ZERO, byte_at(block, end - 1) - _ZERO
    plain = _are_digits(word) and 0 <= tens <= 9 and 0 <= ones <= 9
    return (_eight_digits(word) * 100 + tens * 10 + ones) * 10000, plain


@inlined
def _amount_of(block, begin, end):
    """The amount in millionths and whether it is plain: digits, or digits in threes, and up to six decimals."""
    at = begin
    negative = at < end and byte_at(block, at) == _MINUS
    if negative:
        at += 1
    whole = np.int64(0)
    digits = 0
    group = -1
    while at < end:
        here = byte_at(block, at)
        if here == _COMMA:
            if (group < 0 and (digits == 0 or digits > 3)) or (group >= 0 and group != 3):
                return np.int64(0), False
            group = 0
        else:
            digit = here - _ZERO
            if digit < 0 or digit > 9:
                break
            whole = whole * 10 + digit
            digits += 1
            if group >= 0:
                group += 1
            if digits > _MOST_WHOLE_DIGITS:
                return np.int64(0), False
        at += 1
    if digits == 0 or (group >= 0 and group != 3):
        return np.int64(0), False
    micro = whole * 1000000
    if at < end:
        if byte_at(block, at) != _DOT or end - at < 2 or end - at - 1 > _MOST_DECIMALS:
            return np.int64(0), False
        at += 1
        unit = np.int64(100000)
        while at < end:
            digit = byte_at(block, at) - _ZERO
            if digit < 0 or digit > 9:
                return np.int64(0), False
            micro += digit * unit
            unit //= 10
            at += 1
    return -micro if negative else micro, True


@inlined
def _is_same(block, begin, length, words, which, place):
    """Whether the bytes from `begin` are those of words[which, place]."""
    step = 0
    while length > 8 and word_at(block, begin) == words[which, place, step]:
        begin += 8
        length -= 8
        step += 1
    return length <= 8 and (length == 0 or _last_word(block, begin, length) == words[which, place, step])


@inlined
def _code_of(block, begin, end, known, lengths, counts, slots, near, which):
    """The place of a value among those known of its column; a new one is added. -1: too long, or no room.

    near: values of up to 16 bytes met lately, at a place that follows from the value: the two words of each, its
    length and its code, so that one look at one line of a core's cache tells most.
    """
    length = end - begin
    first = second = np.uint64(0)
    if 0 < length <= 16:
        first = _last_word(block, begin, min(length, 8))
        if length > 8:
            second = _last_word(block, begin + 8, length - 8)
    mixed = (first ^ second * np.uint64(0xC4CEB9FE1A85EC53)) * np.uint64(0xFF51AFD7ED558CCD)
    about = near[which, np.int64(mixed >> np.uint64(64 - NEAR_BITS))]
    if about[0] == first and about[1] == second and about[2] >> _HALF == np.uint64(length) and length <= 16:
        return np.int64(about[2] & _LOW_HALF)
    code = _code_in_table(block, begin, length, known, lengths, counts, slots, which)
    if length <= 16 and code >= 0:
        about[0], about[1], about[2] = first, second, np.uint64(length) << _HALF | np.uint64(code)
    return code


@inlined
def _code_in_table(block, begin, length, known, lengths, counts, slots, which):
    count = counts[which]
    code = np.int64(-1)
    if length > LONGEST_FEW:
        return code
    mixed = np.uint64(length) * np.uint64(0x9E3779B97F4A7C15)
    for step in range(0, length, 8):
        mixed = (mixed ^ _last_word(block, begin + step, min(length - step, 8))) * np.uint64(
            0xFF51AFD7ED558CCD
        )
        mixed ^= mixed >> _HALF
    slot = np.int64(mixed & np.uint64(slots.shape[1] - 1))
    while slots[which, slot] >= 0:
        candidate = np.int64(slots[which, slot])
        if lengths[which, candidate] == length and _is_same(block, begin, length, known, which, candidate):
            code = candidate
            break
        slot = (slot + 1) & (slots.shape[1] - 1)
    if code < 0 and count < lengths.shape[1]:
        code = count
        for step in range(0, length, 8):
            known[which, code, step >> 3] = _last_word(block, begin + step, min(length - step, 8))
        lengths[which, code] = length
        slots[which, slot] = code
        counts[which] = count + 1
    return code


@inlined
def _judge_fields(
    block, begins, ends, gb, kinds, places, required, not_negative, check, days,
    known, lengths, counts, slots, near, row, spans, packed, flags, amounts, codes,
):  # fmt: skip
    """Judge the fields of one record and write them to row `row` of the result; False when one is odd."""
    for column in range(len(kinds)):
        begin, end, kind, place = begins[column], ends[column], kinds[column], places[column]
        if kind <= TEXT:
            if kind == TEXT and required[column] and begin >= 0:
                if begin == end:
                    return False
                first = byte_at(block, begin)
                if first <= 32 or first == 127:
                    return False
                if first >= 0x80 and (first == 0xA1 if gb else first < 0xE4):
                    return False
            spans[place, row, 0] = begin
            spans[place, row, 1] = end
        elif begin < 0:
            return False
        elif kind == FEW:
            code = _code_of(block, begin, end, known, lengths, counts, slots, near, place)
            if code < 0:
                return False
            codes[place, row] = code
        elif kind == ID:
            number, valid, upgraded = _number_of(block, begin, end, check, days)
            if number < 0:
                return False
            packed[row] = number
            flags[row] = np.uint8(valid) | np.uint8(upgraded) << 1
        elif begin == end and not required[column]:
            amounts[place, row] = NO_AMOUNT
        else:
            amount, plain = _cents_of(block, begin, end)
            if not plain:
                amount, plain = _amount_of(block, begin, end)
            if not plain or (amount < 0 and not_negative[column]):
                return False
            amounts[place, row] = amount
    return True


@inlined
def _line_behind(block, at):
    """Where the next line begins when only white space is left of this one; -1 when there is more."""
    while byte_at(block, at) == 32 or byte_at(block, at) == _CR or byte_at(block, at) == 9:
        at += 1
    return at + 1 if byte_at(block, at) == _NL else np.int64(-1)


@compiled
def scan_lines(
    block, objects, separator, quoted, gb, keys, key_lengths, kinds, places, required, not_negative, check, days,
    known, lengths, counts, slots, near, fields, lines, records, spans, packed, flags, amounts, codes, odd,
):  # fmt: skip
    """Read a block of whole lines, of fields or (`objects`) each a JSON object.

    Returns (plain records, odd lines, lines in all); odd lines -1: more records or odd lines than there is room for.

    lines: (n,) index of each plain record's line; records: (n, 2) where it begins and ends; odd: (m, 3) index,
    begin and end of odd lines, line ends included; spans (t, n, 2), packed and flags (n,), amounts (a, n) and
    codes (c, n): what its columns of text, its number, its amounts and its columns of few values are.
    """
    stop = len(block)
    begins, ends, seen = fields[0], fields[1], fields[2]
    at = np.int64(0)
    line = row = odds = 0
    while at < stop:
        if row == len(lines):
            return row, -1, line
        if objects:
            following = _split_object(block, at, stop, True, keys, key_lengths, begins, ends, seen)
            if following >= 0:
                following = _line_behind(block, following)
        else:
            following = _split_line(block, at, separator, quoted, gb, begins, ends)
        if following >= 0 and _judge_fields(
            block, begins, ends, gb, kinds, places, required, not_negative, check, days,
            known, lengths, counts, slots, near, row, spans, packed, flags, amounts, codes,
        ):  # fmt: skip
            lines[row] = line
            records[row, 0] = at
            records[row, 1] = following
            row += 1
        else:
            following = at
            while block[following] != _NL:
                following += 1
            following += 1
            if odds == len(odd):
                return row, -1, line
            odd[odds, 0] = line
            odd[odds, 1] = at
            odd[odds, 2] = following
            odds += 1
        at = following
        line += 1
    return row, odds, line


@compiled
def skip_value(block, at, stop):
    """Where the JSON value at `at` ends, by quotes and brackets alone; -1 when it goes on beyond `stop`."""
    depth = 0
    while at < stop:
        here = block[at]
        if here == _QUOTE:
            at += 1
            while at < stop and block[at] != _QUOTE:
                at += 2 if block[at] == _BACKSLASH else 1
            if at >= stop:
                return -1
        elif here == _OPEN or here == _OPEN_LIST:
            depth += 1
        elif here == _CLOSE or here == _CLOSE_LIST:
            depth -= 1
            if depth < 0:
                return at
            if depth == 0:
                return at + 1
        elif here == _COMMA and depth == 0:
            return at
        at += 1
    return -1


@compiled
def scan_array(
    block, at, first, keys, key_lengths, kinds, places, required, not_negative, check, days,
    known, lengths, counts, slots, near, fields, lines, records, spans, packed, flags, amounts, codes, odd,
):  # fmt: skip
    """Read the elements of a JSON array from `at`, before the first (`first`) or behind an earlier one.

    Returns (plain records, odd elements, elements, where to go on, state): state 0 when the block ended, 1 behind
    the closing bracket, -1 when the text is no array. Other results as of scan_lines, with elements for lines.
    """
    stop = len(block)
    begins, ends = fields[0], fields[1]
    seen = fields[2]
    element = row = odds = 0
    while True:
        resume = at
        at = _skip_space(block, at, stop, False)
        if at >= stop:
            return row, odds, element, resume, 0
        if block[at] == _CLOSE_LIST:
            return row, odds, element, at + 1, 1
        if not (first and element == 0):
            if block[at] != _COMMA:
                return row, odds, element, at, -1
            at = _skip_space(block, at + 1, stop, False)
            if at >= stop:
                return row, odds, element, resume, 0
            if block[at] == _CLOSE_LIST:
                return row, odds, element, at, -1
        if row == len(lines) or odds == len(odd):
            return row, odds, element, resume, 0
        following = _split_object(block, at, stop, False, keys, key_lengths, begins, ends, seen)
        if following >= 0 and _judge_fields(
            block, begins, ends, False, kinds, places, required, not_negative, check, days,
            known, lengths, counts, slots, near, row, spans, packed, flags, amounts, codes,
        ):  # fmt: skip
            lines[row] = element
            records[row, 0] = at
            records[row, 1] = following
            row += 1
        else:
            following = skip_value(block, at, stop)
            if following < 0:
                return row, odds, element, resume, 0
            odd[odds, 0] = element
            odd[odds, 1] = at
            odd[odds, 2] = following
            odds += 1
        at = following
        element += 1


@compiled
def measure(block, spans, rows, gb, codepoints, offsets):
    """Offsets (n + 1) of the fields of some rows put one behind the other in UTF-8, doubled quotes undone.

    Returns (bytes in all, whether some field may begin or end with white space).
    """
    total = 0
    spaced = False
    offsets[0] = 0
    for place in range(len(rows)):
        at = np.int64(spans[rows[place], 0])
        end = np.int64(spans[rows[place], 1])
        doubled = at < 0
        if doubled:
            at = ~at
        if at < end:
            first = byte_at(block, at)
            last = byte_at(block, end - 1)
            if first <= 32 or last <= 32 or first == 127 or last == 127:
                spaced = True
            elif gb:
                if first == 0xA1 or last == 0xA1:
                    spaced = True
            elif 0xC2 <= first < 0xE4:
                spaced = True
            elif last >= 0x80:
                third = byte_at(block, end - 3) if end - at >= 3 else np.int64(0)
                spaced = spaced or byte_at(block, end - 2) == 0xC2 or 0xE1 <= third < 0xE4
        if not gb and not doubled:
            total += end - at
            at = end
        while at < end:
            here = byte_at(block, at)
            if gb and here >= 0x80:
                point = codepoints[(here - 0x81) * 192 + byte_at(block, at + 1) - 0x40]
                total += 3 if point >= 0x800 else 2
                at += 2
            else:
                total += 1
                at += 2 if doubled and here == _QUOTE else 1
        offsets[place + 1] = total
    return total, spaced


@compiled
def gather(block, spans, rows, gb, codepoints, data):
    """Fill data with the fields of some rows in UTF-8, as measured."""
    to = 0
    for place in range(len(rows)):
        at = np.int64(spans[rows[place], 0])
        end = np.int64(spans[rows[place], 1])
        doubled = at < 0
        if doubled:
            at = ~at
        while at < end:
            here = byte_at(block, at)
            if gb and here >= 0x80:
                point = codepoints[(here - 0x81) * 192 + byte_at(block, at + 1) - 0x40]
                if point >= 0x800:
                    data[to] = 0xE0 | point >> 12
                    data[to + 1] = 0x80 | point >> 6 & 0x3F
                    data[to + 2] = 0x80 | point & 0x3F
                    to += 3
                else:
                    data[to] = 0xC0 | point >> 6
                    data[to + 1] = 0x80 | point & 0x3F
                    to += 2
                at += 2
            else:
                data[to] = here
                to += 1
                at += 2 if doubled and here == _QUOTE else 1
