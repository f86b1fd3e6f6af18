"""The one gateway to the database.

A unit of work is a transaction opened for an account: it sets `muster.account_id` for row-level security, and there is
no other way to reach an account's rows. Nothing here may hold state of a session (PgBouncer in transaction mode):
no LISTEN, no session locks, SET LOCAL only.
"""

from asyncio import CancelledError, Semaphore
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self
from weakref import WeakValueDictionary

import asyncpg

from engine.errors import DatabaseUnusable
from engine.queries import statements
from engine.sets.known import KnownSets

#: What a transaction without an account has for one: no account has this number.
NO_ACCOUNT = 0
#: Seconds to wait for a connection to be made.
CONNECT_SECONDS = 10
#: Connections that are free for other accounts when one asks for much at once.
KEPT_FREE = 2
#: Seconds that one COPY of a batch may take; it takes a tenth of one.
COPY_SECONDS = 15
#: The same of one that reads a batch, which takes as much at the most, also where the disk that it goes to is slow.
COPY_OUT_SECONDS = 60

#: Takes a piece of what COPY gives.
Write = Callable[[bytes], Awaitable[None]]

#: What making a connection raises, a URL that makes no sense included.
CANNOT_CONNECT = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ValueError)

#: Errors that say the server cannot be reached now, whatever was asked of it: those who serve others may answer
#: "try again later".
UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # Of a connection that broke in the middle of a statement: "cannot switch to state …".
    asyncpg.InternalClientError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
    asyncpg.exceptions.OperatorInterventionError,
)


