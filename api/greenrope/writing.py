"""Writing the contacts of a request in its order, each on its own, whichever accounts they are of (contract
greenrope.md 5.1).

Contacts are looked up and written in runs of such as do not matter to each other, so that each finds what those before
it have made; contacts of different accounts never matter to each other.
"""

from collections.abc import AsyncIterator, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass

from api import dialects
from api.greenrope import finding
from api.greenrope.answers import Listed, Members, Record
from api.greenrope.calling import Call
from api.greenrope.finding import Match, Meant, Tokens
from api.greenrope.refusals import AlreadyThere, refusal
from api.greenrope.requests import Item, echoed
from engine.contacts.decisions import ContactWrite, Written
from engine.errors import EmailTaken, MusterError, StaleWrite
from engine.principals import Principal
from engine.sets import reading
from engine.sets.catalog import SetKind

#: Makes a write of who was found: the numbers of the contacts, and the groups of the first of them if it asks for them.
#: Raises MusterError.
Make = Callable[[Sequence[int], Collection[int]], ContactWrite]


@dataclass(frozen=True, slots=True)
class Step:
    """One contact of a request: who is meant, what is to be written, and whether that depends on its groups."""

    meant: Meant
    tokens: Tokens
    make: Make
    asks_groups: bool = False


#: What a function tells of a contact that it has written.
Tell = Callable[[Principal, Written], Members]


def answer(items: Sequence[Item], told: Sequence[Members]) -> Record:
    """The answer of a function on contacts: what came of each, in the request's order."""
    records = [Record(members, echoed(item.attributes)) for item, members in zip(items, told, strict=True)]
    return Record((("Contacts", Listed("Contact", records)),))


async def write(call: Call, principal: Principal, steps: Sequence[Step], tell: Tell) -> list[Members]:
    """What came of each step in one account. After one that fails for a fault of ours the rest are not tried."""
    results = list[Written | MusterError]()
    try:
        async for few in _Account(call, principal, steps).written():
            results += few
    except Exception as error:  # noqa: BLE001 (whatever it is: what was done is told, other accounts have their turn)
        results += [dialects.told(error, call.function)] * (len(steps) - len(results))
    return [tell(principal, each) if isinstance(each, Written) else refused(each) for each in results]


def refused(error: MusterError) -> Members:
    """What is told of a contact that was not written."""
    match error:
        case EmailTaken():
            return refusal(AlreadyThere(f"A contact with this email already exists (ID {error.contact_no})"))
        case StaleWrite():
            return refusal(StaleWrite("The contact was changed after the given UpdatedTimeStamp"))
        case _:
            return refusal(error)


class _Account:
    """The steps of a request in one account."""

    def __init__(self, call: Call, principal: Principal, steps: Sequence[Step]) -> None:
        self._call = call
        self._principal = principal
        self._steps = steps

    async def written(self) -> AsyncIterator[list[Written | MusterError]]:
        """What came of the steps in their order, some at a time."""
        done = 0
        while done < len(self._steps):
            results = await self._tried(_independent(self._steps[done:]))
            tried = self._steps[done : done + len(results)]
            yield [await self._settled(step, result) for step, result in zip(tried, results, strict=True)]
            done += len(results)

    async def _settled(self, step: Step, result: Written | MusterError) -> Written | MusterError:
        """The result; for a contact that somebody else has made since it was looked for, what comes of updating it."""
        if isinstance(result, EmailTaken) and isinstance(step.meant, Match):
            [result] = await self._tried([step])
        return result

    async def _tried(self, steps: Sequence[Step]) -> list[Written | MusterError]:
        """What came of the first of the steps."""
        made = await self._made(steps)
        writes = [each for each in made if isinstance(each, ContactWrite)]
        written = iter(await self._call.services.inline.write_all(self._principal, writes))
        return [next(written) if isinstance(each, ContactWrite) else each for each in made]

    async def _made(self, steps: Sequence[Step]) -> list[ContactWrite | MusterError]:
        """The writes of the first of the steps: of as many as mean different contacts."""
        async with self._call.db.account(self._principal.account_id) as tx:
            found = _apart(await finding.found(tx, self._principal, [step.meant for step in steps]))
            steps = steps[: len(found)]
            asking = [numbers[0] for step, numbers in zip(steps, found, strict=True) if step.asks_groups and numbers]
            groups = await reading.sets_of(tx, asking, [SetKind.LIST]) if asking else {}
        return [
            _made(step, numbers, [each.set_no for number in numbers[:1] for each in groups.get(number, ())])
            for step, numbers in zip(steps, found, strict=True)
        ]


def _made(step: Step, numbers: Sequence[int], groups: Collection[int]) -> ContactWrite | MusterError:
    try:
        return step.make(numbers, groups)
    except MusterError as error:
        return error


def _independent(steps: Sequence[Step]) -> list[Step]:
    """The first of the steps, as many as look for nothing that one before them says, and not for the same."""
    run, said, same = list[Step](), set[Hashable](), set[Hashable]()
    for step in steps:
        if not (said.isdisjoint(step.tokens.asks) and same.isdisjoint(step.tokens.same)):
            break
        run.append(step)
        said |= step.tokens.says
        same |= step.tokens.same
    return run


def _apart(found: Sequence[list[int]]) -> list[list[int]]:
    """The first of those who were found, as many as are different contacts."""
    apart, met = list[list[int]](), set[int]()
    for numbers in found:
        if not met.isdisjoint(numbers):
            break
        apart.append(numbers)
        met.update(numbers)
    return apart
