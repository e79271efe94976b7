"""Writes the table as a text: `python -m tests.security.matrix`."""

from config.env import ROOT
from tests.security.matrix.document import TEXT, document

(ROOT / TEXT).write_text(document())
