"""The sets that every account has. Their numbers are negative; lists and tags count up from 1."""

#: Contacts that are not deleted.
EXISTS = -1
#: Mailable contacts: not deleted, permission implicit or explicit (contract v3.md 2.1.8, `active`).
ACTIVE = -2
#: Contacts whose permission is unsubscribed.
UNSUBSCRIBED = -3
#: The engagement levels (contract v3.md 3.14).
ENGAGEMENT = {"unqualified": -4, "low": -5, "medium": -6, "high": -7}
#: Holds no bits: stands for the contact fields in what activities read and write, so that they are ordered.
FIELDS = -8
#: Contacts whose engagement level was set by hand, not computed.
LEVEL_BY_HAND = -9
#: Holds no bits: stands for who was sent what and what they did, campaigns still to come included.
TRACKING = -10

#: The system sets that are stored, with their names.
STORED = {
    EXISTS: "exists",
    ACTIVE: "active",
    UNSUBSCRIBED: "unsubscribed",
    **{set_no: f"engagement {level}" for level, set_no in ENGAGEMENT.items()},
    LEVEL_BY_HAND: "engagement by hand",
}
