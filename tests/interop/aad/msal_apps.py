"""Microsoft's library for Python, as its users set it up.

A new application object for every request that may fail: the library answers from its cache after errors.
"""

import warnings

import msal

from checks import HOME, TENANT

# It warns of what is checked here on purpose: passwords, and answers in the query.
warnings.filterwarnings("ignore", module="msal")


def public(client=TENANT["client_app"], authority=HOME, **options):
    """An app that cannot keep a secret."""
    return msal.PublicClientApplication(client, authority=authority, **options)


def confidential(one, credential=None, authority=HOME, **options):
    """An app with its secret, or with another credential."""
    return msal.ConfidentialClientApplication(one["id"], credential or one["secret"], authority=authority, **options)
