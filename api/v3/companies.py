"""Companies over the wire, an extension: to whom they belong is another dialect's."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from api import reading
from api.answers import Time, json_answer, time
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import activities
from api.v3.access import NO_404, NO_404_409, READ, WITH_404, WITH_404_409, WRITE
from api.v3.bodies import Resource
from api.v3.formats import ShownActivity
from api.v3.paging import Page, PageQuery, next_links
from api.v3.values import Name
from engine.operations.sets_delete import DeleteSets
from engine.sets import catalog
from engine.sets.catalog import LARGEST_SET_NO, NamedSet, SetKind

#: What other dialects call a company's number.
CompanyId = Annotated[int, Field(ge=1, le=LARGEST_SET_NO)]


class NewCompany(Resource):
    name: Name


class CompaniesQuery(PageQuery):
    positions: ClassVar = frozenset({"after_company_id"})

    after_company_id: Annotated[int, Field(ge=0, le=LARGEST_SET_NO)] = 0


class Company(TypedDict):
    company_id: CompanyId
    name: str
    contacts_count: int
    created_at: Time
    updated_at: Time


class CompanyPage(Page):
    companies: Annotated[list[Company], Field(max_length=500)]


async def create(call: Call[Query, NewCompany]) -> web.Response:
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        made = await catalog.create(tx, SetKind.COMPANY, body.name)
    return json_answer(_shown(made), HTTPStatus.CREATED)


async def one(call: Call) -> web.Response:
    async with call.db.account(call.account_id) as tx:
        found = await catalog.find_number(tx, SetKind.COMPANY, _company_id(call))
    return json_answer(_shown(found))


async def change(call: Call[Query, NewCompany]) -> web.Response:
    company_id, body = _company_id(call), await call.body()
    async with call.db.account(call.account_id) as tx:
        found = await catalog.find_number(tx, SetKind.COMPANY, company_id)
        renamed = await catalog.rename(tx, found, body.name)
    return json_answer(_shown(renamed))


async def delete(call: Call) -> web.Response:
    """An activity of its own."""
    return await activities.accepted(call, DeleteSets(SetKind.COMPANY, (_company_id(call),)))


async def page(call: Call[CompaniesQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await catalog.page(tx, SetKind.COMPANY, limit=query.limit + 1, after_set_no=query.after_company_id)
    shown = found[: query.limit]
    answer: CompanyPage = {"companies": [_shown(each) for each in shown]}
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after_company_id=shown[-1].set_no)
    return json_answer(answer)


def _company_id(call: Call[Any, Any]) -> int:
    return reading.path_number(call.request, "company_id", LARGEST_SET_NO)


def _shown(company: NamedSet) -> Company:
    return {
        "company_id": company.set_no,
        "name": company.name,
        "contacts_count": company.member_count,
        "created_at": time(company.created_at),
        "updated_at": time(company.updated_at),
    }


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/companies",
        READ,
        page,
        NO_404,
        "getCompanies",
        "Companies",
        query=CompaniesQuery,
        answers={200: CompanyPage},
        extension=True,
    ),
    Route(
        "POST",
        "/companies",
        WRITE,
        create,
        NO_404_409,
        "postCompany",
        "Make a company, to which contacts may then belong",
        body=NewCompany,
        example={"name": "Fern & Co"},
        answers={201: Company},
        extension=True,
    ),
    Route(
        "GET",
        "/companies/{company_id}",
        READ,
        one,
        WITH_404,
        "getCompany",
        "One company",
        answers={200: Company},
        extension=True,
    ),
    Route(
        "PUT",
        "/companies/{company_id}",
        WRITE,
        change,
        WITH_404_409,
        "putCompany",
        "Rename a company",
        body=NewCompany,
        example={"name": "Fern Labs"},
        answers={200: Company},
        extension=True,
    ),
    Route(
        "DELETE",
        "/companies/{company_id}",
        WRITE,
        delete,
        WITH_404,
        "deleteCompany",
        "Take all contacts out of a company and delete it, as an activity",
        answers={202: ShownActivity},
        extension=True,
    ),
)
