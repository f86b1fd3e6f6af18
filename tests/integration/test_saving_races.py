"""Contacts written by number and with twins, by several processes at once: as if one after the other, in order."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from engine.activities.inline import Inline
from engine.contacts.changes import UNSAID, Changes
from engine.contacts.decisions import ContactWrite, Written
from engine.errors import MusterError
from engine.operations.contact_delete import DeleteContact
from engine.operations.contact_save import SaveContact
from engine.sets.catalog import NamedSet, SetKind
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects
from tests.integration.traffic import (
    ADDRESSES,
    NAMES,
    Faulty,
    Traffic,
    assert_as_in_sequence,
    assert_order,
    processes,
    random_membership,
    run,
)
from tests.integration.watched import NotingDatabase

#: Fewer addresses than contacts, so that they have twins.
SHARED = ADDRESSES[:3]


@dataclass
class Saving(Traffic):
    """Half of what is asked means contacts by number; most of them share an address."""

    def anything(self) -> ContactWrite:
        random = self.random
        match random.choice(("as others do", "as others do", "make", "change", "change", "delete")):
            case "make":
                return SaveContact(None, self.changes(), twins=random.random() < 0.8)
            case "change":
                return SaveContact(self.number(), self.changes(), twins=random.random() < 0.8)
            case "delete":
                return DeleteContact(self.number())
            case _:
                return super().anything()

    def number(self) -> int:
        """Of one of the newest contacts, or of nobody."""
        return self.random.choice([*(each.contact_no for each in self.made()[-12:]), 99_999])

    def made(self) -> list[Written]:
        return [outcome for outcome in self.outcomes() if isinstance(outcome, Written) and outcome.created]

    def changes(self) -> Changes:
        random = self.random
        return Changes(
            columns={"first_name": random.choice(NAMES)} if random.random() < 0.5 else {},
            email=random.choice((UNSAID, UNSAID, None, *SHARED)),
            permission=random.choice((None, None, None, "unsubscribed", "implicit")),
            joins=self.numbers_of((*self.lists, *self.tags)),
            leaves=self.numbers_of((*self.lists, *self.tags)),
            only={kind: self.numbers_of(sets) for kind, sets in self.kinds() if random.random() < 0.2},
        )

    def kinds(self) -> Sequence[tuple[SetKind, Sequence[NamedSet]]]:
        return (SetKind.LIST, self.lists), (SetKind.TAG, self.tags)

    def numbers_of(self, sets: Sequence[NamedSet]) -> frozenset[int]:
        return frozenset(each.set_no for each in self.random.sample(sets, self.random.choice((0, 0, 1, 2))))


@dataclass
class InBulk(Saving):
    """The same, some at once."""

    async def client(self, inline: Inline, _patience: Callable[[], float]) -> None:
        for _ in range(4):
            writes = [self.by_number() for _ in range(self.random.randint(2, 8))]
            principal = replace(self.desk.principal, principal_id=uuid4())
            self.asked[principal.principal_id] = []
            results = await inline.write_all(principal, writes)
            outcomes = [result.code if isinstance(result, MusterError) else result for result in results]
            self.asked[principal.principal_id] = list(zip(writes, outcomes, strict=True))

    def by_number(self) -> ContactWrite:
        """Such a write alone: two that mean one contact must say so in the same way to be in order."""
        while (write := self.anything()).contact_id is not None or not isinstance(write, SaveContact | DeleteContact):
            pass
        return write


async def bulk(traffic: Traffic) -> None:
    """Memberships beside it, in the account's order too."""
    for _ in range(8):
        await traffic.desk.deliver((await traffic.desk.submit(random_membership(traffic))).messages)
        await asyncio.sleep(traffic.random.uniform(0, 0.05))


@pytest.mark.parametrize("kind", [Saving, InBulk])
@pytest.mark.parametrize("seed", range(2))
async def test_as_if_one_after_the_other(desk: Desk, seed: int, kind: type[Saving]) -> None:
    """Design, "E-mail is not identity": twins get ordinals of their own, whoever comes when, and nobody is lost."""
    traffic = await kind.of(desk, seed)
    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0)
    await assert_as_in_sequence(traffic)
    await assert_order(desk)
    await assert_effects(desk)
    assert len(traffic.made()) > 20
    assert max(row["email_ordinal"] for row in await desk.rows("contact")) > 2


async def test_with_lost_connections_and_clients_that_go_away(desk: Desk) -> None:
    traffic = await Saving.of(desk, 0)
    async with processes(desk, Faulty) as inlines:
        await run(inlines, traffic, 0.7)
    await assert_as_in_sequence(traffic)
    await assert_effects(desk)


async def test_beside_bulk_memberships(desk: Desk) -> None:
    traffic = await Saving.of(desk, 1)
    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0, bulk(traffic), bulk(traffic))
    await desk.finish_everything()
    await assert_order(desk)
    await assert_effects(desk)