class Transaction:
    """One open transaction for one account. Statements are named; `:account_id` is filled in."""

    __slots__ = ("_connection", "account_id", "known_sets")

    def __init__(self, connection: Any, account_id: int, known_sets: KnownSets) -> None:
        self._connection = connection
        self.account_id = account_id
        self.known_sets = known_sets

    async def all(self, name: str, /, **parameters: object) -> list[asyncpg.Record]:
        sql, arguments = self._bind(name, parameters)
        return await self._connection.fetch(sql, *arguments)  # type: ignore[no-any-return]

    async def one(self, name: str, /, **parameters: object) -> asyncpg.Record | None:
        sql, arguments = self._bind(name, parameters)
        return await self._connection.fetchrow(sql, *arguments)  # type: ignore[no-any-return]

    async def value(self, name: str, /, **parameters: object) -> Any:
        sql, arguments = self._bind(name, parameters)
        return await self._connection.fetchval(sql, *arguments)

    async def run(self, name: str, /, **parameters: object) -> int:
        """Runs a statement that returns no rows; answers how many it touched."""
        sql, arguments = self._bind(name, parameters)
        return _touched(await self._connection.execute(sql, *arguments))

    async def select(self, sql: str, arguments: Sequence[object]) -> list[asyncpg.Record]:
        """Runs a compiled set expression; the one kind of statement that has no name."""
        return await self._connection.fetch(sql, *arguments)  # type: ignore[no-any-return]

    async def copy(self, table: str, columns: Sequence[str], records: Iterable[tuple[object, ...]]) -> None:
        """COPYs records into a staging table.

        A client that falls silent in the middle would hold its locks for ever: to the server it is at work.
        """
        await self._connection.execute(f"SET LOCAL statement_timeout = '{COPY_SECONDS}s'")
        await self._connection.copy_records_to_table(table, columns=columns, records=records)
        await self._connection.execute("SET LOCAL statement_timeout TO DEFAULT")

    async def copy_out(
        self, sql: str, arguments: Sequence[object], write: Write, *, seconds: int = COPY_OUT_SECONDS
    ) -> None:
        """COPYs the rows of a statement composed in code, as CSV in UTF-8 with LF as line ends, piece by piece.

        Takes as many seconds at most, whatever other statements of the process may take. Raises TimeoutError.
        """
        await self._connection.execute(f"SET LOCAL statement_timeout = '{seconds}s'")
        await self._connection.copy_from_query(sql, *arguments, output=write, format="csv", timeout=seconds)
        await self._connection.execute("SET LOCAL statement_timeout TO DEFAULT")

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Whatever fails in the block is undone with its locks, and the transaction may go on without it."""
        await self._connection.execute("SAVEPOINT step")
        try:
            yield
        except asyncpg.PostgresError:
            await self._connection.execute("ROLLBACK TO SAVEPOINT step")
            raise

    def _bind(self, name: str, parameters: dict[str, object]) -> tuple[str, list[object]]:
        statement = statements()[name]
        parameters.setdefault("account_id", self.account_id)
        return statement.sql, [parameters[parameter] for parameter in statement.parameters]


class Database:
    """A pool of connections as the application role. No account can take all of them."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", connections: int) -> None:
        self._pool = pool
        self._most_of_account = max(1, connections - KEPT_FREE)
        #: Of the accounts with a transaction under way.
        self._turns: WeakValueDictionary[int, Semaphore] = WeakValueDictionary()
        self._known_sets = KnownSets()

    @classmethod
    async def open(cls, url: str, *, connections: int = 10, longest_statement: float | None = None) -> Self:
        """Opens the pool and makes sure that the role cannot see through the accounts' walls.

        A statement that takes more than `longest_statement` seconds is cancelled and raises TimeoutError.
        Raises DatabaseUnusable when the server cannot be reached, is not migrated, or the role could bypass them.
        """
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=connections,
                reset=_leave_no_transaction,
                timeout=CONNECT_SECONDS,
                command_timeout=longest_statement,
            )
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise DatabaseUnusable(f"cannot connect to PostgreSQL: {error}; was `muster migrate` run?") from error
        except CANNOT_CONNECT as error:
            raise DatabaseUnusable(f"cannot connect to PostgreSQL: {error}") from error
        database = cls(pool, connections)
        try:
            await database.check()
        except BaseException:
            pool.terminate()
            raise
        return database

    async def close(self) -> None:
        await self._pool.close()

    async def check(self) -> None:
        """Raises DatabaseUnusable unless the schema is there and the role stays behind the walls."""
        async with self.everywhere() as tx:
            try:
                unsafe = await tx.value("role_sees_through_walls")
            except asyncpg.PostgresError as error:
                raise DatabaseUnusable(f"{error}; run `muster migrate`") from error
        if unsafe is None:
            raise DatabaseUnusable("the database has no Muster tables; run `muster migrate`")
        if unsafe:
            raise DatabaseUnusable(
                "the role of DATABASE_APP_URL owns Muster's tables or bypasses row-level security; "
                "use the role that `muster migrate` made"
            )

    @asynccontextmanager
    async def account(self, account_id: int) -> AsyncIterator[Transaction]:
        """A transaction that sees only the account."""
        async with self._transaction(f"SET LOCAL muster.account_id = '{account_id:d}'", account_id) as tx:
            yield tx

    @asynccontextmanager
    async def scheduling(self, account_id: int) -> AsyncIterator[Transaction]:
        """A transaction of the account that holds its row's lock: the account's order of activities stands still."""
        setup = (
            f"SET LOCAL muster.account_id = '{account_id:d}';"
            f" SELECT FROM account WHERE account_id = {account_id:d} FOR NO KEY UPDATE"
        )
        async with self._transaction(setup, account_id) as tx:
            yield tx

    @asynccontextmanager
    async def everywhere(self) -> AsyncIterator[Transaction]:
        """A transaction without an account: only the tables without a wall show rows."""
        async with self._transaction("SET LOCAL muster.account_id = ''", NO_ACCOUNT) as tx:
            yield tx

    def _turn(self, account_id: int) -> Semaphore:
        return self._turns.setdefault(account_id, Semaphore(self._most_of_account))

    @asynccontextmanager
    async def _transaction(self, setup: str, account_id: int) -> AsyncIterator[Transaction]:
        async with self._turn(account_id), self._pool.acquire() as connection:
            try:
                await connection.execute(f"BEGIN; {setup}")
                yield Transaction(connection, account_id, self._known_sets)
                committed = await connection.execute("COMMIT") == "COMMIT"
            except (Exception, CancelledError):
                # Here and not in the pool's reset, which would warn of each refused request. A lost connection, which
                # the pool has taken back, must not hide the error that tells of it.
                with suppress(*UNREACHABLE):
                    await _leave_no_transaction(connection)
                raise
            if not committed:
                raise RuntimeError("the transaction had failed and was rolled back, though its error was swallowed")


async def _leave_no_transaction(connection: Any) -> None:
    """Rolls back what an error or a cancelled coroutine left open.

    Nothing else is ever left in a session, so asyncpg's own reset would be a round trip for nothing.
    """
    if not connection.is_closed() and connection.is_in_transaction():
        await connection.execute("ROLLBACK")


def _touched(status: str) -> int:
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0
