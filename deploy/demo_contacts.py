"""The contacts of the demonstration: varied, and the same every time."""

from collections.abc import Callable, Iterator
from pathlib import Path

#: Rows that are made and written at once.
PIECE_ROWS = 20_000

HEADING = "email,first_name,last_name,job_title,company_name,city,state,zip,country,birthday_month,birthday_day\n"

FIRST_NAMES = (
    *("Ada", "Aisha", "Amara", "Björn", "Carlos", "Chen", "Chloé", "Dmitri", "Elif", "Emma", "Fatima", "Finn"),
    *("Grace", "Hana", "Ibrahim", "Ingrid", "Jamal", "José", "Kim", "Lars", "Leila", "Liam", "Maria", "Mei"),
    *("Nadia", "Noah", "Olga", "Priya", "Raj", "Sofia", "Tomás", "Yuki", "Zoë"),
)
LAST_NAMES = (
    *("Ali", "Andersen", "Baker", "Chen", "Costa", "Dubois", "Eriksson", "Fischer", "García", "Hansen", "Ito"),
    *("Jensen", "Khan", "Kowalski", "Kumar", "Larsen", "Martin", "Müller", "Nguyen", "Novak", "O'Brien", "Ode"),
    *("Okafor", "Patel", "Petrov", "Rossi", "Santos", "Silva", "Smith", "Tanaka", "van Dijk", "Weber", "Çelik"),
)
JOB_TITLES = (
    *("Accountant", "Analyst", "Architect", "Civil Engineer", "Consultant", "Designer", "Director", "Editor"),
    *("Electrical Engineer", "Founder", "Librarian", "Manager", "Nurse", "Physician", "Researcher"),
    *("Software Engineer", "Teacher", "Translator", ""),
)
COMPANIES = (
    *("Acme", "Borealis AS", "Cobalt Group", '"Delta, Sons & Co."', "Evergreen", "Fjord Ltd", "Globex", "Hooli"),
    *("Initech", "Jupiter GmbH", "Kestrel", "Lumen", "Monsoon Inc.", "Nimbus", "Orchid", "Pinnacle", ""),
)
PLACES = (
    *("Oslo,,0150,Norway", "Bergen,,5003,Norway", "Boston,MA,02108,United States", "Austin,TX,73301,United States"),
    *("Lyon,,69001,France", "Berlin,,10115,Germany", "Milano,,20121,Italy", "Toronto,ON,M5H,Canada", ",,,"),
    *("São Paulo,SP,01000,Brazil", "Osaka,,530-0001,Japan", "Lagos,,100001,Nigeria", "Pune,MH,411001,India"),
)


def write_csv(path: Path, count: int, written: Callable[[int], None]) -> None:
    """Writes contacts 0 to count - 1 as CSV, telling `written` the number of rows of each piece."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADING)
        for first in range(0, count, PIECE_ROWS):
            last = min(first + PIECE_ROWS, count)
            file.write("".join(rows(first, last)))
            written(last - first)


def rows(first: int, last: int) -> Iterator[str]:
    """The CSV rows of the contacts first to last - 1; each depends on its number alone."""
    for number in range(first, last):
        # Fibonacci hashing: neighbours in number are no neighbours in anything else.
        mixed = (number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 20
        given, family = FIRST_NAMES[mixed % 33], LAST_NAMES[mixed // 33 % 33]
        title, company = JOB_TITLES[mixed // 1089 % 19], COMPANIES[mixed // 20691 % 17]
        place = PLACES[mixed // 351747 % 13]
        birthday = f"{mixed % 12 + 1},{mixed // 12 % 28 + 1}" if mixed % 5 else ","
        yield f"contact{number}@example.org,{given},{family},{title},{company},{place},{birthday}\n"
