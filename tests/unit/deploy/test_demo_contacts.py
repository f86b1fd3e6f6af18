"""The demonstration's contacts are varied, whole, and the same every time."""

import csv
import hashlib
from pathlib import Path

from deploy.demo_contacts import COMPANIES, FIRST_NAMES, JOB_TITLES, LAST_NAMES, PLACES, rows, write_csv


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_same_contacts_every_time(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", 1000, lambda _: None)
    digest = hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    assert digest == "9d35f161ec56cd21438fc5c162da914684dfc0f78b52d08f022cf3b8317d187a"


def test_a_contact_depends_on_its_number_alone() -> None:
    assert list(rows(0, 100)) == [*rows(0, 37), *rows(37, 100)]


def test_every_row_is_whole_and_every_email_its_own(tmp_path: Path) -> None:
    told: list[int] = []
    write_csv(tmp_path / "a.csv", 25_000, told.append)
    contacts = read(tmp_path / "a.csv")
    assert told == [20_000, 5_000]
    assert len({contact["email"] for contact in contacts}) == 25_000
    assert all(None not in contact and None not in contact.values() for contact in contacts)


def test_contacts_are_varied(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", 25_000, lambda _: None)
    contacts = read(tmp_path / "a.csv")
    kinds = {column: len({contact[column] for contact in contacts}) for column in contacts[0]}
    assert kinds["first_name"] == len(FIRST_NAMES) == 33
    assert kinds["last_name"] == len(LAST_NAMES) == 33
    assert kinds["job_title"] == len(JOB_TITLES) == 19
    assert kinds["company_name"] == len(COMPANIES) == 17
    assert kinds["city"] == len(PLACES) == 13
    assert kinds["birthday_month"] == 13
    people = {(contact["first_name"], contact["last_name"], contact["job_title"]) for contact in contacts}
    assert len(people) > 10_000
