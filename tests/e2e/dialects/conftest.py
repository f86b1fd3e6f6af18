"""An API of this test's own, as tests/e2e/api has it."""

from tests.e2e.api.conftest import front
from tests.integration.conftest import desk, new_desk

__all__ = ["desk", "front", "new_desk"]
