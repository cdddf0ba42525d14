"""greenserve and its peers, side by side: `python -m bench`.

Nothing here is part of the package. It runs on the standard library alone;
what it measures is installed in an environment of its own, .venv-bench.
docs/explanation/how-we-measure.md says how to read what comes out.
"""
