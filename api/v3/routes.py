"""Every v3 route, in the order in which they are documented; each stands beside its handler."""

from collections.abc import Sequence

from api.dialects import AnyRoute
from api.v3 import (
    activities,
    bulk,
    contact_lists,
    contact_tags,
    contacts,
    custom_fields,
    engagement,
    exports,
    imports,
    segments,
    tracking,
)

ROUTES: Sequence[AnyRoute] = (
    *bulk.ROUTES,
    *exports.ROUTES,
    *engagement.ROUTES,
    *imports.ROUTES,
    *activities.ROUTES,
    *contacts.ROUTES,
    *contact_lists.ROUTES,
    *contact_tags.ROUTES,
    *custom_fields.ROUTES,
    *tracking.ROUTES,
    *segments.ROUTES,
)
