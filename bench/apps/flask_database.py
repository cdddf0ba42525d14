"""A page that asks PostgreSQL once; at /slow the answer takes 20 ms longer."""

import os

from flask import Flask
from psycopg_pool import ConnectionPool

app = Flask(__name__)
pool = ConnectionPool(os.environ["BENCH_DATABASE"], min_size=16, max_size=16, open=True)


@app.route("/")
def index():
    return ask("SELECT 40 + %s")


@app.route("/slow")
def slow():
    return ask("SELECT 40 + %s FROM pg_sleep(0.02)")


def ask(query):
    with pool.connection() as connection:
        return {"answer": connection.execute(query, (2,)).fetchone()[0]}
