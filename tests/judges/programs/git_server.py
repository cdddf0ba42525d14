"""Every repository in the directory REPOSITORIES, as dulwich serves them: over the smart protocol, for reading and writing."""

import os
from pathlib import Path

from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

found = {f"/{path.name}": Repo(str(path)) for path in Path(os.environ["REPOSITORIES"]).iterdir()}
application = make_wsgi_chain(DictBackend(found))
