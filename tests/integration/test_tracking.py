"""Tracking events on PostgreSQL, against the model: sets of campaigns, and what becomes of contacts."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.activities.model import Activity, State
from engine.operations.contact_delete import DeleteContacts
from engine.operations.list_memberships import AddListMemberships
from engine.operations.tracking_events import TrackingEvents
from engine.segments import stored
from engine.sets import reading, system
from engine.sets.chunks import CHUNK_BITS, numbers_of
from engine.sets.system import ACTIVE, EXISTS, FIELDS, TRACKING, UNSUBSCRIBED
from tests.integration.desk import Desk, deliver_at_random
from tests.tracking_model import Model

EVENTS = ("sent", "opened", "clicked", "bounced", "unsubscribed", "complained")
NOW = datetime.now(UTC).replace(microsecond=0)


def days_ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def row(contact: str | UUID, campaign_id: str, event: str, time: str = days_ago(1)) -> dict[str, Any]:
    name = "contact_id" if isinstance(contact, UUID) else "email"
    return {name: str(contact), "campaign_id": campaign_id, "event": event, "time": time}


def request(desk: Desk, rows: Sequence[Any]) -> TrackingEvents:
    file = f"{uuid4()}.json"
    (desk.settings.uploads / file).write_text(json.dumps(rows))
    return TrackingEvents.stored(file, rows)


async def tell(desk: Desk, *rows: Any) -> Activity:
    """Records events; answers the activity as it ended."""
    submitted = await desk.submit(request(desk, rows))
    await desk.deliver(submitted.messages)
    found = await desk.find(submitted)
    assert found.state is State.COMPLETED
    return found


async def campaigns(desk: Desk) -> dict[str, Any]:
    return {str(each["campaign_id"]): each for each in await desk.rows("campaign")}


async def tracked(desk: Desk) -> dict[tuple[str, str], set[int]]:
    """The contact numbers by campaign and event."""
    return {
        (campaign_id, event): await desk.members(each[f"{event}_set"])
        for campaign_id, each in (await campaigns(desk)).items()
        for event in EVENTS
        if each[f"{event}_set"] is not None
    }


async def contact(desk: Desk, contact_no: int) -> Mapping[str, Any]:
    [found] = [each for each in await desk.rows("contact") if each["contact_no"] == contact_no]
    return dict(found)


@pytest.mark.parametrize("seed", range(8))
async def test_random_events(seed: int, desk: Desk) -> None:
    """Over two chunks, by id and by e-mail, contacts in every state, each request told twice; also of lists."""
    random = Random(seed)
    model, numbers = await prepared(desk, random)
    names = [*model.contacts, str(uuid4()), "nobody@example.org"]
    ids = [str(uuid4()) for _ in range(3)]
    lists = {str(each.set_id): each.set_no for each in await desk.new_lists(2)}
    model.lists |= set(lists)
    for _ in range(6):
        rows = [random_row(random, names, ids, [*lists, str(uuid4())]) for _ in range(random.randint(1, 30))]
        await assert_told(desk, rows, model.tell(rows))
        before = await kept(desk)
        again = await assert_told(desk, rows, model.tell(rows))
        assert again.changed_count == 0
        assert await kept(desk) == before
    expected = {where: {numbers[name] for name in members} for where, members in model.sets.items()}
    assert await tracked(desk) == expected
    assert {i: each["sent_at"] for i, each in (await campaigns(desk)).items()} == {
        i: model.sent(i) for i in model.times
    }
    await assert_contacts(desk, model, numbers)
    assert await marked(desk) == {
        (numbers[name], event, lists[list_id] if list_id else 0): time
        for (name, event, list_id), time in model.marks.items()
    }


async def marked(desk: Desk) -> dict[tuple[int, str, int], datetime]:
    rows = await desk.rows("mark")
    return {(each["contact_no"], each["kind"], each["set_no"]): each["marked_at"] for each in rows}


async def kept(desk: Desk) -> list[set[Any]]:
    """What events may change, in whatever order it lies."""
    return [set(await desk.rows(table)) for table in ("set_chunk", "contact", "campaign", "mark")]


async def assert_told(desk: Desk, rows: Sequence[Any], wrong: Sequence[int]) -> Activity:
    """Tells the rows, of which these are errors."""
    activity = await tell(desk, *rows)
    done = (activity.items_total, activity.items_completed, activity.error_count)
    assert done == (len(rows), len(rows), len(wrong))
    found = [error.message.partition(":")[0] for error in await desk.full_errors(activity)]
    assert found == [f"row {number}" for number in wrong]
    return activity


async def prepared(desk: Desk, random: Random) -> tuple[Model, dict[str, int]]:
    """Contacts in every state; the model knows each by its id or by its e-mail."""
    model, numbers = Model({}), dict[str, int]()
    permissions = ("implicit", "explicit", "pending_confirmation", "unsubscribed", "temp_hold", "not_set")
    for number in random.sample(range(1, 2 * CHUNK_BITS), 24):
        permission, deleted = random.choice(permissions), random.random() < 0.1
        [contact_id] = await desk.make_contacts(1, first=number, permission=permission, deleted=deleted)
        facts: dict[str, Any] = {
            "resubscribed_at": random.choice((None, NOW - timedelta(days=random.randint(0, 6)))),
            "opt_in_source": random.choice(("Account", "Contact")),
            "opt_in_date": NOW - timedelta(days=random.randint(0, 6)),
            "opt_out_source": random.choice(("Account", "Contact")) if permission == "unsubscribed" else None,
            "email_created_at": NOW - timedelta(days=9),
            "email_updated_at": NOW - timedelta(days=random.choice((9, 3, 1))),
        }
        changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(facts, 3))
        await desk.owner.execute(
            f"UPDATE contact SET {changes} WHERE account_id = $1 AND contact_no = $2",
            *(desk.account_id, number, *facts.values()),
        )
        name = random.choice((str(contact_id), f"c{number}@example.org"))
        numbers[name] = number
        own = [facts["resubscribed_at"], facts["opt_in_date"] if facts["opt_in_source"] == "Contact" else None]
        mended = facts["email_updated_at"]
        model.contacts[name] = {
            "permission": permission,
            "deleted": deleted,
            "opt_out_source": facts["opt_out_source"],
            "opt_out_date": None,
            "subscribed_at": max((each for each in own if each), default=None),
            "mended_at": mended if mended > facts["email_created_at"] else None,
        }
    return model, numbers


def random_row(random: Random, names: Sequence[str], ids: Sequence[str], lists: Sequence[str]) -> dict[str, Any]:
    name = random.choice(names)
    spelled: str | UUID = f" {name.upper()}" if "@" in name and random.random() < 0.5 else name
    time = days_ago(random.choice((0, 0.5, 1.5, 2.5, 4.5, 8.5)))
    event = random.choice(EVENTS)
    of_list = {"list_id": random.choice(lists)} if event in EVENTS[3:] and random.random() < 0.4 else {}
    return row(spelled if "@" in name else UUID(name), random.choice(ids), event, time) | of_list


async def assert_contacts(desk: Desk, model: Model, numbers: Mapping[str, int]) -> None:
    found = {each["contact_no"]: each for each in await desk.rows("contact")}
    for name, expected in model.contacts.items():
        actual = found[numbers[name]]
        told = {each: actual[each] for each in ("permission", "opt_out_source", "opt_out_date")}
        assert told == {each: expected[each] for each in told}, name
    living = [(name, each) for name, each in model.contacts.items() if not each["deleted"]]
    active = {numbers[name] for name, each in living if each["permission"] in ("implicit", "explicit")}
    assert await desk.members(ACTIVE) == active
    assert {numbers[n] for n, each in living if each["permission"] == "unsubscribed"} <= await desk.members(
        UNSUBSCRIBED
    )
    assert await desk.members(EXISTS) == {numbers[name] for name, _ in living}


async def test_who_unsubscribes_changes_and_stays_on_lists(desk: Desk) -> None:
    """Contract 1.11: permission, opt_out_source and opt_out_date; the policy on memberships; undo's image."""
    [person], target = await desk.make_contacts(1), await desk.new_list()
    await desk.deliver((await desk.add([person], target)).messages)
    before = await contact(desk, 1)
    activity = await tell(desk, row(person, str(uuid4()), "unsubscribed", days_ago(2)))
    after = await contact(desk, 1)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"permission", "opt_out_source", "opt_out_date", "email_updated_at"}
    assert (after["permission"], after["opt_out_source"]) == ("unsubscribed", "Contact")
    assert after["opt_out_date"] == NOW - timedelta(days=2)
    assert await desk.members(ACTIVE) == set()
    assert await desk.members(UNSUBSCRIBED) == {1}
    assert await desk.members(target) == {1}
    [image] = [each for each in await desk.rows("contact_before") if each["sequence"] == activity.sequence]
    assert json.loads(image["image"])["permission"] == "implicit"
    assert activity.changed_count == 3


