"""Passwords that people give to commands: never as an argument, which everybody on the machine can read."""

import sys

import typer

from engine.errors import Invalid


def asked_for() -> str:
    """A password typed twice on a terminal, or the first line of standard input. Raises Invalid when there is none."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not password:
        raise Invalid("give the password on standard input: one line")
    return password
