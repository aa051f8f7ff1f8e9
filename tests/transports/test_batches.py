"""Asynchronous batches: who is asked about, who learns of it, and what comes back."""

import hashlib
import json
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from connectors.errors import FeedRefused, FeedUnavailable
from connectors.person_query import PersonOfInterest, PersonQuery
from connectors.registry import all_contracts
from connectors.transports.batch import write_query_list
from connectors.transports.sealing import format_public_key, key_fingerprint, seal_query, unseal_query
from tests.transports.conftest import reach
from tests.transports.handmade import CANARY, CANARY_NAME, delivered

AS_OF = date(2026, 6, 30)
QUICK = {"POLL_SECONDS": "0.01"}
BANKS = frozenset({"banks"})

# Always the same one: the workers that share the tests must name them alike.
_SOME_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))


def ask_about(*people, log=None):
    return PersonQuery(AS_OF, lambda: people, (log if log is not None else []).append)


def listed(query, source="banks"):
    count, plain = write_query_list(query, all_contracts()[source])
    numbers = [person["id_number"] for person in json.loads(plain)["persons"]]
    assert count == len(numbers)
    return numbers


@pytest.mark.parametrize(
    ("authorised_for", "is_asked_about"),
    [({"banks"}, True), ({"tax", "banks"}, True), ({"tax"}, False), (set(), False)],
)
def test_only_persons_with_a_valid_authorisation_for_the_source_are_asked_about(
    authorised_for, is_asked_about
):
    person = PersonOfInterest("1", "甲", frozenset(authorised_for))
    assert listed(ask_about(person)) == (["1"] if is_asked_about else [])


def test_everybody_is_listed_once_in_order():
    people = [PersonOfInterest(number, "甲", BANKS) for number in ("3", "1", "3", "2")]
    assert listed(ask_about(*people)) == ["1", "2", "3"]


def test_a_source_that_needs_no_authorisation_is_asked_about_everybody():
    assert listed(ask_about(PersonOfInterest("1", "甲")), "household_registration") == ["1"]


def test_the_answer_holds_only_those_asked_about_and_the_audit_log_heard_of_it(departments):
    log = []
    people = [
        PersonOfInterest(CANARY, CANARY_NAME, BANKS),
        PersonOfInterest("440103197101010003", "赵三", BANKS),
    ]
    people.append(PersonOfInterest("440103197101010004", "赵四"))
    with reach(departments, "banks", "batch", ask_about(*people, log=log), **QUICK) as feed:
        files = delivered(feed)
        assert feed.names() == sorted(files)
    rows = files["105100-1.csv"].decode("gb18030").splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [CANARY, "440103197101010003"]
    assert [sent.count for sent in log] == [2]


def test_the_list_leaves_sealed_and_the_audit_log_knows_the_bytes_that_left(departments):
    log = []
    person = PersonOfInterest(CANARY, CANARY_NAME, BANKS)
    with reach(departments, "banks", "batch", ask_about(person, log=log), **QUICK) as feed:
        feed.receipt()
    arrived = departments.http.queries[-1]
    (sent,) = log
    assert (sent.count, sent.sha256) == (1, hashlib.sha256(arrived).hexdigest())
    assert sent.sealed_for == key_fingerprint(departments.query_key.public_key())
    assert sent.signed_with == departments.key.key_id
    assert CANARY.encode() not in arrived
    assert CANARY_NAME.encode() not in arrived
    assert CANARY.encode() in unseal_query(arrived, departments.query_key, "banks")


def test_nothing_is_sent_that_the_audit_log_did_not_take(departments):
    def refuse(sent):
        raise OSError("the audit log cannot be written")

    before = departments.http.requests["banks"]
    query = PersonQuery(AS_OF, lambda: [PersonOfInterest("1", "甲", BANKS)], refuse)
    with (
        reach(departments, "banks", "batch", query, **QUICK) as feed,
        pytest.raises(OSError, match="audit log"),
    ):
        feed.receipt()
    assert departments.http.requests["banks"] == before


def test_with_nobody_to_ask_about_nothing_is_sent_and_nothing_is_there(departments):
    before, log = departments.http.requests["banks"], []
    with reach(departments, "banks", "batch", ask_about(PersonOfInterest("1", "甲"), log=log)) as feed:
        assert feed.receipt() is None
        assert feed.names() == []
    assert (departments.http.requests["banks"], log) == (before, [])


def test_a_list_sent_again_after_a_fault_is_the_same_batch(departments):
    before = len(departments.http.batches)
    person = PersonOfInterest("440103197101010005", "赵", BANKS)
    departments.plan("banks", "503", times=2)
    for _ in range(2):
        with reach(departments, "banks", "batch", ask_about(person), **QUICK) as feed:
            assert delivered(feed)
    assert len(departments.http.batches) == before + 1


def test_a_batch_that_does_not_end_before_the_deadline_is_unavailable(departments):
    person = PersonOfInterest("440103197101010006", "赵", BANKS)
    with (
        reach(departments, "banks", "batch", ask_about(person), POLL_SECONDS="60") as feed,
        pytest.raises(FeedUnavailable, match="still running"),
    ):
        feed.receipt()


def test_batch_mode_without_persons_is_refused(departments):
    with (
        reach(departments, "banks", "batch") as feed,
        pytest.raises(FeedRefused, match="without a list of persons"),
    ):
        feed.receipt()


def test_a_sealed_list_opens_only_with_its_key_for_its_source_and_unchanged():
    private = X25519PrivateKey.generate()
    sealed = seal_query(b"the list", private.public_key(), "banks")
    assert unseal_query(sealed, private, "banks") == b"the list"
    assert b"the list" not in sealed
    assert sealed != seal_query(b"the list", private.public_key(), "banks")
    for key, source, content in (
        (X25519PrivateKey.generate(), "banks", sealed),
        (private, "securities", sealed),
        (private, "banks", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (private, "banks", sealed[:20]),
    ):
        with pytest.raises(ValueError, match="sealed"):
            unseal_query(content, key, source)


@pytest.mark.parametrize("key", ["", "short", "AAAA", format_public_key(_SOME_KEY.public_key())[:-4]])
def test_a_department_key_that_is_none_is_refused(departments, key):
    with (
        pytest.raises(FeedRefused, match="DEPARTMENT_KEY"),
        reach(departments, "banks", "batch", DEPARTMENT_KEY=key),
    ):
        pass


def test_persons_show_in_no_representation():
    person = PersonOfInterest(CANARY, CANARY_NAME, BANKS)
    assert CANARY not in repr(person) + repr(ask_about(person))
    assert CANARY_NAME not in repr(person)