async def test_what_is_told_of_a_list_stays_in_it(desk: Desk) -> None:
    """A mark of the list, with its time, and nothing else: no opt-out, no campaign, and no contact to wait for."""
    [person], target = await desk.make_contacts(1), await desk.new_list()
    before = await contact(desk, 1)
    told = [row(person, "", event, days_ago(2)) | {"list_id": str(target.set_id)} for event in EVENTS[3:]]
    asked = request(desk, [{**each, "campaign_id": None} for each in told])
    submitted = await desk.submit(asked)
    assert submitted.activity.writes == {TRACKING}
    await desk.deliver(submitted.messages)
    assert await contact(desk, 1) == before
    assert await campaigns(desk) == {}
    assert await marked(desk) == {(1, event, target.set_no): NOW - timedelta(days=2) for event in EVENTS[3:]}


async def test_who_complains_is_opted_out(desk: Desk) -> None:
    """Contract greenrope.md 6.1.2; the policy on unsubscribing: who complains must not get more mail."""
    [person] = await desk.make_contacts(1)
    await tell(desk, row(person, str(uuid4()), "complained", days_ago(2)))
    found = await contact(desk, 1)
    assert (found["permission"], found["opt_out_source"]) == ("unsubscribed", "Contact")
    assert (await desk.members(ACTIVE), await desk.members(UNSUBSCRIBED)) == (set(), {1})
    assert await marked(desk) == {(1, "complained", 0): NOW - timedelta(days=2)}


