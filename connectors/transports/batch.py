"""Asynchronous batches, as banks answer (总对总): submit the persons of interest, poll, collect.

The query list leaves sealed to the department, holds only persons with a valid authorisation for that
source, and is told to the audit log before it leaves. The answer is a feed like any other below
`batches/<id>/`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import NoReturn

from connectors.contract import Contract
from connectors.errors import FeedRefused, FeedUnavailable
from connectors.person_query import PersonQuery, SentQuery
from connectors.transports.bulk import BulkFeed, read_object
from connectors.transports.patience import Patience
from connectors.transports.sealing import key_fingerprint, parse_public_key, seal_query
from connectors.transports.settings import Settings
from connectors.transports.spool import SpooledCipherFile

_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_POLL_SECONDS = 30.0


def write_query_list(query: PersonQuery, contract: Contract) -> tuple[int, bytes]:
    """Number of persons and the list in plain.

    Each person stands once, in the order of ID numbers, only authorised ones.

    A source that needs no authorisation (contract.authorisation is false) is asked about everybody.
    """
    persons = {
        person.id_number: person.name
        for person in query.people()
        if not contract.authorisation or contract.source in person.authorised_for
    }
    listed = [{"id_number": number, "name": persons[number]} for number in sorted(persons)]
    table = {"source": contract.source, "as_of": query.as_of.isoformat(), "persons": listed}
    return len(listed), json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()


class BatchFeed(BulkFeed):
    """A department that answers about the persons it is asked about."""

    def __init__(self, settings: Settings, contract: Contract, query: PersonQuery | None) -> None:
        super().__init__(settings)
        self._settings, self._contract, self._query = settings, contract, query
        try:
            self._department = parse_public_key(
                settings.required("DEPARTMENT_KEY", "the department's public key")
            )
        except ValueError as error:
            settings.refuse(
                f"a DEPARTMENT_KEY that is no X25519 key ({error})",
                "base64 of 32 bytes",
                "ask the department",
            )
        self._poll_seconds = settings.number("POLL_SECONDS", _POLL_SECONDS)
        self._collected = False

    def _fetch_receipt(self) -> bytes | None:
        return super()._fetch_receipt() if self._collect() else None

    def _fetch_names(self) -> list[str]:
        return super()._fetch_names() if self._collect() else []

    def _fetch_file(self, name: str, spool: SpooledCipherFile) -> None:
        if not self._collect():
            raise FileNotFoundError(f"{self.source}: nobody was asked about, so there is no file {name!r}")
        super()._fetch_file(name, spool)

    def _collect(self) -> bool:
        """Submit and wait, the first time. False when there is nobody to ask about: then nothing is sent."""
        if not self._collected:
            if self._query is None:
                raise FeedRefused(
                    self.source,
                    found="MODE=batch without a list of persons",
                    wanted="the roster and its authorisations, read before this source",
                    do="start the night through the pipeline, or set MODE=bulk",
                )
            count, plain = write_query_list(self._query, self._contract)
            patience = self.connection.patience()
            self.base = (
                f"batches/{self._wait(self._submit(count, plain, patience), patience)}/" if count else ""
            )
            self._collected = True
        return bool(self.base)

    def _submit(self, count: int, plain: bytes, patience: Patience) -> str:
        assert self._query is not None
        sealed = seal_query(plain, self._department, self.source)
        digest = hashlib.sha256(sealed).hexdigest()
        sealed_for = key_fingerprint(self._department)
        self._query.on_query(SentQuery(count, digest, sealed_for, self._settings.text("KEY_ID")))
        answer = self.connection.ask(
            "batches", body=sealed, headers=self._same_batch(plain), patience=patience
        )
        if answer.status == 404:
            self._fail(
                "no batch interface at this address (HTTP 404)", "an address that takes batches", FeedRefused
            )
        identity = read_object(self.source, answer.body, "the answer to a batch").get("batch")
        if not isinstance(identity, str) or not _BATCH_ID.fullmatch(identity):
            self._fail("a batch without a usable number", "letters, digits, - and _, 64 at most", FeedRefused)
        return identity

    def _same_batch(self, plain: bytes) -> dict[str, str]:
        """The same list on the same night is the same batch, however often a tear makes us send it.

        Keyed, because the bare hash of a short list of ID numbers could be guessed; without a key there is
        no such header.
        """
        key = self._settings.secret("KEY")
        if key is None:
            return {"Content-Type": "application/octet-stream"}
        digest = hmac.new(key.encode(), b"hedui batch\n" + plain, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/octet-stream", "Idempotency-Key": digest}

    def _wait(self, identity: str, patience: Patience) -> str:
        while True:
            answer = self.connection.ask(f"batches/{identity}", patience=patience)
            state = (
                read_object(self.source, answer.body, "the state of a batch").get("state")
                if answer.body
                else None
            )
            if state == "done":
                return identity
            if state != "running":
                self._fail("a batch that failed at the department", "one that ends as done", FeedUnavailable)
            patience.progressed()
            patience.sleep(self._poll_seconds, "the batch is still running")

    def _fail(self, found: str, wanted: str, kind: type[FeedRefused | FeedUnavailable]) -> NoReturn:
        raise kind(
            self.source, found=found, wanted=wanted, do="run again later; if it stays so, call the department"
        )
