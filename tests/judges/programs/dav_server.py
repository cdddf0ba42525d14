"""A directory as a WebDAV share."""

import os

from wsgidav.wsgidav_app import WsgiDAVApp

application = WsgiDAVApp(
    {
        "provider_mapping": {"/": os.environ["SHARE"]},
        "simple_dc": {"user_mapping": {"*": {"ann": {"password": "secret"}}}},
        "http_authenticator": {"accept_basic": True, "accept_digest": True, "default_to_digest": True},
        "logging": {"enable": False},
    }
)