async def test_what_bounced_is_held(desk: Desk) -> None:
    """Contract 1.11, 2.1.2: temp_hold is out of active, and no opt-out."""
    [person] = await desk.make_contacts(1)
    await tell(desk, row(person, str(uuid4()), "bounced"))
    found = await contact(desk, 1)
    assert (found["permission"], found["opt_out_source"], found["opt_out_date"]) == ("temp_hold", None, None)
    assert await desk.members(ACTIVE) == set()
    assert await desk.members(UNSUBSCRIBED) == set()


async def test_what_was_known_does_not_happen_again(desk: Desk) -> None:
    """The account has mended the contact in between; who tells the same again does not know it."""
    [person] = await desk.make_contacts(1)
    told = [row(person, str(uuid4()), event) for event in ("bounced", "unsubscribed")]
    await tell(desk, *told)
    await desk.owner.execute(
        "UPDATE contact SET permission = 'explicit' WHERE account_id = $1 AND contact_no = 1", desk.account_id
    )
    assert (await tell(desk, *told)).changed_count == 0
    assert (await contact(desk, 1))["permission"] == "explicit"


async def test_effects_and_sources_tell_what_was_done(desk: Desk) -> None:
    """Design, effect first: per set what was turned on or off; each set's own source is the batch with its number."""
    people = await desk.make_contacts(3)
    campaign_id = str(uuid4())
    first = await tell(desk, *(row(each, campaign_id, "sent") for each in people[:2]))
    second = await tell(
        desk, *(row(each, campaign_id, "sent") for each in people), row(people[0], campaign_id, "bounced")
    )
    [campaign] = (await campaigns(desk)).values()
    effects = {
        (e["sequence"], e["set_no"], e["turned_on"]): set(numbers_of(e["chunk"], e["bits"]))
        for e in await desk.rows("effect")
    }
    assert effects == {
        (first.sequence, campaign["sent_set"], True): {1, 2},
        (second.sequence, campaign["sent_set"], True): {3},
        (second.sequence, campaign["bounced_set"], True): {1},
        (second.sequence, ACTIVE, False): {1},
    }
    sources = {
        (e["sequence"], e["batch"]): set(numbers_of(e["chunk"], e["bits"])) for e in await desk.rows("activity_source")
    }
    assert sources == {
        (first.sequence, campaign["sent_set"]): {1, 2},
        (second.sequence, campaign["sent_set"]): {1, 2, 3},
        (second.sequence, campaign["bounced_set"]): {1},
        (second.sequence, ACTIVE): {1},
    }


