"""Mercurial's hgweb, as `contrib/hgweb.wsgi` of its distribution has it."""

import os

from mercurial.hgweb import hgweb

application = hgweb(os.environ["HG_CONFIG"].encode())
