"""What tracking events do, told in plain Python: rows as they are on the wire, contacts as dictionaries.

A contact has `permission`, `opt_out_source`, `opt_out_date`, `subscribed_at` (its own last act), `mended_at` (when its
address was put in order) and `deleted`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]


@dataclass
class Model:
    """An account: contacts by key (id or e-mail), whom each campaign and event is told of, and when it was sent; marks.

    lists: those that there are; marks: the last time by contact, event and list (None for the account).
    """

    contacts: dict[str, dict[str, Any]]
    lists: set[str] = field(default_factory=set)
    marks: dict[tuple[str, str, str | None], datetime] = field(default_factory=dict)
    sets: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    times: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)

    def tell(self, rows: Sequence[Row]) -> list[int]:
        """Records the rows, which are well-formed; answers the numbers of those that are errors."""
        wrong = [n for n, row in enumerate(rows, 1) if self._is_wrong(row)]
        told = [row for n, row in enumerate(rows, 1) if n not in wrong]
        for row in told:
            self._mark(row)
        told = [row for row in told if "list_id" not in row]
        news = [row for row in told if key(row) not in self.sets.get((row["campaign_id"], row["event"]), set())]
        for row in told:
            self.sets.setdefault((row["campaign_id"], row["event"]), set()).add(key(row))
            self.times.setdefault(row["campaign_id"], []).append((row["event"], time_of(row)))
        for name, contact in self.contacts.items():
            self._change(contact, [row for row in news if key(row) == name])
        return wrong

    def _is_wrong(self, row: Row) -> bool:
        is_gone = self.contacts.get(key(row), {"deleted": True})["deleted"]
        return is_gone or ("list_id" in row and row["list_id"] not in self.lists)

    def _mark(self, row: Row) -> None:
        if "list_id" in row or row["event"] in ("bounced", "complained"):
            place = key(row), row["event"], row.get("list_id")
            self.marks[place] = max(time_of(row), self.marks.get(place, time_of(row)))

    def sent(self, campaign_id: str) -> datetime:
        """When the campaign was sent."""
        times = self.times[campaign_id]
        return min([time for event, time in times if event == "sent"] or [time for _, time in times])

    @staticmethod
    def _change(contact: dict[str, Any], news: Sequence[Row]) -> None:
        unsubscribed = [time_of(row) for row in news if row["event"] in ("unsubscribed", "complained")]
        unsubscribed = [time for time in unsubscribed if not after(contact["subscribed_at"], time)]
        bounced = [time_of(row) for row in news if row["event"] == "bounced"]
        bounced = [t for t in bounced if not after(contact["subscribed_at"], t) and not after(contact["mended_at"], t)]
        if unsubscribed and (contact["permission"], contact["opt_out_source"]) != ("unsubscribed", "Contact"):
            contact |= {"permission": "unsubscribed", "opt_out_source": "Contact", "opt_out_date": min(unsubscribed)}
        elif bounced and contact["permission"] in ("implicit", "explicit", "pending_confirmation"):
            contact["permission"] = "temp_hold"


def key(row: Row) -> str:
    return str(row.get("contact_id") or row["email"]).strip().lower()


def time_of(row: Row) -> datetime:
    return datetime.fromisoformat(row["time"])


def after(fact: datetime | None, time: datetime) -> bool:
    return fact is not None and fact > time