async def test_who_is_deleted_leaves_the_sets_of_campaigns(desk: Desk) -> None:
    """The policy on deletion: it clears every bit."""
    people = await desk.make_contacts(2)
    campaign_id = str(uuid4())
    await tell(desk, *(row(each, campaign_id, event) for each in people for event in ("sent", "opened")))
    deleting = await desk.submit(DeleteContacts.model_validate({"contact_ids": people[:1]}))
    await desk.deliver(deleting.messages)
    assert await tracked(desk) == {(campaign_id, "sent"): {2}, (campaign_id, "opened"): {2}}
    assert (await tell(desk, row(people[0], campaign_id, "clicked"))).error_count == 1


async def test_tracking_sets_are_no_lists(desk: Desk) -> None:
    """They share the space of set numbers, and nothing that speaks of lists or tags shows them."""
    await desk.new_list()
    [person] = await desk.make_contacts(1)
    await tell(desk, row(person, str(uuid4()), "opened"))
    sets = {each["set_no"]: each["kind"] for each in await desk.rows("contact_set") if each["set_no"] > 0}
    assert sets == {1: "list", 2: "tracking"}
    assert (await desk.new_list()).set_no == 3


async def test_what_events_read_and_write(desk: Desk) -> None:
    """Only bounces and unsubscriptions change contacts; only e-mails have to wait for imports."""
    [person] = await desk.make_contacts(1)
    campaign_id = str(uuid4())
    by_id = (await desk.submit(request(desk, [row(person, campaign_id, "sent")]))).activity
    by_email = (await desk.submit(request(desk, [row("c1@example.org", campaign_id, "bounced")]))).activity
    assert (by_id.reads, by_id.writes) == (frozenset(), frozenset({TRACKING}))
    assert by_email.reads == {FIELDS}
    assert by_email.writes == {TRACKING, ACTIVE, UNSUBSCRIBED, FIELDS}


async def test_a_segment_waits_for_the_events_before_it(desk: Desk) -> None:
    """Contract 3.3, 4.3: also for those of campaigns that nobody knew of when it was submitted."""
    people, target = await desk.make_contacts(3), await desk.new_list()
    rule = {"source": "tracking", "field": "not_opened", "op": "contains-any"}
    rule |= {"const_value": "last-n-campaigns", "param": "5"}
    async with desk.db.account(desk.account_id) as tx:
        criteria = json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": [rule]}})
        segment = await stored.create(tx, "unmoved", criteria)
    campaign_id = str(uuid4())
    rows = [row(each, campaign_id, "sent") for each in people] + [row(people[0], campaign_id, "opened")]
    telling = await desk.submit(request(desk, rows))
    body = {"source": {"segment_id": segment.segment_id}, "list_ids": [target.set_id]}
    adding = await desk.submit(AddListMemberships.model_validate(body))
    await deliver_at_random(Random(1), [*adding.messages, *telling.messages], [desk.worker(), desk.worker()])
    await desk.finish_everything()
    assert await desk.members(target) == {2, 3}
    async with desk.db.account(desk.account_id) as tx:
        assert await reading.page(tx, await stored.resolve(tx, criteria), limit=10) == [2, 3]


async def test_a_file_that_is_gone_fails_the_activity(desk: Desk) -> None:
    submitted = await desk.submit(TrackingEvents.stored("gone.json", []))
    await desk.deliver(submitted.messages)
    found = await desk.find(submitted)
    assert (found.state, found.failure_code) == (State.FAILED, "invalid")
    assert "the stored events cannot be read: No such file" in str(found.failure)


async def test_as_many_events_as_there_may_be(desk: Desk) -> None:
    """Ten thousand rows, each of another campaign: no statement grows out of hand."""
    people = await desk.make_contacts(100)
    rows = [row(people[n % 100], str(UUID(int=n)), "unsubscribed" if n % 2 else "sent") for n in range(10_000)]
    activity = await tell(desk, *rows)
    assert (activity.items_total, activity.error_count) == (10_000, 0)
    assert len(await campaigns(desk)) == 10_000
    assert len(await desk.members(UNSUBSCRIBED)) == 50
    assert system.TRACKING not in {each["set_no"] for each in await desk.rows("contact_set")}
