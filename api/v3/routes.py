"""Every v3 route, in the order in which they are documented; each stands beside its handler."""

from collections.abc import Sequence

from api.dialects import AnyRoute, Nowhere
from api.v3 import (
    activities,
    bulk,
    companies,
    contact_lists,
    contact_tags,
    contacts,
    custom_fields,
    engagement,
    events,
    exports,
    field_definitions,
    hooks,
    imports,
    keys,
    lead_scores,
    segments,
    tracking,
    users,
)

ROUTES: Sequence[AnyRoute] = (
    *bulk.ROUTES,
    *exports.ROUTES,
    *engagement.ROUTES,
    *imports.ROUTES,
    *activities.ROUTES,
    *contacts.ROUTES,
    *lead_scores.ROUTES,
    *contact_lists.ROUTES,
    *contact_tags.ROUTES,
    *custom_fields.ROUTES,
    *tracking.ROUTES,
    *segments.ROUTES,
    *field_definitions.ROUTES,
    *companies.ROUTES,
    *events.ROUTES,
    *hooks.ROUTES,
    *users.ROUTES,
    *keys.ROUTES,
)

_ACTIVITIES = "/activities/"
_PATHS = [route.path for route in ROUTES if route.method == "POST"]
_KINDS = sorted(path.removeprefix(_ACTIVITIES) for path in _PATHS if path.startswith(_ACTIVITIES) and "{" not in path)
#: A misspelt kind stands where the id of an activity could, which is known and has no POST (contract v3.md 1.8).
NOWHERE = (
    Nowhere(
        "POST",
        _ACTIVITIES + "{kind:(?![0-9A-Fa-f-]{36}$)[^/]+}",
        f"there is no such kind of activity; there are {', '.join(_KINDS)}",
    ),
)
