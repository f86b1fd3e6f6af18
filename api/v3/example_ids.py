"""The ids in the examples of bodies: made up, and each the same wherever it stands."""

from typing import Final

CONTACT: Final = "8f14e45f-ceea-467f-a8f2-3d5c0b1e7a10"
OTHER_CONTACT: Final = "c9f0f895-fb98-4b91-9d3a-6e2f1a7c5d20"
LIST: Final = "45c48cce-2e2d-4fbd-ba1a-fc51c7c6ad30"
OTHER_LIST: Final = "d3d94468-02a4-4259-b55d-38e6d163e840"
TAG: Final = "6512bd43-d9ca-4e02-b3c0-45c99e8f7b50"
CUSTOM_FIELD: Final = "c20ad4d7-6fe9-4759-a27a-0c99bff67160"
CAMPAIGN: Final = "c51ce410-c124-410e-8db5-e4b97fc2af70"
#: Names of users, which are of one in all accounts.
USER: Final = "robin@example.org"
NEW_USER: Final = "sam@example.org"
