"""The page for people, made on the server of the dialects' OpenAPI documents: plain HTML and CSS.

It has no script and takes nothing from anywhere else.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from xml.etree.ElementTree import Element

from api.dialects import Chapter, Dialect
from api.docs.elements import between, code, document, element, link, listing, mark, prose
from api.docs.schemas import Json, description, kind, properties, property_, rules
from api.reading import JSON


def page(documents: Sequence[tuple[Dialect, Json]]) -> bytes:
    """The page of these dialects and their documents, as HTML in UTF-8."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", "Muster API"),
        element("style", resources.files("api.docs").joinpath("style.css").read_text()),
    )
    body = element(
        "body",
        element("header", element("h1", "Muster API"), *(_about(told) for _, told in documents)),
        element("nav", *(each for dialect, told in documents for each in _contents(dialect, told))),
        element("main", *(each for dialect, told in documents for each in _sections(dialect, told))),
    )
    return document(element("html", head, body, lang="en"))


def _about(told: Json) -> Element:
    url = f"{told['servers'][0]['url']}/openapi.json"
    access = told["components"]["securitySchemes"]["token"]["description"]
    return element(
        "p",
        f"{told['info']['title']}, version {told['info']['version']}. ",
        *prose(access),
        " The same for programs, in OpenAPI 3.1: ",
        element("a", url, href=url),
    )


def _contents(dialect: Dialect, told: Json) -> Iterator[Element]:
    for group, operations in _groups(told).items():
        links = (element("li", link(each["operationId"], each["operationId"])) for _, _, each in operations)
        head = element("summary", link(_anchor(dialect, group), _title(group)))
        yield element("details", head, element("ul", *links))
    for title in (*(chapter.title for chapter in dialect.chapters), "Refusals", "Shapes"):
        yield element("p", link(_anchor(dialect, title), title))


def _sections(dialect: Dialect, told: Json) -> Iterator[Element]:
    for group, operations in _groups(told).items():
        articles = [_operation(dialect, told["components"]["schemas"], *operation) for operation in operations]
        yield _section(dialect, _title(group), *articles)
    for chapter in dialect.chapters:
        yield _section(dialect, chapter.title, *_chapter(chapter))
    answers = (part for answer in told["components"]["responses"].values() for part in _refusal(answer))
    yield _section(dialect, "Refusals", element("dl", *answers))
    shapes = (_shape(name, schema) for name, schema in told["components"]["schemas"].items())
    yield _section(dialect, "Shapes", *shapes)


def _section(dialect: Dialect, title: str, *content: Element) -> Element:
    return element("section", element("h2", title), *content, id=_anchor(dialect, title))


def _groups(told: Json) -> Mapping[str, list[tuple[str, str, Json]]]:
    """The operations by their group: method, path, and what is told of it."""
    groups: dict[str, list[tuple[str, str, Json]]] = {tag["name"]: [] for tag in told["tags"]}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            groups[operation["tags"][0]].append((method, path, operation))
    return groups


def _operation(dialect: Dialect, shapes: Json, method: str, path: str, operation: Json) -> Element:
    head = element("span", method.upper(), class_=f"method {method}")
    extension = mark("extension") if operation.get("x-extension") else None
    return element(
        "article",
        element("h3", head, " ", code(dialect.prefix + path), " ", extension),
        element("p", f"{operation['summary']}. ", *prose(operation["description"])),
        *_parameters(operation["parameters"]),
        *_body(operation.get("requestBody"), shapes),
        *_answers(dialect, operation["responses"]),
        id=operation["operationId"],
    )


def _parameters(parameters: Sequence[Json]) -> Iterator[Element]:
    if parameters:
        yield element("h4", "Parameters")
        yield element("dl", *(part for each in parameters for part in _parameter(each)))


def _parameter(parameter: Json) -> Iterator[Element]:
    words = [parameter["description"]] if "description" in parameter else []
    place = ["In the path."] if parameter["in"] == "path" else []
    told = {**parameter["schema"], "description": " ".join(words + place)}
    yield from property_(parameter["name"], told, required=parameter["required"])


def _body(body: Json | None, shapes: Json) -> Iterator[Element]:
    """The body in its place: who writes a request need not look elsewhere for what it is made of."""
    if body is None:
        return
    yield element("h4", "Body")
    for media, content in body["content"].items():
        schema = content["schema"]
        told = shapes[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        name = [" ", *kind(schema)] if "$ref" in schema else []
        yield element("p", code(media), *name, *description(told, after=": "))
        yield properties(told)
        ignores = [] if "additionalProperties" in told else ["Any other is ignored."]
        yield from _together([*rules(told), *ignores])
        yield from _example(media, content)


def _example(media: str, content: Json) -> Iterator[Element]:
    if "example" in content:
        yield element("h4", "Example" if media == JSON else "Example, part by part")
        yield listing(content["example"])


def _answers(dialect: Dialect, responses: Json) -> Iterator[Element]:
    refused = [status for status, answer in responses.items() if "$ref" in answer]
    yield element("h4", "Answers")
    told = (_answer(status, answer) for status, answer in responses.items() if "$ref" not in answer)
    yield element("dl", *(part for parts in told for part in parts))
    yield element("p", "Refusals: ", *between(", ", [link(_anchor(dialect, "Refusals"), each) for each in refused]))


def _answer(status: str, answer: Json) -> Iterator[Element]:
    yield element("dt", code(status), f" {answer['description']}")
    if "content" not in answer:
        yield element("dd", "no body")
    for media, content in answer.get("content", {}).items():
        yield element("dd", *(kind(content["schema"]) if media == JSON else [code(media)]))


def _refusal(answer: Json) -> Iterator[Element]:
    yield element("dt", answer["description"])
    for content in answer["content"].values():
        yield element("dd", *kind(content["schema"]), *description(content["schema"], after=". "))


def _shape(name: str, schema: Json) -> Element:
    content = properties(schema) if "properties" in schema else element("p", *kind(schema))
    words = element("p", *description(schema))
    return element(
        "article", element("h3", code(name)), words, content, *_together([*rules(schema)]), id=f"shape-{name}"
    )


def _together(sentences: Sequence[str]) -> Iterator[Element]:
    """What holds for properties together, if anything does."""
    if sentences:
        yield element("p", *prose(" ".join(sentences)))


def _chapter(chapter: Chapter) -> Iterator[Element]:
    head = element("tr", *(element("th", each) for each in chapter.heading))
    rows = (element("tr", *(element("td", *prose(each)) for each in row)) for row in chapter.rows)
    yield element("p", *prose(chapter.words))
    if chapter.example is not None:
        yield listing(chapter.example)
    yield element("div", element("table", element("thead", head), element("tbody", *rows)), class_="wide")


def _title(group: str) -> str:
    return group.replace("_", " ").capitalize()


def _anchor(dialect: Dialect, title: str) -> str:
    return f"{dialect.prefix.strip('/')}-{title.lower().replace(' ', '-').replace('_', '-')}"
