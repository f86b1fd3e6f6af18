"""The W50 dialect (contract w50.md): contact lists with fields of their own, under /Which50API."""

from api.w50.front import mount

__all__ = ["mount"]
