"""Campaigns that tracking events told of, and which of them a segment's rules mean."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

import asyncpg

from engine.database import Transaction
from engine.segments.rules import Campaigns, LastCampaigns, LastDays, NamedCampaigns, Tracked


async def tracked(tx: Transaction, chosen: Collection[Campaigns]) -> Mapping[Campaigns, Tracked]:
    """The sets of the campaigns that exist now, for each way of choosing campaigns."""
    if not chosen:
        return {}
    rows = await tx.all(
        "campaigns_meant",
        last=max((each.count for each in chosen if isinstance(each, LastCampaigns)), default=0),
        days=max((each.days for each in chosen if isinstance(each, LastDays)), default=0),
        campaign_ids=[i for each in chosen if isinstance(each, NamedCampaigns) for i in each.campaign_ids],
    )
    return {each: _sets(row for row in rows if _is_meant(row, each)) for each in chosen}


def _is_meant(row: asyncpg.Record, chosen: Campaigns) -> bool:
    match chosen:
        case LastCampaigns(count):
            return bool(row["newer"] < count)
        case LastDays(days):
            return bool(row["age"] <= timedelta(days=days))
        case NamedCampaigns(campaign_ids):
            return row["campaign_id"] in campaign_ids


def _sets(rows: Iterable[asyncpg.Record]) -> Tracked:
    found = list(rows)
    sent, opened, clicked = (
        tuple(row[column] for row in found if row[column] is not None)
        for column in ("sent_set", "opened_set", "clicked_set")
    )
    return Tracked(sent, opened, clicked)
