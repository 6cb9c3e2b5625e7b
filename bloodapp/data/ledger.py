"""The file that decisions lie in: SQLite, append-only, one short connection an operation.

`decisions` says what the events mean; here is only how they are kept. Several threads and processes may
read and write at once: the log is in WAL mode and each operation is one transaction.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bloodapp.errors import Busy, Unreadable
from bloodapp.workspace import lock, now

FILE = "decisions.db"
INSERT = 'insert into events (batch, "index", action, label, cancels, why, who, "when") values (?, ?, ?, ?, ?, ?, ?, ?)'
NEWEST = 2**63 - 1  # a number that no event goes beyond: SQLite's largest
_WAIT_S = 30.0  # how long one waits for another's transaction, which takes milliseconds


def create_log(folder: Path) -> None:
    """Make an empty log in a dataset's folder, or bring an older one up to date."""
    path = folder / FILE
    with lock(folder / f".{FILE}.lock"):
        if path.exists():
            with closing(_connect(path)) as connection:
                _migrate(connection)
            return
        # Made beside its place and moved there whole: nobody finds it without its tables, and it is switched
        # to WAL, for which SQLite does not wait its turn, before anybody else can have it open.
        making = folder / f".{FILE}-making"
        making.unlink(missing_ok=True)
        with closing(_connect(making)) as connection:
            connection.execute("pragma journal_mode = wal")
            _migrate(connection)
        os.replace(making, path)


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute("begin immediate")
    connection.execute("create table if not exists migrations (name text primary key, applied text not null)")
    applied = _applied(connection)
    for migration in MIGRATIONS:
        if migration.__name__ not in applied:
            migration(connection)
            connection.execute("insert into migrations values (?, ?)", (migration.__name__, now()))
    connection.execute("commit")


def _applied(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("select name from migrations")}


def m001_events(connection: sqlite3.Connection) -> None:
    """The log itself. Triggers keep it append-only, whoever opens it with whatever."""
    connection.execute(
        """create table events (
            seq integer primary key autoincrement,
            batch integer not null,
            "index" integer not null check ("index" >= 0),
            action text not null check (action in ('keep', 'exclude', 'flag', 'relabel', 'undo')),
            label integer check ((action = 'relabel') = (label is not null)),
            cancels integer references events (seq)
                check ((action = 'undo') = (cancels is not null) and (cancels is null or cancels < seq)),
            why text not null,
            who text not null,
            "when" text not null
        )"""
    )
    connection.execute("create index events_by_batch on events (batch)")
    connection.execute("create index events_by_cancels on events (cancels) where cancels is not null")
    for verb in ("update", "delete"):
        connection.execute(
            f"create trigger no_{verb} before {verb} on events "
            "begin select raise(abort, 'decisions are only ever added'); end"
        )


def m002_acts(connection: sqlite3.Connection) -> None:
    """Which batch a page's act, by the id that the page gave it, became: the same act sent twice is one batch."""
    connection.execute("create table acts (id text primary key, batch integer not null) without rowid")
    _only_added(connection, "acts", "what was done is only ever added")


def m003_readings(connection: sqlite3.Connection) -> None:
    """Samples of labelled images, and what readers said of them without seeing the labels; see `readings`."""
    connection.execute(
        """create table samples (
            name text primary key,
            how text not null,
            seed integer not null,
            seq integer not null,
            who text not null,
            "when" text not null
        ) without rowid"""
    )
    connection.execute(
        """create table sampled (
            sample text not null references samples (name),
            place integer not null,
            "index" integer not null check ("index" >= 0),
            label integer not null check (label >= 0),
            primary key (sample, place),
            unique (sample, "index")
        ) without rowid"""
    )
    connection.execute(
        """create table readings (
            seq integer primary key autoincrement,
            sample text not null,
            "index" integer not null,
            label integer check (label >= -1),
            cancels integer references readings (seq)
                check ((label is null) = (cancels is not null) and (cancels is null or cancels < seq)),
            reader text not null,
            once text unique,
            "when" text not null,
            foreign key (sample, "index") references sampled (sample, "index")
        )"""
    )
    connection.execute("create index readings_by_sample on readings (sample)")
    for table in ("samples", "sampled", "readings"):
        _only_added(connection, table, "readings are only ever added")


def _only_added(connection: sqlite3.Connection, table: str, sentence: str) -> None:
    for verb in ("update", "delete"):
        connection.execute(
            f"create trigger no_{verb}_of_{table} before {verb} on {table} "
            f"begin select raise(abort, '{sentence}'); end"
        )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (m001_events, m002_acts, m003_readings)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma synchronous = full")  # a decision that was shown as taken survives a power cut
    return connection


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    try:
        if not (folder / FILE).exists():
            create_log(folder)
        with closing(_connect(folder / FILE)) as connection:
            names = {migration.__name__ for migration in MIGRATIONS}
            applied = _applied(connection)
            if applied - names:
                raise Unreadable(
                    f"The decisions of '{folder.name}' were written by a newer version: update the app."
                )
            if names - applied:
                create_log(folder)
            yield connection
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise Busy(
                f"The decisions of '{folder.name}' are being written by somebody else: try again."
            ) from error
        raise Unreadable(f"The decisions of '{folder.name}' cannot be read: {error}.") from error
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise Unreadable(f"The decisions of '{folder.name}' are damaged: {error}.") from error


def copy(folder: Path, target: Path) -> None:
    """Write a whole copy of a dataset's ledger, as it is at this moment, to another file."""
    with _opened(folder) as connection, closing(sqlite3.connect(target)) as other:
        connection.backup(other)


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """One consistent view of the log, however many statements read it."""
    with _opened(folder) as connection:
        connection.execute("begin")
        yield connection
        connection.execute("commit")


@contextmanager
def writing(folder: Path, *, dry: bool = False) -> Iterator[sqlite3.Connection]:
    """One transaction, written whole when the block ends well and not at all when it does not, or is only tried."""
    with _opened(folder) as connection:
        connection.execute("begin immediate")
        yield connection  # an exception leaves by closing the connection, which rolls back
        connection.execute("rollback" if dry else "commit")


def next_batch(connection: sqlite3.Connection) -> int:
    """A number for a new batch; nobody else gets it while this transaction lasts."""
    return int(connection.execute("select ifnull(max(batch), 0) + 1 from events").fetchone()[0])


def batch_of(connection: sqlite3.Connection, act: str | None) -> int | None:
    """The batch that an act became, by its id; None where it was not done yet, or has no id."""
    found = connection.execute("select batch from acts where id = ?", (act,)).fetchone()
    return None if found is None else int(found[0])


def remember(connection: sqlite3.Connection, act: str | None, batch: int) -> None:
    """Note in the same transaction which batch an act became, if it has an id."""
    if act is not None:
        connection.execute("insert into acts values (?, ?)", (act, batch))


def insert(connection: sqlite3.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Append events (batch, index, action, label, cancels, why, who, when)."""
    connection.executemany(INSERT, rows)


def cancelled(connection: sqlite3.Connection, upto: int = NEWEST) -> set[int]:
    """The events that do not hold: those that an undo which holds itself cancels; of the events up to a number."""
    gone: set[int] = set()
    # Undos are later than what they undo, so from the newest backwards each is settled when it is reached.
    for seq, cancels in connection.execute(
        "select seq, cancels from events where cancels is not null and seq <= ? order by seq desc", (upto,)
    ):
        if seq not in gone:
            gone.add(cancels)
    return gone
