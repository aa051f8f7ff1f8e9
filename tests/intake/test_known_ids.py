"""The rows of one file's ids, found by the bytes of another's."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity.cipher import MASTER_BYTES, Tokeniser
from pipelines.identity.text_hash import TextsInBlock
from pipelines.intake.known_ids import UNKNOWN, KnownIds

CIPHER = Tokeniser(bytes(MASTER_BYTES))
IDS = st.lists(
    st.text("ab家", max_size=5) | st.sampled_from(["H1", "H10", "H1000000000000000000"]), max_size=20
)


@settings(deadline=None)
@given(IDS, IDS)
def test_an_id_is_the_first_row_it_stands_in(known, sought):
    ids = KnownIds(pa.array(known, pa.string()), CIPHER)
    wanted = [known.index(one) if one in known else UNKNOWN for one in sought]
    rows, is_known = ids.of_texts(pa.array(sought, pa.string()))
    assert rows.tolist() == wanted and is_known.tolist() == [row != UNKNOWN for row in wanted]
    assert ids.are_repeated().tolist() == [known.count(one) > 1 for one in known]


def test_an_id_with_white_space_around_is_looked_for_without_it():
    block = np.frombuffer(b"H2, H1 ,H3," + bytes(8), np.uint8).copy()
    spans = np.array([[0, 2], [3, 7], [8, 10]], np.int32)
    ids = KnownIds(pa.array(["H1", "H2"]), CIPHER)
    asked = []

    def text(rows):
        asked.extend(rows.tolist())
        return pa.array([bytes(block[slice(*spans[row])]).decode().strip() for row in rows])

    rows, is_known = ids.of_block(TextsInBlock(block, spans, np.array([0, 1, 2, 0]), False, text))
    assert rows.tolist() == [1, 0, UNKNOWN, 1] and is_known.tolist() == [True, True, False, True]
    assert asked == [1, 2]
