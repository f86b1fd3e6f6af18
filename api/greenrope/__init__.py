"""GreenRope XML: one path, a form that is posted, one function a request (contract greenrope.md)."""

from api.greenrope.front import mount

__all__ = ["mount"]
