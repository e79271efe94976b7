"""Prints the authorization table: `python -m tests.security.matrix`."""

from config.env import ROOT
from tests.security.matrix.document import TEXT, document

(ROOT / TEXT).write_text(document())
