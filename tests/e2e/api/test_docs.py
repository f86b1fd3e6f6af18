"""The documentation as it is served."""

import json

from api.docs import PATH
from api.openapi import document
from api.v3 import V3
from tests.e2e.api.front import Front


async def test_the_document_needs_no_token(front: Front) -> None:
    served = await front.as_(None).request("GET", "/v3/openapi.json")
    assert (served.status, served.headers["Content-Type"]) == (200, "application/json")
    assert served.body == json.loads(json.dumps(document(V3)))


async def test_the_page_needs_no_token_and_no_internet(front: Front) -> None:
    served = await front.as_(None).request("GET", PATH)
    assert (served.status, served.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert served.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert served.content.startswith(b"<!DOCTYPE html>\n<html")
    assert b"/v3/openapi.json" in served.content
    assert await front.as_(None).refused("POST", "/v3/openapi.json", 404)


async def test_the_root_points_to_them(front: Front) -> None:
    served = await front.as_(None).request("GET", "/")
    assert (served.status, served.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert served.content == b"This is Muster. Its API for people: /docs; for programs: /v3/openapi.json\n"
