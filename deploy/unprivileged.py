"""Whom the embedded servers run as when Muster was started as root: PostgreSQL refuses to be root.

An account of the system that is there already is used; none is made. It is let through the folders that lead
to the servers' programs and data, and into nothing else: never open a folder to everybody here.
"""

import os
import pwd
import struct
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Unusable

#: Accounts to use, best first: PostgreSQL's own on Debian and on macOS, then the one that owns nothing.
CANDIDATES = ("postgres", "_postgres", "nobody")

#: The extended attribute with a POSIX access control list, its version, and its entries' layout and tags.
ACL_ATTRIBUTE = "system.posix_acl_access"
ACL_HEADER = struct.pack("<I", 2)
ACL_ENTRY = struct.Struct("<HHI")
ACL_OWNER, ACL_USER, ACL_GROUP, ACL_MASK, ACL_OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
ACL_UNNAMED = 0xFFFFFFFF
MAY_PASS = 0o1


@dataclass(frozen=True, slots=True)
class SystemUser:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}"


def server_user(data: Path) -> SystemUser | None:
    """Whom to run servers as: nobody else (None) unless root, else the owner of the data if there are any.

    Raises Unusable when another user owns the data, or the system has no account to use.
    """
    owner = data.stat() if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise Unusable(f"{data} belongs to user {_name(owner.st_uid)}: run as that user, or as root")
        return None
    if owner is not None and owner.st_uid != 0:
        return SystemUser(_name(owner.st_uid), owner.st_uid, owner.st_gid)
    return _first_candidate()


def let_through(user: SystemUser, target: Path) -> None:
    """Lets the user pass, not look, through the folders above the target. Raises Unusable where it cannot."""
    for folder in reversed(target.resolve().parents):
        if not _may_pass(user, folder):
            _grant_passage(user, folder)


def open_to_all(programs: Path) -> None:
    """Makes programs as readable as any installed program, which a strict umask may have prevented."""
    for path in (programs, *programs.rglob("*")):
        mode = path.stat().st_mode
        wanted = mode | 0o444 | (0o111 if mode & 0o100 else 0)
        if wanted != mode:
            path.chmod(wanted)


def _first_candidate() -> SystemUser:
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return SystemUser(name, entry.pw_uid, entry.pw_gid)
    raise Unusable(
        "PostgreSQL does not run as root, and this system has no user postgres or nobody to run it as: "
        "run Muster as another user, or set DATABASE_URL and REDIS_URL"
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _may_pass(user: SystemUser, folder: Path) -> bool:
    status, entries = folder.stat(), _access_list(folder)
    mask = _mask(entries)
    if status.st_uid == user.uid:
        allowed = entries[ACL_OWNER, ACL_UNNAMED]
    elif (ACL_USER, user.uid) in entries:
        allowed = entries[ACL_USER, user.uid] & mask
    elif status.st_gid == user.gid:
        allowed = entries[ACL_GROUP, ACL_UNNAMED] & mask
    else:
        allowed = entries[ACL_OTHERS, ACL_UNNAMED]
    return bool(allowed & MAY_PASS)


def _grant_passage(user: SystemUser, folder: Path) -> None:
    try:
        entries = _access_list(folder)
        mine = entries.get((ACL_USER, user.uid), 0) | MAY_PASS
        added = {(ACL_USER, user.uid): mine, (ACL_MASK, ACL_UNNAMED): _mask(entries) | MAY_PASS}
        _set_access_list(folder, entries | added)
    except (AttributeError, OSError) as error:  # macOS has no such attributes, some file systems refuse them
        raise Unusable(
            f"PostgreSQL does not run as root, and user {user.name} may not pass through {folder}: "
            f"chmod o+x {folder}, or choose another folder"
        ) from error


def _mask(entries: dict[tuple[int, int], int]) -> int:
    """What the group and the named users may do at most: as much as the group, unless the list says otherwise."""
    return entries.get((ACL_MASK, ACL_UNNAMED), entries[ACL_GROUP, ACL_UNNAMED])


def _access_list(folder: Path) -> dict[tuple[int, int], int]:
    """The permissions of a folder by (tag, id); those of its mode when it has no list."""
    try:
        raw = os.getxattr(folder, ACL_ATTRIBUTE)
    except (AttributeError, OSError):
        mode = folder.stat().st_mode
        tags = ((ACL_OWNER, mode >> 6), (ACL_GROUP, mode >> 3), (ACL_OTHERS, mode))
        return {(tag, ACL_UNNAMED): bits & 0o7 for tag, bits in tags}
    return {(tag, name): bits for tag, bits, name in ACL_ENTRY.iter_unpack(raw[len(ACL_HEADER) :])}


def _set_access_list(folder: Path, entries: dict[tuple[int, int], int]) -> None:
    packed = (ACL_ENTRY.pack(tag, bits, name) for (tag, name), bits in sorted(entries.items()))
    os.setxattr(folder, ACL_ATTRIBUTE, ACL_HEADER + b"".join(packed))
