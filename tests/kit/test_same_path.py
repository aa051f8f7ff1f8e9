"""A source made by the kit goes the way of the hand-made ones: the same functions, the same rows, the same evidence."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from bench.kit import deliver_rows, known, made_by_kit
from connectors.kit.mock import mock_rows
from connectors.registry import all_contracts
from pipelines.connector_trial import AS_OF, open_trial

OURS = ("/pipelines/", "/connectors/")


def calls_of(trial):
    """What was called of our own code while a delivery was read, and how often."""
    calls: Counter[tuple[str, str]] = Counter()

    def note(frame, event, argument):
        if event == "call" and any(room in frame.f_code.co_filename for room in OURS):
            calls[frame.f_code.co_filename, frame.f_code.co_qualname] += 1

    sys.setprofile(note)
    try:
        verdict = trial.read()
    finally:
        sys.setprofile(None)
    return calls, verdict


@pytest.mark.parametrize("source", ["tax", "banks", "securities", "insurance"])
def test_both_are_read_by_the_same_calls_to_the_same_rows(tmp_path, source):
    hand = all_contracts()[source]
    kit = made_by_kit(hand, tmp_path)
    file = hand.files[0]
    assert [c.type for c in kit.files[0].columns] == [c.type for c in file.columns]
    rows = mock_rows(file, 300, AS_OF)
    seen = []
    with known(kit):
        for contract in (hand, kit):
            with open_trial(contract) as trial:
                deliver_rows(trial, rows)
                trial.read()  # what is compiled or remembered once
                seen.append(calls_of(trial))
    (hand_calls, by_hand), (kit_calls, by_kit) = seen
    assert kit_calls == hand_calls and sum(hand_calls.values()) > 50
    same = ("state", "received", "accepted", "quarantined", "unauthorised", "kept", "kept_sum", "codes")
    assert [by_kit.result[key] for key in same] == [by_hand.result[key] for key in same]
    assert by_kit.evidence.schema == by_hand.evidence.schema
