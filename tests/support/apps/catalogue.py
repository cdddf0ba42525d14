"""An ordinary application of some size: Flask, and a model in SQLAlchemy."""

import flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool


class Model(DeclarativeBase):
    pass


class Book(Model):
    __tablename__ = "book"
    title: Mapped[str] = mapped_column(primary_key=True)


engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
application = flask.Flask(__name__)


@application.get("/")
def show():
    Model.metadata.create_all(engine)
    with Session(engine) as session:
        return {"books": len(session.scalars(select(Book)).all())}
