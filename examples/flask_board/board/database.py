"""The database: its tables, how it is opened, and how writers take turns.

Workers are separate processes that start at the same moment and write at the
same time, so both creating the tables and adding a message happen under one
lock that the database itself holds.
"""

import sqlite3
import time
from datetime import datetime, timezone

from sqlalchemy import Connection, Engine, ForeignKey, LargeBinary, String, create_engine, event, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

#: Any number will do, so long as nothing else in the database uses it.
ADVISORY_LOCK = 7_230_845


class Base(DeclarativeBase):
    pass


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(String(2000))
    posted_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(timezone.utc).replace(tzinfo=None))
    attachment: Mapped["Attachment | None"] = relationship(lazy="joined")


class Attachment(Base):
    """A file kept in the database, where every worker and machine finds it."""

    __tablename__ = "attachments"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


def open_database(url: str) -> sessionmaker[Session]:
    """Return what makes sessions; the tables exist when it returns."""
    engine = create_engine(use_psycopg_3(url), pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
    with engine.begin() as connection:
        take_turn(connection)
        Base.metadata.create_all(connection)
    return sessionmaker(engine, expire_on_commit=False)


def use_psycopg_3(url: str) -> str:
    """Platforms hand out postgres:// URLs; SQLAlchemy reads them as another driver's, or not at all."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in {"postgres", "postgresql"} else url


def prepare_sqlite(engine: Engine) -> None:
    """Let SQLite serve several processes: readers beside the writer, and a wait instead of "database is locked"."""

    @event.listens_for(engine, "connect")
    def configure(connection, _record) -> None:
        connection.isolation_level = None  # The driver would begin a transaction only before some statements.
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA foreign_keys = ON")
        use_write_ahead_log(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Change the file's journal, which lasts; the next worker finds it changed.

    Two that change it at once are refused without a wait, whatever busy_timeout says.
    """
    for _ in range(100):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("another process keeps the database locked")


def take_turn(connection: Connection) -> None:
    """Wait until no other worker writes; the turn ends with the transaction.

    With it `create_all` never runs twice at once, and ids become visible in
    their order, so that a stream which has seen number 7 misses no number 6.
    Between this call and the commit nothing may wait for the network: the
    other workers would wait too.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version = 1")  # Any write takes the file's lock; this one changes nothing.
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
